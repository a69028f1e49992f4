//! The bodies of the fuzz targets. Each takes any bytes and panics only if a promise of this crate is broken. The same
//! bodies run under proptest in this crate's tests.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use jiff::tz::TimeZone;
use serde_json::Value;

use crate::batch::{Batch, Builder, Original, Shape, Target};
use crate::dead_letter::DeadLetter;
use crate::elastic::client::Answer;
use crate::elastic::outcome::{ItemVerdict, Refusal, Verdict, judge};
use crate::ndjson;
use crate::parse::{Format, parse};
use crate::record::{Origin, Record};

const FORMATS: [Format; 4] = [Format::Auto, Format::NginxCombined, Format::NginxError, Format::Plain];

/// Names of headers, by the byte before a header's value.
const HEADERS: [&str; 7] = ["host", "path", "file", "offset", "flags", "odd \"\\\n", ""];

/// The bit of an input's first byte that asks for a line of a file rather than of a bulk request.
const NDJSON: u8 = 4;

/// Bytes as a record: the first one chooses the line's format, the second counts the headers (name and length before each),
/// the rest is the line. Its document is valid JSON and holds the line; its dead letter is the record as it was.
pub fn line(bytes: &[u8]) {
    let Some(([kind, count], mut rest)) = bytes.split_first_chunk() else { return };
    let mut headers = Vec::new();
    for _ in 0..count % 8 {
        let Some(([name, len], behind)) = rest.split_first_chunk() else { break };
        let (value, behind) = behind.split_at(usize::from(*len).min(behind.len()));
        let name = HEADERS.get(usize::from(*name) % HEADERS.len()).copied().unwrap_or_default();
        headers.push((name, (*len != u8::MAX).then_some(value)));
        rest = behind;
    }
    let mut origin = Origin::default();
    headers.iter().for_each(|(name, value)| origin.header(name, *value));
    let topic: Arc<str> = Arc::from("nginx_log");
    let record =
        Record { topic: &topic, partition: 2, offset: 41, timestamp_ms: Some(-1), value: rest, origin };
    let original = Original { key: Some(b"key"), headers, value: Some(rest) };
    let format = FORMATS.get(usize::from(kind & 3)).copied().unwrap_or_default();
    let shape = if kind & NDJSON == 0 { Shape::Bulk } else { Shape::Ndjson };
    let mut builder = Builder::new(shape);
    let line = parse(format, rest, &TimeZone::UTC);
    builder.push(Target { topic: &topic, index: "web" }, &record, &line, &original);
    check(&builder.finish(), shape, &original);
}

fn check(batch: &Batch, shape: Shape, original: &Original<'_>) {
    let read = |line: &[u8]| -> Value {
        let parsed = serde_json::from_slice(line);
        parsed.unwrap_or_else(|error| unreachable!("{} is no JSON: {error}", String::from_utf8_lossy(line)))
    };
    let body = batch.body.strip_suffix(b"\n").unwrap_or_default();
    let lines: Vec<Value> = body.split(|byte| *byte == b'\n').map(read).collect();
    let (id, document) = match (lines.as_slice(), shape) {
        ([action, document], Shape::Bulk) => (&action["create"]["_id"], document),
        ([document], Shape::Ndjson) => (&document["_id"], document),
        _ => unreachable!("one document takes {} lines", lines.len()),
    };
    let id = id.as_str().unwrap_or_default();
    assert!((1..=512).contains(&id.len()), "the id {id} has {} bytes", id.len());
    let value = original.value.unwrap_or_default();
    if let Ok(line) = std::str::from_utf8(value) {
        assert_eq!(document["event"]["original"], line, "the document holds the line");
    }
    let time = document["@timestamp"].as_str().unwrap_or_default();
    assert!(time.parse::<jiff::Timestamp>().is_ok(), "{time} is no time");
    let ip = &document["source"]["ip"];
    assert!(ip.as_str().is_none_or(|ip| ip.parse::<std::net::IpAddr>().is_ok()), "{ip} is no address");

    let Some(item) = batch.items.first() else { unreachable!("a record has a document") };
    assert_eq!(batch.original(item).as_ref(), Some(original), "the record is kept as it was");
    let refusal = Refusal { status: 400, kind: "kind".to_owned(), reason: "é".repeat(2000) };
    let letter = DeadLetter::new(batch, item, refusal);
    let headers = letter.as_ref().map(DeadLetter::headers).unwrap_or_default();
    let (own, added) = headers.split_at(original.headers.len().min(headers.len()));
    let own: Vec<_> = own.iter().map(|(name, value)| (*name, value.as_deref())).collect();
    assert_eq!(own, original.headers, "a letter has the record's headers");
    assert_eq!(added.len(), 8, "a letter says where it is from");
}

