//! `logagent up`: the whole pipeline in one process, with neither etcd nor Elasticsearch.

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use logagent_tests::logagent::Daemon;
use logagent_tests::{free_port, wait_for};

use crate::world::scratch;

fn documents(dir: &Path) -> Vec<String> {
    fn walk(dir: &Path, lines: &mut Vec<String>) {
        for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                walk(&path, lines);
            } else if path.extension().is_some_and(|extension| extension == "ndjson") {
                lines.extend(std::fs::read_to_string(&path).unwrap().lines().map(str::to_owned));
            }
        }
    }
    let mut lines = Vec::new();
    walk(dir, &mut lines);
    lines
}

#[test]
fn up_turns_lines_into_documents_stops_in_time_and_goes_on_where_it_stopped() {
    let dir = scratch();
    let path = dir.path().join("access.log");
    let mut log = std::fs::File::create(&path).unwrap();
    let mut write = |from: usize, to: usize| {
        for n in from..to {
            writeln!(
                log,
                "10.0.0.1 - - [21/Nov/2026:08:50:46 +0000] \"GET /{n} HTTP/1.1\" 200 5 \"-\" \"curl/8\""
            )
            .unwrap();
        }
    };
    let data = dir.path().join("data");
    let listen = format!("127.0.0.1:{}", free_port());
    let args = [path.to_str().unwrap(), "--data-dir", data.to_str().unwrap(), "--listen", &listen];
    write(0, 100);
    let mut up = Daemon::start("up", dir.path(), &args);
    wait_for("the first documents", Duration::from_secs(60), || {
        up.process.must_run();
        documents(&data).len() >= 100
    });
    assert!(up.process.terminate(Duration::from_secs(10)).success());

    write(100, 150);
    up.process.restart();
    wait_for("the documents after the restart", Duration::from_secs(60), || documents(&data).len() >= 150);
    // Killed, it repeats nothing either.
    up.process.kill();
    write(150, 170);
    up.process.restart();
    wait_for("the documents after the kill", Duration::from_secs(60), || documents(&data).len() >= 170);
    assert!(up.process.terminate(Duration::from_secs(10)).success());
    let found = documents(&data);
    assert_eq!(found.len(), 170);
    for n in 0..170 {
        let of_line = found.iter().filter(|document| document.contains(&format!("GET /{n} HTTP"))).count();
        assert_eq!(of_line, 1, "documents of line {n}");
    }
}
