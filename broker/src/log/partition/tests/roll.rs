use crate::log::config::LogConfig;
use crate::log::tests::{Fault, Lab, NOON, abort, produced, read_values, send, values, values_at};

#[test]
fn segments_are_named_by_their_base_offset_in_20_digits() {
    let lab = Lab::with(LogConfig { segment_bytes: 160, ..LogConfig::default() });
    let partition = lab.open();
    for _ in 0..3 {
        partition.append(&mut values(&["some text", "and more"])).unwrap();
    }
    let bases = ["00000000000000000000", "00000000000000000002", "00000000000000000004"];
    for suffix in ["log", "index", "timeindex"] {
        assert_eq!(lab.files(suffix), bases.map(|base| format!("{base}.{suffix}")));
    }
    assert_eq!(lab.files("snapshot"), bases[1..].iter().map(|b| format!("{b}.snapshot")).collect::<Vec<_>>());
}

#[test]
fn no_segment_grows_beyond_its_size() {
    let lab = Lab::small();
    let partition = lab.open();
    for number in 0..100 {
        partition.append(&mut values(&[&"x".repeat(number * 3)])).unwrap();
    }
    for name in lab.files("log") {
        assert!(std::fs::metadata(lab.path(&name)).unwrap().len() <= 1000);
    }
    assert_eq!(read_values(&partition).len(), 100);
}

#[test]
fn a_segment_is_rolled_by_the_age_of_its_records() {
    let lab = Lab::with(LogConfig { segment_ms: 1000, ..LogConfig::default() });
    let partition = lab.open();
    partition.append(&mut values_at(NOON, &["a"])).unwrap();
    partition.append(&mut values_at(NOON + 1000, &["b"])).unwrap();
    assert_eq!(partition.segment_count(), 1);
    partition.append(&mut values_at(NOON + 1001, &["c"])).unwrap();
    assert_eq!(partition.segment_count(), 2);
    // the age counts from the segment's own first record, also after a restart
    drop(partition);
    let partition = lab.open();
    partition.append(&mut values_at(NOON + 2001, &["d"])).unwrap();
    assert_eq!(partition.segment_count(), 2);
    partition.append(&mut values_at(NOON + 2002, &["e"])).unwrap();
    assert_eq!(partition.segment_count(), 3);
}

#[test]
fn records_without_timestamps_are_rolled_by_the_clock() {
    let lab = Lab::with(LogConfig { segment_ms: 1000, ..LogConfig::default() });
    let partition = lab.open();
    partition.append(&mut values_at(-1, &["a"])).unwrap();
    lab.clock.advance(1001);
    partition.append(&mut values_at(-1, &["b"])).unwrap();
    assert_eq!(partition.segment_count(), 2);
}

#[test]
fn a_full_index_rolls_the_segment() {
    let config = LogConfig { segment_index_bytes: 120, index_interval_bytes: 0, ..LogConfig::default() };
    let lab = Lab::with(config);
    let partition = lab.open();
    for number in 0..50 {
        partition.append(&mut values_at(NOON + number, &["a"])).unwrap();
    }
    assert!(partition.segment_count() > 4);
    partition.close().unwrap();
    for suffix in ["index", "timeindex"] {
        for name in lab.files(suffix) {
            assert!(std::fs::metadata(lab.path(&name)).unwrap().len() <= 120);
        }
    }
}

/// The segment before the active one is durable, and its indexes are not.
#[test]
fn a_clean_stop_right_after_a_roll_makes_the_indexes_durable() {
    let lab = Lab::with(LogConfig::default());
    let partition = lab.open();
    partition.append(&mut values(&["a", "b"])).unwrap();
    partition.flush_to(2).unwrap();
    partition.roll(&mut partition.writer.lock()).unwrap();
    let syncs = lab.disk.syncs();
    partition.close().unwrap();
    assert_eq!(lab.disk.syncs(), syncs + 1, "that of the time index");
}

#[test]
fn a_roll_that_fails_changes_nothing() {
    let lab = Lab::with(LogConfig { segment_bytes: 160, ..LogConfig::default() });
    let partition = lab.open();
    partition.append(&mut produced(7, 0, 0, 2)).unwrap();
    for fault in [Fault::Open, Fault::WriteFull { after: 3 }, Fault::Rename, Fault::Truncate] {
        lab.disk.fail(fault);
        let error = partition.append(&mut produced(7, 0, 2, 2)).unwrap_err();
        assert_eq!(error.error_code().code(), 56, "{fault:?}");
        assert_eq!((partition.segment_count(), partition.log_end_offset()), (1, 2), "{fault:?}");
    }
    assert_eq!(partition.append(&mut produced(7, 0, 2, 2)).unwrap().base_offset, 2);
    assert_eq!(partition.segment_count(), 2);
    drop(partition);
    assert_eq!(read_values(&lab.open()).len(), 4);
}

/// The new segment's `.log` was there already. Records that were then appended to the old segment, beyond the new
/// one's first offset, were taken for damage by the next start and cut off, though they were flushed.
#[test]
fn a_roll_that_failed_halfway_comes_before_the_next_append() {
    for suffix in ["log", "index", "timeindex"] {
        let lab = Lab::small();
        let partition = lab.open();
        let large = "x".repeat(800);
        partition.append(&mut values(&[&large])).unwrap();
        lab.disk.fail(Fault::OpenOf(suffix));
        partition.append(&mut values(&[&large])).unwrap_err();
        partition.append(&mut values(&["small enough for the old segment"])).unwrap();
        partition.flush_to(2).unwrap();
        drop(partition);
        assert_eq!(read_values(&lab.open()).len(), 2, "{suffix}");
    }
}

/// Only a closed segment is compacted, so a record's time to wait bounds the segment's age.
#[test]
fn a_compacted_topics_segment_is_rolled_before_its_records_wait_too_long() {
    let config = LogConfig { max_compaction_lag_ms: 500, ..LogConfig::default() };
    assert_eq!(config.roll_ms(), config.segment_ms, "not compacted");
    let config = LogConfig { cleanup_policy: crate::log::CleanupPolicy::COMPACT, ..config };
    assert_eq!(config.roll_ms(), 500);
    assert_eq!(LogConfig { segment_ms: 100, ..config }.roll_ms(), 100);
}

/// The next attempt found nothing to write, and after a loss of power the index lacked an abort: its records were committed.
#[test]
fn a_roll_that_cannot_sync_the_index_of_transactions_takes_the_partition_out_of_service() {
    let lab = Lab::small();
    let partition = lab.open();
    send(&partition, (7, 0, 0), "k", "v").unwrap();
    abort(&partition, 7, 0);
    lab.disk.fail(Fault::Sync);
    let failed = (0..100).find_map(|_| partition.append(&mut values(&["filler"])).err());
    assert!(failed.is_some() && partition.is_offline(), "{failed:?}");
    assert_eq!(partition.segment_count(), 1);
    drop(partition);
    let partition = lab.open();
    assert_eq!(partition.aborted_in(0, i64::MAX).unwrap().len(), 1);
}
