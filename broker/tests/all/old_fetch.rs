//! Fetch below version 4: what segments hold as batches reaches old clients as message sets.

use bytes::Bytes;
use wire::message::fetch::{FetchRequest, PartitionData};
use wire::record::legacy::entries;
use wire::record::{BatchBuilder, Compression, TimestampType};
use wire::{Blob, ErrorCode};

use super::support::{Client, TestBroker, batch_of, compressed, fetch_request, numbered};

/// The codecs that message sets know.
const CODECS: [Compression; 4] =
    [Compression::None, Compression::Gzip, Compression::Snappy, Compression::Lz4];

fn magic_of(version: i16) -> i8 {
    if version < 2 { 0 } else { 1 }
}

fn limited(topic: &str, offset: i64, partition_max_bytes: i32) -> FetchRequest {
    let mut request = fetch_request(topic, offset);
    request.topics[0].partitions[0].partition_max_bytes = partition_max_bytes;
    if partition_max_bytes < 1 << 20 {
        request.max_bytes = partition_max_bytes;
    }
    request
}

fn bytes_of(data: &PartitionData) -> Bytes {
    data.records.as_ref().and_then(Blob::bytes).cloned().unwrap_or_default()
}

async fn fetch(client: &mut Client, version: i16, request: FetchRequest) -> (PartitionData, Bytes) {
    let mut response = client.call(version, &request).await;
    let data = response.responses.remove(0).partitions.remove(0);
    let bytes = bytes_of(&data);
    (data, bytes)
}

/// Offsets and values of the whole messages of a set of `magic`.
fn messages(set: &[u8], magic: i8) -> Vec<(i64, String)> {
    let mut found = Vec::new();
    for entry in entries(set) {
        let Ok(entry) = entry else { break };
        assert_eq!(entry.magic, magic);
        for message in entry.messages(64 << 20).unwrap().iter() {
            found.push((message.offset, String::from_utf8(message.value.unwrap().to_vec()).unwrap()));
        }
    }
    found
}

#[tokio::test]
async fn every_codec_is_converted_for_every_old_version() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    client.create("t", 1).await;
    for codec in CODECS {
        client.produce("t", compressed(codec, &["a", "b", "c"])).await;
    }
    for version in 0..=3 {
        let (data, set) = fetch(&mut client, version, fetch_request("t", 0)).await;
        assert_eq!((data.error_code, data.high_watermark), (0, 12), "version {version}");
        let magic = magic_of(version);
        assert_eq!(messages(&set, magic), numbered(&["a", "b", "c"].repeat(4)), "version {version}");
        let codecs: Vec<Compression> =
            entries(&set).map(|entry| entry.unwrap().compression().unwrap()).collect();
        let plain = [Compression::None; 3];
        assert_eq!(codecs, [&plain[..], &CODECS[1..]].concat(), "version {version}");
        let times: Vec<i64> = entries(&set).map(|entry| entry.unwrap().timestamp).collect();
        let expected = if magic == 0 { [-1; 6] } else { [1_000, 1_001, 1_002, 1_002, 1_002, 1_002] };
        assert_eq!(times, expected, "version {version}");
    }
}

#[tokio::test]
async fn a_fetch_from_the_middle_of_a_batch_begins_there() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    client.create("t", 1).await;
    for codec in CODECS {
        client.produce("t", compressed(codec, &["a", "b", "c"])).await;
    }
    let all = numbered(&["a", "b", "c"].repeat(4));
    for version in 0..=3 {
        for offset in 0..12 {
            let (_, set) = fetch(&mut client, version, fetch_request("t", offset)).await;
            assert_eq!(messages(&set, magic_of(version)), all[offset as usize..], "version {version}");
        }
        let (data, set) = fetch(&mut client, version, fetch_request("t", 12)).await;
        assert_eq!((data.error_code, set.len()), (0, 0), "the end is no error");
        let (data, _) = fetch(&mut client, version, fetch_request("t", 13)).await;
        assert_eq!(ErrorCode::from_code(data.error_code), ErrorCode::OffsetOutOfRange);
    }
}

