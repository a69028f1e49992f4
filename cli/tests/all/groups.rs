//! Groups: their lag, their offsets, their end.

use std::io::{BufRead as _, BufReader};
use std::time::Duration;

use rdkafka::Message as _;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _};
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::kafka::Broker;
use crate::support::{Daemon, logagent, run};

/// A broker with a topic of two partitions, of which `audit` has read two records of the first.
fn read_partly() -> Broker {
    let broker = Broker::start();
    broker.good(&["topics", "create", "web", "--partitions", "2"]);
    broker.produce(&["--topic", "web", "--partition", "0"], "1\n2\n");
    broker.good(&["consume", "--topic", "web", "--group", "audit", "--from-beginning", "--count", "2"]);
    broker.produce(&["--topic", "web", "--partition", "0"], "3\n4\n5\n");
    broker
}

fn reset(broker: &Broker, arguments: &[&str]) -> Value {
    reset_of(broker, "audit", arguments)
}

fn reset_of(broker: &Broker, group: &str, arguments: &[&str]) -> Value {
    broker.json(&[&["groups", "reset-offsets", group], arguments].concat())
}

fn committed(broker: &Broker, partition: i32) -> Value {
    let rows = broker.json(&["groups", "describe", "audit"]);
    let row = rows.as_array().unwrap().iter().find(|row| row["partition"] == partition);
    row.map_or(Value::Null, |row| row["committed"].clone())
}

#[test]
fn the_lag_is_shown_by_partition_and_in_all() {
    let broker = read_partly();
    let lag = broker.json(&["groups", "lag", "audit"]);
    assert_eq!(lag["group"], "audit");
    assert_eq!(lag["lag"], 3);
    assert_eq!(lag["partitions"][0]["committed"], 2);
    assert_eq!(lag["partitions"][0]["end_offset"], 5);
    let table = broker.good(&["groups", "lag", "audit"]);
    let last: Vec<&str> = table.lines().last().unwrap().split_ascii_whitespace().collect();
    assert_eq!(last, ["TOTAL", "-", "-", "-", "3", "-"]);
    let unknown = broker.bad(&["groups", "lag", "nobody"]);
    assert!(unknown.contains("there is no group \"nobody\""), "{unknown}");
}

#[test]
fn offsets_are_only_shown_until_it_is_told_to_execute() {
    let broker = read_partly();
    let to_earliest = ["--topic", "web:0", "--to-earliest"];
    let rows = reset(&broker, &to_earliest);
    assert_eq!((&rows[0]["old_offset"], &rows[0]["new_offset"]), (&json!(2), &json!(0)));
    assert_eq!(committed(&broker, 0), 2);
    let rows = reset(&broker, &[&to_earliest, ["--execute"].as_slice()].concat());
    assert_eq!(rows[0]["new_offset"], 0);
    assert_eq!(committed(&broker, 0), 0);
    let read = ["consume", "--topic", "web", "--group", "audit", "--count", "5"];
    assert_eq!(broker.good(&read), "1\n2\n3\n4\n5\n");
}

#[test]
fn each_target_leads_to_its_offset() {
    let broker = read_partly();
    for (target, offset, note) in [
        (&["--to-latest"][..], 5, false),
        (&["--to-offset", "3"][..], 3, false),
        (&["--shift-by", "-2"][..], 1, false),
        (&["--shift-by", "1"][..], 2, false),
        (&["--shift-by", "-9"][..], 0, true),
        (&["--to-offset", "99"][..], 5, true),
        (&["--to-datetime", "2001-01-01"][..], 0, false),
        (&["--to-datetime", "2999-01-01T00:00:00Z"][..], 5, true),
    ] {
        let arguments = [&["--topic", "web:0", "--execute"], target].concat();
        let row = reset(&broker, &arguments)[0].clone();
        assert_eq!(row["new_offset"], offset, "{target:?}");
        assert_eq!(row["note"].is_string(), note, "{target:?}: {row}");
        assert_eq!(committed(&broker, 0), offset, "{target:?}");
    }
}

#[test]
fn a_topic_without_partitions_named_means_all_of_them() {
    let broker = read_partly();
    let rows = reset(&broker, &["--topic", "web", "--to-earliest", "--execute"]);
    assert_eq!(rows.as_array().unwrap().len(), 2);
    assert_eq!((committed(&broker, 0), committed(&broker, 1)), (json!(0), json!(0)));
    let missing = ["groups", "reset-offsets", "audit", "--topic", "web:2", "--to-earliest"];
    assert!(broker.bad(&missing).contains("no partition 2"));
    let nothing = ["groups", "reset-offsets", "other", "--topic", "web", "--shift-by", "1"];
    assert!(broker.bad(&nothing).contains("committed nothing in web-0"));
}

