//! Elasticsearch is away under load: memory stays under the ceilings, nothing is lost, all is indexed after its return.

use std::io::Write;
use std::time::{Duration, Instant};

use logagent_tests::elastic::Elastic;
use logagent_tests::logagent::Broker;
use logagent_tests::wait_for;

use crate::world::{agent_with_file, scratch, transfer};

/// Peak resident memory that each daemon may have, MiB; a build for tests is larger than one for use.
const CEILINGS: [(&str, u64); 3] = [("agent", 96), ("broker", 160), ("transfer", 160)];
/// Lines a second while it is away.
const RATE: u64 = 1_000;

/// How long it is away; `LOGAGENT_OUTAGE_SECONDS` makes it longer.
fn outage() -> Duration {
    let seconds = std::env::var("LOGAGENT_OUTAGE_SECONDS").ok().and_then(|seconds| seconds.parse().ok());
    Duration::from_secs(seconds.unwrap_or(30))
}

#[test]
fn an_outage_of_elasticsearch_costs_time_and_nothing_else() {
    let dir = scratch();
    let mut elastic = Elastic::start(dir.path());
    let broker = Broker::start(dir.path(), &[]);
    let path = dir.path().join("access.log");
    let list = dir.path().join("collect.yaml");
    std::fs::write(&list, format!("- path: {}\n  topic: nginx_log\n", path.display())).unwrap();
    let agent = agent_with_file(dir.path(), &broker, &list);
    elastic.wait_until_ready();
    let transfer = transfer(dir.path(), &broker, &elastic.url());

    let mut log = std::fs::File::create(&path).unwrap();
    let mut lines = 0u64;
    let mut write = |count: u64| {
        let text: String = (lines..lines + count)
            .map(|n| format!("10.0.0.1 - - [21/Nov/2026:08:50:46 +0000] \"GET /{n} HTTP/1.1\" 200 5 \"-\" \"load/1.0\"\n"))
            .collect();
        log.write_all(text.as_bytes()).unwrap();
        lines += count;
        lines
    };
    let before = write(1_000);
    wait_for("the lines before the outage", Duration::from_secs(120), || {
        elastic.count("nginx_log-*") == before
    });

    elastic.kill();
    let begin = Instant::now();
    while begin.elapsed() < outage() {
        write(RATE / 10);
        std::thread::sleep(Duration::from_millis(100));
    }
    let total = write(1);
    let daemons = [("agent", &agent), ("broker", &broker.daemon), ("transfer", &transfer)];
    for (name, daemon) in daemons {
        let peak = daemon.process.peak_memory_bytes() >> 20;
        let ceiling = CEILINGS.iter().find(|(known, _)| *known == name).unwrap().1;
        eprintln!("outage: {name} peak memory {peak} MiB after {total} lines");
        assert!(peak <= ceiling, "{name} took {peak} MiB");
    }
    elastic.restart();
    elastic.wait_until_ready();
    wait_for("all lines", Duration::from_secs(600), || elastic.count("nginx_log-*") >= total);
    assert_eq!(elastic.count("nginx_log-*"), total);
    eprintln!("outage: {total} lines, {total} documents");
}
