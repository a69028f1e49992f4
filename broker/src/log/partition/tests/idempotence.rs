use crate::log::config::LogConfig;
use crate::log::error::AppendError;
use crate::log::tests::{Lab, NOON, produced, read_values, values};

#[test]
fn a_batch_that_is_sent_again_is_answered_with_its_first_offset() {
    let lab = Lab::new();
    let partition = lab.open();
    partition.append(&mut values(&["other"])).unwrap();
    let first = partition.append(&mut produced(7, 0, 0, 3)).unwrap();
    assert!(!first.duplicate);
    let again = partition.append(&mut produced(7, 0, 0, 3)).unwrap();
    assert!(again.duplicate);
    assert_eq!((again.base_offset, again.last_offset), (1, 3));
    assert_eq!(partition.log_end_offset(), 4);
}

/// What the agent relies on: all batches in flight are sent again over a new connection after the broker restarts.
#[test]
fn five_batches_are_recognised_after_a_clean_stop() {
    let lab = Lab::new();
    let partition = lab.open();
    for number in 0..8 {
        partition.append(&mut produced(7, 0, 2 * number, 2)).unwrap();
    }
    partition.close().unwrap();
    let (partition, report) = lab.open_clean();
    assert_eq!(report.segments_scanned, 0);
    for number in 3..8 {
        let again = partition.append(&mut produced(7, 0, 2 * number, 2)).unwrap();
        assert!(again.duplicate);
        assert_eq!(again.base_offset, i64::from(2 * number));
    }
    assert!(!partition.append(&mut produced(7, 0, 16, 2)).unwrap().duplicate);
}

#[test]
fn five_batches_are_recognised_after_a_crash_over_several_segments() {
    let lab = Lab::small();
    let partition = lab.open();
    for number in 0..40 {
        partition.append(&mut produced(7, 0, 2 * number, 2)).unwrap();
    }
    assert!(partition.segment_count() > 3);
    drop(partition);
    let partition = lab.open();
    for number in 35..40 {
        assert!(partition.append(&mut produced(7, 0, 2 * number, 2)).unwrap().duplicate);
    }
    let gap = partition.append(&mut produced(7, 0, 100, 2)).unwrap_err();
    assert!(matches!(gap, AppendError::OutOfOrderSequence { expected: 80, found: 100, .. }));
    assert!(!partition.append(&mut produced(7, 0, 80, 2)).unwrap().duplicate);
}

#[test]
fn producers_are_rebuilt_when_every_snapshot_is_lost_or_damaged() {
    let lab = Lab::small();
    let partition = lab.open();
    for number in 0..40 {
        partition.append(&mut produced(7, 0, number, 1)).unwrap();
    }
    partition.append(&mut produced(8, 2, 5, 1)).unwrap();
    drop(partition);
    let snapshots = lab.files("snapshot");
    assert!(snapshots.len() > 2);
    std::fs::write(lab.path(snapshots.last().unwrap()), b"nonsense").unwrap();
    for snapshot in &snapshots[..snapshots.len() - 1] {
        std::fs::remove_file(lab.path(snapshot)).unwrap();
    }
    let partition = lab.open();
    assert_eq!(partition.producer_count(), 2);
    assert!(partition.append(&mut produced(7, 0, 39, 1)).unwrap().duplicate);
    assert!(partition.append(&mut produced(8, 2, 5, 1)).unwrap().duplicate);
}

#[test]
fn what_a_crash_has_cut_off_may_be_sent_again() {
    let lab = Lab::new();
    let partition = lab.open();
    partition.append(&mut produced(7, 0, 0, 2)).unwrap();
    let size = partition.size_bytes();
    partition.append(&mut produced(7, 0, 2, 2)).unwrap();
    drop(partition);
    let log = lab.path("00000000000000000000.log");
    std::fs::OpenOptions::new().write(true).open(&log).unwrap().set_len(size + 20).unwrap();
    let partition = lab.open();
    assert!(partition.append(&mut produced(7, 0, 0, 2)).unwrap().duplicate);
    let again = partition.append(&mut produced(7, 0, 2, 2)).unwrap();
    assert!(!again.duplicate);
    let wanted: Vec<_> = (0..4).map(|n| (n, format!("7/0/{n}"))).collect();
    assert_eq!(read_values(&partition), wanted);
}

/// Kafka counts the silence from record timestamps and would forget the producer of old lines at once.
#[test]
fn a_producer_of_old_records_is_not_forgotten_while_it_produces() {
    let lab = Lab::with(LogConfig { producer_id_expiration_ms: 1000, ..LogConfig::default() });
    lab.clock.set(NOON + 100_000_000);
    let partition = lab.open();
    partition.append(&mut produced(7, 0, 0, 1)).unwrap();
    partition.expire_producers(NOON + 100_000_999);
    assert_eq!(partition.producer_count(), 1);
    partition.expire_producers(NOON + 100_001_000);
    assert_eq!(partition.producer_count(), 0);
    assert!(!partition.append(&mut produced(7, 0, 1, 1)).unwrap().duplicate);
}

#[test]
fn producers_are_bounded_by_the_configuration() {
    let lab = Lab::with(LogConfig { producer_ids_max: 10, ..LogConfig::default() });
    let partition = lab.open();
    for id in 0..50 {
        partition.append(&mut produced(id, 0, 0, 1)).unwrap();
        lab.clock.advance(1);
        assert!(partition.producer_count() <= 10);
    }
    assert!(partition.append(&mut produced(49, 0, 0, 1)).unwrap().duplicate);
}
