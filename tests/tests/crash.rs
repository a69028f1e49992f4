//! A broker that was killed in the middle of appends, with damage on its disk: it starts, says what it cut, and serves
//! the rest.

use std::fs::OpenOptions;
use std::io::{Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use logagent_tests::kafka::consume_all;
use logagent_tests::logagent::Broker;
use logagent_tests::wait_for;

use crate::world::scratch;

fn files(broker: &Broker, extension: &str) -> Vec<PathBuf> {
    let dir = std::fs::read_dir(broker.data_dir().join("t-0")).unwrap();
    let mut files: Vec<PathBuf> = dir.map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|found| found == extension));
    files.sort();
    files
}

/// A kcat that writes numbered lines with acks=all until it is dropped; only what it has delivered counts.
fn write_until_killed(broker: &mut Broker) {
    let mut kcat = Command::new("kcat")
        .args([
            "-b",
            broker.bootstrap(),
            "-P",
            "-t",
            "t",
            "-X",
            "acks=all",
            "-X",
            "linger.ms=1",
            "-X",
            "batch.size=100000",
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = kcat.stdin.take().unwrap();
    let writer = std::thread::spawn(move || {
        let mut number = 0u64;
        while stdin.write_all(format!("line {number} {}\n", "y".repeat(100)).as_bytes()).is_ok() {
            number += 1;
        }
    });
    let appended = |broker: &Broker| broker.daemon.metric("logagent_broker_appended_records_total", "");
    wait_for("appends", Duration::from_secs(60), || appended(broker) > 5_000.0);
    broker.daemon.process.kill();
    kcat.kill().unwrap();
    kcat.wait().unwrap();
    writer.join().unwrap();
}

/// What is read are consecutive lines from the first on, at consecutive offsets.
fn check_prefix(broker: &Broker) -> usize {
    let records = consume_all(broker.bootstrap(), "t");
    for (number, record) in records.iter().enumerate() {
        assert_eq!(record.offset, i64::try_from(number).unwrap());
        assert!(record.value.starts_with(&format!("line {number} ")), "{record:?} at {number}");
    }
    records.len()
}

#[test]
fn a_killed_broker_with_a_garbled_tail_and_a_lost_index_serves_the_rest() {
    let dir = scratch();
    let config = dir.path().join("broker.yaml");
    std::fs::write(&config, "segment_bytes: 262144\nmax_message_bytes: 262144\n").unwrap();
    let mut broker = Broker::start(dir.path(), &["--config", config.to_str().unwrap()]);
    write_until_killed(&mut broker);

    let (logs, indexes) = (files(&broker, "log"), files(&broker, "index"));
    assert!(logs.len() > 1, "{logs:?}");
    std::fs::remove_file(&indexes[0]).unwrap();
    std::fs::remove_file(indexes.last().unwrap()).unwrap();
    let mut tail = OpenOptions::new().write(true).open(logs.last().unwrap()).unwrap();
    let length = tail.seek(SeekFrom::End(0)).unwrap();
    tail.seek(SeekFrom::Start(length.saturating_sub(100))).unwrap();
    tail.write_all(&[0xAB; 300]).unwrap();
    drop(tail);

    broker.daemon.process.restart();
    broker.daemon.wait_until_ready();
    let log = broker.daemon.process.output();
    assert!(log.contains("t-0") && log.contains("truncated"), "it says what it cut:\n{log}");
    assert!(broker.daemon.metric("logagent_broker_recovered_truncated_bytes_total", "") > 0.0);
    let kept = check_prefix(&broker);
    assert!(kept > 1_000, "only {kept} records are left");
    assert_eq!(files(&broker, "index").len(), files(&broker, "log").len(), "the indexes are back");
    eprintln!("crash: {kept} records kept");
}
