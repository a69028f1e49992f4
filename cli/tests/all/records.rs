//! Which records are read, and how they are written and shown.

use serde_json::Value;

use crate::kafka::Broker;
use crate::support::run;

/// Reads to the end.
fn read(broker: &Broker, arguments: &[&str]) -> String {
    broker.good(&[&["consume", "--topic", "web", "--until-end"], arguments].concat())
}

#[test]
fn reading_begins_at_an_offset_from_either_end() {
    let broker = Broker::start();
    broker.good(&["topics", "create", "web", "--partitions", "2"]);
    broker.produce(&["--topic", "web", "--partition", "0"], "1\n2\n3\n");
    assert_eq!(read(&broker, &["--partition", "0", "--offset", "1"]), "2\n3\n");
    assert_eq!(read(&broker, &["--partition", "0", "--offset", "-1"]), "3\n");
    // Of all partitions; one that has fewer is read whole.
    broker.produce(&["--topic", "web", "--partition", "1"], "a\n");
    let mut last: Vec<String> = read(&broker, &["--offset", "-2"]).lines().map(str::to_owned).collect();
    last.sort();
    assert_eq!(last, ["2", "3", "a"]);
    // An offset that is gone is the oldest one that is not.
    broker.good(&["delete-records", "web", "--partition", "0", "--before", "2", "--yes"]);
    let place = ["consume", "-t", "web", "-p", "0", "--offset", "0", "--until-end", "-b", &broker.address];
    let done = run(&place);
    assert_eq!((done.code, done.stdout.as_str()), (Some(0), "3\n"), "{}", done.stderr);
    assert!(done.stderr.contains("starting at 2, not 0"), "{}", done.stderr);
}

#[test]
fn reading_begins_at_a_time() {
    let broker = Broker::start();
    broker.produce(&["--topic", "web"], "1\n");
    let text = read(&broker, &["--from-beginning", "-o", "json"]);
    let first: Value = serde_json::from_str(&text).unwrap();
    let time = first["timestamp"].as_i64().unwrap();
    assert_eq!(read(&broker, &["--from-time", "2001-01-01"]), "1\n");
    assert_eq!(read(&broker, &["--from-time", &time.to_string()]), "1\n");
    assert_eq!(read(&broker, &["--from-time", &(time + 1).to_string()]), "");
    let done = run(&["consume", "--topic", "web", "--from-time", "yesterday"]);
    assert_eq!(done.code, Some(2));
    assert!(done.stderr.contains("2026-01-31T08:00:00Z"), "{}", done.stderr);
}

#[test]
fn records_are_shown_by_a_format() {
    let broker = Broker::start();
    let headers = ["--header", "source=test", "--header", "host=a"];
    broker.produce(&[&["--topic", "web", "--key-separator", ":"], headers.as_slice()].concat(), "a:1\nb:2\n");
    let text = read(&broker, &["--from-beginning", "--format", "%t-%p@%o %k=%s (%S) %h\\n"]);
    assert_eq!(text, "web-0@0 a=1 (1) source=test,host=a\nweb-0@1 b=2 (1) source=test,host=a\n");
    assert_eq!(read(&broker, &["--from-beginning", "--format", "%s"]), "12");
    let done = run(&["consume", "--topic", "web", "--format", "%s %q"]);
    assert_eq!(done.code, Some(2));
    assert!(done.stderr.contains("no %q (character 4)"), "{}", done.stderr);
}

#[test]
fn headers_are_seen_in_the_json_of_a_record() {
    let broker = Broker::start();
    broker.produce(&["--topic", "web", "-H", "run=7"], "line\n");
    let text = read(&broker, &["--from-beginning", "-o", "json"]);
    let record: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(record["headers"]["run"], "7");
    assert_eq!(record["key"], Value::Null);
}