/// Up to version 2 a client learns from the piece that its limit is too small, as sarama doubles its own; from version 3
/// on it gets the message.
#[tokio::test]
async fn a_message_beyond_the_limit_is_cut_off_until_version_3() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    client.create("t", 1).await;
    let large = "x".repeat(10_000);
    client.produce("t", batch_of(&[&large, "b"])).await;
    for version in 0..=3 {
        let (data, set) = fetch(&mut client, version, limited("t", 0, 1_000)).await;
        assert_eq!(data.error_code, 0);
        if version == 3 {
            assert_eq!(messages(&set, 1), numbered(&[&large]), "whole, and alone");
            continue;
        }
        assert_eq!(set.len(), 1_000, "version {version}");
        assert!(messages(&set, magic_of(version)).is_empty());
        let size = i32::from_be_bytes(set[8..12].try_into().unwrap());
        assert!(size > 10_000, "the piece says how much is needed: {size}");
        let (_, set) = fetch(&mut client, version, limited("t", 0, 20_000)).await;
        assert_eq!(messages(&set, magic_of(version)), numbered(&[&large, "b"]), "version {version}");
    }
}

/// A partition behind another must not be told that its limit is too small when the answer was full.
#[tokio::test]
async fn the_limit_of_the_whole_answer_holds_for_what_is_sent() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    for topic in ["a", "b", "c"] {
        client.create(topic, 1).await;
        client.produce(topic, batch_of(&["x".repeat(1000).as_str()])).await;
    }
    let mut request = FetchRequest { max_bytes: 2500, ..fetch_request("a", 0) };
    for topic in ["b", "c"] {
        request.topics.push(fetch_request(topic, 0).topics.remove(0));
    }
    let response = client.call(3, &request).await;
    let sets: Vec<usize> =
        response.responses.iter().map(|topic| messages(&bytes_of(&topic.partitions[0]), 1).len()).collect();
    assert_eq!(sets, [1, 1, 0]);
    assert!(bytes_of(&response.responses[2].partitions[0]).is_empty(), "nothing, not a piece");
}

#[tokio::test]
async fn a_topic_is_read_in_small_steps_over_segments() {
    let broker = TestBroker::start_with(&[("segment_bytes", "4096"), ("max_message_bytes", "4096")]).await;
    let mut client = broker.client().await;
    client.create("t", 1).await;
    let written: Vec<String> = (0..200).map(|i| format!("{i}-{}", "y".repeat(100))).collect();
    for (number, chunk) in written.chunks(7).enumerate() {
        let chunk: Vec<&str> = chunk.iter().map(String::as_str).collect();
        client.produce("t", compressed(CODECS[number % 4], &chunk)).await;
    }
    let written: Vec<&str> = written.iter().map(String::as_str).collect();
    for version in 0..=3 {
        let mut read = Vec::new();
        while read.len() < written.len() {
            let next = read.len() as i64;
            let (data, set) = fetch(&mut client, version, limited("t", next, 1_500)).await;
            let found = messages(&set, magic_of(version));
            assert!(data.error_code == 0 && !found.is_empty(), "version {version}, offset {next}");
            read.extend(found);
        }
        assert_eq!(read, numbered(&written), "version {version}");
        let (_, set) = fetch(&mut client, version, fetch_request("t", 0)).await;
        assert_eq!(messages(&set, magic_of(version)), numbered(&written), "in one answer");
    }
}

/// An old client cannot know zstd: it gets what is before it, then an error that says so.
#[tokio::test]
async fn zstd_is_refused_to_old_clients_alone() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    client.create("t", 1).await;
    client.produce("t", batch_of(&["a", "b"])).await;
    client.produce("t", compressed(Compression::Zstd, &["c"])).await;
    for version in 0..=3 {
        let (data, set) = fetch(&mut client, version, fetch_request("t", 0)).await;
        assert_eq!(data.error_code, 0);
        assert_eq!(messages(&set, magic_of(version)), numbered(&["a", "b"]));
        let (data, set) = fetch(&mut client, version, fetch_request("t", 2)).await;
        let error = ErrorCode::from_code(data.error_code);
        assert_eq!((error, set.len()), (ErrorCode::UnsupportedCompressionType, 0), "version {version}");
    }
    assert_eq!(client.consume("t").await, numbered(&["a", "b", "c"]));
}

