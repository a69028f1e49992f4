//! `up`: lines written to a file become documents, over a restart too.

use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::Value;

use crate::life::address_in;
use crate::support::{Daemon, Folder, LONG, http_get, logagent, run};

fn line(number: usize) -> String {
    let time = "21/Nov/2026:10:00:00 +0000";
    format!("192.0.2.1 - - [{time}] \"GET /{number} HTTP/1.1\" 200 12 \"-\" \"curl/8\"\n")
}

fn append(file: &Path, numbers: std::ops::Range<usize>) {
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(file).unwrap();
    let text: String = numbers.map(line).collect();
    file.write_all(text.as_bytes()).unwrap();
}

fn start(folder: &Folder, log: &str) -> Daemon {
    Daemon::start(&mut logagent(&[
        "up",
        log,
        "--topic",
        "web",
        "--data-dir",
        &folder.join("data"),
        "--listen",
        "127.0.0.1:0",
        "--admin",
        "127.0.0.1:0",
    ]))
}

/// The documents' paths, once there are as many as expected.
fn documents(folder: &Folder, expected: usize) -> Vec<String> {
    let directory = folder.path().join("data/documents");
    let deadline = Instant::now() + LONG;
    loop {
        let mut paths = Vec::new();
        for entry in std::fs::read_dir(&directory).into_iter().flatten() {
            let file = entry.unwrap().path();
            if file.extension().is_some_and(|extension| extension == "ndjson") {
                let text = std::fs::read_to_string(file).unwrap();
                let whole = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
                paths
                    .extend(whole.map(|document| document["url"]["path"].as_str().unwrap_or("?").to_owned()));
            }
        }
        if paths.len() >= expected || Instant::now() > deadline {
            assert_eq!(paths.len(), expected, "{paths:?}");
            paths.sort();
            return paths;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn until_counted(admin: &str, line: &str) {
    let deadline = Instant::now() + LONG;
    loop {
        let metrics = http_get(admin, "/metrics");
        if metrics.contains(line) {
            return;
        }
        assert!(Instant::now() < deadline, "{line:?} is not in {metrics}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn lines_become_documents_once_each_over_a_restart() {
    let folder = Folder::new();
    let log = folder.path().join("access.log");
    append(&log, 0..100);
    let mut up = start(&folder, &log.display().to_string());
    let admin = address_in(&up.expect("serving metrics and health"));
    documents(&folder, 100);
    append(&log, 100..150);
    documents(&folder, 150);
    assert!(http_get(&admin, "/readyz").starts_with("HTTP/1.1 200"));
    assert!(http_get(&admin, "/").contains("<a href=\"broker\">"));
    assert!(http_get(&admin, "/broker.json").contains("\"name\": \"web\""));
    // counted once they are safe, which is a moment after they can be read
    until_counted(&admin, "logagent_transfer_indexed_documents_total 150\n");
    up.signal(Signal::INT);
    let (status, stderr, stdout) = up.wait();
    assert_eq!(status.code(), Some(0), "{stderr}");
    assert!(
        stdout.contains("/web-*.ndjson") && stdout.contains("logagent consume -b 127.0.0.1:"),
        "{stdout}"
    );

    append(&log, 150..200);
    let up = start(&folder, &log.display().to_string());
    let mut expected: Vec<String> = (0..200).map(|number| format!("/{number}")).collect();
    expected.sort();
    assert_eq!(documents(&folder, 200), expected);
    up.signal(Signal::TERM);
    assert_eq!(up.wait().0.code(), Some(0));
}

#[test]
fn the_line_of_counts_is_printed_where_there_is_no_terminal() {
    let folder = Folder::new();
    let log = folder.path().join("access.log");
    append(&log, 0..10);
    let mut up = start(&folder, &log.display().to_string());
    documents(&folder, 10);
    let line = up.expect("indexed 10 (");
    assert!(line.starts_with("read 10 ("), "{line}");
    // the lag is asked for now and then only
    if !line.contains("lag 0 records") {
        up.expect("lag 0 records");
    }
}

#[test]
fn a_topic_that_joins_the_list_is_indexed_without_a_restart() {
    let folder = Folder::new();
    append(&folder.path().join("a.log"), 0..5);
    append(&folder.path().join("b.log"), 5..9);
    let item = |name: &str| format!("- {{path: {}, topic: {name}}}\n", folder.join(&format!("{name}.log")));
    let list = folder.write("list.yaml", &item("a"));
    let data_dir = folder.join("data");
    let arguments =
        ["up", "--collect", &list, "--data-dir", &data_dir, "--listen", "127.0.0.1:0", "--admin", "none"];
    let _up = Daemon::start(&mut logagent(&arguments));
    documents(&folder, 5);
    folder.write("list.yaml", &(item("a") + &item("b")));
    documents(&folder, 9);
}

#[test]
fn nothing_to_collect_is_a_wrong_command_line() {
    let folder = Folder::new();
    let done = run(&["up", "--data-dir", &folder.join("data")]);
    assert_eq!(done.code, Some(2));
    assert!(
        done.stderr.contains("nothing to collect: name files, or a list with --collect FILE"),
        "{}",
        done.stderr
    );
}

#[test]
fn a_taken_port_is_said_with_a_way_out() {
    let folder = Folder::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let done =
        run(&["up", "/a.log", "--data-dir", &folder.join("data"), "--listen", &address, "--admin", "none"]);
    assert_eq!(done.code, Some(1));
    assert!(done.stderr.contains("hint: if the port is taken: --listen 127.0.0.1:0"), "{}", done.stderr);
}