#[test]
fn a_group_that_reads_is_left_alone() {
    let broker = read_partly();
    let arguments = ["consume", "--topic", "web", "--group", "audit", "--bootstrap", &broker.address];
    let mut reader = Daemon::start(&mut logagent(&arguments));
    let stdout = BufReader::new(reader.child.stdout.take().unwrap());
    let lines: Vec<String> = stdout.lines().take(3).map(Result::unwrap).collect();
    assert_eq!(lines, ["3", "4", "5"]);
    let reset =
        broker.bad(&["groups", "reset-offsets", "audit", "--topic", "web", "--to-earliest", "--execute"]);
    assert!(reset.contains("it has 1 member(s) and is Stable\nhint: stop the group's consumers"), "{reset}");
    let delete = broker.bad(&["groups", "delete", "audit"]);
    assert!(delete.contains("hint: stop its consumers first"), "{delete}");
    reader.signal(Signal::INT);
    assert_eq!(reader.child.wait().unwrap().code(), Some(0));
    assert_eq!(committed(&broker, 0), 5);
}

#[test]
fn groups_and_their_offsets_are_deleted() {
    let broker = read_partly();
    reset(&broker, &["--topic", "web", "--to-latest", "--execute"]);
    let done = broker.good(&["groups", "delete-offsets", "audit", "--topic", "web:1"]);
    assert_eq!(done, "deleted the offset of group audit in web-1\n");
    assert_eq!((committed(&broker, 0), committed(&broker, 1)), (json!(5), Value::Null));
    assert_eq!(broker.good(&["groups", "delete", "audit"]), "deleted group audit\n");
    assert_eq!(broker.json(&["groups", "list"]), json!([]));
    for command in [&["groups", "delete", "audit"][..], &["groups", "delete-offsets", "audit", "-t", "web"]] {
        let said = broker.bad(command);
        assert!(said.contains("there is no group \"audit\""), "{command:?}: {said}");
    }
}

#[test]
fn a_reset_without_a_target_is_a_wrong_command_line() {
    let done = run(&["groups", "reset-offsets", "audit", "--topic", "web"]);
    assert_eq!(done.code, Some(2));
    assert!(done.stderr.contains("--to-earliest"), "{}", done.stderr);
}

/// The newer protocol has requests of its own: the older ones say that there is no such group.
#[test]
fn a_group_of_the_newer_protocol_is_shown_with_its_members() {
    let broker = read_partly();
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", &broker.address)
        .set("group.id", "modern")
        .set("group.protocol", "consumer");
    config.set("auto.offset.reset", "earliest").set("enable.auto.commit", "false");
    let consumer: BaseConsumer = config.create().unwrap();
    consumer.subscribe(&["web"]).unwrap();
    let read = std::iter::repeat_with(|| consumer.poll(Duration::from_secs(1))).take(60);
    let fifth = read.flatten().map(Result::unwrap).nth(4).unwrap();
    assert_eq!(fifth.payload(), Some(&b"5"[..]));
    consumer.commit_message(&fifth, CommitMode::Sync).unwrap();

    let groups = broker.json(&["groups", "list"]);
    let modern = groups.as_array().unwrap().iter().find(|group| group["group"] == "modern").unwrap();
    assert_eq!((&modern["type"], &modern["state"]), (&json!("consumer"), &json!("Stable")));
    assert_eq!((&modern["members"], &modern["protocol"]), (&json!(1), &json!("uniform")));
    let rows = broker.json(&["groups", "describe", "modern"]);
    assert_eq!((&rows[0]["committed"], &rows[0]["lag"]), (&json!(5), &json!(0)));
    assert!(rows[1]["member"].is_string(), "{rows}");
    let refused =
        broker.bad(&["groups", "reset-offsets", "modern", "--topic", "web", "--to-earliest", "--execute"]);
    assert!(refused.contains("it has 1 member(s) and is Stable"), "{refused}");
    drop(fifth);
    drop(consumer);
    let rows = reset_of(&broker, "modern", &["--topic", "web:0", "--to-earliest", "--execute"]);
    assert_eq!(rows[0]["new_offset"], 0);
}
