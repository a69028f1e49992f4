//! `compression.type` of topics and of the broker.

use wire::message::init_producer_id::InitProducerIdRequest;
use wire::record::{Compression, batch};
use wire::{Blob, ErrorCode};

use super::configs::{BROKER, DELETE, OK, SET, TOPIC, alter, value};
use super::support::{Client, TestBroker, batch_from, compressed, error_of, fetch_request, numbered};

const TYPE: &str = "compression.type";

/// The codecs of the batches of partition 0.
async fn codecs(client: &mut Client, topic: &str) -> Vec<Compression> {
    let (_, bytes) = client.fetch(topic, 0).await;
    batch::batches(&bytes).map(|found| found.unwrap().0.compression().unwrap()).collect()
}

#[tokio::test]
async fn what_comes_in_any_codec_is_kept_in_that_of_the_topic() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    for name in ["uncompressed", "gzip", "snappy", "lz4", "zstd"] {
        client.create_with(name, 1, &[(TYPE, name)]).await;
        assert_eq!(value(&mut client, TOPIC, name, TYPE).await, name);
        for codec in Compression::ALL {
            client.produce(name, compressed(codec, &["one", "two"])).await;
        }
        assert_eq!(client.consume(name).await, numbered(&["one", "two"].repeat(5)), "{name}");
        let kept = Compression::from_name(name).unwrap_or(Compression::None);
        assert_eq!(codecs(&mut client, name).await, [kept; 5], "{name}");
    }
}

#[tokio::test]
async fn a_changed_codec_holds_from_the_next_batch_on() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    client.create("t", 1).await;
    let changes = [
        (TOPIC, "t", SET, Some("gzip"), Compression::Gzip),
        // the topic's own wins
        (BROKER, "1", SET, Some("lz4"), Compression::Gzip),
        (TOPIC, "t", DELETE, None, Compression::Lz4),
        (BROKER, "1", DELETE, None, Compression::Snappy),
    ];
    client.produce("t", compressed(Compression::Snappy, &["x"])).await;
    let mut expected = vec![Compression::Snappy];
    for (kind, name, operation, text, kept) in changes {
        assert_eq!(alter(&mut client, kind, name, &[(TYPE, operation, text)]).await, OK);
        client.produce("t", compressed(Compression::Snappy, &["x"])).await;
        expected.push(kept);
    }
    assert_eq!(codecs(&mut client, "t").await, expected);
    assert_eq!(value(&mut client, TOPIC, "t", TYPE).await, "producer");
    for (kind, name) in [(TOPIC, "t"), (BROKER, "1")] {
        let (error, words) = alter(&mut client, kind, name, &[(TYPE, SET, Some("none"))]).await;
        assert!(error == ErrorCode::InvalidConfig && words.contains(TYPE), "{error:?} {words}");
    }
}

#[tokio::test]
async fn the_codec_of_the_brokers_file_does_not_reach_its_own_topics() {
    let keys = [("compression_type", "zstd"), ("transaction_state_log_num_partitions", "1")];
    let broker = TestBroker::start_with(&keys).await;
    let mut client = broker.client().await;
    client.create("t", 1).await;
    client.produce("t", compressed(Compression::None, &["x"])).await;
    assert_eq!(codecs(&mut client, "t").await, [Compression::Zstd]);
    let request = InitProducerIdRequest {
        transactional_id: Some("tx".to_owned()),
        transaction_timeout_ms: 60_000,
        ..Default::default()
    };
    assert_eq!(client.call(4, &request).await.error_code, 0);
    assert_eq!(value(&mut client, TOPIC, "__consumer_offsets", TYPE).await, "producer");
    assert_eq!(value(&mut client, TOPIC, "__transaction_state", TYPE).await, "uncompressed");
    let kept = codecs(&mut client, "__transaction_state").await;
    assert!(!kept.is_empty() && kept.iter().all(|codec| *codec == Compression::None), "{kept:?}");
}

#[tokio::test]
async fn an_idempotent_producer_may_repeat_what_was_compressed_again() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    client.create_with("t", 1, &[(TYPE, "gzip")]).await;
    for (sequence, value) in [(0, "a"), (0, "a"), (1, "b"), (1, "b")] {
        let offset = client.produce("t", batch_from(7, 0, sequence, &[value])).await;
        assert_eq!(offset, i64::from(sequence));
    }
    assert_eq!(client.consume("t").await, numbered(&["a", "b"]));
}

#[tokio::test]
async fn what_is_too_large_in_the_topics_codec_is_refused() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    client.create_with("t", 1, &[(TYPE, "uncompressed"), ("max.message.bytes", "1000")]).await;
    let long = "a".repeat(5000);
    let refused = client.try_produce("t", 1, compressed(Compression::Gzip, &[&long])).await;
    assert_eq!(error_of(&refused), ErrorCode::MessageTooLarge);
    assert_eq!(client.produce("t", compressed(Compression::Gzip, &["short"])).await, 0);
}

/// They could not read a byte of it. That which a producer has compressed so among others is given to them, as by Kafka.
#[tokio::test]
async fn a_topic_that_is_all_zstd_is_refused_to_clients_that_do_not_know_it() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    for (topic, compression_type) in [("all", "zstd"), ("some", "producer")] {
        client.create_with(topic, 1, &[(TYPE, compression_type)]).await;
        client.produce(topic, compressed(Compression::Zstd, &["x"])).await;
        for version in 4..=12 {
            let mut response = client.call(version, &fetch_request(topic, 0)).await;
            let data = response.responses.remove(0).partitions.remove(0);
            let has_records =
                data.records.as_ref().and_then(Blob::bytes).is_some_and(|bytes| !bytes.is_empty());
            let is_refused = topic == "all" && version < 10;
            let expected = if is_refused { ErrorCode::UnsupportedCompressionType } else { ErrorCode::None };
            assert_eq!(ErrorCode::from_code(data.error_code), expected, "{topic}, version {version}");
            assert_eq!(has_records, !is_refused, "{topic}, version {version}");
        }
    }
    for version in 0..=3 {
        let response = client.call(version, &fetch_request("all", 0)).await;
        let code = response.responses[0].partitions[0].error_code;
        assert_eq!(ErrorCode::from_code(code), ErrorCode::UnsupportedCompressionType, "version {version}");
    }
}
