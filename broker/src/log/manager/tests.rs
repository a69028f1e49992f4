mod changes;
mod parallel;
mod registry;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use tempfile::TempDir;
use uuid::Uuid;

use super::names::{
    check_topic_name, decode_id, encode_id, new_topic_id, parse_partition_dir, parse_partition_metadata,
    partition_metadata,
};
use super::{
    FileTopicStore, LogManager, ManagerOptions, OpenError, OpenReport, TopicError, TopicMeta, TopicStore,
};
use crate::log::config::LogConfig;
use crate::log::tests::{Fault, FaultyDisk, NOON, keyed, produced, read_values, values, values_at};
use crate::log::{ManualClock, RealDisk};

struct Dir {
    dir: TempDir,
    clock: Arc<ManualClock>,
    disk: Arc<FaultyDisk>,
}

impl Dir {
    fn new() -> Self {
        Dir { dir: TempDir::new().unwrap(), clock: Arc::new(ManualClock::at(NOON)), disk: Arc::default() }
    }

    fn options(&self) -> ManagerOptions {
        ManagerOptions {
            data_dir: self.dir.path().join("data"),
            node_id: 1,
            defaults: LogConfig { segment_bytes: 1000, index_interval_bytes: 100, ..LogConfig::default() },
            partitions_max: 50,
            recovery_threads: 3,
            clock: self.clock.clone(),
            disk: self.disk.clone(),
        }
    }

