//! CreatePartitions and DescribeTopicPartitions.

use std::sync::Arc;

use broker::log::RealDisk;
use wire::ErrorCode;
use wire::message::create_partitions::{
    CreatePartitionsAssignment, CreatePartitionsRequest, CreatePartitionsTopic, CreatePartitionsTopicResult,
};
use wire::message::describe_topic_partitions::{
    Cursor, DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse, TopicRequest,
};
use wire::message::metadata::{MetadataRequest, MetadataRequestTopic};

use super::support::{Client, TestBroker, produce_request};

fn grow(name: &str, count: i32) -> CreatePartitionsTopic {
    CreatePartitionsTopic { name: name.to_owned(), count, ..Default::default() }
}

fn assigned(name: &str, count: i32, brokers: &[&[i32]]) -> CreatePartitionsTopic {
    let assignment = |ids: &&[i32]| CreatePartitionsAssignment { broker_ids: ids.to_vec() };
    CreatePartitionsTopic { assignments: Some(brokers.iter().map(assignment).collect()), ..grow(name, count) }
}

async fn create(
    client: &mut Client,
    version: i16,
    validate_only: bool,
    topics: Vec<CreatePartitionsTopic>,
) -> Vec<CreatePartitionsTopicResult> {
    let request = CreatePartitionsRequest { topics, timeout_ms: 1000, validate_only };
    client.call(version, &request).await.results
}

async fn count(client: &mut Client, topic: &str) -> usize {
    let wanted = MetadataRequestTopic { name: Some(topic.to_owned()), ..Default::default() };
    let request = MetadataRequest { topics: Some(vec![wanted]), ..Default::default() };
    client.call(12, &request).await.topics.remove(0).partitions.len()
}

#[tokio::test]
async fn every_version_adds_partitions_that_can_be_used_and_survive() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    client.create("t", 1).await;
    for version in 0..=3 {
        let wanted = i32::from(version) + 2;
        let result = create(&mut client, version, false, vec![grow("t", wanted)]).await.remove(0);
        assert_eq!((result.error_code, result.error_message, result.name.as_str()), (0, None, "t"));
        assert_eq!(count(&mut client, "t").await, usize::try_from(wanted).unwrap());
    }
    let mut request = produce_request("t", -1, super::support::batch_of(&["x"]));
    request.topic_data[0].partition_data[0].index = 4;
    assert_eq!(client.call(9, &request).await.responses[0].partition_responses[0].error_code, 0);
    let dir = broker.stop().await;
    let broker = TestBroker::start_in(dir, &[], Arc::new(RealDisk)).await;
    assert_eq!(count(&mut broker.client().await, "t").await, 5);
}

#[tokio::test]
async fn each_mistake_has_its_error_and_changes_nothing() {
    let broker = TestBroker::start_with(&[("max_partitions", "20")]).await;
    let mut client = broker.client().await;
    client.create("t", 2).await;
    let cases = [
        (grow("t", 2), ErrorCode::InvalidPartitions),
        (grow("t", 1), ErrorCode::InvalidPartitions),
        (grow("t", 0), ErrorCode::InvalidPartitions),
        (grow("t", -1), ErrorCode::InvalidPartitions),
        (grow("t", 100), ErrorCode::InvalidPartitions),
        (grow("t", i32::MAX), ErrorCode::InvalidPartitions),
        (grow("u", 3), ErrorCode::UnknownTopicOrPartition),
        (assigned("u", 3, &[&[1]]), ErrorCode::UnknownTopicOrPartition),
        (grow("__consumer_offsets", 9), ErrorCode::InvalidTopicException),
        (assigned("t", 4, &[&[1]]), ErrorCode::InvalidReplicaAssignment),
        (assigned("t", 3, &[&[1], &[1]]), ErrorCode::InvalidReplicaAssignment),
        (assigned("t", 3, &[&[7]]), ErrorCode::InvalidReplicaAssignment),
        (assigned("t", 3, &[&[1, 1]]), ErrorCode::InvalidReplicaAssignment),
        (assigned("t", 3, &[&[]]), ErrorCode::InvalidReplicaAssignment),
        (assigned("t", 2, &[&[1]]), ErrorCode::InvalidPartitions),
    ];
    for (wanted, error) in cases {
        for validate_only in [true, false] {
            let result = create(&mut client, 3, validate_only, vec![wanted.clone()]).await.remove(0);
            assert_eq!(ErrorCode::from_code(result.error_code), error, "{wanted:?}");
            assert!(result.error_message.is_some(), "{wanted:?}");
        }
    }
    let twice = create(&mut client, 3, false, vec![grow("t", 3), grow("t", 4)]).await;
    assert!(twice.iter().all(|result| result.error_code == ErrorCode::InvalidRequest.code()));
    assert_eq!(create(&mut client, 3, true, vec![grow("t", 9)]).await[0].error_code, 0, "a dry run");
    assert_eq!(count(&mut client, "t").await, 2);
    let by_hand = assigned("t", 4, &[&[1], &[1]]);
    assert_eq!(create(&mut client, 3, false, vec![by_hand]).await[0].error_code, 0);
    assert_eq!(count(&mut client, "t").await, 4);
}

