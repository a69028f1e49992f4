use jiff::tz::TimeZone;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::parse::{Format, parse};
use crate::record::Origin;

const ORIGIN: Origin<'static> = Origin {
    host: Some(b"web-1"),
    path: Some(b"/var/log/nginx/access.log"),
    file: Some(b"00c0ffee"),
    offset: Some(4711),
    flags: None,
};

fn record(value: &[u8]) -> Record<'_> {
    Record {
        topic: "nginx_log",
        partition: 3,
        offset: 99,
        timestamp_ms: Some(1_795_251_050_123),
        value,
        origin: ORIGIN,
    }
}

fn written(record: &Record<'_>, format: Format) -> Vec<u8> {
    let line = parse(format, record.value, &TimeZone::UTC);
    let mut out = Vec::new();
    let time_ms = event_time_ms(record, &line);
    write_members(Object::open(&mut out), record, &line, time_ms, &mut Vec::new());
    out
}

fn document(value: &[u8]) -> Value {
    serde_json::from_slice(&written(&record(value), Format::Auto)).unwrap()
}

fn id(record: &Record<'_>) -> String {
    let mut id = Vec::new();
    write_id(&mut id, record);
    String::from_utf8(id).unwrap()
}

#[test]
fn an_access_line() {
    let text = r#"192.0.2.7 - ann [21/Nov/2026:08:50:46 +0100] "GET /caf\xC3\xA9?q=1 HTTP/1.1" 404 612 "https://e.org/" "curl \x228\x22""#;
    let expected = json!({
        "@timestamp": "2026-11-21T07:50:46.000Z",
        "ecs": { "version": "8.11.0" },
        "event": {
            "kind": "event", "category": ["web"], "type": ["access"], "module": "nginx", "dataset": "nginx.access",
            "outcome": "failure", "original": text,
        },
        "source": { "address": "192.0.2.7", "ip": "192.0.2.7" },
        "user": { "name": "ann" },
        "http": {
            "version": "1.1",
            "request": { "method": "GET", "referrer": "https://e.org/" },
            "response": { "status_code": 404, "body": { "bytes": 612 } },
        },
        "url": { "original": "/café?q=1", "path": "/café", "query": "q=1" },
        "user_agent": { "original": "curl \"8\"" },
        "host": { "name": "web-1" },
        "log": { "file": { "path": "/var/log/nginx/access.log", "fingerprint": "00c0ffee" }, "offset": 4711 },
    });
    assert_eq!(document(text.as_bytes()), expected);
}

#[test]
fn an_access_line_without_anything_optional() {
    let text = r#"unix: - - [21/Nov/2026:08:50:46 +0000] "\x16\x03" 400 0 "-" "-""#;
    let document = document(text.as_bytes());
    assert_eq!(document["source"], json!({ "address": "unix:" }));
    assert_eq!(document["http"], json!({ "response": { "status_code": 400, "body": { "bytes": 0 } } }));
    for absent in ["user", "url", "user_agent", "message", "tags", "error"] {
        assert_eq!(document.get(absent), None, "{absent}");
    }
}

#[test]
fn an_error_line() {
    let text = r#"2026/11/21 08:50:46 [error] 12#34: *9 open() "/x" failed, client: 2001:db8::1, server: e.org, request: "GET /x HTTP/1.1", upstream: "http://u/", host: "e.org", referrer: "http://r/""#;
    let expected = json!({
        "@timestamp": "2026-11-21T08:50:46.000Z",
        "ecs": { "version": "8.11.0" },
        "event": {
            "kind": "event", "category": ["web"], "type": ["error"], "module": "nginx", "dataset": "nginx.error",
            "original": text,
        },
        "message": "open() \"/x\" failed",
        "process": { "pid": 12, "thread": { "id": 34 } },
        "nginx": { "error": { "connection_id": 9, "server": "e.org", "upstream": "http://u/", "host": "e.org" } },
        "source": { "address": "2001:db8::1", "ip": "2001:db8::1" },
        "http": { "version": "1.1", "request": { "method": "GET", "referrer": "http://r/" } },
        "url": { "original": "/x", "path": "/x" },
        "host": { "name": "web-1" },
        "log": {
            "level": "error",
            "file": { "path": "/var/log/nginx/access.log", "fingerprint": "00c0ffee" }, "offset": 4711,
        },
    });
    assert_eq!(document(text.as_bytes()), expected);
}

#[test]
fn a_line_that_does_not_parse_is_kept_with_the_reason_at_the_records_time() {
    let document = document(b"\tat com.example.Main(Main.java:1)");
    assert_eq!(document["message"], "\tat com.example.Main(Main.java:1)");
    assert_eq!(
        document["event"],
        json!({ "kind": "event", "original": "\tat com.example.Main(Main.java:1)" })
    );
    assert_eq!(document["tags"], json!(["_parse_failure"]));
    assert_eq!(document["error"]["message"], "neither an nginx combined line nor an nginx error line");
    assert_eq!(document["@timestamp"], "2026-11-21T08:50:50.123Z");
}

#[test]
fn a_plain_line_is_its_message() {
    let document: Value = serde_json::from_slice(&written(&record(b"hello"), Format::Plain)).unwrap();
    assert_eq!((&document["message"], document.get("tags")), (&json!("hello"), None));
}