#[tokio::test]
async fn append_time_and_what_has_none_reach_magic_1() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    client.create_with("t", 1, &[("message.timestamp.type", "LogAppendTime")]).await;
    client.produce("t", batch_of(&["a"])).await;
    client.create("u", 1).await;
    let mut old = BatchBuilder::new(Compression::None);
    old.append(-1, Some(b"key"), Some(b"a"), &[("header", b"dropped")]).unwrap();
    client.produce("u", old.finish().unwrap()).await;

    let (_, set) = fetch(&mut client, 2, fetch_request("t", 0)).await;
    let stamped = entries(&set).next().unwrap().unwrap();
    assert_eq!(stamped.timestamp_type(), TimestampType::LogAppendTime);
    assert!(stamped.timestamp > 1_600_000_000_000, "{}", stamped.timestamp);
    let (_, set) = fetch(&mut client, 2, fetch_request("u", 0)).await;
    let plain = entries(&set).next().unwrap().unwrap();
    assert_eq!((plain.timestamp, plain.key), (-1, Some(&b"key"[..])));
}

/// A stored batch that is damaged must not get a checksum that says it is sound.
#[tokio::test]
async fn a_batch_damaged_on_the_disk_is_not_converted() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    client.create("t", 1).await;
    client.produce("t", batch_of(&["sound"])).await;
    client.produce("t", batch_of(&["damaged"])).await;
    let log = broker.dir.path().join("t-0/00000000000000000000.log");
    let mut bytes = std::fs::read(&log).unwrap();
    let last = bytes.len() - 2;
    bytes[last] ^= 1;
    std::fs::write(&log, bytes).unwrap();
    let (data, set) = fetch(&mut client, 1, fetch_request("t", 0)).await;
    assert_eq!(data.error_code, 0);
    assert_eq!(messages(&set, 0), numbered(&["sound"]));
    let (data, _) = fetch(&mut client, 1, fetch_request("t", 1)).await;
    assert_eq!(ErrorCode::from_code(data.error_code), ErrorCode::CorruptMessage);
}

#[tokio::test]
async fn an_old_client_waits_for_records_too() {
    let broker = TestBroker::start().await;
    let mut consumer = broker.client().await;
    let mut producer = broker.client().await;
    consumer.create("t", 1).await;
    for version in 0..=3 {
        let offset = i64::from(version);
        consumer.send(version, &FetchRequest { max_wait_ms: 60_000, ..fetch_request("t", offset) }).await;
        producer.produce("t", batch_of(&["value"])).await;
        let (_, response) = consumer.receive::<FetchRequest>(version).await;
        let set = bytes_of(&response.responses[0].partitions[0]);
        assert_eq!(messages(&set, magic_of(version)), [(offset, "value".to_owned())]);
    }
}

/// Converted records are in memory until they are sent: who does not take his must not make the broker hold
/// more for others, nor keep them waiting.
#[tokio::test]
async fn when_memory_is_short_an_old_client_gets_nothing_and_then_everything() {
    let keys = [("queued_max_request_bytes", "1048576"), ("max_message_bytes", "20971520")];
    let broker = TestBroker::start_with(&keys).await;
    let mut slow = broker.client().await;
    // more than both buffers of a socket hold
    let large = "x".repeat(16 << 20);
    slow.create("t", 1).await;
    slow.produce("t", batch_of(&[&large])).await;
    slow.create("u", 1).await;
    slow.produce("u", batch_of(&["small"])).await;
    slow.send(1, &limited("t", 0, 50 << 20)).await;
    // its answer has begun, so it holds its memory
    assert!(slow.stream.peek(&mut [0; 4]).await.unwrap() > 0);

    let mut other = broker.client().await;
    let (data, set) = fetch(&mut other, 1, fetch_request("u", 0)).await;
    assert_eq!((data.error_code, data.high_watermark, set.len()), (0, 1, 0));
    let (_, response) = slow.receive::<FetchRequest>(1).await;
    let set = bytes_of(&response.responses[0].partitions[0]);
    assert_eq!(messages(&set, 0), numbered(&[&large]));
    loop {
        let (data, set) = fetch(&mut other, 1, fetch_request("u", 0)).await;
        assert_eq!(data.error_code, 0);
        // the memory is given back a moment after the last byte was sent
        if !set.is_empty() {
            assert_eq!(messages(&set, 0), numbered(&["small"]));
            break;
        }
    }
}
