//! A long compaction, and what goes on beside it: threads, and a disk on which a compacted segment takes as long as a test wants.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use tempfile::TempDir;
use wire::record::Compression;

use super::{Fault, Lab, NOON, Read, keyed, read_from, values};
use crate::log::config::{CleanupPolicy, LogConfig};
use crate::log::disk::{Disk, RealDisk};
use crate::log::partition::Partition;
use crate::log::{
    CleanReport, LogManager, ManagerOptions, ManualClock, OpenReport, TickReport, TopicError, verify,
};

/// What takes longer waits for what it should not wait for.
const PATIENCE: Duration = Duration::from_secs(60);

/// The real disk, but for a gate before what compaction writes.
#[derive(Debug, Default)]
struct SlowDisk {
    gate: Mutex<Gate>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Gate {
    shut: bool,
    waiting: bool,
}

impl SlowDisk {
    fn shut(&self) {
        self.gate.lock().shut = true;
    }

    fn release(&self) {
        self.gate.lock().shut = false;
        self.changed.notify_all();
    }

    fn is_waited_for(&self) -> bool {
        self.gate.lock().waiting
    }

    fn pass(&self) {
        let mut gate = self.gate.lock();
        gate.waiting = true;
        while gate.shut {
            self.changed.wait(&mut gate);
        }
        gate.waiting = false;
    }
}

fn is_of_compaction(file: &File) -> bool {
    let path = fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())).unwrap();
    path.extension().is_some_and(|suffix| suffix == "cleaned")
}

impl Disk for SlowDisk {
    fn write_at(&self, file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
        if is_of_compaction(file) {
            self.pass();
        }
        RealDisk.write_at(file, bytes, at)
    }
}

/// A data directory with the topic `keyed`, of which 60 records are to be compacted.
struct Data {
    dir: TempDir,
    clock: Arc<ManualClock>,
    disk: Arc<SlowDisk>,
}

impl Data {
    fn new() -> (Self, Arc<LogManager>, Arc<Partition>) {
        let data = Data {
            dir: TempDir::new().unwrap(),
            clock: Arc::new(ManualClock::at(NOON)),
            disk: Arc::default(),
        };
        let (logs, _) = data.open();
        let topic = logs.create_topic("keyed", 1, configs("cleanup.policy", "compact")).unwrap();
        let partition = Arc::clone(topic.partition(0).unwrap());
        for number in 0..60 {
            put(&partition, number % 40, number);
        }
        (data, Arc::new(logs), partition)
    }

    fn open(&self) -> (LogManager, OpenReport) {
        let defaults = LogConfig {
            segment_bytes: 1000,
            index_interval_bytes: 100,
            min_cleanable_dirty_ratio: 0.01,
            ..LogConfig::default()
        };
        let options = ManagerOptions {
            data_dir: self.dir.path().to_owned(),
            node_id: 1,
            defaults,
            partitions_max: 10,
            recovery_threads: 2,
            clock: self.clock.clone(),
            disk: self.disk.clone(),
        };
        LogManager::open(options).unwrap()
    }

    /// Begins a compaction that lasts until the disk is released.
    fn begin_compaction(&self, logs: &Arc<LogManager>) -> JoinHandle<CleanReport> {
        self.disk.shut();
        let cleaner = beside(logs, LogManager::clean);
        until("nothing is compacted", || self.disk.is_waited_for());
        cleaner
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.dir.path().join(name)).unwrap()
    }

    /// The files of the partition with their bytes.
    fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let paths = fs::read_dir(self.dir.path().join("keyed-0")).unwrap().map(|entry| entry.unwrap().path());
        paths.map(|path| (path.clone(), fs::read(path).unwrap())).collect()
    }
}

fn configs(name: &str, value: &str) -> BTreeMap<String, String> {
    BTreeMap::from([(name.to_owned(), value.to_owned())])
}

fn put(partition: &Partition, key: i64, value: i64) {
    let (key, value) = (format!("k{key}"), value.to_string());
    let records = [(key.as_str(), Some(value.as_str()))];
    partition.append(&mut keyed(NOON, Compression::None, &records)).unwrap();
}

/// The newest value of each key from `offset` on.
fn state(partition: &Partition, offset: i64) -> BTreeMap<Option<String>, Option<String>> {
    let records = read_from(partition, offset, 300).into_iter();
    records.map(|Read { key, value, .. }| (key, value)).collect()
}

fn beside<T: Send + 'static>(logs: &Arc<LogManager>, what: fn(&LogManager) -> T) -> JoinHandle<T> {
    let logs = Arc::clone(logs);
    thread::spawn(move || what(&logs))
}

fn until(otherwise: &str, holds: impl Fn() -> bool) {
    let begin = Instant::now();
    while !holds() {
        assert!(begin.elapsed() < PATIENCE, "{otherwise}");
        thread::sleep(Duration::from_millis(1));
    }
}

fn end_of<T>(thread: JoinHandle<T>) -> T {
    until("it waits in vain", || thread.is_finished());
    thread.join().unwrap()
}

