//! A daemon's life, with the broker as the daemon: systemd's protocol, signals, ends.

use std::net::TcpListener;

use rustix::process::Signal;
use serde_json::Value;

use crate::support::{Daemon, Folder, Notify, http_get, logagent, run};

/// The address in a log line such as `… serving metrics and health address=127.0.0.1:40123`.
pub(crate) fn address_in(line: &str) -> String {
    let address = line.split("address=").nth(1).and_then(|rest| rest.split_ascii_whitespace().next());
    address.unwrap_or_else(|| panic!("no address in {line}")).to_owned()
}

fn broker(folder: &Folder) -> std::process::Command {
    logagent(&[
        "broker",
        "--listen",
        "127.0.0.1:0",
        "--data-dir",
        &folder.join("data"),
        "--admin",
        "127.0.0.1:0",
    ])
}

#[test]
fn systemd_is_told_of_every_stage() {
    let folder = Folder::new();
    let notify = Notify::new(&folder);
    let config = folder.write("broker.yaml", "retention_ms: 1000\n");
    let mut command = broker(&folder);
    command.args(["--config", &config]).env("NOTIFY_SOCKET", notify.path()).env("WATCHDOG_USEC", "200000");
    let daemon = Daemon::start(&mut command);
    let ready = notify.expect("READY=1");
    assert!(ready.contains("STATUS=running"), "{ready}");
    notify.expect("WATCHDOG=1");
    folder.write("broker.yaml", "retention_ms: 2000\n");
    daemon.signal(Signal::HUP);
    assert!(notify.expect("RELOADING=1").contains("MONOTONIC_USEC="));
    notify.expect("READY=1");
    daemon.signal(Signal::TERM);
    notify.expect("STOPPING=1");
    let (status, stderr, _) = daemon.wait();
    assert_eq!(status.code(), Some(0), "{stderr}");
}

#[test]
fn a_bad_reload_is_refused_counted_and_survived() {
    let folder = Folder::new();
    let config = folder.write("broker.yaml", "retention_ms: 1000\n");
    let mut daemon = Daemon::start(broker(&folder).args(["--config", &config]));
    let admin = address_in(&daemon.expect("serving metrics and health"));
    daemon.expect(" ready");
    folder.write("broker.yaml", "retention: 1000\n");
    daemon.signal(Signal::HUP);
    let line = daemon.expect("configuration refused");
    assert!(line.contains("unknown key"), "{line}");
    folder.write("broker.yaml", "retention_ms: 3000\n");
    daemon.signal(Signal::HUP);
    daemon.expect("configuration reloaded");
    // The counter is raised after the line is logged.
    daemon.signal(Signal::HUP);
    daemon.expect("configuration is unchanged");
    let metrics = http_get(&admin, "/metrics");
    for count in ["{result=\"refused\"} 1", "{result=\"applied\"} 1"] {
        assert!(metrics.contains(&format!("logagent_config_reloads_total{count}\n")), "{metrics}");
    }
    assert!(http_get(&admin, "/readyz").starts_with("HTTP/1.1 200"));
    assert!(http_get(&admin, "/healthz").starts_with("HTTP/1.1 200"));
    daemon.signal(Signal::INT);
    assert_eq!(daemon.wait().0.code(), Some(0));
}

#[test]
fn log_lines_can_be_json() {
    let folder = Folder::new();
    let mut daemon = Daemon::start(broker(&folder).args(["--log-format", "json"]));
    let line = daemon.expect("\"ready\"");
    let event: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(event["level"], "INFO");
    assert_eq!(event["message"], "ready");
    daemon.signal(Signal::TERM);
    let (_, stderr, _) = daemon.wait();
    assert!(stderr.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()), "{stderr}");
}

#[test]
fn the_level_of_the_log_is_a_flag_or_a_variable() {
    let folder = Folder::new();
    let mut quiet = broker(&folder);
    quiet.args(["--set", "listen=nowhere"]).env("LOGAGENT_LOG", "debug,broker=loud");
    let output = quiet.output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("log level \"debug,broker=loud\""), "{stderr}");
}

#[test]
fn a_taken_port_ends_the_start_with_its_name() {
    let folder = Folder::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let done = run(&["broker", "--listen", &address, "--data-dir", &folder.join("a")]);
    assert_eq!(done.code, Some(1));
    assert!(done.stderr.contains("error: broker: ") && done.stderr.contains(&address), "{}", done.stderr);
    let data_dir = folder.join("b");
    let done = run(&["broker", "--listen", "127.0.0.1:0", "--data-dir", &data_dir, "--admin", &address]);
    assert_eq!(done.code, Some(1));
    assert!(done.stderr.contains(&format!("error: cannot listen on {address}")), "{}", done.stderr);
    assert!(done.stderr.contains("hint: choose another address with --admin"), "{}", done.stderr);
}

#[test]
fn a_data_directory_that_cannot_be_is_named() {
    let done = run(&["broker", "--listen", "127.0.0.1:0", "--data-dir", "/dev/null/data"]);
    assert_eq!(done.code, Some(1));
    assert!(done.stderr.contains("/dev/null/data"), "{}", done.stderr);
}
