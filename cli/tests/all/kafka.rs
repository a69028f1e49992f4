//! The tools that talk to a broker, against a real one: ours.

use rustix::process::Signal;
use serde_json::Value;

use crate::life::address_in;
use crate::support::{Daemon, Folder, good, logagent, run, run_with};

/// A broker and where it is.
pub(crate) struct Broker {
    daemon: Daemon,
    pub(crate) address: String,
    _folder: Folder,
}

impl Broker {
    pub(crate) fn start() -> Self {
        let folder = Folder::new();
        let arguments = ["broker", "--listen", "127.0.0.1:0", "--data-dir", &folder.join("data")];
        // Groups form without the wait for more members.
        let quick = ["--set", "group_initial_rebalance_delay_ms=0"];
        let mut daemon = Daemon::start(logagent(&arguments).args(quick));
        let address = address_in(&daemon.expect("broker is serving"));
        Self { daemon, address, _folder: folder }
    }

    /// Runs a command against this broker.
    pub(crate) fn good(&self, arguments: &[&str]) -> String {
        good(&[arguments, &["--bootstrap", &self.address]].concat())
    }

    /// Runs a command that must fail; what it says.
    pub(crate) fn bad(&self, arguments: &[&str]) -> String {
        let done = run(&[arguments, &["--bootstrap", &self.address]].concat());
        assert_eq!(done.code, Some(1), "{arguments:?}: {}{}", done.stdout, done.stderr);
        done.stderr
    }

    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.good(&[arguments, &["-o", "json"]].concat())).unwrap()
    }

    pub(crate) fn produce(&self, arguments: &[&str], input: &str) {
        let done = run_with(&[&["produce", "--bootstrap", &self.address], arguments].concat(), input);
        assert_eq!(done.code, Some(0), "{}", done.stderr);
    }
}

#[test]
fn topics_are_created_listed_described_and_deleted() {
    let broker = Broker::start();
    broker.good(&["topics", "create", "web", "--partitions", "3", "--config", "retention.ms=60000"]);
    assert_eq!(
        broker.good(&["topics", "list"]),
        "TOPIC  PARTITIONS  REPLICAS\nweb             3         1\n"
    );
    broker.produce(&["--topic", "web", "--partition", "2"], "one\ntwo\n");
    let rows = broker.json(&["topics", "describe", "web"]);
    assert_eq!(rows.as_array().unwrap().len(), 3);
    assert_eq!(rows[2]["partition"], 2);
    assert_eq!(rows[2]["start_offset"], 0);
    assert_eq!(rows[2]["end_offset"], 2);
    assert_eq!(rows[0]["end_offset"], 0);
    let again = run(&["topics", "create", "web", "--bootstrap", &broker.address]);
    assert_eq!(again.code, Some(1));
    assert!(again.stderr.starts_with("error: cannot create topic web: "), "{}", again.stderr);
    assert_eq!(broker.good(&["topics", "delete", "web"]), "deleted topic web\n");
    assert_eq!(broker.json(&["topics", "list"]), Value::Array(Vec::new()));
    let gone = run(&["topics", "describe", "web", "--bootstrap", &broker.address]);
    assert_eq!(gone.code, Some(1));
    assert!(gone.stderr.contains("error: there is no topic \"web\"\nhint: "), "{}", gone.stderr);
}

#[test]
fn what_is_produced_with_any_codec_is_consumed() {
    let broker = Broker::start();
    for codec in ["none", "gzip", "snappy", "lz4", "zstd"] {
        broker.produce(&["--topic", codec, "--compression", codec], "first\n\nthird \u{e4}\n");
        let text = broker.good(&["consume", "--topic", codec, "--from-beginning", "--until-end"]);
        assert_eq!(text, "first\n\nthird \u{e4}\n", "{codec}");
    }
    for acks in ["0", "1", "all"] {
        broker.produce(&["--topic", "acks", "--acks", acks], "line\n");
    }
    let three = broker.good(&["consume", "--topic", "acks", "--from-beginning", "--max-messages", "3"]);
    assert_eq!(three, "line\nline\nline\n");
}

#[test]
fn a_record_is_found_by_its_place_and_shown_whole() {
    let broker = Broker::start();
    broker.produce(&["--topic", "keyed", "--key-separator", ":"], "a:1\nb:2\n");
    let place = ["--partition", "0", "--offset", "1", "--max-messages", "1", "-o", "json"];
    let text = broker.good(&[&["consume", "--topic", "keyed"], place.as_slice()].concat());
    let record: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(record["topic"], "keyed");
    assert_eq!(record["offset"], 1);
    assert_eq!(record["key"], "b");
    assert_eq!(record["value"], "2");
    assert!(record["timestamp"].as_i64().unwrap() > 1_500_000_000_000);
    let done = run_with(&["produce", "-b", &broker.address, "-t", "keyed", "-k", ":"], "no key\n");
    assert_eq!(done.code, Some(1));
    assert!(done.stderr.contains("line 1 of the input has no key separator"), "{}", done.stderr);
}

