//! Message sets (magic 0 and 1), as clients from before Kafka 0.11 send them: kept as record batches.

use bytes::{BufMut, Bytes, BytesMut};
use wire::ErrorCode;
use wire::record::{Compression, batch};

use super::support::{Client, TestBroker, error_of, numbered, produce_request, values};

/// One message; a codec in `attributes` makes it a wrapper.
fn message(magic: i8, offset: i64, attributes: i8, timestamp: i64, value: &[u8]) -> Bytes {
    let mut body = BytesMut::new();
    body.put_i8(magic);
    body.put_i8(attributes);
    if magic == 1 {
        body.put_i64(timestamp);
    }
    body.put_i32(-1);
    body.put_i32(value.len() as i32);
    body.put_slice(value);
    let mut message = BytesMut::new();
    message.put_i64(offset);
    message.put_i32(body.len() as i32 + 4);
    message.put_u32(crc32fast::hash(&body));
    message.put_slice(&body);
    message.freeze()
}

fn set(magic: i8, values: &[&str]) -> Bytes {
    let messages = values.iter().enumerate();
    messages.flat_map(|(i, value)| message(magic, i as i64, 0, 5_000 + i as i64, value.as_bytes())).collect()
}

#[tokio::test]
async fn message_sets_of_both_magics_become_batches() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    client.create("t", 1).await;
    for (version, magic) in [(0, 0), (1, 0), (2, 1), (3, 1), (9, 0)] {
        let response = client.call(version, &produce_request("t", -1, set(magic, &["a", "b"]))).await;
        let answer = &response.responses[0].partition_responses[0];
        assert_eq!(error_of(answer), ErrorCode::None, "version {version}, magic {magic}");
    }
    assert_eq!(client.consume("t").await, numbered(&["a", "b"].repeat(5)));
    let (_, bytes) = client.fetch("t", 0).await;
    let stamps = batch::batches(&bytes).map(|found| found.unwrap().0.max_timestamp);
    assert_eq!(stamps.collect::<Vec<_>>(), [-1, -1, 5_001, 5_001, -1], "magic 0 has no time");
}

#[tokio::test]
async fn compressed_wrappers_become_batches_of_the_same_codec() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    client.create("t", 1).await;
    for (id, codec) in [(1, Compression::Gzip), (2, Compression::Snappy)] {
        let mut inner = Vec::new();
        codec.compress(&set(1, &["a", "b", "c"]), &mut inner).unwrap();
        let response = client.call(2, &produce_request("t", 1, message(1, 2, id, 5_002, &inner))).await;
        assert_eq!(error_of(&response.responses[0].partition_responses[0]), ErrorCode::None, "{codec:?}");
    }
    let (_, bytes) = client.fetch("t", 0).await;
    assert_eq!(values(&bytes), numbered(&["a", "b", "c"].repeat(2)));
    let codecs = batch::batches(&bytes).map(|found| found.unwrap().0.compression().unwrap());
    assert_eq!(codecs.collect::<Vec<_>>(), [Compression::Gzip, Compression::Snappy]);
}

#[tokio::test]
async fn message_sets_take_the_codec_of_the_topic() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    for name in ["uncompressed", "gzip", "snappy", "lz4", "zstd"] {
        client.create_with(name, 1, &[("compression.type", name)]).await;
        for magic in [0, 1] {
            let mut inner = Vec::new();
            Compression::Gzip.compress(&set(magic, &["c"]), &mut inner).unwrap();
            for sent in [set(magic, &["a", "b"]), message(magic, 0, 1, 5_000, &inner)] {
                let answer = produce_set(&mut client, name, sent).await;
                assert_eq!(error_of(&answer), ErrorCode::None, "{name}, magic {magic}");
            }
        }
        let (_, bytes) = client.fetch(name, 0).await;
        assert_eq!(values(&bytes), numbered(&["a", "b", "c"].repeat(2)), "{name}");
        let kept = Compression::from_name(name).unwrap_or(Compression::None);
        let headers: Vec<_> = batch::batches(&bytes).map(|found| found.unwrap().0).collect();
        assert!(headers.iter().all(|header| header.compression() == Ok(kept)), "{name}");
        let stamps: Vec<i64> = headers.iter().map(|header| header.max_timestamp).collect();
        assert_eq!(stamps, [-1, -1, 5_001, 5_000], "{name}");
    }
}

