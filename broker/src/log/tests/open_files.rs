//! Which files are open, and what readers find whose segment's files are gone.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;
use wire::record::{BatchHeader, Compression};

use super::{FaultyDisk, Lab, NOON, keyed, read_values, values};
use crate::log::config::{CleanupPolicy, LogConfig};
use crate::log::partition::Partition;
use crate::log::segment::Segment;
use crate::log::{LogManager, ManagerOptions, ManualClock};

const PARTITIONS: i32 = 20;

/// A data directory and what it is opened with.
struct Data {
    dir: TempDir,
    clock: Arc<ManualClock>,
}

impl Data {
    fn new() -> Self {
        Data { dir: TempDir::new().unwrap(), clock: Arc::new(ManualClock::at(NOON)) }
    }

    fn open(&self) -> LogManager {
        let options = ManagerOptions {
            data_dir: self.dir.path().to_path_buf(),
            node_id: 1,
            defaults: LogConfig { segment_bytes: 4000, index_interval_bytes: 0, ..LogConfig::default() },
            partitions_max: 50,
            recovery_threads: 2,
            clock: self.clock.clone(),
            disk: Arc::new(FaultyDisk::default()),
        };
        LogManager::open(options).unwrap().0
    }

    /// The files below the directory that this process has open, but for the lock.
    fn open_files(&self) -> Vec<PathBuf> {
        let dir = self.dir.path().canonicalize().unwrap();
        let descriptors = fs::read_dir("/proc/self/fd").unwrap();
        // other tests open and close theirs meanwhile
        let targets = descriptors.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
        targets.filter(|target| target.starts_with(&dir) && !target.ends_with(".lock")).collect()
    }

    /// One file is open for each partition, a `.log`.
    fn assert_one_each(&self, when: &str) {
        let open = self.open_files();
        let logs = open.iter().filter(|path| path.extension().is_some_and(|suffix| suffix == "log")).count();
        assert_eq!((logs, open.len()), (PARTITIONS as usize, PARTITIONS as usize), "{when}: {open:?}");
    }
}

