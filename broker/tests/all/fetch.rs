//! Fetch: limits, waiting, errors, and bytes exactly as they were produced.

use std::time::Duration;

use bytes::Bytes;
use uuid::Uuid;
use wire::message::fetch::{FetchPartition, FetchRequest, FetchTopic};
use wire::message::metadata::MetadataRequest;
use wire::{Blob, ErrorCode};

use super::support::{Client, TestBroker, batch_of, fetch_request, numbered, values};

/// Long enough to be told from an answer that does not wait.
const LONG_MS: i32 = 60_000;

fn waiting(topic: &str, offset: i64, min_bytes: i32) -> FetchRequest {
    FetchRequest { max_wait_ms: LONG_MS, min_bytes, ..fetch_request(topic, offset) }
}

fn records(response: &wire::message::fetch::FetchResponse) -> Bytes {
    let data = &response.responses[0].partitions[0];
    data.records.as_ref().and_then(Blob::bytes).cloned().unwrap_or_default()
}

async fn topic_id(client: &mut Client, topic: &str) -> Uuid {
    let response = client.call(12, &MetadataRequest { topics: None, ..Default::default() }).await;
    response.topics.iter().find(|found| found.name.as_deref() == Some(topic)).unwrap().topic_id
}

#[tokio::test]
async fn every_version_gives_the_same_records() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    client.create("t", 1).await;
    client.produce("t", batch_of(&["a", "b"])).await;
    client.produce("t", batch_of(&["c"])).await;
    let id = topic_id(&mut client, "t").await;
    for version in 4..=17 {
        let mut request = fetch_request("t", 0);
        if version >= 13 {
            request.topics[0] =
                FetchTopic { topic: String::new(), topic_id: id, ..request.topics[0].clone() };
        }
        let response = client.call(version, &request).await;
        let data = &response.responses[0].partitions[0];
        assert_eq!(
            (response.session_id, response.error_code, data.error_code),
            (0, 0, 0),
            "version {version}"
        );
        assert_eq!((data.high_watermark, data.last_stable_offset), (3, 3));
        assert_eq!(data.preferred_read_replica, -1);
        assert_eq!(values(&records(&response)), numbered(&["a", "b", "c"]), "version {version}");
    }
}

#[tokio::test]
async fn a_fetch_begins_with_the_batch_that_holds_the_offset() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    client.create("t", 1).await;
    client.produce("t", batch_of(&["a", "b"])).await;
    client.produce("t", batch_of(&["c", "d"])).await;
    let (_, bytes) = client.fetch("t", 3).await;
    assert_eq!(values(&bytes), [(2, "c".to_owned()), (3, "d".to_owned())]);
    let (data, bytes) = client.fetch("t", 4).await;
    assert_eq!((data.error_code, bytes.len()), (0, 0), "the end is no error");
}

#[tokio::test]
async fn one_large_batch_is_given_whatever_the_limits_are() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    client.create("t", 1).await;
    let large = "x".repeat(100_000);
    client.produce("t", batch_of(&[&large])).await;
    let mut request = fetch_request("t", 0);
    request.max_bytes = 10;
    request.topics[0].partitions[0].partition_max_bytes = 10;
    let response = client.call(12, &request).await;
    assert_eq!(values(&records(&response)), numbered(&[&large]));
}

#[tokio::test]
async fn max_bytes_bounds_all_partitions_together() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    for topic in ["a", "b", "c"] {
        client.create(topic, 1).await;
        client.produce(topic, batch_of(&["x".repeat(1000).as_str()])).await;
    }
    let mut request = fetch_request("a", 0);
    request.max_bytes = 2500;
    for topic in ["b", "c"] {
        request.topics.push(fetch_request(topic, 0).topics.remove(0));
    }
    let response = client.call(12, &request).await;
    let lens =
        response.responses.iter().map(|topic| topic.partitions[0].records.as_ref().map_or(0, Blob::len));
    let lens: Vec<usize> = lens.collect();
    assert!(lens[0] > 1000 && lens[1] > 1000, "{lens:?}");
    assert!(lens.iter().sum::<usize>() <= 2500, "{lens:?}");
}

#[tokio::test]
async fn errors_are_told_for_each_partition_and_at_once() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    client.create("t", 1).await;
    client.produce("t", batch_of(&["a"])).await;
    let id = topic_id(&mut client, "t").await;
    let partition = |partition, fetch_offset, current_leader_epoch| FetchPartition {
        partition,
        fetch_offset,
        current_leader_epoch,
        partition_max_bytes: 1000,
        ..Default::default()
    };
    let partitions = vec![
        partition(0, 2, -1),
        partition(0, -1, -1),
        partition(9, 0, -1),
        partition(-1, 0, -1),
        partition(0, 0, 5),
        partition(0, 0, 0),
    ];
    let topics = vec![
        FetchTopic { topic: "t".to_owned(), topic_id: id, partitions },
        FetchTopic { topic: "u".to_owned(), partitions: vec![partition(0, 0, -1)], ..Default::default() },
    ];
    for (version, unknown) in [(12, ErrorCode::UnknownTopicOrPartition), (13, ErrorCode::UnknownTopicId)] {
        let request = FetchRequest { topics: topics.clone(), ..waiting("t", 0, i32::MAX) };
        let response = client.call(version, &request).await;
        let errors: Vec<ErrorCode> = response
            .responses
            .iter()
            .flat_map(|topic| topic.partitions.iter().map(|data| ErrorCode::from_code(data.error_code)))
            .collect();
        let expected = [
            ErrorCode::OffsetOutOfRange,
            ErrorCode::OffsetOutOfRange,
            ErrorCode::UnknownTopicOrPartition,
            ErrorCode::UnknownTopicOrPartition,
            ErrorCode::UnknownLeaderEpoch,
            ErrorCode::None,
            unknown,
        ];
        assert_eq!(errors, expected, "version {version}");
    }
}

