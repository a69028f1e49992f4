//! The scenario that must always work: nginx writes under load and is rotated, every process of the pipeline is killed,
//! and in the end there is exactly one record and one document for each line that nginx has written.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use logagent_tests::elastic::Elastic;
use logagent_tests::etcd::Etcd;
use logagent_tests::kafka::{consume_all, tally};
use logagent_tests::logagent::{Broker, Daemon};
use logagent_tests::nginx::Nginx;
use logagent_tests::process::run;
use logagent_tests::{seeded, wait_for};
use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use serde_json::Value;

use crate::world::{COLLECT_KEY, agent_with_etcd, scratch, transfer};

const REQUESTS: usize = 50_000;
const ROTATIONS: usize = 3;
const KILLS_OF_EACH: usize = 2;
/// The load is spread over at least this time, so that the kills fall into it.
const LOAD: Duration = Duration::from_secs(100);
const SETTLE: Duration = Duration::from_secs(600);

struct Pipeline {
    etcd: Etcd,
    broker: Broker,
    agent: Daemon,
    transfer: Daemon,
    elastic: Elastic,
}

impl Pipeline {
    fn start(dir: &Path) -> Self {
        let mut elastic = Elastic::start(dir);
        let etcd = Etcd::start(dir);
        let broker = Broker::start(dir, &[]);
        let agent = agent_with_etcd(dir, &broker, etcd.endpoint());
        elastic.wait_until_ready();
        let transfer = transfer(dir, &broker, &elastic.url());
        Pipeline { etcd, broker, agent, transfer, elastic }
    }

    /// Kills one of them and starts it again after a moment.
    fn kill(&mut self, victim: usize, pause: Duration) {
        match victim {
            0 => self.etcd.process.kill(),
            1 => self.broker.daemon.process.kill(),
            2 => self.agent.process.kill(),
            3 => self.transfer.process.kill(),
            _ => self.elastic.kill(),
        }
        std::thread::sleep(pause);
        match victim {
            0 => self.etcd.process.restart(),
            1 => self.broker.daemon.process.restart(),
            2 => self.agent.process.restart(),
            3 => self.transfer.process.restart(),
            _ => self.elastic.restart(),
        }
    }
}

/// Sends the requests over one connection, spread over [`LOAD`].
fn load(nginx: &Nginx, done: &AtomicBool) {
    let begin = Instant::now();
    let mut client = nginx.client();
    for number in 0..REQUESTS {
        let path = match number % 50 {
            0 => format!("/missing/{number}"),
            1 => format!("/slow?n={number}"),
            _ => format!("/page/{number}?q=a%20b"),
        };
        let agent = if number % 7 == 0 { "odd \"agent\" \\ \u{e9}" } else { "load/1.0" };
        let headers = [("User-Agent", agent), ("Referer", "http://example.org/start")];
        client.request("GET", &path, &headers, "").expect("nginx answers");
        let due = LOAD.mul_f64(number as f64 / REQUESTS as f64);
        if let Some(ahead) =
            due.checked_sub(begin.elapsed()).filter(|ahead| *ahead > Duration::from_millis(2))
        {
            std::thread::sleep(ahead);
        }
    }
    done.store(true, Ordering::SeqCst);
}

/// Rotates with the real logrotate: by rename and USR1, or by copytruncate.
fn rotate(dir: &Path, nginx: &Nginx, copytruncate: bool) {
    let how = if copytruncate {
        "copytruncate".to_owned()
    } else {
        format!("postrotate\nkill -USR1 {}\nendscript", nginx.pid())
    };
    let log = nginx.access_log();
    let config = dir.join("logrotate.conf");
    std::fs::write(
        &config,
        format!("{} {{\nrotate 20\nnodelaycompress\nnocompress\nsu root root\n{how}\n}}\n", log.display()),
    )
    .unwrap();
    let state = dir.join("logrotate.state");
    run("logrotate", &["--force", "--state", state.to_str().unwrap(), config.to_str().unwrap()], b"");
}

/// Kills every process [`KILLS_OF_EACH`] times and rotates, at random moments of the load.
fn disturb(dir: &Path, nginx: &Nginx, pipeline: &mut Pipeline, random: &mut StdRng) {
    let rotation = usize::MAX;
    let mut events: Vec<usize> = (0..5).flat_map(|victim| [victim; KILLS_OF_EACH]).collect();
    events.extend([rotation; ROTATIONS]);
    events.shuffle(random);
    let begin = Instant::now();
    let mut moments: Vec<f64> = events.iter().map(|_| random.random_range(0.02..0.95)).collect();
    moments.sort_by(f64::total_cmp);
    for (event, moment) in events.into_iter().zip(moments) {
        std::thread::sleep(LOAD.mul_f64(moment).saturating_sub(begin.elapsed()));
        if event == rotation {
            rotate(dir, nginx, false);
        } else {
            pipeline.kill(event, Duration::from_millis(random.random_range(0..1500)));
        }
    }
}