    fn open(&self) -> (LogManager, OpenReport) {
        LogManager::open(self.options()).unwrap()
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.dir.path().join("data").join(name)
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.dir.path().join("data")).unwrap();
        let mut names: Vec<String> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

fn configs(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn create(logs: &LogManager, name: &str, partitions: i32) -> Arc<super::Topic> {
    logs.create_topic(name, partitions, BTreeMap::new()).unwrap()
}

fn append(logs: &LogManager, topic: &str, partition: i32, value: &str) {
    logs.partition(topic, partition).unwrap().append(&mut values(&[value])).unwrap();
}

#[test]
fn topics_are_directories_that_say_whose_they_are() {
    let dir = Dir::new();
    let (logs, report) = dir.open();
    assert_eq!((report.clean, report.partitions), (false, 0));
    let topic = create(&logs, "nginx_log", 2);
    assert!(dir.path("nginx_log-0").is_dir() && dir.path("nginx_log-1").is_dir());
    let metadata = fs::read_to_string(dir.path("nginx_log-1/partition.metadata")).unwrap();
    assert_eq!(metadata, format!("version: 0\ntopic_id: {}\n", encode_id(topic.id())));
    assert_eq!(logs.topic_by_id(topic.id()).unwrap().name(), "nginx_log");
    assert!(logs.partition("nginx_log", 1).is_some());
    for (name, index) in [("nginx_log", 2), ("nginx_log", -1), ("other", 0)] {
        assert!(logs.partition(name, index).is_none());
    }
}

#[test]
fn everything_is_there_after_a_clean_stop() {
    let dir = Dir::new();
    let (logs, _) = dir.open();
    logs.create_topic("a", 2, configs(&[("retention.ms", "1000")])).unwrap();
    create(&logs, "b", 1);
    for number in 0..30 {
        append(&logs, "a", number % 2, &number.to_string());
    }
    let (cluster_id, a) = (logs.cluster_id().to_owned(), logs.topic("a").unwrap().id());
    logs.close().unwrap();
    drop(logs);
    assert!(dir.path(".kafka_cleanshutdown").exists());
    let (logs, report) = dir.open();
    assert_eq!(report, OpenReport { clean: true, partitions: 3, ..OpenReport::default() });
    assert!(!dir.path(".kafka_cleanshutdown").exists());
    assert_eq!((logs.cluster_id(), logs.topic("a").unwrap().id()), (cluster_id.as_str(), a));
    assert_eq!(logs.topics().iter().map(|t| t.name().to_owned()).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(read_values(&logs.partition("a", 1).unwrap()).len(), 15);
    assert_eq!(logs.partition("a", 0).unwrap().config().retention_ms, 1000);
    assert_eq!(logs.partition("b", 0).unwrap().config().retention_ms, 604_800_000);
}

#[test]
fn a_crash_is_recovered_from_and_reported() {
    let dir = Dir::new();
    let (logs, _) = dir.open();
    create(&logs, "t", 5);
    for number in 0..50 {
        append(&logs, "t", number % 5, &number.to_string());
    }
    drop(logs);
    let log = dir.path("t-3/00000000000000000000.log");
    let mut bytes = fs::read(&log).unwrap();
    bytes.extend([9; 40]);
    fs::write(&log, bytes).unwrap();
    let (logs, report) = dir.open();
    assert!(!report.clean);
    assert_eq!((report.partitions, report.total.truncated_bytes), (5, 40));
    let cut: Vec<_> = report.recovered.iter().filter(|(_, recovery)| recovery.truncated_bytes > 0).collect();
    assert_eq!(cut.len(), 1);
    assert_eq!(cut[0].0, "t-3");
    assert!(report.total.reason.unwrap().contains("t-3/00000000000000000000.log"));
    for partition in 0..5 {
        assert_eq!(read_values(&logs.partition("t", partition).unwrap()).len(), 10);
    }
}

#[test]
fn the_recovery_point_spares_a_crash_what_was_flushed() {
    let dir = Dir::new();
    let (logs, _) = dir.open();
    create(&logs, "t", 1);
    for number in 0..100 {
        append(&logs, "t", 0, &number.to_string());
    }
    let partition = logs.partition("t", 0).unwrap();
    partition.flush_to(i64::MAX).unwrap();
    dir.clock.advance(60_000);
    assert_eq!(logs.tick().failures, 0);
    let text = fs::read_to_string(dir.path("recovery-point-offset-checkpoint")).unwrap();
    assert_eq!(text, "0\n1\nt 0 100\n");
    assert!(partition.segment_count() > 5);
    drop((logs, partition));
    assert_eq!(dir.open().1.total.segments_scanned, 1);
}

#[test]
fn a_directory_serves_one_broker_at_a_time() {
    let dir = Dir::new();
    let (logs, _) = dir.open();
    assert!(matches!(LogManager::open(dir.options()), Err(OpenError::Locked(_))));
    drop(logs);
    dir.open();
}

#[test]
fn a_directory_of_another_node_is_refused() {
    let dir = Dir::new();
    drop(dir.open());
    let error = LogManager::open(ManagerOptions { node_id: 2, ..dir.options() }).unwrap_err();
    assert!(error.to_string().contains("belongs to node 1, but this one is configured as 2"), "{error}");
    fs::write(dir.path("meta.properties"), "cluster.id=x\n").unwrap();
    assert!(matches!(LogManager::open(dir.options()), Err(OpenError::Malformed(_))));
    // as Kafka wrote it before KRaft
    fs::write(dir.path("meta.properties"), "#comment\nversion=0\nbroker.id=1\ncluster.id=abc\n").unwrap();
    assert_eq!(dir.open().0.cluster_id(), "abc");
}

#[test]
fn topics_that_cannot_be_are_refused_with_kafkas_codes() {
    let dir = Dir::new();
    let (logs, _) = dir.open();
    create(&logs, "t", 1);
    let code = |name: &str, partitions, pairs: &[(&str, &str)]| {
        logs.create_topic(name, partitions, configs(pairs)).unwrap_err().error_code().code()
    };
    assert_eq!(code("t", 1, &[]), 36);
    assert_eq!(code("a/b", 1, &[]), 17);
    assert_eq!(code("u", 0, &[]), 37);
    assert_eq!(code("u", -1, &[]), 37);
    assert_eq!(code("u", i32::MAX, &[]), 37);
    assert_eq!(code("u", 50, &[]), 37);
    assert_eq!(code("u", 1, &[("no.such.thing", "1")]), 40);
    assert!(matches!(logs.delete_topic("u"), Err(TopicError::Unknown(_))));
    assert_eq!(logs.topics().len(), 1);
    assert!(!dir.path("u-0").exists());
}

#[test]
fn a_deleted_topic_is_gone_for_good() {
    let dir = Dir::new();
    let (logs, _) = dir.open();
    let old = create(&logs, "t", 2);
    append(&logs, "t", 0, "old");
    let partition = logs.partition("t", 0).unwrap();
    let slice = partition.read(0, 1000, true).unwrap();
    logs.delete_topic("t").unwrap();
    assert!(logs.topic("t").is_none() && logs.topic_by_id(old.id()).is_none());
    assert!(!dir.names().iter().any(|name| name.starts_with("t-")));
    assert!(partition.append(&mut values(&["late"])).is_err());
    // what was found before may be sent
    assert_eq!(slice.read_bytes().unwrap().len(), slice.len as usize);
    let new = create(&logs, "t", 1);
    assert_ne!(new.id(), old.id());
    assert_eq!(new.partition(0).unwrap().log_end_offset(), 0);
    drop((logs, partition));
    assert_eq!(dir.open().0.topic("t").unwrap().id(), new.id());
}

#[test]
fn an_interrupted_deletion_is_completed_by_the_next_start() {
    for faults in [[Fault::Rename, Fault::Rename], [Fault::Open, Fault::Open]] {
        let dir = Dir::new();
        let (logs, _) = dir.open();
        create(&logs, "t", 2);
        append(&logs, "t", 1, "old");
        // the mark itself is written with the first rename and opening: let that one pass
        let meta = logs.topic("t").unwrap().meta.clone();
        logs.store.put(&TopicMeta { deleting: true, ..meta }).unwrap();
        dir.disk.fail(faults[0]);
        drop(logs);
        let failed = LogManager::open(dir.options());
        assert!(failed.is_err());
        let (logs, report) = dir.open();
        assert_eq!((logs.topics().len(), report.partitions), (0, 0));
        assert!(!dir.names().iter().any(|name| name.starts_with("t-")));
    }
}

#[test]
fn a_creation_that_fails_leaves_no_topic() {
    let dir = Dir::new();
    let (logs, _) = dir.open();
    dir.disk.fail(Fault::SyncDir);
    assert!(logs.create_topic("t", 3, BTreeMap::new()).is_err());
    assert!(logs.topic("t").is_none());
    let topic = create(&logs, "t", 3);
    assert_eq!(topic.partitions().len(), 3);
    append(&logs, "t", 0, "works");
}

#[test]
fn a_directory_in_the_way_is_moved_aside_not_used_and_not_deleted() {
    let dir = Dir::new();
    let (logs, _) = dir.open();
    fs::create_dir(dir.path("t-0")).unwrap();
    fs::write(dir.path("t-0/00000000000000000000.log"), values(&["stranger"])).unwrap();
    create(&logs, "t", 1);
    assert_eq!(logs.partition("t", 0).unwrap().log_end_offset(), 0);
    let stray = dir.names().into_iter().find(|name| name.ends_with("-stray")).unwrap();
    assert!(dir.path(&stray).join("00000000000000000000.log").exists());
}

#[test]
fn a_lost_registry_is_rebuilt_from_the_directories() {
    let dir = Dir::new();
    let (logs, _) = dir.open();
    let id = create(&logs, "my-topic", 3).id();
    append(&logs, "my-topic", 2, "kept");
    logs.close().unwrap();
    drop(logs);
    fs::remove_file(dir.path("topics.json")).unwrap();
    fs::create_dir(dir.path("not-a-partition")).unwrap();
    let (logs, _) = dir.open();
    let topic = logs.topic("my-topic").unwrap();
    assert_eq!((topic.id(), topic.partitions().len()), (id, 3));
    assert_eq!(read_values(&logs.partition("my-topic", 2).unwrap()), [(0, "kept".to_owned())]);
    assert_eq!(logs.topics().len(), 1);
}

#[test]
fn a_registry_that_cannot_be_understood_stops_the_start() {
    let dir = Dir::new();
    let (logs, _) = dir.open();
    create(&logs, "t", 1);
    drop(logs);
    let path = dir.path("topics.json");
    let good = fs::read_to_string(&path).unwrap();
    for bad in [
        "",
        "{",
        &good.replace("\"version\": 1", "\"version\": 2"),
        &good.replace("\"id\": \"", "\"id\": \"!"),
    ] {
        fs::write(&path, bad).unwrap();
        assert!(LogManager::open(dir.options()).is_err(), "{bad}");
    }
    fs::write(&path, good).unwrap();
    assert_eq!(dir.open().0.topics().len(), 1);
}

#[test]
fn the_registry_changes_in_memory_only_when_the_file_has() {
    let dir = tempfile::tempdir().unwrap();
    let disk: Arc<FaultyDisk> = Arc::default();
    let store = FileTopicStore::new(disk.clone(), dir.path());
    assert!(store.load().unwrap().is_none());
    let meta = |name: &str| TopicMeta {
        name: name.to_owned(),
        id: new_topic_id(),
        partitions: 3,
        configs: configs(&[("retention.ms", "5")]),
        deleting: false,
    };
    let (a, b) = (meta("a"), meta("b"));
    store.put(&a).unwrap();
    disk.fail(Fault::Sync);
    assert!(store.put(&b).is_err());
    store.remove("nothing").unwrap();
    assert_eq!(FileTopicStore::new(Arc::new(RealDisk), dir.path()).load().unwrap().unwrap(), [a]);
}

/// Names become directories: one that leads elsewhere would have had the broker write and delete there.
#[test]
fn a_registry_with_topics_that_cannot_be_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let load = |topics: &[(&str, i32)]| {
        let id = "5q7QGYWjQ9y3bEwBemqaQA";
        let topic = |(name, partitions): &(&str, i32)| {
            format!(r#"{{"name":"{name}","id":"{id}","partitions":{partitions},"configs":{{}}}}"#)
        };
        let topics: Vec<String> = topics.iter().map(topic).collect();
        let text = format!(r#"{{"version":1,"topics":[{}]}}"#, topics.join(","));
        fs::write(dir.path().join("topics.json"), text).unwrap();
        FileTopicStore::new(Arc::new(RealDisk), dir.path()).load()
    };
    assert_eq!(load(&[("a", 1), ("b", 2)]).unwrap().unwrap().len(), 2);
    for topics in [[("a", 1), ("../b", 1)], [("a", 1), ("a", 2)], [("a", 1), ("b", 0)], [("a", 1), ("b", -1)]]
    {
        let error = load(&topics).unwrap_err().to_string();
        assert!(error.starts_with("cannot understand "), "{error}");
    }
}

#[test]
fn a_tick_deletes_and_forgets_and_a_round_of_compaction_compacts() {
    let dir = Dir::new();
    let (logs, _) = dir.open();
    logs.create_topic("old", 1, configs(&[("retention.ms", "1000")])).unwrap();
    logs.create_topic("keyed", 1, configs(&[("cleanup.policy", "compact")])).unwrap();
    let (old, keyed_log) = (logs.partition("old", 0).unwrap(), logs.partition("keyed", 0).unwrap());
    old.append(&mut values_at(NOON, &["a"])).unwrap();
    old.append(&mut produced(7, 0, 0, 1)).unwrap();
    for number in 0..100 {
        let value = number.to_string();
        let mut batch = keyed(NOON, wire::record::Compression::None, &[("k", Some(&value))]);
        keyed_log.append(&mut batch).unwrap();
    }
    dir.clock.advance(25 * 3_600_000);
    let report = logs.tick();
    assert!(report.deleted_bytes > 0);
    assert_eq!((report.failures, old.producer_count(), old.log_start_offset()), (0, 0, 2));
    let starts = fs::read_to_string(dir.path("log-start-offset-checkpoint")).unwrap();
    assert_eq!(starts, "0\n2\nkeyed 0 0\nold 0 2\n");
    let report = logs.clean();
    assert!(report.compacted_bytes > 0 && report.failures == 0);
    assert_eq!(logs.clean(), super::CleanReport::default(), "there is nothing new");
    dir.clock.advance(60_000);
    assert_eq!(logs.tick(), super::TickReport::default());
    let dirty = fs::read_to_string(dir.path("cleaner-offset-checkpoint")).unwrap();
    assert!(dirty.starts_with("0\n1\nkeyed 0 ") && !dirty.ends_with(" 0\n"));
}

#[test]
fn a_partition_that_fails_does_not_stop_the_others() {
    let dir = Dir::new();
    let (logs, _) = dir.open();
    create(&logs, "t", 3);
    for partition in 0..3 {
        append(&logs, "t", partition, "value");
    }
    dir.disk.fail(Fault::Sync);
    assert!(logs.partition("t", 0).unwrap().flush_to(1).is_err());
    assert_eq!(logs.tick().failures, 1);
    append(&logs, "t", 1, "value");
    assert!(logs.close().is_err(), "the stop was not clean");
    drop(logs);
    assert!(!dir.path(".kafka_cleanshutdown").exists());
    let (logs, report) = dir.open();
    assert!(!report.clean);
    assert_eq!(read_values(&logs.partition("t", 1).unwrap()).len(), 2);
}

#[test]
fn new_defaults_reach_all_topics_below_their_own_settings() {
    let dir = Dir::new();
    let (logs, _) = dir.open();
    create(&logs, "a", 1);
    logs.create_topic("b", 1, configs(&[("retention.ms", "1000")])).unwrap();
    logs.set_defaults(LogConfig { retention_ms: 5, flush_ms: 7, ..LogConfig::default() }).unwrap();
    let config = |topic| logs.partition(topic, 0).unwrap().config();
    assert_eq!((config("a").retention_ms, config("a").flush_ms), (5, 7));
    assert_eq!((config("b").retention_ms, config("b").flush_ms), (1000, 7));
    create(&logs, "c", 1);
    assert_eq!(config("c").retention_ms, 5);
}

#[test]
fn names_follow_kafkas_rules() {
    for name in ["a", "nginx_log", "__consumer_offsets", "a.b-c_D9", &"x".repeat(249), "..."] {
        assert_eq!(check_topic_name(name), Ok(()), "{name}");
    }
    for name in ["", ".", "..", "a b", "a/b", "ä", "a\0", "a\n", &"x".repeat(250)] {
        assert!(check_topic_name(name).is_err(), "{name:?}");
    }
    assert_eq!(parse_partition_dir("a-b-12"), Some(("a-b", 12)));
    assert_eq!(parse_partition_dir("a--1"), Some(("a-", 1)));
    for name in ["a", "a-", "-1", "a-01", "a-+1", "a-99999999999", "a b-1", "t-0.abc-stray"] {
        assert_eq!(parse_partition_dir(name), None, "{name}");
    }
}

#[test]
fn ids_are_written_as_kafka_writes_them() {
    let id = Uuid::parse_str("e6aed019-85a3-43dc-b76c-4c017a6a9a40").unwrap();
    assert_eq!(encode_id(id), "5q7QGYWjQ9y3bEwBemqaQA");
    assert_eq!(decode_id("5q7QGYWjQ9y3bEwBemqaQA"), Some(id));
    assert_eq!(encode_id(Uuid::nil()), "AAAAAAAAAAAAAAAAAAAAAA");
    for _ in 0..200 {
        let id = new_topic_id();
        assert_eq!(decode_id(&encode_id(id)), Some(id));
        assert_eq!(parse_partition_metadata(&partition_metadata(id)), Some(id));
        assert!(!encode_id(id).starts_with('-'));
    }
    for text in ["", "AAAA", "AAAAAAAAAAAAAAAAAAAAA=", "AAAAAAAAAAAAAAAAAAAAAAA"] {
        assert_eq!(decode_id(text), None);
    }
}

#[test]
fn the_data_directory_is_created() {
    let dir = Dir::new();
    assert!(!Path::new(&dir.options().data_dir).exists());
    dir.open();
    assert!(dir.path("meta.properties").exists() && dir.path(".lock").exists());
}
