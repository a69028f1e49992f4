//! Topic settings by text.

use std::collections::BTreeMap;

use wire::record::Compression;

use crate::log::config::{CleanupPolicy, CompressionType, LogConfig, LogConfigError, TimestampType};

fn set(name: &str, value: &str) -> Result<LogConfig, LogConfigError> {
    LogConfig::default().with_override(name, value)
}

#[test]
fn each_of_kafkas_names_sets_its_field() {
    assert_eq!(set("segment.bytes", "4096").unwrap().segment_bytes, 4096);
    assert_eq!(set("segment.ms", "60000").unwrap().segment_ms, 60_000);
    assert_eq!(set("segment.index.bytes", "1200").unwrap().segment_index_bytes, 1200);
    assert_eq!(set("retention.ms", "-1").unwrap().retention_ms, -1);
    assert_eq!(set("retention.bytes", "1073741824").unwrap().retention_bytes, 1 << 30);
    assert_eq!(set("index.interval.bytes", "0").unwrap().index_interval_bytes, 0);
    assert_eq!(set("max.message.bytes", "2000000").unwrap().max_message_bytes, 2_000_000);
    assert_eq!(set("flush.messages", "1").unwrap().flush_messages, 1);
    assert_eq!(set("flush.ms", "0").unwrap().flush_ms, 0);
    assert_eq!(set("delete.retention.ms", "5").unwrap().delete_retention_ms, 5);
    assert_eq!(set("min.compaction.lag.ms", "6").unwrap().min_compaction_lag_ms, 6);
    assert_eq!(set("max.compaction.lag.ms", "7").unwrap().max_compaction_lag_ms, 7);
    assert_eq!(set("message.timestamp.before.max.ms", "8").unwrap().message_timestamp_before_max_ms, 8);
    assert_eq!(set("message.timestamp.after.max.ms", "9").unwrap().message_timestamp_after_max_ms, 9);
    assert_eq!(set("min.insync.replicas", "2").unwrap().min_insync_replicas, 2);
    assert!(
        (set("min.cleanable.dirty.ratio", "0.25").unwrap().min_cleanable_dirty_ratio - 0.25).abs() < 1e-9
    );
}

#[test]
fn cleanup_policy_may_be_both() {
    assert_eq!(set("cleanup.policy", "delete").unwrap().cleanup_policy, CleanupPolicy::DELETE);
    assert_eq!(set("cleanup.policy", "compact").unwrap().cleanup_policy, CleanupPolicy::COMPACT);
    let both = set("cleanup.policy", "compact, delete").unwrap().cleanup_policy;
    assert!(both.compact && both.delete);
    assert!(set("cleanup.policy", "forget").is_err());
    assert!(set("cleanup.policy", "").is_err());
}

#[test]
fn timestamp_type_has_two_values() {
    let append_time = set("message.timestamp.type", "LogAppendTime").unwrap();
    assert_eq!(append_time.message_timestamp_type, TimestampType::LogAppendTime);
    assert!(set("message.timestamp.type", "logappendtime").is_err());
}

#[test]
fn compression_type_is_one_of_kafkas_and_its_names_are_those_of_the_file() {
    for (name, codec) in [
        ("producer", None),
        ("uncompressed", Some(Compression::None)),
        ("gzip", Some(Compression::Gzip)),
        ("snappy", Some(Compression::Snappy)),
        ("lz4", Some(Compression::Lz4)),
        ("zstd", Some(Compression::Zstd)),
    ] {
        let set = set("compression.type", name).unwrap().compression_type;
        assert_eq!(set.codec(), codec, "{name}");
        let in_file: CompressionType = serde_json::from_value(name.into()).unwrap();
        assert_eq!(in_file, set, "{name}");
    }
}

#[test]
fn settings_that_change_nothing_are_taken_if_their_values_are_sound() {
    for (name, value) in [
        ("unclean.leader.election.enable", "true"),
        ("file.delete.delay.ms", "60000"),
        ("preallocate", "true"),
        ("message.format.version", "3.0-IV1"),
        ("message.format.version", "0.10.2"),
        ("message.format.version", "2.8"),
        ("message.format.version", "0.10.0.0"),
    ] {
        assert_eq!(set(name, value).unwrap(), LogConfig::default(), "{name}={value}");
    }
}

#[test]
fn an_unknown_name_is_refused_with_the_name() {
    let error = set("retention.minutes", "5").unwrap_err();
    assert_eq!(error.to_string(), "unknown topic setting retention.minutes");
}

#[test]
fn a_bad_value_is_refused_with_the_range() {
    let error = set("segment.bytes", "3000000000").unwrap_err();
    let wanted = r#"segment.bytes cannot be "3000000000": expected a number from 14 to 2147483647"#;
    assert_eq!(error.to_string(), wanted);
    for (name, value) in [
        ("segment.bytes", "1 GiB"),
        ("segment.ms", "0"),
        ("retention.ms", "-2"),
        ("min.cleanable.dirty.ratio", "NaN"),
        ("min.cleanable.dirty.ratio", "1.5"),
        ("compression.type", "none"),
        ("compression.type", "ZSTD"),
        ("unclean.leader.election.enable", "perhaps"),
        ("file.delete.delay.ms", "-1"),
        ("preallocate", "yes"),
        ("message.format.version", "newest"),
        ("message.format.version", "3"),
        ("message.format.version", "3.0-IV"),
        ("max.compaction.lag.ms", "0"),
        ("message.timestamp.before.max.ms", "-1"),
    ] {
        assert!(set(name, value).is_err(), "{name}={value}");
    }
}

#[test]
fn overrides_build_on_each_other() {
    let texts = BTreeMap::from([
        ("retention.ms".to_owned(), "1000".to_owned()),
        ("compression.type".to_owned(), "producer".to_owned()),
    ]);
    let config = LogConfig::default().with_overrides(&texts).unwrap();
    assert_eq!(config, LogConfig { retention_ms: 1000, ..LogConfig::default() });
}

/// What the topic does not say, the broker's `flush_messages` decides; what it says, even "never", is its own.
#[test]
fn a_topic_may_ask_for_no_flush_by_count() {
    assert!(!LogConfig::default().flushes_by_own_count());
    assert!(set("flush.messages", "10").unwrap().flushes_by_own_count());
    let never = set("flush.messages", "9223372036854775807").unwrap();
    assert!(never.flushes_by_own_count() && never.flush_messages > i64::MAX / 2);
}

#[test]
fn compaction_lags_must_not_contradict_each_other() {
    let lags = |min: &str, max: &str| {
        let texts = BTreeMap::from([
            ("max.compaction.lag.ms".to_owned(), max.to_owned()),
            ("min.compaction.lag.ms".to_owned(), min.to_owned()),
        ]);
        LogConfig::default().with_overrides(&texts)
    };
    assert!(lags("5", "5").is_ok());
    let error = lags("6", "5").unwrap_err().to_string();
    assert!(error.contains("min.compaction.lag.ms") && error.contains("max.compaction.lag.ms"), "{error}");
}
