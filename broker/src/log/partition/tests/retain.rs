use crate::log::config::{CleanupPolicy, LogConfig};
use crate::log::partition::{Origin, Partition};
use crate::log::tests::{Fault, Lab, NOON, read_values, values_at};

const HOUR: i64 = 3_600_000;

/// A batch an hour, each in its own segment of about 100 bytes.
fn hourly(config: LogConfig, hours: i64) -> (Lab, Partition) {
    let lab = Lab::with(LogConfig { segment_bytes: 120, ..config });
    let partition = lab.open();
    for hour in 0..hours {
        partition.append(&mut values_at(NOON + hour * HOUR, &["some text of a line"])).unwrap();
    }
    assert_eq!(partition.segment_count() as i64, hours);
    (lab, partition)
}

#[test]
fn segments_whose_newest_record_is_too_old_are_deleted() {
    let (lab, partition) = hourly(LogConfig { retention_ms: 3 * HOUR, ..LogConfig::default() }, 10);
    let size = partition.size_bytes() / 10;
    assert_eq!(partition.apply_retention(NOON + 9 * HOUR).unwrap(), 6 * size);
    assert_eq!(partition.log_start_offset(), 6);
    assert_eq!(read_values(&partition).first().unwrap().0, 6);
    assert_eq!((lab.files("log").len(), lab.files("index").len(), lab.files("timeindex").len()), (4, 4, 4));
    // the snapshots of deleted segments go with them
    assert_eq!(lab.files("snapshot").first().unwrap(), "00000000000000000006.snapshot");
    assert_eq!(partition.apply_retention(NOON + 9 * HOUR).unwrap(), 0);
}

#[test]
fn the_active_segment_goes_too_when_it_is_too_old() {
    let (lab, partition) = hourly(LogConfig { retention_ms: 3 * HOUR, ..LogConfig::default() }, 3);
    partition.apply_retention(NOON + 100 * HOUR).unwrap();
    assert_eq!((partition.log_start_offset(), partition.log_end_offset(), partition.size_bytes()), (3, 3, 0));
    assert_eq!(lab.files("log"), ["00000000000000000003.log"]);
    // and an empty one stays
    assert_eq!(partition.apply_retention(NOON + 200 * HOUR).unwrap(), 0);
    drop(partition);
    let partition = lab.open();
    assert_eq!((partition.log_start_offset(), partition.log_end_offset()), (3, 3));
    assert_eq!(partition.append(&mut values_at(NOON, &["next"])).unwrap().base_offset, 3);
}

#[test]
fn a_young_segment_keeps_the_old_ones_behind_it() {
    let lab = Lab::with(LogConfig { segment_bytes: 120, retention_ms: HOUR, ..LogConfig::default() });
    let partition = lab.open();
    for timestamp in [NOON + 50 * HOUR, NOON, NOON] {
        partition.append(&mut values_at(timestamp, &["some text of a line"])).unwrap();
    }
    assert_eq!(partition.apply_retention(NOON + 50 * HOUR).unwrap(), 0);
}

#[test]
fn the_log_is_kept_at_least_at_its_size() {
    let (_lab, partition) = hourly(LogConfig { retention_bytes: 450, ..LogConfig::default() }, 10);
    let size = partition.size_bytes() / 10;
    partition.apply_retention(NOON).unwrap();
    assert!(partition.size_bytes() >= 450 && partition.size_bytes() < 450 + size);
    partition.set_config(LogConfig { retention_bytes: 0, ..(*partition.config()).clone() }.into());
    partition.apply_retention(NOON).unwrap();
    assert_eq!(partition.segment_count(), 1, "the active segment is not deleted by size");
    assert_eq!(partition.size_bytes(), size);
}

#[test]
fn unlimited_retention_keeps_everything() {
    let (_lab, partition) = hourly(LogConfig { retention_ms: -1, ..LogConfig::default() }, 5);
    assert_eq!(partition.apply_retention(i64::MAX).unwrap(), 0);
}

#[test]
fn a_compacted_topic_is_not_deleted_by_age_or_size() {
    let config = LogConfig { retention_ms: HOUR, retention_bytes: 0, ..LogConfig::default() };
    let (_lab, partition) = hourly(config, 5);
    partition.set_config(
        LogConfig { cleanup_policy: CleanupPolicy::COMPACT, ..(*partition.config()).clone() }.into(),
    );
    assert_eq!(partition.apply_retention(NOON + 100 * HOUR).unwrap(), 0);
}