#[test]
fn exactly_one_document_for_each_line_whatever_is_killed() {
    let dir = scratch();
    let mut random = seeded("scenario");
    let nginx = Nginx::start(dir.path());
    let mut pipeline = Pipeline::start(dir.path());
    let list = serde_json::json!([{"path": nginx.access_log(), "topic": "nginx_log"}]);
    pipeline.etcd.put(COLLECT_KEY, &list.to_string());

    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| load(&nginx, &done));
        disturb(dir.path(), &nginx, &mut pipeline, &mut random);
        wait_for("the load's end", LOAD * 6, || done.load(Ordering::SeqCst));
    });

    // At rest, copytruncate loses nothing by itself; then some more lines into the emptied file.
    let written = nginx.written();
    assert_eq!(written.len(), REQUESTS);
    pipeline.elastic.wait_until_ready();
    wait_for("all lines before the copytruncate", SETTLE, || {
        pipeline.elastic.count("nginx_log-*") >= written.len() as u64
    });
    rotate(dir.path(), &nginx, true);
    let mut client = nginx.client();
    for number in 0..100 {
        client.request("GET", &format!("/after/{number}"), &[], "").unwrap();
    }
    let written = nginx.written();
    wait_for("all lines", SETTLE, || pipeline.elastic.count("nginx_log-*") >= written.len() as u64);

    check_topic(&pipeline.broker, &written);
    check_documents(&pipeline.elastic, &written);
}

fn check_topic(broker: &Broker, written: &[String]) {
    let records = consume_all(broker.bootstrap(), "nginx_log");
    let expected = tally(written.iter().map(String::as_str));
    let found = tally(records.iter().map(|record| record.value.as_str()));
    let differ = |(line, count): &(&&str, &usize)| found.get(**line) != Some(*count);
    let wrong: Vec<_> = expected.iter().filter(differ).take(5).collect();
    assert!(wrong.is_empty(), "records missing or repeated, for example {wrong:?}");
    assert_eq!(records.len(), written.len(), "records that nobody has written");
    eprintln!("scenario: {} lines, {} records", written.len(), records.len());
}

fn check_documents(elastic: &Elastic, written: &[String]) {
    let sample: HashSet<&str> = written.iter().step_by(997).map(String::as_str).collect();
    let mut documents: HashMap<String, usize> = HashMap::new();
    elastic.scan("nginx_log-*", |hit| {
        let source = &hit["_source"];
        let line = source["event"]["original"].as_str().expect("the line");
        let index = hit["_index"].as_str().unwrap();
        let day = &source["@timestamp"].as_str().unwrap()[..10];
        assert_eq!(index, format!("nginx_log-{}", day.replace('-', ".")));
        *documents.entry(line.to_owned()).or_insert(0) += 1;
        if sample.contains(line) {
            check_fields(line, source);
        }
    });
    for (line, count) in tally(written.iter().map(String::as_str)) {
        assert_eq!(documents.get(line), Some(&count), "documents of {line}");
    }
    let total: usize = documents.values().sum();
    assert_eq!(total, written.len(), "documents that nobody has written");
    eprintln!("scenario: {total} documents");
}

/// Compares fields with the line, taken apart in another way than the parser does it.
fn check_fields(line: &str, source: &Value) {
    let quoted: Vec<&str> = line.split('"').collect();
    let request: Vec<&str> = quoted[1].split(' ').collect();
    let numbers: Vec<&str> = quoted[2].split_whitespace().collect();
    assert_eq!(source["source"]["address"], line.split(' ').next().unwrap());
    assert_eq!(source["http"]["request"]["method"], request[0]);
    assert_eq!(source["url"]["original"], request[1]);
    assert_eq!(source["url"]["path"], request[1].split('?').next().unwrap());
    assert_eq!(source["http"]["version"], request[2].trim_start_matches("HTTP/"));
    assert_eq!(source["http"]["response"]["status_code"].to_string(), numbers[0]);
    assert_eq!(source["http"]["response"]["body"]["bytes"].to_string(), numbers[1]);
    assert_eq!(source["host"]["name"], crate::world::HOST);
}
