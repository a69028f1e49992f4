use std::sync::Arc;
use std::time::Duration;

use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};

use super::*;
use crate::batch::{Builder, Shape, Target};
use crate::parse::Line;
use crate::tests::{letters_in, mock_cluster};

const LIMIT: Duration = Duration::from_secs(60);

fn batch(headers: Vec<(&str, Option<&[u8]>)>, value: Option<&[u8]>) -> Batch {
    let topic: Arc<str> = Arc::from("logs");
    let mut builder = Builder::new(Shape::Bulk);
    let mut origin = Origin::default();
    for (name, value) in &headers {
        origin.header(name, *value);
    }
    let record = Record {
        topic: &topic,
        partition: 2,
        offset: 41,
        timestamp_ms: Some(1234),
        value: value.unwrap_or_default(),
        origin,
    };
    let original = Original { key: Some(b"key"), headers, value };
    builder.push(Target { topic: &topic, index: "web" }, &record, &Line::Plain, &original);
    builder.finish()
}

fn refusal(reason: &str) -> Refusal {
    Refusal { status: 400, kind: "mapper_parsing_exception".to_owned(), reason: reason.to_owned() }
}

fn text_headers(letter: &DeadLetter<'_>) -> Vec<(String, String)> {
    let text = |value: Option<Vec<u8>>| String::from_utf8(value.unwrap_or_default()).unwrap();
    letter.headers().into_iter().map(|(name, value)| (name.to_owned(), text(value))).collect()
}

#[test]
fn a_letter_says_where_the_record_was_and_why_it_is_here() {
    let origin =
        vec![("host", Some(b"h".as_slice())), ("file", Some(b"f")), ("offset", Some(b"7")), ("odd", None)];
    let batch = batch(origin, Some(b"line"));
    let letter = DeadLetter::new(&batch, &batch.items[0], refusal("because")).unwrap();
    let expected = [
        ("host", "h"),
        ("file", "f"),
        ("offset", "7"),
        ("odd", ""),
        ("dead_letter.topic", "logs"),
        ("dead_letter.partition", "2"),
        ("dead_letter.offset", "41"),
        ("dead_letter.index", "web-1970.01.01"),
        ("dead_letter.status", "400"),
        ("dead_letter.type", "mapper_parsing_exception"),
        ("dead_letter.reason", "because"),
        ("dead_letter.id", "h:f:7"),
    ];
    let headers = text_headers(&letter);
    let headers: Vec<(&str, &str)> =
        headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(headers, expected);
}

#[test]
fn the_id_of_a_record_without_origin_is_its_place() {
    let batch = batch(vec![], None);
    let letter = DeadLetter::new(&batch, &batch.items[0], refusal("")).unwrap();
    assert_eq!(letter.id(), b"logs:2:41");
}

/// The index's reason may quote the whole document.
#[test]
fn a_reason_that_is_as_long_as_the_document_is_cut() {
    let batch = batch(vec![], None);
    let letter = DeadLetter::new(&batch, &batch.items[0], refusal(&"é".repeat(5000))).unwrap();
    let headers = text_headers(&letter);
    let reason = headers.iter().find(|(name, _)| name == "dead_letter.reason").unwrap();
    assert_eq!(reason.1.chars().count(), 1000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_is_the_record_as_it_was() {
    let cluster = mock_cluster("logs", 1);
    let letters = DeadLetters::new(&cluster.bootstrap_servers(), ".dead", Backoff::new(1, 10));
    let batch = batch(vec![("host", Some(b"h"))], Some(b"caf\xc3\xa9"));
    let letter = DeadLetter::new(&batch, &batch.items[0], refusal("because")).unwrap();
    tokio::time::timeout(LIMIT, letters.deliver(&letter)).await.unwrap();
    let (value, headers) = letters_in(&cluster.bootstrap_servers(), "logs.dead", 1).remove(0);
    assert_eq!(value.as_deref(), Some("café"));
    assert_eq!(headers["host"], "h");
    assert_eq!(headers.get("dead_letter.value"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_the_topic_does_not_take_is_left_out_and_its_place_is_kept() {
    let cluster = mock_cluster("logs", 1);
    cluster.request_errors(RDKafkaApiKey::Produce, &[RDKafkaRespErr::RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE]);
    let letters = DeadLetters::new(&cluster.bootstrap_servers(), ".dead", Backoff::new(1, 10));
    let batch = batch(vec![], Some(b"large"));
    let letter = DeadLetter::new(&batch, &batch.items[0], refusal("because")).unwrap();
    tokio::time::timeout(LIMIT, letters.deliver(&letter)).await.unwrap();
    let (value, headers) = letters_in(&cluster.bootstrap_servers(), "logs.dead", 1).remove(0);
    assert_eq!((value, headers["dead_letter.value"].as_str()), (None, "too_large"));
    assert_eq!(
        (headers["dead_letter.topic"].as_str(), headers["dead_letter.offset"].as_str()),
        ("logs", "41")
    );
}
