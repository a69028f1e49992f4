//! `collect`, against a real etcd.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use crate::support::{Daemon, Folder, LONG, free_port, good, logagent, run, run_with};

/// An etcd of one member, killed when dropped.
struct Etcd {
    child: Child,
    address: String,
    _folder: Folder,
}

impl Etcd {
    fn start() -> Self {
        let folder = Folder::new();
        let url = |port: u16| format!("http://127.0.0.1:{port}");
        let (port, peer) = (free_port(), free_port());
        let (client_url, peer_url) = (url(port), url(peer));
        let child = Command::new("etcd")
            .args(["--data-dir", &folder.join("data"), "--name", "one"])
            .args(["--listen-client-urls", &client_url, "--advertise-client-urls", &client_url])
            .args(["--listen-peer-urls", &peer_url, "--initial-advertise-peer-urls", &peer_url])
            .args(["--initial-cluster", &format!("one={peer_url}")])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("etcd is installed");
        let etcd = Self { child, address: format!("127.0.0.1:{port}"), _folder: folder };
        etcd.wait_until_ready();
        etcd
    }

    fn wait_until_ready(&self) {
        let deadline = std::time::Instant::now() + LONG;
        loop {
            let done = run(&["collect", "get", "nobody", "--etcd", &self.address, "--timeout-ms", "1000"]);
            if done.stderr.contains("has no collect list") {
                return;
            }
            assert!(std::time::Instant::now() < deadline, "etcd does not answer: {}", done.stderr);
        }
    }

    fn arguments<'a>(&'a self, arguments: &[&'a str]) -> Vec<&'a str> {
        [&["collect"], arguments, &["--etcd", &self.address]].concat()
    }
}

impl Drop for Etcd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const FIRST: &str = "- {path: /var/log/a.log, topic: a}\n";
const SECOND: &str = "# two\n- {path: /var/log/b.log, topic: b}\n- {path: /var/log/a.log, topic: a}\n";

#[test]
fn a_list_is_put_read_and_watched() {
    let etcd = Etcd::start();
    let folder = Folder::new();
    let file = folder.write("first.yaml", FIRST);
    assert_eq!(good(&etcd.arguments(&["put", "web-1", &file])), "+ /var/log/a.log -> a\n");
    assert_eq!(good(&etcd.arguments(&["get", "web-1"])), FIRST);

    let mut watcher = Daemon::start(&mut logagent(&etcd.arguments(&["watch", "web-1"])));
    let mut lines = BufReader::new(watcher.child.stdout.take().unwrap()).lines().map(Result::unwrap);
    lines.next().unwrap();
    assert_eq!(lines.next().unwrap(), "+ /var/log/a.log -> a");

    let change = "+ /var/log/b.log -> b\n  /var/log/a.log -> a\n";
    let shown = run_with(&etcd.arguments(&["put", "web-1", "--dry-run"]), SECOND);
    assert_eq!((shown.code, shown.stdout.as_str()), (Some(0), change), "{}", shown.stderr);
    assert_eq!(good(&etcd.arguments(&["get", "web-1"])), FIRST);
    let done = run_with(&etcd.arguments(&["put", "web-1", "-"]), SECOND);
    assert_eq!((done.code, done.stdout.as_str()), (Some(0), change), "{}", done.stderr);
    assert_eq!(good(&etcd.arguments(&["get", "web-1"])), SECOND);

    lines.next().unwrap();
    assert_eq!(lines.next().unwrap(), "+ /var/log/b.log -> b");
    assert_eq!(lines.next().unwrap(), "  /var/log/a.log -> a");
}

#[test]
fn a_bad_list_never_reaches_etcd() {
    let etcd = Etcd::start();
    for bad in ["- {path: /a, topc: t}\n", "- {path: relative.log, topic: t}\n", "", "- {path: /a\n"] {
        let done = run_with(&etcd.arguments(&["put", "web-1"]), bad);
        assert_eq!(done.code, Some(1), "{bad:?}");
        assert!(
            done.stderr.starts_with("error: the list from stdin is no good collect list: "),
            "{}",
            done.stderr
        );
    }
    let done = run(&etcd.arguments(&["get", "web-1"]));
    assert_eq!(done.code, Some(1));
    assert!(done.stderr.contains("host \"web-1\" has no collect list (key /logagent/web-1/collect_config)"));
}

#[test]
fn an_etcd_that_is_away_is_said_in_bounded_time() {
    for action in [&["get", "web-1"][..], &["watch", "web-1"]] {
        let done = run(&[&["collect"], action, &["--etcd", "127.0.0.1:1", "--timeout-ms", "500"]].concat());
        assert_eq!(done.code, Some(1));
        assert!(done.stderr.contains("127.0.0.1:1"), "{}", done.stderr);
        assert!(done.stderr.contains("hint: name etcd's address with --etcd HOST:PORT"), "{}", done.stderr);
    }
}