#[test]
fn segments_before_the_logs_start_are_deleted() {
    let (_lab, partition) = hourly(LogConfig::default(), 5);
    partition.delete_records_before(3).unwrap();
    partition.apply_retention(NOON).unwrap();
    assert_eq!((partition.segment_count(), partition.log_start_offset()), (2, 3));
}

#[test]
fn records_without_timestamps_age_with_their_file() {
    let lab = Lab::with(LogConfig { retention_ms: HOUR, ..LogConfig::default() });
    let partition = lab.open();
    partition.append(&mut values_at(-1, &["a"])).unwrap();
    let now = crate::log::Clock::now_ms(&crate::log::SystemClock);
    assert_eq!(partition.apply_retention(now).unwrap(), 0);
    assert!(partition.apply_retention(now + 2 * HOUR).unwrap() > 0);
}

#[test]
fn a_deletion_that_fails_is_made_up_for_by_the_next_start() {
    let (lab, partition) = hourly(LogConfig { retention_ms: 3 * HOUR, ..LogConfig::default() }, 10);
    lab.disk.fail(Fault::Remove);
    assert!(partition.apply_retention(NOON + 9 * HOUR).is_err());
    assert_eq!((partition.log_start_offset(), read_values(&partition).len()), (6, 4));
    partition.close().unwrap();
    let (partition, _) = lab.open_clean();
    partition.apply_retention(NOON + 9 * HOUR).unwrap();
    assert_eq!((partition.log_start_offset(), lab.files("log").len()), (6, 4));
}

/// Were a younger segment removed first, a crash would find a hole in the log.
#[test]
fn a_deletion_that_fails_is_tried_again_before_the_next_one() {
    let (lab, partition) = hourly(LogConfig { retention_ms: 3 * HOUR, ..LogConfig::default() }, 10);
    for hours in [9, 10] {
        lab.disk.fail(Fault::Remove);
        assert!(partition.apply_retention(NOON + hours * HOUR).is_err());
        assert_eq!(lab.files("log").len(), 10);
    }
    assert!(partition.apply_retention(NOON + 10 * HOUR).unwrap() > 0);
    assert_eq!((partition.log_start_offset(), lab.files("log").len()), (7, 3));
}

/// A crash may undo the removal of one old segment and not that of the next: what came back had a gap behind it.
#[test]
fn deleted_segments_that_a_crash_brings_back_go_again() {
    let (lab, partition) = hourly(LogConfig { retention_ms: 3 * HOUR, ..LogConfig::default() }, 10);
    let name = "00000000000000000000.log";
    let first = std::fs::read(lab.path(name)).unwrap();
    partition.apply_retention(NOON + 9 * HOUR).unwrap();
    drop(partition);
    std::fs::write(lab.path(name), first).unwrap();
    let origin = Origin { log_start: 6, ..lab.origin(false, 0) };
    let (partition, _) = Partition::open(origin).unwrap();
    assert_eq!((partition.log_start_offset(), partition.log_end_offset()), (6, 10));
    assert_eq!(lab.files("log").first().unwrap(), "00000000000000000006.log");
}

/// The removal of a segment that was never flushed failed; a crash left half of it, and recovery deleted what followed,
/// which was flushed.
#[test]
fn what_is_deleted_was_made_durable_first() {
    let (lab, partition) = hourly(LogConfig { retention_ms: 3 * HOUR, ..LogConfig::default() }, 2);
    assert_eq!(partition.flushed_offset(), 0);
    lab.disk.fail(Fault::Remove);
    partition.apply_retention(NOON + 100 * HOUR).unwrap_err();
    assert_eq!((partition.flushed_offset(), partition.log_start_offset()), (2, 2));
}

/// Kafka keeps the active segment's records on the disk until it is rolled.
#[test]
fn when_all_records_are_deleted_the_active_segment_goes_too() {
    let (lab, partition) = hourly(LogConfig { retention_ms: -1, ..LogConfig::default() }, 5);
    partition.delete_records_before(5).unwrap();
    assert!(partition.apply_retention(NOON).unwrap() > 0);
    assert_eq!((partition.segment_count(), partition.size_bytes()), (1, 0));
    assert_eq!((partition.log_start_offset(), partition.log_end_offset()), (5, 5));
    assert_eq!(lab.files("log"), ["00000000000000000005.log"]);
    assert_eq!(partition.apply_retention(NOON).unwrap(), 0, "there is nothing more to delete");
    assert_eq!(partition.append(&mut values_at(NOON, &["next"])).unwrap().base_offset, 5);
}
