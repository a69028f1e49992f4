//! Produce: every version, every codec, every refusal.

use bytes::{Bytes, BytesMut};
use wire::ErrorCode;
use wire::message::init_producer_id::InitProducerIdRequest;
use wire::message::produce::{
    PartitionProduceData, PartitionProduceResponse, ProduceRequest, TopicProduceData,
};
use wire::record::{BatchBuilder, Compression};

use super::support::{TestBroker, batch_from, batch_of, compressed, error_of, numbered, produce_request};

#[tokio::test]
async fn every_version_appends_and_says_where() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    client.create("t", 1).await;
    for version in 0..=11 {
        for acks in [1, -1] {
            let response = client.call(version, &produce_request("t", acks, batch_of(&["x"]))).await;
            let partition = &response.responses[0].partition_responses[0];
            assert_eq!(error_of(partition), ErrorCode::None, "version {version}, acks {acks}");
            assert_eq!(partition.base_offset, i64::from(version) * 2 + i64::from(acks == -1));
            assert_eq!(partition.log_append_time_ms, -1);
            assert_eq!(partition.log_start_offset, if version >= 5 { 0 } else { -1 });
        }
    }
    assert_eq!(client.consume("t").await.len(), 24);
    assert_eq!(broker.metric("logagent_broker_appended_records_total"), 24);
}

#[tokio::test]
async fn every_codec_is_kept_as_it_came() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    client.create("t", 1).await;
    let codecs =
        [Compression::None, Compression::Gzip, Compression::Snappy, Compression::Lz4, Compression::Zstd];
    for codec in codecs {
        client.produce("t", compressed(codec, &["one", "two"])).await;
    }
    assert_eq!(client.consume("t").await, numbered(&["one", "two"].repeat(5)));
}

#[tokio::test]
async fn without_acks_nothing_is_answered_and_all_is_appended() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    client.create("t", 1).await;
    for value in ["a", "b", "c"] {
        client.send(9, &produce_request("t", 0, batch_of(&[value]))).await;
    }
    // the next answer on the connection is the one to the fetch
    assert_eq!(client.consume("t").await, numbered(&["a", "b", "c"]));
}

/// A client that asked for no answers learns of a failure only by the end of its connection.
#[tokio::test]
async fn without_acks_a_refusal_closes_the_connection() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    client.send(9, &produce_request("missing", 0, batch_of(&["x"]))).await;
    client.expect_closed().await;
}

#[tokio::test]
async fn several_topics_and_partitions_each_get_their_own_answer() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    client.create("a", 2).await;
    client.create("b", 1).await;
    let data = |index, value| PartitionProduceData { index, records: Some(batch_of(&[value]).into()) };
    let topic = |name: &str, partition_data| TopicProduceData { name: name.to_owned(), partition_data };
    let request = ProduceRequest {
        acks: -1,
        timeout_ms: 10_000,
        topic_data: vec![
            topic("a", vec![data(1, "a1"), data(7, "lost"), data(0, "a0")]),
            topic("missing", vec![data(0, "lost")]),
            topic("b", vec![data(0, "b0")]),
        ],
        ..Default::default()
    };
    let response = client.call(11, &request).await;
    let answers: Vec<(i32, ErrorCode)> = response
        .responses
        .iter()
        .flat_map(|topic| {
            topic.partition_responses.iter().map(|partition| (partition.index, error_of(partition)))
        })
        .collect();
    let unknown = ErrorCode::UnknownTopicOrPartition;
    let none = ErrorCode::None;
    assert_eq!(answers, [(1, none), (7, unknown), (0, none), (0, unknown), (0, none)]);
    assert_eq!(client.consume("a").await, numbered(&["a0"]));
    assert_eq!(client.consume("b").await, numbered(&["b0"]));
}