async fn describe(
    client: &mut Client,
    topics: &[&str],
    response_partition_limit: i32,
    cursor: Option<Cursor>,
) -> DescribeTopicPartitionsResponse {
    let topics = topics.iter().map(|name| TopicRequest { name: (*name).to_owned() }).collect();
    let request = DescribeTopicPartitionsRequest { topics, response_partition_limit, cursor };
    client.call(0, &request).await
}

/// Topics with the partitions that a page has of them.
fn page(response: &DescribeTopicPartitionsResponse) -> Vec<(&str, Vec<i32>)> {
    let indexes = |partitions: &[wire::message::describe_topic_partitions::DescribeTopicPartitionsResponsePartition]| {
        partitions.iter().map(|partition| partition.partition_index).collect()
    };
    response.topics.iter().map(|topic| (topic.name.as_deref().unwrap(), indexes(&topic.partitions))).collect()
}

fn cursor(topic_name: &str, partition_index: i32) -> Option<Cursor> {
    Some(Cursor { topic_name: topic_name.to_owned(), partition_index })
}

#[tokio::test]
async fn partitions_come_page_by_page_in_the_order_of_topics() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    client.create("b", 3).await;
    client.create("a", 2).await;
    let first = describe(&mut client, &["b", "a", "b"], 3, None).await;
    assert_eq!(page(&first), [("a", vec![0, 1]), ("b", vec![0])]);
    assert_eq!(first.next_cursor, cursor("b", 1));
    let rest = describe(&mut client, &["b", "a"], 3, first.next_cursor.clone()).await;
    assert_eq!((page(&rest), rest.next_cursor.clone()), (vec![("b", vec![1, 2])], None));
    let exact = describe(&mut client, &["b", "a"], 2, None).await;
    assert_eq!((page(&exact), exact.next_cursor.clone()), (vec![("a", vec![0, 1])], cursor("b", 0)));
    let topic = &first.topics[0];
    assert_ne!(topic.topic_id, uuid::Uuid::nil());
    let partition = &topic.partitions[0];
    assert_eq!((partition.leader_id, partition.leader_epoch), (1, 0));
    assert_eq!((&partition.replica_nodes, &partition.isr_nodes), (&vec![1], &vec![1]));
    // at least one partition comes, and never more than the broker allows
    assert_eq!(page(&describe(&mut client, &["b"], -5, None).await), [("b", vec![0])]);
    let broker = TestBroker::start_with(&[("max_request_partitions", "2")]).await;
    let mut client = broker.client().await;
    client.create("b", 3).await;
    let limited = describe(&mut client, &["b"], 2000, None).await;
    assert_eq!((page(&limited), limited.next_cursor.clone()), (vec![("b", vec![0, 1])], cursor("b", 2)));
}

#[tokio::test]
async fn an_empty_list_asks_for_all_topics_and_names_that_are_not_there_have_their_error() {
    let broker = TestBroker::start_with(&[("offsets_topic_num_partitions", "1")]).await;
    let mut client = broker.client().await;
    client.create("t", 1).await;
    let all = describe(&mut client, &[], 2000, None).await;
    assert_eq!(page(&all), [("__consumer_offsets", vec![0]), ("t", vec![0])]);
    assert_eq!((all.topics[0].is_internal, all.topics[1].is_internal), (true, false));
    assert_eq!(page(&describe(&mut client, &[], 2000, cursor("b", 0)).await), [("t", vec![0])]);
    let mixed = describe(&mut client, &["u", "t", "a/b"], 2000, None).await;
    let errors: Vec<_> = mixed.topics.iter().map(|topic| ErrorCode::from_code(topic.error_code)).collect();
    let unknown = ErrorCode::UnknownTopicOrPartition;
    assert_eq!(errors, [ErrorCode::InvalidTopicException, ErrorCode::None, unknown]);
    for bad in [cursor("t", -1), cursor("v", 0)] {
        let refused = describe(&mut client, &["t"], 2000, bad).await;
        assert_eq!(refused.topics[0].error_code, ErrorCode::InvalidRequest.code());
    }
    assert!(describe(&mut client, &["t"], 2000, cursor("t", i32::MAX)).await.next_cursor.is_none());
}
