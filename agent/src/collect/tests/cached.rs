//! The cached list: what survives, and what a damaged one costs.

use std::fs;

use tempfile::TempDir;

use super::super::cache::{Cache, Stamp};
use super::item;

const STAMP: Stamp = Stamp { cluster: u64::MAX, revision: 42 };

fn cache(dir: &TempDir) -> Cache {
    Cache::new(dir.path(), "etcd:/logagent/web-1/collect_config".to_owned())
}

#[test]
fn what_is_stored_is_loaded() {
    let dir = TempDir::new().unwrap();
    assert!(cache(&dir).load().unwrap().is_none());
    cache(&dir).store("# with a comment\n- {path: /a, topic: x}\n", STAMP).unwrap();
    assert_eq!(cache(&dir).load().unwrap(), Some((vec![item("/a", "x")], STAMP)));
    cache(&dir).store("[]", Stamp { revision: 43, ..STAMP }).unwrap();
    assert_eq!(cache(&dir).load().unwrap(), Some((Vec::new(), Stamp { revision: 43, ..STAMP })));
}

#[test]
fn another_sources_list_is_not_used() {
    let dir = TempDir::new().unwrap();
    cache(&dir).store("[]", STAMP).unwrap();
    let other = Cache::new(dir.path(), "file:/etc/collect.yaml".to_owned());
    assert!(other.load().unwrap().is_none());
}

#[test]
fn a_damaged_cache_is_an_error_and_is_overwritten() {
    let dir = TempDir::new().unwrap();
    cache(&dir).store("- {path: /a, topic: x}", STAMP).unwrap();
    let path = cache(&dir).path().to_owned();
    let good = fs::read(&path).unwrap();
    for damaged in [&good[..good.len() / 2], b"", b"\0\0\0\0", b"{}"] {
        fs::write(&path, damaged).unwrap();
        assert!(cache(&dir).load().is_err(), "{damaged:?}");
    }
    cache(&dir).store("[]", STAMP).unwrap();
    assert!(cache(&dir).load().unwrap().is_some());
}

#[test]
fn a_half_written_cache_of_a_crash_is_not_looked_at() {
    let dir = TempDir::new().unwrap();
    cache(&dir).store("- {path: /a, topic: x}", STAMP).unwrap();
    fs::write(dir.path().join("collect.json.new"), b"{\"source\":").unwrap();
    assert!(cache(&dir).load().unwrap().is_some());
    cache(&dir).store("[]", STAMP).unwrap();
    assert!(!dir.path().join("collect.json.new").exists());
}

#[test]
fn a_history_that_became_shorter_is_not_a_later_one() {
    assert!(STAMP.follows(STAMP));
    assert!(Stamp { revision: 43, ..STAMP }.follows(STAMP));
    assert!(!Stamp { revision: 41, ..STAMP }.follows(STAMP));
    assert!(!Stamp { cluster: 1, revision: 50 }.follows(STAMP));
}