#[tokio::test]
async fn a_message_whose_crc_fails_is_refused() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    client.create("t", 1).await;
    for magic in [0, 1] {
        let mut bad = BytesMut::from(set(magic, &["a", "b"]).as_ref());
        let last = bad.len() - 1;
        bad[last] ^= 1;
        let response = client.call(2, &produce_request("t", 1, bad.freeze())).await;
        let error = error_of(&response.responses[0].partition_responses[0]);
        assert_eq!(error, ErrorCode::CorruptMessage, "magic {magic}");
    }
    assert!(client.consume("t").await.is_empty());
}

async fn produce_set(
    client: &mut Client,
    topic: &str,
    set: Bytes,
) -> wire::message::produce::PartitionProduceResponse {
    let mut response = client.call(2, &produce_request(topic, 1, set)).await;
    response.responses.remove(0).partition_responses.remove(0)
}

#[tokio::test]
async fn append_time_is_given_to_messages_and_told() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    client.create("own", 1).await;
    client.create_with("ours", 1, &[("message.timestamp.type", "LogAppendTime")]).await;
    for magic in [0, 1] {
        let answer = produce_set(&mut client, "own", set(magic, &["a"])).await;
        assert_eq!(answer.log_append_time_ms, -1, "magic {magic}");
        let answer = produce_set(&mut client, "ours", set(magic, &["a", "b"])).await;
        assert!(answer.log_append_time_ms > 1_600_000_000_000, "magic {magic}: {answer:?}");
        let (_, bytes) = client.fetch("ours", answer.base_offset).await;
        let (header, whole) = batch::batches(&bytes).next().unwrap().unwrap();
        assert_eq!(header.max_timestamp, answer.log_append_time_ms, "magic {magic}");
        let records = batch::records(whole, 1 << 20).unwrap();
        assert!(records.iter().all(|record| record.unwrap().timestamp == answer.log_append_time_ms));
    }
    // only the broker gives append time: bit 3
    let claimed = message(1, 0, 1 << 3, 5_000, b"a");
    let answer = produce_set(&mut client, "ours", claimed.clone()).await;
    assert_eq!(error_of(&answer), ErrorCode::InvalidTimestamp);
    let answer = produce_set(&mut client, "own", claimed).await;
    assert_eq!(error_of(&answer), ErrorCode::None, "as in Kafka");
}

#[tokio::test]
async fn a_compacted_topic_needs_keys_of_old_messages_too() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    client.create_with("t", 1, &[("cleanup.policy", "compact")]).await;
    for magic in [0, 1] {
        let answer = produce_set(&mut client, "t", set(magic, &["a"])).await;
        assert_eq!(error_of(&answer), ErrorCode::InvalidRecord, "magic {magic}");
    }
}

/// What will never be right must not be answered as corrupt, which clients send again.
#[tokio::test]
async fn a_wrapper_without_messages_is_invalid() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    client.create("t", 1).await;
    for (id, codec) in [(1, Compression::Gzip), (2, Compression::Snappy), (3, Compression::Lz4)] {
        let mut nothing = Vec::new();
        codec.compress(&[], &mut nothing).unwrap();
        let answer = produce_set(&mut client, "t", message(1, 0, id, 0, &nothing)).await;
        assert_eq!(error_of(&answer), ErrorCode::InvalidRecord, "{codec}");
    }
    let zstd = produce_set(&mut client, "t", message(1, 0, 4, 0, b"")).await;
    assert_eq!(error_of(&zstd), ErrorCode::InvalidRecord, "these formats do not know it");
}

#[tokio::test]
async fn a_set_without_messages_succeeds_without_an_offset() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    client.create("t", 1).await;
    for version in 0..=3 {
        for acks in [1, -1] {
            let response = client.call(version, &produce_request("t", acks, Bytes::new())).await;
            let answer = &response.responses[0].partition_responses[0];
            let expected = if version < 3 { ErrorCode::None } else { ErrorCode::InvalidRecord };
            assert_eq!((error_of(answer), answer.base_offset), (expected, -1), "version {version}");
        }
    }
    let stored = client.produce("t", set(0, &["a"])).await;
    assert_eq!(stored, 0, "nothing was appended");
}

/// Clients from before batches limit a message, not what they send at once.
#[tokio::test]
async fn a_set_may_be_larger_than_a_batch() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    client.create_with("t", 1, &[("max.message.bytes", "2000")]).await;
    let value = "x".repeat(500);
    let values = [value.as_str()].repeat(20);
    let answer = produce_set(&mut client, "t", set(1, &values)).await;
    assert_eq!((error_of(&answer), answer.base_offset), (ErrorCode::None, 0));
    assert_eq!(client.consume("t").await, numbered(&values));
    let large = produce_set(&mut client, "t", set(1, &[&"x".repeat(2000)])).await;
    assert_eq!(error_of(&large), ErrorCode::MessageTooLarge);
}
