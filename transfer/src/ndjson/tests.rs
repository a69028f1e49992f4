use std::sync::Arc;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::batch::{Builder, Original, Shape, Target};
use crate::parse::Line;
use crate::record::Record;

const DAY: i64 = 86_400_000;
const FILE: &str = "logs-1970.01.01.ndjson";

/// A builder that fills batches with records of one partition of topic `t`, each on its own day.
struct Source {
    topic: Arc<str>,
    builder: Builder,
}

impl Source {
    fn new() -> Self {
        Self { topic: Arc::from("t"), builder: Builder::new(Shape::Ndjson) }
    }

    fn batch(&mut self, partition: i32, offsets: std::ops::Range<i64>, days: i64) -> Batch {
        for offset in offsets {
            let timestamp_ms = Some(offset % days * DAY);
            let record = Record {
                topic: &self.topic,
                partition,
                offset,
                timestamp_ms,
                value: b"x",
                ..Record::default()
            };
            let target = Target { topic: &self.topic, index: "logs" };
            self.builder.push(target, &record, &Line::Plain, &Original::default());
        }
        self.builder.finish()
    }
}

fn ids(dir: &Path) -> Vec<String> {
    let mut ids = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "ndjson") {
            for line in fs::read_to_string(&path).unwrap().lines() {
                let document: serde_json::Value = serde_json::from_str(line).unwrap();
                ids.push(document["_id"].as_str().unwrap().to_owned());
            }
        }
    }
    ids.sort_unstable();
    ids
}

fn expected(offsets: std::ops::Range<i64>) -> Vec<String> {
    let mut ids: Vec<String> = offsets.map(|offset| format!("t:0:{offset}")).collect();
    ids.sort_unstable();
    ids
}

#[test]
fn documents_go_to_the_file_of_their_day() {
    let dir = TempDir::new().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let batch = Source::new().batch(0, 0..10, 3);
    assert_eq!(store.append(&batch).unwrap(), Appended::Written);
    let lines = |name: &str| fs::read_to_string(dir.path().join(name)).unwrap().lines().count();
    assert_eq!((lines(FILE), lines("logs-1970.01.02.ndjson"), lines("logs-1970.01.03.ndjson")), (4, 3, 3));
    assert_eq!(ids(dir.path()), expected(0..10));
}

#[test]
fn a_start_goes_on_at_the_recorded_positions() {
    let dir = TempDir::new().unwrap();
    let mut source = Source::new();
    let store = Store::open(dir.path()).unwrap();
    store.append(&source.batch(0, 0..5, 2)).unwrap();
    store.append(&source.batch(1, 7..9, 2)).unwrap();
    drop(store);
    let store = Store::open(dir.path()).unwrap();
    let positions = store.begin(0);
    assert_eq!(positions.get(&("t".to_owned(), 0)), Some(&5));
    assert_eq!(positions.get(&("t".to_owned(), 1)), Some(&9));
    assert_eq!(positions.len(), 2);
}

/// A kill in the middle of an append leaves lines, or half a line, that no position speaks of.
#[test]
fn lines_that_were_not_recorded_are_cut_off_at_the_start() {
    let dir = TempDir::new().unwrap();
    let store = Store::open(dir.path()).unwrap();
    store.append(&Source::new().batch(0, 0..3, 1)).unwrap();
    drop(store);
    let path = dir.path().join(FILE);
    OpenOptions::new()
        .append(true)
        .open(&path)
        .unwrap()
        .write_all(b"{\"_id\":\"t:0:3\"}\n{\"_id\":\"t:0")
        .unwrap();
    // and a file of a day that had none before
    fs::write(dir.path().join("logs-1970.01.02.ndjson"), b"{\"_id\":\"t:0:4\"}\n").unwrap();
    let store = Store::open(dir.path()).unwrap();
    assert_eq!(ids(dir.path()), expected(0..3));
    store.append(&Source::new().batch(0, 3..6, 2)).unwrap();
    assert_eq!(ids(dir.path()), expected(0..6));
}

#[test]
fn an_append_that_failed_half_way_is_repeated_without_a_double() {
    let dir = TempDir::new().unwrap();
    let mut source = Source::new();
    let store = Store::open(dir.path()).unwrap();
    store.append(&source.batch(0, 0..2, 1)).unwrap();
    let batch = source.batch(0, 2..6, 2);
    // the second day's file cannot be opened: the first one's lines are already there
    let obstacle = dir.path().join("logs-1970.01.02.ndjson");
    fs::create_dir(&obstacle).unwrap();
    store.append(&batch).unwrap_err();
    store.append(&batch).unwrap_err();
    fs::remove_dir(&obstacle).unwrap();
    store.append(&batch).unwrap();
    assert_eq!(ids(dir.path()), expected(0..6));
}