#[tokio::test]
async fn each_refusal_has_its_error_and_leaves_the_log_as_it_was() {
    let broker = TestBroker::start_with(&[("max_message_bytes", "2000")]).await;
    let mut client = broker.client().await;
    client.create("t", 1).await;
    client.create_with("compacted", 1, &[("cleanup.policy", "compact")]).await;
    let mut bad_crc = BytesMut::from(batch_of(&["value"]).as_ref());
    let last = bad_crc.len() - 1;
    bad_crc[last] ^= 1;
    let cut = batch_of(&["value"]).slice(..70);
    let mut future = BytesMut::from(batch_of(&["value"]).as_ref());
    future[16] = 3;
    let cases = [
        ("t", 1, bad_crc.freeze(), ErrorCode::CorruptMessage),
        ("t", 1, cut, ErrorCode::CorruptMessage),
        (
            "t",
            1,
            Bytes::from_static(b"not a batch at all, but long enough to have a magic byte"),
            ErrorCode::UnsupportedForMessageFormat,
        ),
        ("t", 1, future.freeze(), ErrorCode::UnsupportedForMessageFormat),
        ("t", 1, Bytes::new(), ErrorCode::InvalidRecord),
        ("t", 1, batch_of(&["x".repeat(2000).as_str()]), ErrorCode::MessageTooLarge),
        ("t", 2, batch_of(&["x"]), ErrorCode::InvalidRequiredAcks),
        ("t", -2, batch_of(&["x"]), ErrorCode::InvalidRequiredAcks),
        ("compacted", 1, batch_of(&["no key"]), ErrorCode::InvalidRecord),
        ("missing", 1, batch_of(&["x"]), ErrorCode::UnknownTopicOrPartition),
    ];
    for (topic, acks, records, error) in cases {
        let response = client.try_produce(topic, acks, records.clone()).await;
        assert_eq!(
            (error_of(&response), response.base_offset),
            (error, -1),
            "{topic} acks={acks} {records:?}"
        );
        assert!(response.error_message.is_some());
    }
    assert!(client.consume("t").await.is_empty());
    assert_eq!(client.produce("t", batch_of(&["first"])).await, 0);
    assert_eq!(broker.metric("logagent_broker_crc_failures_total"), 2);
}

/// A batch of records with a timestamp and, perhaps, a key.
fn keyed(codec: Compression, records: impl IntoIterator<Item = (i64, Option<&'static str>)>) -> Bytes {
    let mut builder = BatchBuilder::new(codec);
    for (timestamp, key) in records {
        builder.append(timestamp, key.map(str::as_bytes), Some(b"x"), &[]).unwrap();
    }
    builder.finish().unwrap()
}

/// The places of the records that are named, each in words.
fn named(answer: &PartitionProduceResponse) -> Vec<i32> {
    assert!(answer.record_errors.iter().all(|record| record.batch_index_error_message.is_some()));
    answer.record_errors.iter().map(|record| record.batch_index).collect()
}

#[tokio::test]
async fn records_without_a_key_are_named_to_who_understands_it() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    client.create_with("t", 1, &[("cleanup.policy", "compact")]).await;
    let records = [(1000, Some("k")), (1000, None), (1000, Some("k")), (1000, None)];
    for version in 3..=11 {
        let codec = if version % 2 == 0 { Compression::Lz4 } else { Compression::None };
        let mut response = client.call(version, &produce_request("t", -1, keyed(codec, records))).await;
        let answer = response.responses.remove(0).partition_responses.remove(0);
        assert_eq!((error_of(&answer), answer.base_offset), (ErrorCode::InvalidRecord, -1));
        let expected: &[i32] = if version >= 8 { &[1, 3] } else { &[] };
        assert_eq!(named(&answer), expected, "version {version}");
        assert_eq!(answer.error_message.is_some(), version >= 8, "version {version}");
    }
    assert!(client.consume("t").await.is_empty(), "none of the batch is appended");
    let other = client.try_produce("t", 1, Bytes::new()).await;
    assert_eq!((error_of(&other), named(&other)), (ErrorCode::InvalidRecord, vec![]), "nobody is to blame");
}

