//! CreateTopics and DeleteTopics.

use uuid::Uuid;
use wire::ErrorCode;
use wire::message::create_topics::{
    CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfig, CreatableTopicResult,
    CreateTopicsRequest,
};
use wire::message::delete_topics::{DeleteTopicState, DeleteTopicsRequest};
use wire::message::metadata::MetadataRequest;

use super::support::{Client, TestBroker, batch_of};

fn topic(name: &str) -> CreatableTopic {
    CreatableTopic { name: name.to_owned(), num_partitions: 1, replication_factor: 1, ..Default::default() }
}

async fn create(client: &mut Client, version: i16, topic: CreatableTopic) -> CreatableTopicResult {
    let request = CreateTopicsRequest { topics: vec![topic], ..Default::default() };
    client.call(version, &request).await.topics.remove(0)
}

async fn refusal(client: &mut Client, topic: CreatableTopic) -> ErrorCode {
    let result = create(client, 7, topic).await;
    assert!(result.error_message.is_some(), "an error says in words what is wrong");
    ErrorCode::from_code(result.error_code)
}

async fn names(client: &mut Client) -> Vec<String> {
    let response = client.call(1, &MetadataRequest { topics: None, ..Default::default() }).await;
    response.topics.into_iter().filter(|topic| !topic.is_internal).filter_map(|topic| topic.name).collect()
}

#[tokio::test]
async fn every_version_creates_and_deletes() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    for version in 0..=7 {
        let result = create(&mut client, version, topic("t")).await;
        assert_eq!(result.error_code, 0, "create, version {version}");
        assert_eq!(result.topic_id != Uuid::nil(), version >= 7);
        assert_eq!(names(&mut client).await, ["t"]);
        let version = version.min(6);
        let states = vec![DeleteTopicState { name: Some("t".to_owned()), ..Default::default() }];
        let request = if version == 6 {
            DeleteTopicsRequest { topics: states, ..Default::default() }
        } else {
            DeleteTopicsRequest { topic_names: vec!["t".to_owned()], ..Default::default() }
        };
        let deleted = client.call(version, &request).await.responses.remove(0);
        assert_eq!(
            (deleted.error_code, deleted.name.as_deref()),
            (0, Some("t")),
            "delete, version {version}"
        );
        assert!(names(&mut client).await.is_empty());
    }
}

#[tokio::test]
async fn defaults_and_own_settings_come_back() {
    let broker = TestBroker::start_with(&[("num_partitions", "5")]).await;
    let mut client = broker.client().await;
    let config = |name: &str, value: &str| CreatableTopicConfig {
        name: name.to_owned(),
        value: Some(value.to_owned()),
    };
    let wanted = CreatableTopic {
        num_partitions: -1,
        replication_factor: -1,
        configs: vec![config("retention.ms", "60000")],
        ..topic("t")
    };
    let result = create(&mut client, 7, wanted).await;
    assert_eq!((result.error_code, result.num_partitions, result.replication_factor), (0, 5, 1));
    let configs = result.configs.unwrap();
    let find = |name: &str| configs.iter().find(|config| config.name == name).unwrap();
    let (own, inherited) = (find("retention.ms"), find("segment.bytes"));
    assert_eq!((own.value.as_deref(), own.config_source), (Some("60000"), 1), "the topic's own");
    assert_eq!((inherited.value.as_deref(), inherited.config_source), (Some("1073741824"), 5));
    for (name, value) in [("retention.ms", "soon"), ("no.such.setting", "1"), ("cleanup.policy", "burn")] {
        let wanted = CreatableTopic { configs: vec![config(name, value)], ..topic("u") };
        assert_eq!(refusal(&mut client, wanted).await, ErrorCode::InvalidConfig, "{name}={value}");
    }
}

#[tokio::test]
async fn each_mistake_has_its_error_and_creates_nothing() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    client.create("there", 1).await;
    let assigned = |partition_index, broker_ids: &[i32]| CreatableReplicaAssignment {
        partition_index,
        broker_ids: broker_ids.to_vec(),
    };
    let by_hand = |assignments| CreatableTopic {
        num_partitions: -1,
        replication_factor: -1,
        assignments,
        ..topic("t")
    };
    let cases = [
        (topic("there"), ErrorCode::TopicAlreadyExists),
        (topic("a/b"), ErrorCode::InvalidTopicException),
        (CreatableTopic { num_partitions: 0, ..topic("t") }, ErrorCode::InvalidPartitions),
        (CreatableTopic { num_partitions: -2, ..topic("t") }, ErrorCode::InvalidPartitions),
        (CreatableTopic { num_partitions: i32::MAX, ..topic("t") }, ErrorCode::InvalidPartitions),
        (CreatableTopic { replication_factor: 3, ..topic("t") }, ErrorCode::InvalidReplicationFactor),
        (CreatableTopic { replication_factor: 0, ..topic("t") }, ErrorCode::InvalidReplicationFactor),
        (by_hand(vec![assigned(0, &[99])]), ErrorCode::InvalidReplicaAssignment),
        (by_hand(vec![assigned(0, &[1, 2])]), ErrorCode::InvalidReplicaAssignment),
        (by_hand(vec![assigned(0, &[])]), ErrorCode::InvalidReplicaAssignment),
        (by_hand(vec![assigned(1, &[1])]), ErrorCode::InvalidReplicaAssignment),
        (by_hand(vec![assigned(0, &[1]), assigned(0, &[1])]), ErrorCode::InvalidReplicaAssignment),
        (CreatableTopic { assignments: vec![assigned(0, &[1])], ..topic("t") }, ErrorCode::InvalidRequest),
    ];
    for (wanted, error) in cases {
        assert_eq!(refusal(&mut client, wanted.clone()).await, error, "{wanted:?}");
    }
    assert_eq!(names(&mut client).await, ["there"]);
    let result = create(&mut client, 7, by_hand(vec![assigned(1, &[1]), assigned(0, &[1])])).await;
    assert_eq!((result.error_code, result.num_partitions), (0, 2));
}