fn names(dir: &Path) -> BTreeSet<PathBuf> {
    fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn a_partition_keeps_one_file_open() {
    let data = Data::new();
    let logs = data.open();
    let topic = logs.create_topic("t", PARTITIONS, BTreeMap::new()).unwrap();
    data.assert_one_each("created");
    for index in 0..PARTITIONS {
        for suffix in ["log", "index", "timeindex"] {
            let file = format!("t-{index}/00000000000000000000.{suffix}");
            assert!(data.dir.path().join(&file).exists(), "Kafka's tools look for {file}");
        }
    }
    for partition in topic.partitions() {
        partition.append(&mut values(&["a"])).unwrap();
        partition.append(&mut values(&["b"])).unwrap();
    }
    data.assert_one_each("written to a little");
    drop((logs, topic));
    let logs = data.open();
    data.assert_one_each("opened after a kill");
    logs.close().unwrap();
    drop(logs);
    let logs = data.open();
    data.assert_one_each("opened after a clean stop");
    let values = read_values(&logs.partition("t", 3).unwrap());
    assert_eq!(values, [(0, "a".to_owned()), (1, "b".to_owned())]);
}

/// So many entries that they are not only in memory: the files are open until they were synced.
#[test]
fn indexes_that_were_written_to_are_closed_when_the_partition_is_idle() {
    let data = Data::new();
    let logs = data.open();
    let config = BTreeMap::from([("segment.bytes".to_owned(), "1000000".to_owned())]);
    let topic = logs.create_topic("t", PARTITIONS, config).unwrap();
    let busy = &topic.partitions()[7];
    for number in 0..200 {
        busy.append(&mut super::values_at(NOON + number, &["a"])).unwrap();
    }
    assert_eq!(data.open_files().len(), PARTITIONS as usize + 2, "both indexes");
    busy.flush_to(i64::MAX).unwrap();
    logs.tick();
    assert_eq!(data.open_files().len(), PARTITIONS as usize + 2, "it is not idle yet");
    data.clock.advance(60_000);
    assert_eq!(logs.tick().failures, 0);
    data.assert_one_each("idle");
    let wanted: Vec<_> = (0..200).map(|offset| (offset, "a".to_owned())).collect();
    assert_eq!(read_values(busy), wanted);
    busy.append(&mut values(&["more"])).unwrap();
    let segments = busy.segments();
    assert_eq!(segments[0].find(100).unwrap().unwrap().1.base_offset, 100);
    data.assert_one_each("read and written to again");
}

#[test]
fn segments_that_no_longer_grow_keep_one_file_open_once_they_are_flushed() {
    let data = Data::new();
    let logs = data.open();
    let topic = logs.create_topic("t", 1, BTreeMap::new()).unwrap();
    let partition = topic.partition(0).unwrap();
    for _ in 0..300 {
        partition.append(&mut values(&["some text"])).unwrap();
    }
    partition.flush_to(i64::MAX).unwrap();
    assert!(partition.segment_count() > 4);
    // the active one has fewer entries than are written at a time
    assert_eq!(data.open_files().len(), partition.segment_count());
}

/// What a segment answers for each of its offsets.
type Answers = Vec<Option<(u32, BatchHeader)>>;

fn answers(segment: &Segment) -> Answers {
    let first = segment.base_offset();
    (first..first + 20).map(|offset| segment.find(offset).unwrap()).collect()
}

/// The closed segments as a reader holds them, with their answers.
fn held(partition: &Partition) -> Vec<(Arc<Segment>, Answers)> {
    let mut segments = partition.segments();
    segments.pop();
    segments.into_iter().map(|segment| (Arc::clone(&segment), answers(&segment))).collect()
}

#[test]
fn a_reader_of_a_segment_that_compaction_has_replaced_goes_on_with_it() {
    let config = LogConfig {
        cleanup_policy: CleanupPolicy::COMPACT,
        segment_bytes: 2000,
        index_interval_bytes: 0,
        min_cleanable_dirty_ratio: 0.01,
        ..LogConfig::default()
    };
    let lab = Lab::with(config);
    let partition = lab.open();
    for number in 0..200 {
        let (key, value) = (format!("key-{}", number % 25), number.to_string());
        let records = [(key.as_str(), Some(value.as_str()))];
        partition.append(&mut keyed(NOON + number, Compression::None, &records)).unwrap();
    }
    let held = held(&partition);
    assert!(held.len() > 4);
    let boundaries: Vec<u32> = held.iter().map(|(segment, _)| segment.boundary_before(700)).collect();
    partition.compact_if_due(NOON).unwrap().unwrap();
    assert!(partition.segment_count() < held.len());
    let files = names(lab.dir.path());
    for ((segment, wanted), boundary) in held.iter().zip(boundaries) {
        assert_eq!(answers(segment), *wanted);
        assert!(boundary > 0);
        assert_eq!(segment.boundary_before(700), boundary, "its own index, not that of the new segment");
    }
    assert_eq!(names(lab.dir.path()), files);
}

#[test]
fn a_reader_of_a_segment_that_was_deleted_goes_on_with_it() {
    let lab = Lab::with(LogConfig { retention_bytes: 0, ..Lab::small().config });
    let partition = lab.open();
    for number in 0..100 {
        partition.append(&mut values(&[&number.to_string()])).unwrap();
    }
    let held = held(&partition);
    assert!(partition.apply_retention(NOON).unwrap() > 0);
    assert_eq!(partition.segment_count(), 1);
    let files = names(lab.dir.path());
    for (segment, wanted) in &held {
        assert_eq!(answers(segment), *wanted);
        segment.sync_indexes(&*lab.disk).unwrap();
    }
    assert_eq!(names(lab.dir.path()), files, "no file came back");
}

/// The new topic's files have the names of the old one's.
#[test]
fn a_reader_of_a_deleted_topic_does_not_see_the_next_one_of_its_name() {
    let data = Data::new();
    let logs = data.open();
    let fill = |values: fn(i32) -> String| {
        let topic = logs.create_topic("t", 1, BTreeMap::new()).unwrap();
        let partition = Arc::clone(topic.partition(0).unwrap());
        for number in 0..200 {
            partition.append(&mut super::values(&[&values(number)])).unwrap();
        }
        partition.flush_to(i64::MAX).unwrap();
        partition
    };
    let old = fill(|number| number.to_string());
    let held = held(&old);
    assert!(held.len() > 2 && held.iter().all(|(segment, _)| segment.boundary_before(700) > 0));
    logs.delete_topic("t").unwrap();
    for (segment, wanted) in &held {
        assert_eq!(answers(segment), *wanted);
    }
    assert!(!data.dir.path().join("t-0").exists());
    let new = fill(|number| "x".repeat(number as usize % 100));
    for (segment, wanted) in &held {
        assert_eq!(answers(segment), *wanted);
        assert_eq!(segment.boundary_before(700), 0, "the index has no file any more");
    }
    assert_eq!(read_values(&new).len(), 200);
}
