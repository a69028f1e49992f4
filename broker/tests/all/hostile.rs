//! Clients that mean harm, or are broken: each is closed or ignored, and a normal client works throughout.

use std::time::Duration;

use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use tokio::io::AsyncWriteExt;
use wire::ErrorCode;
use wire::message::fetch::{FetchPartition, FetchRequest, FetchTopic};
use wire::message::metadata::MetadataRequest;

use super::support::{Client, TestBroker, batch_of, error_of, fetch_request, numbered, produce_request};

/// Produces and consumes as anyone would.
async fn works(broker: &TestBroker, topic: &str) {
    works_with(broker, topic, 300_000).await;
}

/// The same with a request of about so many bytes.
async fn works_with(broker: &TestBroker, topic: &str, bytes: usize) {
    let mut client = broker.client().await;
    client.create(topic, 1).await;
    let large = "x".repeat(bytes);
    let response = client.try_produce(topic, -1, batch_of(&["a", &large])).await;
    assert_eq!(error_of(&response), ErrorCode::None);
    assert_eq!(client.consume(topic).await, numbered(&["a", &large]));
}

#[tokio::test]
async fn impossible_sizes_close_the_connection() {
    let broker = TestBroker::start().await;
    for size in [-1, i32::MIN, i32::MAX, 104_857_601, 0] {
        let mut client = broker.client().await;
        client.stream.write_i32(size).await.unwrap();
        client.expect_closed().await;
    }
    works(&broker, "t").await;
}

#[tokio::test]
async fn random_bytes_are_answered_or_closed() {
    let broker = TestBroker::start().await;
    let seed: u64 = rand::rng().random();
    println!("seed {seed}");
    let mut rng = rand::rngs::StdRng::seed_from_u64(seed);
    for _ in 0..200 {
        let mut client = broker.client().await;
        let mut frame = vec![0; rng.random_range(1..200)];
        rng.fill(&mut frame[..]);
        // mostly an API that is served, so that the body is looked at too
        if rng.random_bool(0.9) && frame.len() > 4 {
            frame[..2].copy_from_slice(&rng.random_range(0..23i16).to_be_bytes());
            frame[2..4].copy_from_slice(&rng.random_range(0..13i16).to_be_bytes());
        }
        client.stream.write_i32(frame.len() as i32).await.unwrap();
        client.stream.write_all(&frame).await.unwrap();
        client.stream.shutdown().await.unwrap();
        while client.frame().await.is_some() {}
    }
    works(&broker, "t").await;
}

#[tokio::test]
async fn half_frames_are_dropped_with_their_connection() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    client.create("t", 1).await;
    let whole =
        wire::frame::encode_request(None, 1, 9, &produce_request("t", 1, batch_of(&["x"]))).unwrap().bytes;
    for cut in [1, 4, 5, 12, whole.len() - 1] {
        let mut client = broker.client().await;
        client.stream.write_all(&whole[..cut]).await.unwrap();
        drop(client);
    }
    assert!(client.consume("t").await.is_empty());
}

#[tokio::test]
async fn a_frame_may_come_byte_by_byte() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    client.create("t", 1).await;
    let mut bytes = Vec::new();
    for (id, value) in [(1, "a"), (2, "b")] {
        let request = produce_request("t", 1, batch_of(&[value]));
        bytes.extend_from_slice(&wire::frame::encode_request(None, id, 9, &request).unwrap().bytes);
    }
    for byte in bytes {
        client.stream.write_u8(byte).await.unwrap();
    }
    for _ in 0..2 {
        assert!(client.frame().await.is_some());
    }
    assert_eq!(client.consume("t").await, numbered(&["a", "b"]));
}

/// This drove a Kafka with a 1 GB heap out of service.
#[tokio::test]
async fn announcing_fifty_frames_of_100_mb_costs_nothing() {
    let broker = TestBroker::start().await;
    let mut hostile = Vec::new();
    for _ in 0..50 {
        let mut client = broker.client().await;
        client.stream.write_i32(104_857_600).await.unwrap();
        client.stream.write_all(&[0; 1000]).await.unwrap();
        hostile.push(client);
    }
    works(&broker, "t").await;
    drop(hostile);
}

/// Half-sent frames hold all the memory there is: whoever is not ready when it is wanted is closed. A normal
/// client's small requests pass at any time.
#[tokio::test(start_paused = true)]
async fn half_sent_frames_lose_their_memory_when_others_need_it() {
    let broker = TestBroker::start_with(&[("queued_max_request_bytes", "1048576")]).await;
    let mut hostile = Vec::new();
    for _ in 0..20 {
        let mut client = broker.client().await;
        client.stream.write_i32(200_000).await.unwrap();
        client.stream.write_all(&vec![0; 100_000]).await.unwrap();
        hostile.push(client);
    }
    broker.client().await.call(1, &MetadataRequest::default()).await;
    works_with(&broker, "t", 100_000).await;
    drop(hostile);
}