#[tokio::test]
async fn a_name_that_comes_twice_is_refused_each_time() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    let request =
        CreateTopicsRequest { topics: vec![topic("t"), topic("u"), topic("t")], ..Default::default() };
    let results = client.call(7, &request).await.topics;
    let errors: Vec<ErrorCode> =
        results.iter().map(|result| ErrorCode::from_code(result.error_code)).collect();
    assert_eq!(errors, [ErrorCode::InvalidRequest, ErrorCode::None, ErrorCode::InvalidRequest]);
}

#[tokio::test]
async fn a_dry_run_finds_the_mistakes_and_creates_nothing() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    client.create("there", 1).await;
    let bad_config = CreatableTopicConfig { name: "x".to_owned(), ..Default::default() };
    let topics = vec![
        topic("t"),
        topic("there"),
        topic("a/b"),
        CreatableTopic { configs: vec![bad_config], ..topic("u") },
        CreatableTopic { num_partitions: 0, ..topic("v") },
        CreatableTopic { num_partitions: 5000, ..topic("w") },
    ];
    let request = CreateTopicsRequest { topics, validate_only: true, ..Default::default() };
    let results = client.call(7, &request).await.topics;
    let errors: Vec<ErrorCode> =
        results.iter().map(|result| ErrorCode::from_code(result.error_code)).collect();
    let expected = [
        ErrorCode::None,
        ErrorCode::TopicAlreadyExists,
        ErrorCode::InvalidTopicException,
        ErrorCode::InvalidConfig,
        ErrorCode::InvalidPartitions,
        ErrorCode::InvalidPartitions,
    ];
    assert_eq!(errors, expected);
    assert_eq!(names(&mut client).await, ["there"]);
}

#[tokio::test]
async fn deleting_by_id_and_what_is_not_there() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    let topic_id = create(&mut client, 7, topic("t")).await.topic_id;
    let delete = |name: Option<&str>, topic_id| DeleteTopicState { name: name.map(str::to_owned), topic_id };
    let topics = vec![
        delete(Some("u"), Uuid::nil()),
        delete(None, Uuid::from_u128(7)),
        delete(Some("t"), topic_id),
        delete(None, topic_id),
    ];
    let responses = client.call(6, &DeleteTopicsRequest { topics, ..Default::default() }).await.responses;
    let errors: Vec<ErrorCode> =
        responses.iter().map(|result| ErrorCode::from_code(result.error_code)).collect();
    let expected = [
        ErrorCode::UnknownTopicOrPartition,
        ErrorCode::UnknownTopicId,
        ErrorCode::InvalidRequest,
        ErrorCode::None,
    ];
    assert_eq!(errors, expected);
}

/// Without it the groups would have nowhere to keep their offsets.
#[tokio::test]
async fn the_topic_of_the_offsets_cannot_be_deleted_nor_written_to() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    let offsets = "__consumer_offsets";
    let request = DeleteTopicsRequest { topic_names: vec![offsets.to_owned()], ..Default::default() };
    let response = client.call(5, &request).await.responses.remove(0);
    assert_eq!(ErrorCode::from_code(response.error_code), ErrorCode::InvalidTopicException);
    let response = client.try_produce(offsets, 1, batch_of(&["x"])).await;
    assert_eq!(ErrorCode::from_code(response.error_code), ErrorCode::InvalidTopicException);
}

/// A topic deleted and created again is another one: its records are gone and its id is new.
#[tokio::test]
async fn a_topic_of_the_same_name_begins_empty() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    let first = create(&mut client, 7, topic("t")).await.topic_id;
    client.produce("t", batch_of(&["old"])).await;
    client.call(5, &DeleteTopicsRequest { topic_names: vec!["t".to_owned()], ..Default::default() }).await;
    let second = create(&mut client, 7, topic("t")).await.topic_id;
    assert_ne!(first, second);
    assert!(client.consume("t").await.is_empty());
    assert_eq!(client.produce("t", batch_of(&["new"])).await, 0);
}
