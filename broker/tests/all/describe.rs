//! DescribeLogDirs, DescribeCluster, DescribeProducers; and that no request names too much.

use wire::ErrorCode;
use wire::message::delete_groups::DeleteGroupsRequest;
use wire::message::describe_cluster::DescribeClusterRequest;
use wire::message::describe_log_dirs::{
    DescribableLogDirTopic, DescribeLogDirsRequest, DescribeLogDirsResult,
};
use wire::message::describe_producers::{DescribeProducersRequest, PartitionResponse, TopicRequest};
use wire::message::metadata::MetadataRequest;

use super::support::{Client, TestBroker, batch_from, batch_of};

async fn log_dir(
    client: &mut Client,
    version: i16,
    wanted: Option<&[(&str, &[i32])]>,
) -> DescribeLogDirsResult {
    let topic = |(topic, partitions): &(&str, &[i32])| DescribableLogDirTopic {
        topic: (*topic).to_owned(),
        partitions: partitions.to_vec(),
    };
    let topics = wanted.map(|topics| topics.iter().map(topic).collect());
    let mut response = client.call(version, &DescribeLogDirsRequest { topics }).await;
    assert_eq!((response.error_code, response.results.len()), (0, 1));
    response.results.remove(0)
}

#[tokio::test]
async fn every_version_tells_the_bytes_of_partitions_and_since_4_of_the_disk() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    client.create("t", 2).await;
    let batch = batch_of(&["some text"]);
    client.produce("t", batch.clone()).await;
    for version in 0..=4 {
        let dir = log_dir(&mut client, version, None).await;
        assert_eq!((dir.error_code, Some(dir.log_dir.as_str())), (0, broker.dir.path().to_str()));
        let names: Vec<&str> = dir.topics.iter().map(|topic| topic.name.as_str()).collect();
        assert_eq!(names, ["__consumer_offsets", "t"]);
        let sizes: Vec<_> =
            dir.topics[1].partitions.iter().map(|p| (p.partition_index, p.partition_size)).collect();
        assert_eq!(sizes, [(0, i64::try_from(batch.len()).unwrap()), (1, 0)]);
        if version >= 4 {
            assert!(dir.total_bytes >= dir.usable_bytes && dir.usable_bytes > 0, "{dir:?}");
        } else {
            assert_eq!((dir.total_bytes, dir.usable_bytes), (-1, -1));
        }
    }
}

#[tokio::test]
async fn only_the_partitions_that_are_asked_for_and_exist_are_measured() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    client.create("t", 3).await;
    let dir =
        log_dir(&mut client, 4, Some(&[("t", &[2, 0, 2, 9][..]), ("u", &[0][..]), ("t", &[0][..])])).await;
    assert_eq!(dir.topics.len(), 1);
    let indexes: Vec<i32> = dir.topics[0].partitions.iter().map(|p| p.partition_index).collect();
    assert_eq!(indexes, [0, 2]);
    assert!(log_dir(&mut client, 4, Some(&[])).await.topics.is_empty());
}

#[tokio::test]
async fn the_cluster_is_this_broker() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    let known = client.call(12, &MetadataRequest::default()).await.cluster_id.unwrap();
    for version in 0..=1 {
        let cluster = client.call(version, &DescribeClusterRequest::default()).await;
        assert_eq!((cluster.error_code, &cluster.cluster_id, cluster.controller_id), (0, &known, 1));
        let nodes: Vec<_> =
            cluster.brokers.iter().map(|node| (node.broker_id, node.host.as_str(), node.port)).collect();
        assert_eq!(nodes, [(1, "127.0.0.1", i32::from(broker.addr.port()))]);
    }
    let ask = |endpoint_type| DescribeClusterRequest { endpoint_type, ..Default::default() };
    for (endpoint_type, error) in
        [(2, ErrorCode::MismatchedEndpointType), (9, ErrorCode::UnsupportedEndpointType)]
    {
        let refused = client.call(1, &ask(endpoint_type)).await;
        assert_eq!(ErrorCode::from_code(refused.error_code), error);
        assert!(refused.error_message.is_some() && refused.brokers.is_empty());
    }
}

async fn producers(client: &mut Client, indexes: &[i32]) -> Vec<PartitionResponse> {
    let topic = TopicRequest { name: "t".to_owned(), partition_indexes: indexes.to_vec() };
    let request = DescribeProducersRequest { topics: vec![topic] };
    client.call(0, &request).await.topics.remove(0).partitions
}

#[tokio::test]
async fn a_partition_tells_the_producers_that_it_remembers() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    client.create("t", 1).await;
    client.produce("t", batch_of(&["of nobody"])).await;
    assert!(producers(&mut client, &[0]).await[0].active_producers.is_empty());
    client.produce("t", batch_from(9, 2, 0, &["a", "b"])).await;
    client.produce("t", batch_from(7, 0, 0, &["a"])).await;
    client.produce("t", batch_from(9, 2, 2, &["c"])).await;
    let told = producers(&mut client, &[0, 0, 5]).await;
    assert_eq!(told.len(), 2, "what is named twice is told once");
    let states: Vec<_> = told[0]
        .active_producers
        .iter()
        .map(|one| (one.producer_id, one.producer_epoch, one.last_sequence, one.last_timestamp))
        .collect();
    assert_eq!(states, [(7, 0, 0, 1000), (9, 2, 2, 1000)]);
    let first = &told[0].active_producers[0];
    assert_eq!((first.coordinator_epoch, first.current_txn_start_offset), (-1, -1));
    assert_eq!(ErrorCode::from_code(told[1].error_code), ErrorCode::UnknownTopicOrPartition);
}

/// As for Produce and Fetch: naming costs little, answering much.
#[tokio::test]
async fn a_request_that_names_too_much_closes_the_connection() {
    let broker = TestBroker::start_with(&[("max_request_partitions", "3")]).await;
    let groups = |count: usize| DeleteGroupsRequest { groups_names: vec!["g".to_owned(); count] };
    let producers = |count| DescribeProducersRequest {
        topics: vec![TopicRequest { name: "t".to_owned(), partition_indexes: vec![0; count] }],
    };
    let mut client = broker.client().await;
    assert_eq!(client.call(2, &groups(3)).await.results.len(), 3);
    client.send(2, &groups(4)).await;
    client.expect_closed().await;
    let mut client = broker.client().await;
    client.call(0, &producers(3)).await;
    client.send(0, &producers(4)).await;
    client.expect_closed().await;
}