#[test]
fn bytes_that_are_not_utf8_are_kept_readable_and_flagged() {
    let mut record = record(b"caf\xe9");
    record.origin.flags = Some(b"partial,truncated");
    let document: Value = serde_json::from_slice(&written(&record, Format::Plain)).unwrap();
    assert_eq!(document["event"]["original"], "caf\\xe9");
    assert_eq!(document["log"]["flags"], json!(["partial", "truncated", "non_utf8"]));
}

#[test]
fn a_record_of_another_producer_has_no_origin() {
    let record = Record { origin: Origin::default(), timestamp_ms: None, ..record(b"hello") };
    let document: Value = serde_json::from_slice(&written(&record, Format::Plain)).unwrap();
    assert_eq!((document.get("host"), document.get("log")), (None, None));
    assert_eq!(document["@timestamp"], "1970-01-01T00:00:00.000Z");
}

#[test]
fn the_id_is_the_lines_place_at_its_origin() {
    assert_eq!(id(&record(b"")), "web-1:00c0ffee:4711");
    // where it stands in the topic makes no difference
    assert_eq!(
        id(&Record { topic: "other", partition: 0, offset: 5, ..record(b"x") }),
        "web-1:00c0ffee:4711"
    );
}

#[test]
fn without_an_origin_the_id_is_the_place_in_the_topic() {
    let bare = Record { origin: Origin::default(), ..record(b"") };
    assert_eq!(id(&bare), "nginx_log:3:99");
    let half = Record { origin: Origin { file: None, ..ORIGIN }, ..record(b"") };
    assert_eq!(id(&half), "nginx_log:3:99");
    let mut bad_offset = record(b"");
    bad_offset.origin.header("offset", Some(b"-1"));
    assert_eq!(id(&bad_offset), "nginx_log:3:99");
}

#[test]
fn an_id_that_elasticsearch_would_refuse_is_hashed() {
    let host = vec![b'h'; 500];
    let mut long = record(b"");
    long.origin.host = Some(&host);
    let first = id(&long);
    assert_eq!(first.len(), 32);
    assert!(first.bytes().all(|byte| byte.is_ascii_hexdigit()));
    long.origin.offset = Some(4712);
    assert_ne!(id(&long), first);
}

/// Escaped, 200 such bytes would make an id that Elasticsearch refuses.
#[test]
fn an_id_that_is_no_text_is_a_hash() {
    let host = [0xbd; 200];
    let mut odd = record(b"x");
    odd.origin.host = Some(&host);
    let first = id(&odd);
    assert!(first.len() == 32 && first.bytes().all(|byte| byte.is_ascii_hexdigit()), "{first}");
    odd.origin.host = Some(b"\\xBD");
    let other = id(&odd);
    odd.origin.host = Some(b"\xbd");
    assert_ne!(id(&odd), other, "a host that is called as the other one is escaped");
}

proptest! {
    #[test]
    fn any_record_becomes_valid_json(
        value in proptest::collection::vec(any::<u8>(), 0..200),
        host in proptest::collection::vec(any::<u8>(), 0..20),
        path in proptest::collection::vec(any::<u8>(), 0..20),
        flags in proptest::collection::vec(any::<u8>(), 0..20),
        timestamp_ms in any::<Option<i64>>(),
    ) {
        let origin = Origin { host: Some(&host), path: Some(&path), flags: Some(&flags), ..ORIGIN };
        let record = Record { origin, timestamp_ms, ..record(&value) };
        for format in [Format::Auto, Format::NginxCombined, Format::NginxError, Format::Plain] {
            let document: Value = serde_json::from_slice(&written(&record, format)).unwrap();
            if let Ok(text) = std::str::from_utf8(&value) {
                prop_assert_eq!(&document["event"]["original"], text);
            }
        }
        // the id is made JSON where it is written
        let (mut id, mut escaped) = (Vec::new(), Vec::new());
        write_id(&mut id, &record);
        json::string(&mut escaped, &id);
        let read: String = serde_json::from_slice(&escaped).unwrap();
        prop_assert_eq!(read.as_bytes(), &id);
        prop_assert!((1..=512).contains(&id.len()));
    }

    #[test]
    fn whatever_nginx_escapes_comes_back(target in "/[ -~é€\u{1}-\u{1f}]{0,30}", agent in "[ -~é]{1,30}x") {
        let escaped = |text: &str| -> String {
            let escape = |byte: u8| match byte {
                b'"' | b'\\' | 0..32 | 127.. => format!("\\x{byte:02X}"),
                _ => char::from(byte).to_string(),
            };
            text.bytes().map(escape).collect()
        };
        let text = format!(
            "::1 - - [21/Nov/2026:08:50:46 +0000] \"GET {} HTTP/1.1\" 200 1 \"-\" \"{}\"",
            escaped(&target), escaped(&agent),
        );
        let document = document(text.as_bytes());
        prop_assert_eq!(&document["url"]["original"], &target);
        prop_assert_eq!(&document["user_agent"]["original"], &agent);
        prop_assert_eq!(&document["event"]["original"], &text);
    }
}
