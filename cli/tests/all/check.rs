//! `check`, and the same errors when a daemon starts.

use std::path::Path;

use crate::support::{Folder, good, run};

fn shipped(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../configs").join(name).display().to_string()
}

#[test]
fn every_shipped_config_is_good_and_recognised() {
    for (part, description) in [
        ("agent", "an agent's configuration"),
        ("broker", "a broker's configuration"),
        ("transfer", "a transfer's configuration"),
        ("up", "a configuration of all parts (up)"),
    ] {
        let file = shipped(&format!("{part}.yaml"));
        assert_eq!(good(&["check", &file]), format!("{file}: good, {description}\n"));
        good(&["check", "--part", part, &file]);
    }
}

#[test]
fn a_slip_is_shown_with_its_place_and_what_was_meant() {
    let folder = Folder::new();
    let file = folder.write("broker.yaml", "listen: 127.0.0.1:9092\nretension_ms: 5\n");
    let done = run(&["check", &file]);
    assert_eq!((done.code, done.stdout.as_str()), (Some(1), ""));
    let expected = format!(
        "error: {file}:2:1: retension_ms: unknown key, did you mean \"retention_ms\"?\n  2 | retension_ms: 5\n    | ^\n"
    );
    assert_eq!(done.stderr, expected);
}

#[test]
fn a_daemon_refuses_the_same_file_with_the_same_words() {
    let folder = Folder::new();
    let file = folder.write("broker.yaml", "listen: nowhere\n");
    let checked = run(&["check", "--part", "broker", &file]);
    let started = run(&["broker", "--config", &file, "--data-dir", &folder.join("data")]);
    assert_eq!((checked.code, started.code), (Some(1), Some(1)));
    assert!(checked.stderr.starts_with(&format!("error: {file}:1:9: listen: ")), "{}", checked.stderr);
    assert_eq!(started.stderr, checked.stderr);
}

#[test]
fn a_mistake_in_a_section_of_the_common_file_is_found() {
    let folder = Folder::new();
    let file = folder.write("up.yaml", "topic: web\nbroker:\n  listen_adress: x\n");
    let done = run(&["check", &file]);
    assert_eq!(done.code, Some(1));
    assert!(done.stderr.contains(":3:3: broker.listen_adress: unknown key"), "{}", done.stderr);
    let file = folder.write("up.yaml", "topik: web\nbroker: {}\n");
    let done = run(&["check", "--part", "up", &file]);
    assert!(done.stderr.contains(":1:1: topik: unknown key, did you mean \"topic\"?"), "{}", done.stderr);
}

#[test]
fn a_collect_list_is_checked_too() {
    let folder = Folder::new();
    let list = folder.write("collect.yaml", "- {path: /var/log/nginx/*.log, topic: nginx_log}\n");
    assert_eq!(good(&["check", &list]), format!("{list}: good, a collect list\n"));
    let list = folder.write("collect.yaml", "- path: /var/log/a.log\n  topc: nginx_log\n");
    let done = run(&["check", &list]);
    assert_eq!(done.code, Some(1));
    assert!(
        done.stderr.starts_with(&format!("error: {list}")) && done.stderr.contains("topc"),
        "{}",
        done.stderr
    );
}

#[test]
fn a_file_that_could_be_anything_asks_for_the_part() {
    let folder = Folder::new();
    let file = folder.write("x.yaml", "unheard_of: 1\n");
    let done = run(&["check", &file]);
    assert_eq!(done.code, Some(2));
    assert!(done.stderr.contains("--part"), "{}", done.stderr);
    let done = run(&["check", "--part", "transfer", &folder.write("empty.yaml", "")]);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
}

#[test]
fn a_missing_file_is_named() {
    let done = run(&["check", "/nonexistent/broker.yaml"]);
    assert_eq!(done.code, Some(1));
    assert!(
        done.stderr.contains("cannot read config file /nonexistent/broker.yaml: No such file"),
        "{}",
        done.stderr
    );
}

#[test]
fn a_wrong_flag_is_blamed_on_the_command_line() {
    let folder = Folder::new();
    let done = run(&["broker", "--data-dir", &folder.join("data"), "--listen", "nowhere"]);
    assert_eq!(done.code, Some(1));
    assert!(done.stderr.starts_with("error: command line: listen: "), "{}", done.stderr);
    let done = run(&["broker", "--set", "retension_ms=5"]);
    assert!(done.stderr.contains("command line: retension_ms: unknown key, did you mean"), "{}", done.stderr);
}
