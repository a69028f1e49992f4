//! Metadata: what there is, and what comes into being by being asked for.

use uuid::Uuid;
use wire::ErrorCode;
use wire::message::metadata::{MetadataRequest, MetadataRequestTopic, MetadataResponseTopic};

use super::support::{Client, TestBroker};

fn asking(names: &[&str], allow_auto_topic_creation: bool) -> MetadataRequest {
    let topic = |name: &&str| MetadataRequestTopic { name: Some((*name).to_owned()), ..Default::default() };
    MetadataRequest {
        topics: Some(names.iter().map(topic).collect()),
        allow_auto_topic_creation,
        ..Default::default()
    }
}

async fn ask(client: &mut Client, names: &[&str], create: bool) -> Vec<(String, ErrorCode)> {
    let response = client.call(12, &asking(names, create)).await;
    let answer = |topic: MetadataResponseTopic| (topic.name.unwrap(), ErrorCode::from_code(topic.error_code));
    response.topics.into_iter().map(answer).collect()
}

#[tokio::test]
async fn this_broker_is_everything_there_is() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    client.create("a", 3).await;
    let response = client.call(12, &asking(&["a"], false)).await;
    let node = &response.brokers[0];
    assert_eq!((node.host.as_str(), node.port), ("127.0.0.1", i32::from(broker.addr.port())));
    assert_eq!((response.brokers.len(), response.controller_id), (1, node.node_id));
    assert_eq!(response.cluster_id.unwrap().len(), 22);
    let topic = &response.topics[0];
    assert_ne!(topic.topic_id, Uuid::nil());
    let indexes: Vec<i32> = topic.partitions.iter().map(|partition| partition.partition_index).collect();
    assert_eq!(indexes, [0, 1, 2]);
    for partition in &topic.partitions {
        assert_eq!((partition.leader_id, partition.leader_epoch), (node.node_id, 0));
        assert_eq!(
            (&partition.replica_nodes, &partition.isr_nodes),
            (&vec![node.node_id], &vec![node.node_id])
        );
    }
}

#[tokio::test]
async fn an_advertised_listener_is_told_instead_of_the_address_used() {
    let broker = TestBroker::start_with(&[("advertised_listener", "logs.example.com:19092")]).await;
    let response = broker.client().await.call(12, &MetadataRequest::default()).await;
    assert_eq!((response.brokers[0].host.as_str(), response.brokers[0].port), ("logs.example.com", 19092));
}

#[tokio::test]
async fn an_empty_list_means_all_in_version_0_and_none_later_and_null_means_all() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    client.create("a", 1).await;
    client.create("b", 1).await;
    let empty = MetadataRequest { topics: Some(Vec::new()), ..Default::default() };
    let null = MetadataRequest { topics: None, ..Default::default() };
    // the two and __consumer_offsets
    assert_eq!(client.call(0, &empty).await.topics.len(), 3);
    for version in 1..=12 {
        assert_eq!(client.call(version, &empty).await.topics.len(), 0, "version {version}");
        let topics = client.call(version, &null).await.topics;
        let internal: Vec<bool> = topics.iter().map(|topic| topic.is_internal).collect();
        assert_eq!(internal, [true, false, false], "version {version}");
    }
}

#[tokio::test]
async fn a_missing_topic_is_created_when_both_sides_allow_it() {
    let broker = TestBroker::start_with(&[("num_partitions", "2")]).await;
    let mut client = broker.client().await;
    let unknown = ErrorCode::UnknownTopicOrPartition;
    assert_eq!(ask(&mut client, &["new"], false).await, [("new".to_owned(), unknown)]);
    let response = client.call(12, &asking(&["new"], true)).await;
    assert_eq!((response.topics[0].error_code, response.topics[0].partitions.len()), (0, 2));
    assert_eq!(ask(&mut client, &["new"], false).await, [("new".to_owned(), ErrorCode::None)]);
    // version 0 to 3 cannot forbid it, nor say so
    assert_eq!(client.call(0, &asking(&["old"], true)).await.topics[0].error_code, 0);
}

#[tokio::test]
async fn no_topic_is_created_where_the_broker_forbids_it() {
    let broker = TestBroker::start_with(&[("auto_create_topics_enable", "false")]).await;
    let mut client = broker.client().await;
    let unknown = ErrorCode::UnknownTopicOrPartition;
    assert_eq!(ask(&mut client, &["new"], true).await, [("new".to_owned(), unknown)]);
    let all = client.call(1, &MetadataRequest { topics: None, ..Default::default() }).await.topics;
    assert!(all.iter().all(|topic| topic.is_internal), "{all:?}");
}

#[tokio::test]
async fn a_name_that_is_no_directory_name_is_refused_with_error_17() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    let long = "x".repeat(250);
    for name in ["", ".", "..", "../../etc", "a/b", "a b", "ü", long.as_str()] {
        for create in [true, false] {
            let answered = ask(&mut client, &[name], create).await;
            assert_eq!(answered, [(name.to_owned(), ErrorCode::InvalidTopicException)], "{name:?}");
        }
    }
}

#[tokio::test]
async fn topics_are_found_by_id_from_version_12() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    client.create("a", 1).await;
    let id = client.call(12, &asking(&["a"], false)).await.topics[0].topic_id;
    let by_id = |topic_id| MetadataRequest {
        topics: Some(vec![MetadataRequestTopic { topic_id, name: None }]),
        ..Default::default()
    };
    let found = client.call(12, &by_id(id)).await.topics.remove(0);
    assert_eq!((found.name.as_deref(), found.error_code), (Some("a"), 0));
    let missing = client.call(12, &by_id(Uuid::from_u128(7))).await.topics.remove(0);
    assert_eq!(ErrorCode::from_code(missing.error_code), ErrorCode::UnknownTopicId);
}

/// Asking for ever new names must not fill the disk and the table of open files.
#[tokio::test]
async fn auto_creation_ends_at_max_partitions() {
    let keys = [("max_partitions", "3"), ("offsets_topic_num_partitions", "1")];
    let broker = TestBroker::start_with(&keys).await;
    let mut client = broker.client().await;
    let answered = ask(&mut client, &["a", "b", "c"], true).await;
    let errors: Vec<ErrorCode> = answered.into_iter().map(|(_, error)| error).collect();
    assert_eq!(errors, [ErrorCode::None, ErrorCode::None, ErrorCode::InvalidPartitions]);
}

/// Many producers start at once and all ask for the topic that none has created yet.
#[tokio::test]
async fn a_topic_created_by_many_at_once_is_there_for_all() {
    let broker = TestBroker::start().await;
    let asked = (0..8).map(|_| {
        let addr = broker.addr;
        tokio::spawn(async move { ask(&mut Client::connect(addr).await, &["new"], true).await })
    });
    for answer in asked.collect::<Vec<_>>() {
        assert_eq!(answer.await.unwrap(), [("new".to_owned(), ErrorCode::None)]);
    }
}
