use std::collections::BTreeSet;

use daemon::config::Source;

use super::*;
use crate::Config;
use crate::config::Format;
use crate::document;
use crate::json::Object;
use crate::parse::parse;
use crate::record::{Origin, Record};
use daemon::config::Section;

fn config() -> Elasticsearch {
    Source::new(Config::DEFAULTS).load::<Config>().unwrap().elasticsearch
}

/// Every leaf of a document, dotted.
fn leaves(value: &Value, path: &str, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                leaves(value, &path, into);
            }
        }
        _ => {
            into.insert(path.to_owned());
        }
    }
}

/// Every field of the mapping, dotted.
fn mapped(properties: &Value, path: &str, into: &mut BTreeSet<String>) {
    for (name, field) in properties.as_object().unwrap() {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        match field.get("properties") {
            Some(inner) => mapped(inner, &path, into),
            None => {
                into.insert(path);
            }
        }
    }
}

fn fields_of(line: &[u8]) -> BTreeSet<String> {
    let origin = Origin {
        host: Some(b"h"),
        path: Some(b"/p"),
        file: Some(b"f"),
        offset: Some(1),
        flags: Some(b"partial"),
    };
    let record = Record { topic: "t", value: line, origin, ..Record::default() };
    let mut out = Vec::new();
    let line = parse(Format::Auto, line, &jiff::tz::TimeZone::UTC);
    document::write_members(Object::open(&mut out), &record, &line, 0, &mut Vec::new());
    let mut fields = BTreeSet::new();
    leaves(&serde_json::from_slice(&out).unwrap(), "", &mut fields);
    fields
}

/// The mapping and the documents are written in two places: a field of the one that the other lacks is a slip, or is named
/// here.
#[test]
fn mapping_and_documents_have_the_same_fields() {
    let access = fields_of(br#"::1 - u [21/Nov/2026:08:50:46 +0000] "GET /p?q HTTP/1.1" 200 1 "r" "a""#);
    let error = fields_of(br#"2026/11/21 08:50:46 [error] 1#2: *3 m, client: ::1, server: s, request: "GET /p HTTP/1.1", upstream: "u", host: "h", referrer: "r""#);
    let unparsed = fields_of(b"?");
    let written: BTreeSet<String> = access.into_iter().chain(error).chain(unparsed).collect();
    let mut indexed = BTreeSet::new();
    mapped(&mappings()["properties"], "", &mut indexed);
    let not_indexed: Vec<&str> = written.difference(&indexed).map(String::as_str).collect();
    let expected = [
        "ecs.version",
        "event.category",
        "event.kind",
        "event.module",
        "event.type",
        "http.version",
        "log.file.fingerprint",
        "log.flags",
        "nginx.error.host",
        "nginx.error.server",
        "nginx.error.upstream",
        "process.thread.id",
    ];
    assert_eq!(not_indexed, expected);
    assert_eq!(indexed.difference(&written).collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn the_template_covers_every_day_of_its_index_and_no_data_stream() {
    let template = template("nginx_log", &config());
    assert_eq!(template["index_patterns"], json!(["nginx_log-*"]));
    assert!(template["priority"].as_u64().unwrap() > 100);
    assert_eq!(template.get("data_stream"), None);
    assert_eq!(template["template"]["mappings"]["dynamic"], json!(false));
    let settings = &template["template"]["settings"]["index"];
    assert_eq!(settings["refresh_interval"], "1000ms");
    assert_eq!(settings["number_of_shards"], 1);
}
