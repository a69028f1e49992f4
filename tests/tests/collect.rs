//! The collect list in etcd is followed within a second, and a bad one changes nothing.

use std::fs::File;
use std::io::Write;
use std::time::{Duration, Instant};

use logagent_tests::etcd::Etcd;
use logagent_tests::kafka::consume_all;
use logagent_tests::logagent::{Broker, binary};
use logagent_tests::process::try_run;
use logagent_tests::wait_for;

use crate::world::{COLLECT_KEY, HOST, agent_with_etcd, scratch};

const SOON: Duration = Duration::from_secs(30);

#[test]
fn a_second_path_is_collected_at_once_and_the_first_file_is_not_reopened() {
    let dir = scratch();
    let etcd = Etcd::start(dir.path());
    let broker = Broker::start(dir.path(), &[]);
    let agent = agent_with_etcd(dir.path(), &broker, etcd.endpoint());
    let (first, second) = (dir.path().join("first.log"), dir.path().join("second.log"));
    std::fs::write(&first, "one\n").unwrap();
    std::fs::write(&second, "uno\n").unwrap();

    let item = |path: &std::path::Path, topic: &str| serde_json::json!({"path": path, "topic": topic});
    etcd.put(COLLECT_KEY, &serde_json::json!([item(&first, "a")]).to_string());
    wait_for("the first line", SOON, || agent.metric("logagent_agent_shipped_lines_total", "") >= 1.0);
    let opens = || agent.metric("logagent_agent_file_opens_total", "first.log");
    assert!((opens() - 1.0).abs() < 0.1, "opened {} times", opens());

    let begin = Instant::now();
    etcd.put(COLLECT_KEY, &serde_json::json!([item(&first, "a"), item(&second, "b")]).to_string());
    wait_for("the second file's line", SOON, || {
        agent.metric("logagent_agent_shipped_lines_total", "") >= 2.0
    });
    eprintln!("collect: a new path's line was acknowledged after {:?}", begin.elapsed());
    assert!((opens() - 1.0).abs() < 0.1, "the first file was opened again");

    let before = agent.metric("logagent_agent_collect_rejected_total", "");
    etcd.put(COLLECT_KEY, r#"[{"pth": "/var/log/x", "topic": "a"}]"#);
    wait_for("the refusal", SOON, || agent.metric("logagent_agent_collect_rejected_total", "") > before);
    let log = agent.process.output();
    assert!(
        log.contains("pth") && log.contains("path"),
        "the log names the key and the nearest known one:\n{log}"
    );
    File::options().append(true).open(&first).unwrap().write_all(b"two\n").unwrap();
    wait_for("a line under the old list", SOON, || {
        agent.metric("logagent_agent_shipped_lines_total", "") >= 3.0
    });

    let values = |topic: &str| -> Vec<String> {
        consume_all(broker.bootstrap(), topic).into_iter().map(|record| record.value).collect()
    };
    assert_eq!((values("a"), values("b")), (vec!["one".into(), "two".into()], vec!["uno".into()]));
}

#[test]
fn records_say_where_their_line_stands() {
    let dir = scratch();
    let broker = Broker::start(dir.path(), &[]);
    let path = dir.path().join("some.log");
    std::fs::write(&path, "first\nsecond\n").unwrap();
    let list = dir.path().join("collect.yaml");
    std::fs::write(&list, format!("- path: {}\n  topic: t\n", path.display())).unwrap();
    let agent = crate::world::agent_with_file(dir.path(), &broker, &list);
    wait_for("both lines", SOON, || agent.metric("logagent_agent_shipped_lines_total", "") >= 2.0);
    let records = consume_all(broker.bootstrap(), "t");
    let header = |record: usize, name: &str| {
        let headers = &records[record].headers;
        headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone()).unwrap_or_default()
    };
    assert_eq!(records.iter().map(|record| record.value.as_str()).collect::<Vec<_>>(), ["first", "second"]);
    assert_eq!((header(0, "host").as_str(), header(0, "path").as_str()), (HOST, path.to_str().unwrap()));
    assert_eq!((header(0, "offset").as_str(), header(1, "offset").as_str()), ("0", "6"));
    assert!(!header(0, "file").is_empty() && header(0, "file") == header(1, "file"));
}

#[test]
fn the_agent_starts_and_goes_on_while_etcd_is_away() {
    let dir = scratch();
    let mut etcd = Etcd::start(dir.path());
    let broker = Broker::start(dir.path(), &[]);
    let mut agent = agent_with_etcd(dir.path(), &broker, etcd.endpoint());
    let path = dir.path().join("some.log");
    std::fs::write(&path, "one\n").unwrap();
    etcd.put(COLLECT_KEY, &serde_json::json!([{"path": path, "topic": "t"}]).to_string());
    wait_for("the first line", SOON, || agent.metric("logagent_agent_shipped_lines_total", "") >= 1.0);

    etcd.process.kill();
    agent.process.kill();
    std::fs::write(dir.path().join("more"), "").unwrap();
    File::options().append(true).open(&path).unwrap().write_all(b"two\n").unwrap();
    agent.process.restart();
    wait_for("a line without etcd", SOON, || agent.metric("logagent_agent_shipped_lines_total", "") >= 1.0);

    etcd.process.restart();
    etcd.wait_until_ready();
    let other = dir.path().join("other.log");
    std::fs::write(&other, "three\n").unwrap();
    etcd.put(
        COLLECT_KEY,
        &serde_json::json!([{"path": path, "topic": "t"}, {"path": other, "topic": "t"}]).to_string(),
    );
    wait_for("the list after etcd's return", SOON, || {
        agent.metric("logagent_agent_shipped_lines_total", "") >= 2.0
    });
    let mut values: Vec<String> =
        consume_all(broker.bootstrap(), "t").into_iter().map(|record| record.value).collect();
    values.sort();
    assert_eq!(values, ["one", "three", "two"]);
}

#[test]
fn the_command_line_edits_the_list_and_refuses_a_bad_one() {
    let dir = scratch();
    let etcd = Etcd::start(dir.path());
    let collect = |args: &[&str], input: &str| {
        let mut all = vec!["collect"];
        all.extend(args);
        all.extend(["--etcd", etcd.endpoint()]);
        let ((stdout, stderr), ok) = try_run(&binary(), &all, input.as_bytes());
        (String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap(), ok)
    };
    let (_, stderr, ok) = collect(&["put", HOST], "- path: /var/log/a.log\n  topic: a\n");
    assert!(ok, "{stderr}");
    let (stdout, _, ok) = collect(&["get", HOST], "");
    assert!(ok && stdout.contains("/var/log/a.log"), "{stdout}");
    let (_, stderr, ok) = collect(&["put", HOST], "- path: /var/log/b.log\n  topik: a\n");
    assert!(!ok && stderr.contains("topik") && stderr.contains("topic"), "{stderr}");
    assert!(collect(&["get", HOST], "").0.contains("/var/log/a.log"), "the old list stands");
}
