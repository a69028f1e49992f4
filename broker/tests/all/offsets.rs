//! ListOffsets and FindCoordinator.

use wire::ErrorCode;
use wire::message::find_coordinator::FindCoordinatorRequest;
use wire::message::list_offsets::{
    ListOffsetsPartition, ListOffsetsPartitionResponse, ListOffsetsRequest, ListOffsetsTopic,
};
use wire::record::{BatchBuilder, Compression};

use super::support::{Client, TestBroker};

async fn look_up(
    client: &mut Client,
    version: i16,
    wanted: ListOffsetsPartition,
) -> ListOffsetsPartitionResponse {
    let topic = ListOffsetsTopic { name: "t".to_owned(), partitions: vec![wanted] };
    let request = ListOffsetsRequest { replica_id: -1, topics: vec![topic], ..Default::default() };
    client.call(version, &request).await.topics.remove(0).partitions.remove(0)
}

fn at(timestamp: i64) -> ListOffsetsPartition {
    ListOffsetsPartition { timestamp, ..Default::default() }
}

/// Produces records with the timestamps 100, 300, 200 and 400, the last two compressed.
async fn fill(client: &mut Client) {
    client.create("t", 1).await;
    for (codec, timestamps) in [(Compression::None, [100, 300]), (Compression::Zstd, [200, 400])] {
        let mut builder = BatchBuilder::new(codec);
        for timestamp in timestamps {
            builder.append(timestamp, None, Some(b"x"), &[]).unwrap();
        }
        client.produce("t", builder.finish().unwrap()).await;
    }
}

#[tokio::test]
async fn every_version_finds_beginning_end_and_times() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    fill(&mut client).await;
    for version in 1..=9 {
        // timestamp asked for, offset and timestamp found
        let cases = [
            (-2, 0, -1),
            (-1, 4, -1),
            (-4, 0, -1),
            (-3, 3, 400),
            (-5, -1, -1),
            (0, 0, 100),
            (100, 0, 100),
            (101, 1, 300),
            (301, 3, 400),
            (401, -1, -1),
        ];
        for (timestamp, offset, found) in cases {
            let answer = look_up(&mut client, version, at(timestamp)).await;
            assert_eq!(
                (answer.error_code, answer.offset, answer.timestamp),
                (0, offset, found),
                "version {version}, timestamp {timestamp}"
            );
            let epoch = if version >= 4 && offset >= 0 { 0 } else { -1 };
            assert_eq!(answer.leader_epoch, epoch, "version {version}, timestamp {timestamp}");
        }
    }
}

#[tokio::test]
async fn what_is_not_there_has_its_error() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    let missing = look_up(&mut client, 9, at(-1)).await;
    assert_eq!(ErrorCode::from_code(missing.error_code), ErrorCode::UnknownTopicOrPartition);
    fill(&mut client).await;
    let partition = ListOffsetsPartition { partition_index: 1, ..at(-1) };
    let missing = look_up(&mut client, 9, partition).await;
    assert_eq!(ErrorCode::from_code(missing.error_code), ErrorCode::UnknownTopicOrPartition);
    let newer = ListOffsetsPartition { current_leader_epoch: 3, ..at(-1) };
    let answer = look_up(&mut client, 9, newer).await;
    assert_eq!(ErrorCode::from_code(answer.error_code), ErrorCode::UnknownLeaderEpoch);
}

#[tokio::test]
async fn this_broker_coordinates_every_group() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    let port = i32::from(broker.addr.port());
    for version in 0..=3 {
        let request = FindCoordinatorRequest { key: "g".to_owned(), ..Default::default() };
        let response = client.call(version, &request).await;
        assert_eq!((response.error_code, response.host.as_str(), response.port), (0, "127.0.0.1", port));
    }
    for version in 4..=6 {
        let coordinator_keys = vec!["g".to_owned(), "h".to_owned()];
        let request = FindCoordinatorRequest { coordinator_keys, ..Default::default() };
        let response = client.call(version, &request).await;
        let keys: Vec<&str> = response.coordinators.iter().map(|found| found.key.as_str()).collect();
        assert_eq!(keys, ["g", "h"]);
        assert!(response.coordinators.iter().all(|found| (found.error_code, found.port) == (0, port)));
    }
}

#[tokio::test]
async fn keys_that_have_no_coordinator_are_refused() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    for (key_type, key, expected) in [(2, "g", ErrorCode::InvalidRequest), (0, "", ErrorCode::InvalidGroupId)]
    {
        let request =
            FindCoordinatorRequest { coordinator_keys: vec![key.to_owned()], key_type, ..Default::default() };
        let response = client.call(5, &request).await;
        assert_eq!(ErrorCode::from_code(response.coordinators[0].error_code), expected);
    }
}