#[tokio::test]
async fn one_frame_larger_than_the_budget_passes() {
    let keys = [("queued_max_request_bytes", "1048576"), ("max_message_bytes", "8000000")];
    let broker = TestBroker::start_with(&keys).await;
    let mut client = broker.client().await;
    client.create("t", 1).await;
    let large = "x".repeat(4_000_000);
    for _ in 0..3 {
        let response = client.try_produce("t", 1, batch_of(&[&large])).await;
        assert_eq!(error_of(&response), ErrorCode::None);
    }
}

#[tokio::test]
async fn a_thousand_idle_connections_do_not_matter() {
    let broker = TestBroker::start().await;
    let mut idle = Vec::new();
    for _ in 0..1000 {
        idle.push(broker.client().await);
    }
    works(&broker, "t").await;
    let (first, last) = (idle.remove(0), idle.pop());
    for mut client in [first, last.unwrap()] {
        client.call(1, &MetadataRequest::default()).await;
    }
}

#[tokio::test]
async fn the_newest_connection_is_refused_at_the_limit() {
    let broker = TestBroker::start_with(&[("max_connections_per_ip", "2")]).await;
    let mut first = broker.client().await;
    let mut second = broker.client().await;
    first.call(1, &MetadataRequest::default()).await;
    second.call(1, &MetadataRequest::default()).await;
    broker.client().await.expect_closed().await;
    assert_eq!(broker.metric("logagent_broker_connections_refused_total"), 1);
    drop(first);
    while broker.metric("logagent_broker_connections") != 1 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    broker.client().await.call(1, &MetadataRequest::default()).await;
    second.call(1, &MetadataRequest::default()).await;
}

#[tokio::test]
async fn a_silent_connection_is_closed_in_time_and_a_busy_one_is_not() {
    let broker = TestBroker::start_with(&[("connections_max_idle_ms", "4000")]).await;
    let silent = broker.client().await;
    let mut half = broker.client().await;
    half.stream.write_all(&[0, 0, 1]).await.unwrap();
    let mut busy = broker.client().await;
    let closed = tokio::spawn(async move {
        silent.expect_closed().await;
        half.expect_closed().await;
    });
    while !closed.is_finished() {
        busy.call(1, &MetadataRequest::default()).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    closed.await.unwrap();
}

#[tokio::test]
async fn a_request_for_too_many_partitions_closes_the_connection() {
    let broker = TestBroker::start_with(&[("max_request_partitions", "100")]).await;
    let mut client = broker.client().await;
    let partitions = vec![FetchPartition::default(); 101];
    let topics = vec![FetchTopic { partitions, ..Default::default() }];
    client.send(12, &FetchRequest { topics, ..Default::default() }).await;
    client.expect_closed().await;
    works(&broker, "t").await;
}

/// A client that asks for much and reads nothing must hold up only itself.
#[tokio::test]
async fn a_client_that_reads_nothing_holds_up_only_itself() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    client.create("much", 1).await;
    let large = "x".repeat(1_000_000);
    for _ in 0..20 {
        client.produce("much", batch_of(&[&large])).await;
    }
    let mut request = fetch_request("much", 0);
    request.topics[0].partitions[0].partition_max_bytes = 50 << 20;
    let mut lazy: Vec<Client> = Vec::new();
    for _ in 0..5 {
        let mut client = broker.client().await;
        for _ in 0..5 {
            client.send(12, &request).await;
        }
        lazy.push(client);
    }
    works(&broker, "t").await;
    drop(lazy);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    /// Records of any kind are appended or refused, and never take the broker down.
    #[test]
    fn any_records_are_appended_or_refused(records in prop::collection::vec(any::<u8>(), 0..300), magic in 0..4u8) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let broker = TestBroker::start().await;
            let mut client = broker.client().await;
            client.create("t", 1).await;
            let mut records = records;
            if let Some(byte) = records.get_mut(16) {
                *byte = magic;
            }
            let response = client.try_produce("t", 1, records.into()).await;
            prop_assert_ne!(response.error_code, ErrorCode::UnknownServerError.code());
            client.produce("t", batch_of(&["fine"])).await;
            Ok::<(), TestCaseError>(())
        })?;
    }
}