/// Bytes as the answer to a bulk request: the first two choose its status, the third how many documents were sent. Every
/// document has its verdict, and none is given up but by an answer that says so.
pub fn bulk_answer(bytes: &[u8]) {
    let Some(([high, low, count], body)) = bytes.split_first_chunk() else { return };
    let (status, count) = (u16::from_be_bytes([*high, *low]), usize::from(*count));
    match judge(&Answer { status, body: Bytes::copy_from_slice(body) }, count) {
        Verdict::Items(items) => {
            assert_eq!((status, items.len()), (200, count), "each document has a verdict");
            let refused = items.iter().filter_map(|item| match item {
                ItemVerdict::Refused(refusal) => Some(refusal.status),
                _ => None,
            });
            refused.for_each(|status| assert!((400..500).contains(&status), "refused by {status}"));
        }
        Verdict::Again { detail, .. } => assert!(detail.len() < 4096, "a log message of {}", detail.len()),
        Verdict::Smaller(refusal) => assert!(matches!(refusal.status, 400 | 413), "{refusal:?}"),
    }
}

/// Bytes as the file of positions of documents in files.
pub fn positions(bytes: &[u8]) {
    let path = Path::new(".positions");
    let Ok(found) = ndjson::parse_positions(path, bytes) else { return };
    let written = serde_json::to_vec(&found).unwrap_or_default();
    assert_eq!(ndjson::parse_positions(path, &written).ok(), Some(found), "positions are kept");
}

/// Inputs to begin with, each with its target.
pub fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let lines: [&[u8]; 6] = [
        br#"192.0.2.7 - - [21/Nov/2026:08:50:46 +0100] "GET /a/b.html?q=1 HTTP/1.1" 200 612 "https://example.org/" "curl/8.5.0""#,
        br#"2001:db8::1 - a [b] c [21/Nov/2026:08:50:46 -0330] "\x16\x03" 400 - "-" "caf\xC3\xA9 \"x" "10.0.0.1""#,
        br#"2026/11/21 08:50:46 [error] 1234#5678: *9 open() "/a, client: b" failed, client: 192.0.2.1, server: example.org, request: "GET / HTTP/1.1", subrequest: "/s", upstream: "http://127.0.0.1:8080/", host: "example.org", referrer: "http://example.org/""#,
        b"2026/11/21 08:50:46 [notice] 1#1: signal process started",
        b"plain \xff\xc3 text\t\"\\\x01",
        b"",
    ];
    let mut seeds = Vec::new();
    for (line, kind) in lines.into_iter().zip([0, 1, 2, 4, 7, 3]) {
        seeds.push(("line", [&[kind, 0], line].concat()));
        let headers = b"\0\x05web-1\x01\x0e/var/log/a.log\x02\x02ab\x03\x0212\x04\x11partial,truncated";
        seeds.push(("line", [&[kind ^ NDJSON, 5], &headers[..], line].concat()));
    }
    let answers: [(u16, u8, &str); 5] = [
        (
            200,
            2,
            r#"{"errors":false,"items":[{"create":{"status":201}},{"create":{"status":409,"error":{"type":"version_conflict_engine_exception","reason":"there"}}}]}"#,
        ),
        (
            200,
            2,
            r#"{"errors":true,"items":[{"create":{"status":400,"error":{"type":"mapper_parsing_exception","reason":null}}},{"create":{"status":429,"error":{"type":"es_rejected_execution_exception"}}}]}"#,
        ),
        (400, 1, r#"{"error":{"type":"illegal_argument_exception","reason":"why"},"status":400}"#),
        (503, 1, r#"{"error":{"type":"cluster_block_exception"}}"#),
        (413, 1, ""),
    ];
    for (status, count, body) in answers {
        seeds.push(("bulk_answer", [&status.to_be_bytes()[..], &[count], body.as_bytes()].concat()));
    }
    let recorded = br#"{"version":1,"partitions":{"nginx_log":{"0":1234}},"files":{"nginx_log-2026.11.21.ndjson":56789}}"#;
    seeds.push(("positions", recorded.to_vec()));
    seeds
}

#[cfg(test)]
mod tests;