#[tokio::test]
async fn records_too_far_from_the_brokers_time_are_named() {
    let (old, far_ahead) = (1000, 32_503_680_000_000);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let now = i64::try_from(now.as_millis()).unwrap();
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    let day = "86400000";
    let limits = [("message.timestamp.before.max.ms", day), ("message.timestamp.after.max.ms", day)];
    client.create_with("t", 1, &limits).await;
    client.create_with("both", 1, &[limits[0], limits[1], ("cleanup.policy", "compact")]).await;
    let records = [(old, None), (now, None), (far_ahead, Some("k")), (now, Some("k"))];
    for (topic, expected) in [("t", &[0, 2][..]), ("both", &[0, 1, 2][..])] {
        let answer = client.try_produce(topic, 1, keyed(Compression::None, records)).await;
        assert_eq!(error_of(&answer), ErrorCode::InvalidTimestamp, "{topic}");
        assert_eq!(named(&answer), expected, "{topic}");
        assert_eq!(client.produce(topic, keyed(Compression::None, [(now, Some("k"))])).await, 0, "{topic}");
    }
}

/// A request may have many small batches of very many records.
#[tokio::test]
async fn one_answer_names_only_so_many_records() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    client.create_with("t", 3, &[("cleanup.policy", "compact")]).await;
    let batch = keyed(Compression::Zstd, std::iter::repeat_n((1000, None), 6000));
    let mut request = produce_request("t", 1, batch);
    let partitions = &mut request.topic_data[0].partition_data;
    let first = partitions[0].clone();
    partitions.extend((1..3).map(|index| PartitionProduceData { index, ..first.clone() }));
    let response = client.call(9, &request).await;
    let answers = &response.responses[0].partition_responses;
    let counts: Vec<_> = answers.iter().map(|answer| (error_of(answer), named(answer).len())).collect();
    let refused = ErrorCode::InvalidRecord;
    assert_eq!(counts, [(refused, 6000), (refused, 4000), (refused, 0)]);
}

#[tokio::test]
async fn append_time_is_told_and_stamped() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    client.create_with("t", 1, &[("message.timestamp.type", "LogAppendTime")]).await;
    let response = client.try_produce("t", -1, batch_of(&["x"])).await;
    assert!(response.log_append_time_ms > 1_700_000_000_000, "{}", response.log_append_time_ms);
    let (_, bytes) = client.fetch("t", 0).await;
    let header = wire::record::BatchHeader::parse(&bytes).unwrap();
    assert_eq!(header.max_timestamp, response.log_append_time_ms);
    assert_eq!(super::support::values(&bytes), numbered(&["x"]));
}

#[tokio::test]
async fn a_repeated_batch_of_an_idempotent_producer_is_answered_with_its_first_offset() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    client.create("t", 1).await;
    let id = client.call(4, &InitProducerIdRequest::default()).await.producer_id;
    let batches: Vec<Bytes> = (0..5).map(|i| batch_from(id, 0, i * 2, &["a", "b"])).collect();
    for batch in &batches {
        client.produce("t", batch.clone()).await;
    }
    let mut other = broker.client().await;
    for (i, batch) in batches.iter().enumerate() {
        let response = other.try_produce("t", -1, batch.clone()).await;
        assert_eq!((error_of(&response), response.base_offset), (ErrorCode::None, i as i64 * 2));
    }
    let gap = other.try_produce("t", -1, batch_from(id, 0, 20, &["gap"])).await;
    assert_eq!(error_of(&gap), ErrorCode::OutOfOrderSequenceNumber);
    assert_eq!(client.consume("t").await.len(), 10);
    client.produce("t", batch_from(id, 1, 0, &["next epoch"])).await;
    let old = other.try_produce("t", -1, batch_from(id, 0, 10, &["old epoch"])).await;
    assert_eq!(error_of(&old), ErrorCode::InvalidProducerEpoch);
    assert_eq!(broker.metric("logagent_broker_appended_records_total"), 11, "repeats do not count");
}

#[tokio::test]
async fn producer_ids_are_new_each_time() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    for version in 0..=5 {
        let response = client.call(version, &InitProducerIdRequest::default()).await;
        assert_eq!((response.error_code, response.producer_epoch), (0, 0));
        assert_eq!(response.producer_id, i64::from(version));
    }
    let half = InitProducerIdRequest { producer_id: 5, ..Default::default() };
    let response = client.call(4, &half).await;
    assert_eq!(
        ErrorCode::from_code(response.error_code),
        ErrorCode::InvalidRequest,
        "an id without its epoch"
    );
}