#[test]
fn batches_from_before_an_assignment_are_not_written() {
    let dir = TempDir::new().unwrap();
    let mut source = Source::new();
    let store = Store::open(dir.path()).unwrap();
    let (old, new) = (source.batch(0, 0..2, 1), source.batch(0, 0..2, 1));
    store.begin(new.id);
    assert_eq!(store.append(&old).unwrap(), Appended::Stale);
    assert_eq!(store.append(&new).unwrap(), Appended::Written);
    assert_eq!(ids(dir.path()), expected(0..2));
}

#[test]
fn files_may_be_moved_away_and_positions_deleted() {
    let dir = TempDir::new().unwrap();
    let mut source = Source::new();
    let store = Store::open(dir.path()).unwrap();
    store.append(&source.batch(0, 0..2, 1)).unwrap();
    fs::rename(dir.path().join(FILE), dir.path().join("kept")).unwrap();
    store.append(&source.batch(0, 2..4, 1)).unwrap();
    assert_eq!(ids(dir.path()), expected(2..4));
    drop(store);
    // without positions whole lines stay, and half a one goes
    fs::remove_file(dir.path().join(POSITIONS)).unwrap();
    OpenOptions::new().append(true).open(dir.path().join(FILE)).unwrap().write_all(b"{\"_id").unwrap();
    let store = Store::open(dir.path()).unwrap();
    assert!(store.begin(0).is_empty());
    assert_eq!(ids(dir.path()), expected(2..4));
}

#[test]
fn files_of_others_are_left_alone() {
    let dir = TempDir::new().unwrap();
    drop(Store::open(dir.path()).unwrap());
    for name in ["notes.txt", "export.ndjson", "logs-2026-11-21.ndjson", "x-2026.11.2.ndjson"] {
        fs::write(dir.path().join(name), b"{}").unwrap();
    }
    drop(Store::open(dir.path()).unwrap());
    for name in ["notes.txt", "export.ndjson", "logs-2026-11-21.ndjson", "x-2026.11.2.ndjson"] {
        assert_eq!(fs::read(dir.path().join(name)).unwrap(), b"{}", "{name}");
    }
}

#[test]
fn a_directory_has_one_owner() {
    let dir = TempDir::new().unwrap();
    let first = Store::open(dir.path()).unwrap();
    assert!(matches!(Store::open(dir.path()), Err(NdjsonError::Locked { .. })));
    drop(first);
    Store::open(dir.path()).unwrap();
}

#[test]
fn positions_that_someone_changed_are_refused() {
    let dir = TempDir::new().unwrap();
    for text in ["", "{}", "not json", r#"{"version":2,"partitions":{},"files":{}}"#] {
        fs::write(dir.path().join(POSITIONS), text).unwrap();
        let error = Store::open(dir.path()).unwrap_err();
        assert!(matches!(error, NdjsonError::Positions { .. }), "{text}: {error}");
    }
}

#[test]
fn the_last_line_end_is_found_in_a_long_line() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("x");
    let mut text = b"{}\n".to_vec();
    text.resize(200_000, b'x');
    fs::write(&path, &text).unwrap();
    assert_eq!(whole_lines(&path).unwrap(), 3);
    fs::write(&path, b"no end").unwrap();
    assert_eq!(whole_lines(&path).unwrap(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Appends, kills that leave any part of the next append, restarts: each document stands once.
    #[test]
    fn every_document_stands_once_over_any_number_of_kills(
        steps in proptest::collection::vec((1..6i64, 1..4i64, any::<Option<prop::sample::Index>>()), 1..12),
    ) {
        let dir = TempDir::new().unwrap();
        let mut store = Store::open(dir.path()).unwrap();
        let mut source = Source::new();
        let mut next = 0;
        for (count, days, kill) in steps {
            let batch = source.batch(0, next..next + count, days);
            match kill {
                None => {
                    store.append(&batch).unwrap();
                    next += count;
                }
                Some(at) => {
                    drop(store);
                    tear(dir.path(), &batch, at);
                    store = Store::open(dir.path()).unwrap();
                    let recorded = store.begin(batch.id + 1).get(&("t".to_owned(), 0)).copied();
                    prop_assert_eq!(recorded.unwrap_or(0), next);
                }
            }
            let found = ids(dir.path());
            prop_assert_eq!(found, expected(0..next));
        }
    }
}

/// What a kill leaves: some of the batch's bytes, in some of its files, and nothing recorded.
fn tear(dir: &Path, batch: &Batch, at: prop::sample::Index) {
    let mut budget = at.index(batch.body.len() + 1);
    for (index, name) in batch.indices.iter().enumerate() {
        let mut file =
            OpenOptions::new().create(true).append(true).open(dir.join(format!("{name}.ndjson"))).unwrap();
        for item in batch.items.iter().filter(|item| item.index == index) {
            let bytes = &batch.body[item.bytes.clone()];
            let part = budget.min(bytes.len());
            file.write_all(&bytes[..part]).unwrap();
            budget -= part;
        }
    }
}
