use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::record::Origin;

/// 2026-11-21T08:50:46Z
const NOON: i64 = 1_795_251_046_000;
const DAY: i64 = 86_400_000;

fn push(builder: &mut Builder, topic: &Arc<str>, partition: i32, offset: i64, timestamp_ms: i64) {
    let record = Record {
        topic,
        partition,
        offset,
        timestamp_ms: Some(timestamp_ms),
        value: b"hello",
        origin: Origin { host: Some(b"h\"1"), file: Some(b"f"), offset: Some(offset), ..Origin::default() },
    };
    let original = Original { key: None, headers: vec![("host", Some(b"h\"1"))], value: Some(b"hello") };
    builder.push(Target { topic, index: "logs" }, &record, &Line::Plain, &original);
}

fn lines(batch: &Batch) -> Vec<Value> {
    batch
        .body
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect()
}

#[test]
fn a_bulk_body_has_an_action_before_each_document() {
    let topic: Arc<str> = Arc::from("t");
    let mut builder = Builder::new(Shape::Bulk);
    push(&mut builder, &topic, 0, 7, NOON);
    push(&mut builder, &topic, 0, 8, NOON + DAY);
    let batch = builder.finish();
    assert!(batch.body.ends_with(b"\n"));
    let lines = lines(&batch);
    assert_eq!(lines.len(), 4);
    assert_eq!(lines[0], serde_json::json!({ "create": { "_index": "logs-2026.11.21", "_id": "h\"1:f:7" } }));
    assert_eq!(lines[1]["message"], "hello");
    assert_eq!(lines[2]["create"]["_index"], "logs-2026.11.22");
    let second = &batch.items[1];
    assert_eq!(&batch.body[second.bytes.clone()][..9], b"{\"create\"");
    assert_eq!(second.bytes.end, batch.body.len());
}

#[test]
fn a_line_of_a_file_begins_with_the_id() {
    let topic: Arc<str> = Arc::from("t");
    let mut builder = Builder::new(Shape::Ndjson);
    push(&mut builder, &topic, 0, 7, NOON);
    let batch = builder.finish();
    assert!(batch.body.starts_with(br#"{"_id":"h\"1:f:7","@timestamp":"2026-11-21T"#));
    assert_eq!(lines(&batch).len(), 1);
}

#[test]
fn a_batch_knows_how_far_it_goes_in_each_partition() {
    let (a, b): (Arc<str>, Arc<str>) = (Arc::from("a"), Arc::from("b"));
    let mut builder = Builder::new(Shape::Bulk);
    for (topic, partition, offset) in [(&a, 0, 1), (&a, 1, 5), (&b, 0, 9), (&a, 0, 2), (&a, 1, 8)] {
        push(&mut builder, topic, partition, offset, NOON);
    }
    assert_eq!(builder.len(), 5);
    let batch = builder.finish();
    let reach: Vec<(&str, i32, i64)> = batch
        .partitions
        .iter()
        .map(|(partition, next)| (&*partition.topic, partition.number, *next))
        .collect();
    assert_eq!(reach, [("a", 0, 3), ("a", 1, 9), ("b", 0, 10)]);
    assert_eq!(batch.indices, ["logs-2026.11.21"]);
    assert_eq!(batch.items.iter().map(|item| item.partition).collect::<Vec<_>>(), [0, 1, 2, 0, 1]);
}

#[test]
fn a_builder_goes_on_empty_and_counts_its_batches() {
    let topic: Arc<str> = Arc::from("t");
    let mut builder = Builder::new(Shape::Bulk);
    push(&mut builder, &topic, 0, 7, NOON);
    assert_eq!(builder.finish().id, 0);
    assert!(builder.is_empty());
    push(&mut builder, &topic, 0, 8, NOON);
    builder.clear();
    assert_eq!((builder.is_empty(), builder.body_len(), builder.next_id()), (true, 0, 1));
    push(&mut builder, &topic, 0, 9, NOON);
    let batch = builder.finish();
    assert_eq!((batch.id, batch.items[0].offset, batch.items[0].bytes.start), (1, 9, 0));
    assert_eq!(batch.partitions.len(), 1);
}

#[test]
fn originals_that_are_cut_off_are_none() {
    let original = Original { key: Some(b"k"), headers: vec![("a", None), ("b", Some(b"x"))], value: None };
    let mut bytes = Vec::new();
    original.write(&mut bytes);
    assert_eq!(Original::read(&bytes), Some(original));
    for len in 0..bytes.len() {
        assert_eq!(Original::read(&bytes[..len]), None, "{len}");
    }
}

proptest! {
    #[test]
    fn originals_come_back(
        key in any::<Option<Vec<u8>>>(),
        value in any::<Option<Vec<u8>>>(),
        headers in proptest::collection::vec((any::<String>(), any::<Option<Vec<u8>>>()), 0..5),
    ) {
        let original = Original {
            key: key.as_deref(),
            headers: headers.iter().map(|(name, value)| (name.as_str(), value.as_deref())).collect(),
            value: value.as_deref(),
        };
        let mut bytes = Vec::new();
        original.write(&mut bytes);
        prop_assert_eq!(Original::read(&bytes), Some(original));
    }
}