#[test]
fn a_group_reads_on_where_it_stopped_and_shows_its_lag() {
    let broker = Broker::start();
    broker.produce(&["--topic", "web"], "1\n2\n3\n");
    let read = ["consume", "--topic", "web", "--group", "audit", "--from-beginning", "--max-messages"];
    assert_eq!(broker.good(&[&read, ["2"].as_slice()].concat()), "1\n2\n");
    let rows = broker.json(&["groups", "describe", "audit"]);
    assert_eq!(rows[0]["committed"], 2);
    assert_eq!(rows[0]["end_offset"], 3);
    assert_eq!(rows[0]["lag"], 1);
    assert_eq!(rows[0]["member"], Value::Null);
    assert_eq!(broker.good(&[&read, ["1"].as_slice()].concat()), "3\n");
    let groups = broker.json(&["groups", "list"]);
    assert_eq!(groups[0]["group"], "audit");
    let unknown = run(&["groups", "describe", "nobody", "--bootstrap", &broker.address]);
    assert_eq!(unknown.code, Some(1));
    assert!(unknown.stderr.contains("there is no group \"nobody\""), "{}", unknown.stderr);
}

#[test]
fn a_member_that_reads_is_shown_with_its_partitions() {
    let broker = Broker::start();
    broker.produce(&["--topic", "web"], "1\n");
    let mut reader = Daemon::start(&mut logagent(&[
        "consume",
        "--topic",
        "web",
        "--group",
        "live",
        "--from-beginning",
        "--bootstrap",
        &broker.address,
    ]));
    let mut line = String::new();
    let mut stdout = std::io::BufReader::new(reader.child.stdout.take().unwrap());
    std::io::BufRead::read_line(&mut stdout, &mut line).unwrap();
    assert_eq!(line, "1\n");
    let rows = broker.json(&["groups", "describe", "live"]);
    assert!(rows[0]["member"].as_str().is_some_and(|member| !member.is_empty()), "{rows}");
    assert_eq!(rows[0]["host"], "127.0.0.1");
    reader.signal(Signal::INT);
    assert_eq!(reader.child.wait().unwrap().code(), Some(0));
    assert_eq!(broker.json(&["groups", "describe", "live"])[0]["lag"], 0);
}

#[test]
fn nobody_at_the_address_is_said_in_bounded_time() {
    // Port 1 is nobody's.
    let place = ["--bootstrap", "127.0.0.1:1", "--timeout-ms", "500"];
    for command in [&["topics", "list"][..], &["groups", "list"], &["topics", "create", "x"]] {
        let done = run(&[command, &place].concat());
        assert_eq!(done.code, Some(1), "{command:?}");
        assert!(done.stderr.contains("no broker answers at 127.0.0.1:1"), "{command:?}: {}", done.stderr);
        assert!(done.stderr.contains("hint: start one with `logagent broker`"), "{}", done.stderr);
    }
    let done = run_with(&[&["produce", "--topic", "x"], place.as_slice()].concat(), "line\n");
    assert_eq!(done.code, Some(1));
    assert!(done.stderr.contains("no broker answers at 127.0.0.1:1"), "{}", done.stderr);
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let broker = Broker::start();
    broker.produce(&["--topic", "long"], &"a line of text\n".repeat(20_000));
    let mut command =
        logagent(&["consume", "-t", "long", "--from-beginning", "--until-end", "-b", &broker.address]);
    let mut child =
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0));
}

#[test]
fn stopping_the_broker_keeps_what_was_acknowledged() {
    let broker = Broker::start();
    broker.produce(&["--topic", "kept"], "line\n");
    broker.daemon.signal(Signal::TERM);
    let Broker { daemon, _folder: folder, .. } = broker;
    assert_eq!(daemon.wait().0.code(), Some(0));
    let mut daemon = Daemon::start(&mut logagent(&[
        "broker",
        "--listen",
        "127.0.0.1:0",
        "--data-dir",
        &folder.join("data"),
    ]));
    let address = address_in(&daemon.expect("broker is serving"));
    let text = good(&["consume", "-t", "kept", "--from-beginning", "--until-end", "-b", &address]);
    assert_eq!(text, "line\n");
}