#[tokio::test]
async fn a_fetch_session_that_was_never_opened_is_not_found() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    let request = FetchRequest { session_id: 5, session_epoch: 1, ..Default::default() };
    let response = client.call(12, &request).await;
    assert_eq!(ErrorCode::from_code(response.error_code), ErrorCode::FetchSessionIdNotFound);
}

#[tokio::test]
async fn a_waiting_fetch_wakes_by_an_append_to_any_of_its_partitions() {
    let broker = TestBroker::start().await;
    let mut consumer = broker.client().await;
    let mut producer = broker.client().await;
    for topic in ["a", "b", "c"] {
        consumer.create(topic, 1).await;
    }
    for (offset, value) in [(0, "first"), (1, "second")] {
        let mut request = waiting("a", 0, 1);
        request.topics.push(fetch_request("b", offset).topics.remove(0));
        request.topics.push(fetch_request("c", 0).topics.remove(0));
        consumer.send(12, &request).await;
        producer.produce("b", batch_of(&[value])).await;
        let (_, response) = consumer.receive::<FetchRequest>(12).await;
        let bytes =
            response.responses[1].partitions[0].records.as_ref().and_then(Blob::bytes).cloned().unwrap();
        assert_eq!(values(&bytes), [(offset, value.to_owned())]);
    }
}

#[tokio::test]
async fn a_waiting_fetch_gathers_min_bytes() {
    let broker = TestBroker::start().await;
    let mut consumer = broker.client().await;
    let mut producer = broker.client().await;
    consumer.create("t", 1).await;
    let batch = batch_of(&["value"]);
    consumer.send(12, &waiting("t", 0, batch.len() as i32 * 3)).await;
    for _ in 0..3 {
        producer.produce("t", batch.clone()).await;
    }
    let (_, response) = consumer.receive::<FetchRequest>(12).await;
    assert_eq!(values(&records(&response)).len(), 3);
}

#[tokio::test]
async fn a_wait_ends_with_what_there_is() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    client.create("t", 1).await;
    client.produce("t", batch_of(&["little"])).await;
    let request = FetchRequest { max_wait_ms: 50, ..waiting("t", 0, 1_000_000) };
    let response = client.call(12, &request).await;
    assert_eq!(values(&records(&response)), numbered(&["little"]));
    let nothing = FetchRequest { topics: Vec::new(), ..waiting("t", 0, 1) };
    assert!(client.call(12, &nothing).await.responses.is_empty(), "nothing to wait for");
}

/// A long poll whose client is gone must not be kept until its end.
#[tokio::test]
async fn a_client_that_leaves_while_it_waits_frees_its_connection() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    client.create("t", 1).await;
    client.send(12, &waiting("t", 0, 1)).await;
    drop(client);
    while broker.metric("logagent_broker_connections") != 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn more_than_the_socket_takes_at_once_arrives_whole() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    client.create("t", 1).await;
    let large = "0123456789".repeat(90_000);
    for _ in 0..12 {
        client.produce("t", batch_of(&[&large])).await;
    }
    let mut request = fetch_request("t", 0);
    request.topics[0].partitions[0].partition_max_bytes = 50 << 20;
    client.send(12, &request).await;
    // the broker meets a full socket before the first byte is read
    tokio::time::sleep(Duration::from_millis(50)).await;
    let (_, response) = client.receive::<FetchRequest>(12).await;
    assert_eq!(values(&records(&response)), numbered(&[large.as_str()].repeat(12)));
}

#[tokio::test]
async fn what_is_read_is_what_was_written_across_segments() {
    let broker = TestBroker::start_with(&[("segment_bytes", "4096"), ("max_message_bytes", "4096")]).await;
    let mut client = broker.client().await;
    client.create("t", 1).await;
    let written: Vec<String> = (0..200).map(|i| format!("{i}-{}", "y".repeat(100))).collect();
    for chunk in written.chunks(7) {
        let chunk: Vec<&str> = chunk.iter().map(String::as_str).collect();
        client.produce("t", batch_of(&chunk)).await;
    }
    let segments = std::fs::read_dir(broker.dir.path().join("t-0")).unwrap();
    let logs =
        segments.filter(|entry| entry.as_ref().unwrap().path().extension().is_some_and(|ext| ext == "log"));
    assert!(logs.count() > 3);
    let written: Vec<&str> = written.iter().map(String::as_str).collect();
    assert_eq!(client.consume("t").await, numbered(&written));
}