/// All upkeep waited until a compaction was done: records were not flushed by time, disks filled up.
#[test]
fn a_long_compaction_delays_nothing_else() {
    let (data, logs, busy) = Data::new();
    let topic = logs.create_topic("plain", 1, configs("flush.ms", "1000")).unwrap();
    let plain = topic.partition(0).unwrap();
    let cleaner = data.begin_compaction(&logs);
    plain.append(&mut values(&["waits for flush.ms"])).unwrap();
    put(&busy, 3, 1000);
    assert_eq!(read_from(&busy, 0, 300).len(), 61);
    busy.delete_records_before(30).unwrap();
    let (before, segments) = (state(&busy, 30), busy.segment_count());
    data.clock.advance(60_000);
    assert_eq!(end_of(beside(&logs, LogManager::tick)), TickReport::default());
    assert_eq!((plain.flushed_offset(), busy.segment_count()), (1, segments));
    assert!(data.read("recovery-point-offset-checkpoint").ends_with("\nplain 0 1\n"));
    assert_eq!(data.read("log-start-offset-checkpoint"), "0\n2\nkeyed 0 30\nplain 0 0\n");
    assert_eq!(data.read("cleaner-offset-checkpoint"), "0\n1\nkeyed 0 0\n");
    assert!(!cleaner.is_finished());
    data.disk.release();
    let report = end_of(cleaner);
    assert!(report.compacted_bytes > 0 && report.failures == 0, "{report:?}");
    assert_eq!(state(&busy, 30), before);
    data.clock.advance(60_000);
    let report = logs.tick();
    assert!(report.deleted_bytes > 0 && report.failures == 0, "{report:?}");
    assert!(!data.read("cleaner-offset-checkpoint").ends_with(" 0 0\n"));
    assert_eq!(state(&busy, 30), before);
}

/// The next start trusts the files of a clean stop.
#[test]
fn a_compaction_changes_no_file_after_a_clean_stop_that_does_not_wait_for_its_end() {
    let (data, logs, busy) = Data::new();
    let before = state(&busy, 0);
    let cleaner = data.begin_compaction(&logs);
    let closing = beside(&logs, LogManager::close);
    until("nobody asks it to give way", || busy.must_give_way());
    assert!(!closing.is_finished());
    data.disk.release();
    end_of(closing).unwrap();
    let files = data.files();
    assert_eq!(end_of(cleaner), CleanReport::default(), "it was not completed");
    assert_eq!(data.files(), files);
    drop((logs, busy));
    let report = verify::verify(&[data.dir.path().to_owned()], &mut |_| {}).unwrap();
    assert!(!report.is_damaged(), "{:?}", report.findings);
    let (logs, report) = data.open();
    assert_eq!(report, OpenReport { clean: true, partitions: 1, ..OpenReport::default() });
    let partition = logs.partition("keyed", 0).unwrap();
    assert_eq!(state(&partition, 0), before);
    assert!(logs.clean().compacted_bytes > 0);
    assert_eq!(state(&partition, 0), before);
}

/// The old topic's segments took the place of those of the new one, whose files have the same names.
#[test]
fn a_compaction_does_not_reach_into_the_next_topic_of_the_name() {
    let (data, logs, busy) = Data::new();
    let cleaner = data.begin_compaction(&logs);
    let deletion = beside(&logs, |logs| logs.delete_topic("keyed"));
    until("nobody asks it to give way", || busy.must_give_way());
    assert!(data.dir.path().join("keyed-0").exists(), "a compaction is writing there");
    data.disk.release();
    end_of(deletion).unwrap();
    assert_eq!(end_of(cleaner), CleanReport::default());
    assert!(!busy.is_offline(), "deleted is not failed");
    assert_eq!(busy.compact_if_due(NOON).unwrap_err().to_string(), "partition keyed-0 is closed");
    let topic = logs.create_topic("keyed", 1, BTreeMap::new()).unwrap();
    topic.partition(0).unwrap().append(&mut values(&["new"])).unwrap();
    drop((logs, busy, topic));
    let (logs, report) = data.open();
    assert_eq!(report.total.truncated_bytes, 0);
    let new = Read { offset: 0, key: None, value: Some("new".to_owned()) };
    assert_eq!(read_from(&logs.partition("keyed", 0).unwrap(), 0, 300), [new]);
}

/// A gap that comes after the change would be taken for damage.
#[test]
fn a_compaction_gives_way_to_a_change_of_the_cleanup_policy() {
    let (data, logs, busy) = Data::new();
    let before = state(&busy, 0);
    let cleaner = data.begin_compaction(&logs);
    let to_delete = |logs: &LogManager| {
        logs.alter_topic::<TopicError>("keyed", false, |_| Ok(configs("cleanup.policy", "delete")))
    };
    let change = beside(&logs, to_delete);
    until("nobody asks it to give way", || busy.must_give_way());
    data.disk.release();
    end_of(change).unwrap();
    assert_eq!(end_of(cleaner), CleanReport::default());
    assert_eq!(logs.clean(), CleanReport::default());
    drop((logs, busy));
    let (logs, report) = data.open();
    assert_eq!((report.total.truncated_bytes, report.total.segments_deleted), (0, 0));
    assert_eq!(state(&logs.partition("keyed", 0).unwrap(), 0), before);
}

/// A crash may bring back such segments, and values in them whose tombstones compaction has removed.
#[test]
fn a_log_is_not_compacted_while_files_of_deleted_segments_are_left() {
    let config = LogConfig {
        cleanup_policy: CleanupPolicy { delete: true, compact: true },
        segment_bytes: 500,
        min_cleanable_dirty_ratio: 0.01,
        ..LogConfig::default()
    };
    let lab = Lab::with(config);
    let partition = lab.open();
    for number in 0..40 {
        put(&partition, number % 5, number);
    }
    partition.delete_records_before(20).unwrap();
    lab.disk.fail(Fault::Remove);
    partition.apply_retention(NOON).unwrap_err();
    assert_eq!(partition.compact_if_due(NOON).unwrap(), None);
    assert!(partition.apply_retention(NOON).unwrap() > 0);
    assert!(partition.compact_if_due(NOON).unwrap().is_some());
}
