//! Message sets (magic 0 and 1), as clients from before Kafka 0.11 send them: kept as record batches.

use bytes::{BufMut, Bytes, BytesMut};
use wire::ErrorCode;
use wire::record::{Compression, batch};

use super::support::{TestBroker, error_of, numbered, produce_request, values};

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
