//! DeleteRecords and OffsetForLeaderEpoch.

use std::sync::Arc;

use broker::log::RealDisk;
use wire::ErrorCode;
use wire::message::delete_records::{
    DeleteRecordsPartition, DeleteRecordsPartitionResult, DeleteRecordsRequest, DeleteRecordsTopic,
};
use wire::message::list_offsets::{ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic};
use wire::message::offset_for_leader_epoch::{
    EpochEndOffset, OffsetForLeaderEpochRequest, OffsetForLeaderPartition, OffsetForLeaderTopic,
};

use super::support::{Client, TestBroker, batch_of, numbered};

async fn delete(client: &mut Client, version: i16, topic: &str, offset: i64) -> DeleteRecordsPartitionResult {
    let partition = DeleteRecordsPartition { partition_index: 0, offset };
    let topic = DeleteRecordsTopic { name: topic.to_owned(), partitions: vec![partition] };
    let request = DeleteRecordsRequest { topics: vec![topic], timeout_ms: 1000 };
    client.call(version, &request).await.topics.remove(0).partitions.remove(0)
}

async fn refused(client: &mut Client, topic: &str, offset: i64) -> ErrorCode {
    let result = delete(client, 2, topic, offset).await;
    assert_eq!(result.low_watermark, -1);
    ErrorCode::from_code(result.error_code)
}

async fn earliest(client: &mut Client, topic: &str) -> i64 {
    let partition = ListOffsetsPartition { timestamp: -2, ..Default::default() };
    let topic = ListOffsetsTopic { name: topic.to_owned(), partitions: vec![partition] };
    let request = ListOffsetsRequest { replica_id: -1, topics: vec![topic], ..Default::default() };
    client.call(9, &request).await.topics.remove(0).partitions.remove(0).offset
}

#[tokio::test]
async fn every_version_moves_the_logs_start_and_readers_see_it() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    client.create("t", 1).await;
    for value in ["a", "b", "c", "d"] {
        client.produce("t", batch_of(&[value])).await;
    }
    for (version, offset) in [(0, 1), (1, 2), (2, 3)] {
        let result = delete(&mut client, version, "t", offset).await;
        assert_eq!((result.error_code, result.low_watermark), (0, offset), "version {version}");
        assert_eq!(earliest(&mut client, "t").await, offset);
        let (below, _) = client.fetch("t", offset - 1).await;
        assert_eq!(ErrorCode::from_code(below.error_code), ErrorCode::OffsetOutOfRange);
    }
    let again = delete(&mut client, 2, "t", 1).await;
    assert_eq!((again.error_code, again.low_watermark), (0, 3), "the start does not go back");
    let (data, bytes) = client.fetch("t", 3).await;
    assert_eq!((data.error_code, data.log_start_offset), (0, 3));
    assert_eq!(super::support::values(&bytes), [(3, "d".to_owned())]);
}

#[tokio::test]
async fn all_records_are_deleted_up_to_the_high_watermark_and_their_files_go() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    client.create("t", 1).await;
    for value in ["a", "b", "c"] {
        client.produce("t", batch_of(&[value])).await;
    }
    let result = delete(&mut client, 2, "t", -1).await;
    assert_eq!((result.error_code, result.low_watermark), (0, 3));
    let log = broker.dir.path().join("t-0/00000000000000000000.log");
    while log.exists() {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(client.produce("t", batch_of(&["d"])).await, 3);
    let dir = broker.stop().await;
    let broker = TestBroker::start_in(dir, &[], Arc::new(RealDisk)).await;
    let mut client = broker.client().await;
    assert_eq!(earliest(&mut client, "t").await, 3);
    assert_eq!(super::support::values(&client.fetch("t", 3).await.1), [(3, "d".to_owned())]);
}

/// The process dies right after the answer: what was deleted must not come back.
#[tokio::test]
async fn deleted_records_stay_deleted_over_a_crash() {
    let dir = Arc::new(tempfile::tempdir().unwrap());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let shared = dir.clone();
    let served = runtime.spawn(async move {
        let broker = TestBroker::start_in(shared, &[], Arc::new(RealDisk)).await;
        let mut client = broker.client().await;
        client.create("t", 1).await;
        client.try_produce("t", -1, batch_of(&["a", "b", "c"])).await;
        assert_eq!(delete(&mut client, 2, "t", 2).await.error_code, 0);
        std::mem::forget(broker);
    });
    served.await.unwrap();
    tokio::task::spawn_blocking(move || drop(runtime)).await.unwrap();
    let broker = TestBroker::start_in(dir, &[], Arc::new(RealDisk)).await;
    assert_eq!(earliest(&mut broker.client().await, "t").await, 2);
}

#[tokio::test]
async fn what_cannot_be_deleted_has_its_error() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    client.create("t", 1).await;
    client.produce("t", batch_of(&["a", "b"])).await;
    for (offset, error) in [
        (3, ErrorCode::OffsetOutOfRange),
        (i64::MAX, ErrorCode::OffsetOutOfRange),
        (-2, ErrorCode::OffsetOutOfRange),
        (i64::MIN, ErrorCode::OffsetOutOfRange),
    ] {
        assert_eq!(refused(&mut client, "t", offset).await, error, "{offset}");
    }
    assert_eq!(refused(&mut client, "u", 0).await, ErrorCode::UnknownTopicOrPartition);
    assert_eq!(refused(&mut client, "__consumer_offsets", 0).await, ErrorCode::InvalidTopicException);
    client.create_with("kept", 1, &[("cleanup.policy", "compact")]).await;
    assert_eq!(refused(&mut client, "kept", 0).await, ErrorCode::PolicyViolation);
    client.create_with("both", 1, &[("cleanup.policy", "compact,delete")]).await;
    assert_eq!(delete(&mut client, 2, "both", 0).await.error_code, 0);
    assert_eq!(client.consume("t").await, numbered(&["a", "b"]));
}

async fn epoch_end(client: &mut Client, version: i16, wanted: OffsetForLeaderPartition) -> EpochEndOffset {
    let topic = OffsetForLeaderTopic { topic: "t".to_owned(), partitions: vec![wanted] };
    let request = OffsetForLeaderEpochRequest { replica_id: -1, topics: vec![topic] };
    client.call(version, &request).await.topics.remove(0).partitions.remove(0)
}

#[tokio::test]
async fn every_version_tells_where_an_epoch_ends() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    client.create("t", 1).await;
    client.produce("t", batch_of(&["a", "b", "c"])).await;
    let of = |leader_epoch| OffsetForLeaderPartition { leader_epoch, ..Default::default() };
    for version in 0..=4 {
        let end = epoch_end(&mut client, version, of(0)).await;
        let epoch = if version >= 1 { 0 } else { -1 };
        assert_eq!((end.error_code, end.leader_epoch, end.end_offset), (0, epoch, 3), "version {version}");
        let newer = epoch_end(&mut client, version, of(7)).await;
        assert_eq!((newer.error_code, newer.leader_epoch, newer.end_offset), (0, -1, -1));
    }
    let missing = OffsetForLeaderPartition { partition: 9, ..of(0) };
    let missing = epoch_end(&mut client, 4, missing).await;
    assert_eq!(ErrorCode::from_code(missing.error_code), ErrorCode::UnknownTopicOrPartition);
    let newer = OffsetForLeaderPartition { current_leader_epoch: 3, ..of(0) };
    let newer = epoch_end(&mut client, 4, newer).await;
    assert_eq!(ErrorCode::from_code(newer.error_code), ErrorCode::UnknownLeaderEpoch);
}
