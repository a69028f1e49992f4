use wire::record::{BatchBuilder, BatchHeader, Compression};

use crate::log::config::{CleanupPolicy, LogConfig};
use crate::log::partition::Partition;
use crate::log::tests::{Lab, NOON, abort, commit, committed, keyed, send};

const DAY: i64 = 24 * 3_600_000;

fn lab() -> Lab {
    Lab::with(LogConfig {
        cleanup_policy: CleanupPolicy::COMPACT,
        segment_bytes: 500,
        index_interval_bytes: 100,
        min_cleanable_dirty_ratio: 0.01,
        ..LogConfig::default()
    })
}

fn put(partition: &Partition, key: &str, value: &str) {
    partition.append(&mut keyed(NOON, Compression::None, &[(key, Some(value))])).unwrap();
}

/// Moves everything before out of the active segment.
fn fill(partition: &Partition) {
    for number in 0..8 {
        put(partition, &format!("filler-{number}"), "0123456789012345678901234567890123456789");
    }
}

fn compact(partition: &Partition, now_ms: i64) -> bool {
    partition.compact_if_due(now_ms).unwrap().is_some()
}

fn headers(partition: &Partition) -> Vec<BatchHeader> {
    let headers = |segment: std::sync::Arc<crate::log::segment::Segment>| {
        segment.headers_from(0).map(|found| found.unwrap().1).collect::<Vec<_>>()
    };
    partition.segments().into_iter().flat_map(headers).collect()
}

fn markers(partition: &Partition) -> Vec<i64> {
    headers(partition).iter().filter(|header| header.is_control()).map(|header| header.base_offset).collect()
}

fn values(partition: &Partition) -> Vec<String> {
    let values = committed(partition, 300).into_iter().map(|(_, value)| value);
    values.filter(|value| value.len() < 20).collect()
}

#[test]
fn aborted_records_go_and_supersede_nothing() {
    let lab = lab();
    let partition = lab.open();
    put(&partition, "a", "kept");
    send(&partition, (1, 0, 0), "a", "aborted").unwrap();
    send(&partition, (2, 0, 0), "b", "old").unwrap();
    abort(&partition, 1, 0);
    commit(&partition, 2, 0);
    send(&partition, (2, 0, 1), "b", "new").unwrap();
    commit(&partition, 2, 0);
    fill(&partition);
    assert!(compact(&partition, NOON));
    assert_eq!(values(&partition), ["kept", "new"]);
    let left: Vec<i64> = headers(&partition).iter().map(|header| header.base_offset).collect();
    assert!(!left.contains(&2), "the superseded record is gone: {left:?}");
    let aborted = headers(&partition).into_iter().find(|header| header.base_offset == 1).unwrap();
    assert_eq!(aborted.records_count, 0, "only the newest sequence of its producer is left");
    drop(partition);
    let partition = lab.open();
    assert_eq!(partition.last_stable_offset(), partition.log_end_offset());
    assert_eq!(values(&partition), ["kept", "new"]);
}

#[test]
fn nothing_is_compacted_from_an_open_transaction_on() {
    let lab = lab();
    let partition = lab.open();
    send(&partition, (1, 0, 0), "a", "open").unwrap();
    for _ in 0..4 {
        fill(&partition);
    }
    assert!(!compact(&partition, NOON));
    commit(&partition, 1, 0);
    fill(&partition);
    assert!(compact(&partition, NOON));
    assert_eq!(values(&partition), ["open"]);
}

#[test]
fn a_marker_goes_after_its_records_and_not_at_once() {
    let lab = lab();
    let partition = lab.open();
    send(&partition, (1, 0, 0), "a", "old").unwrap();
    assert_eq!(commit(&partition, 1, 0), 1);
    // the producer's newest sequence is elsewhere, so that nothing has to stay for it
    send(&partition, (1, 0, 1), "a", "new").unwrap();
    let newest = commit(&partition, 1, 0);
    fill(&partition);
    assert!(compact(&partition, NOON));
    assert_eq!(markers(&partition), [1, newest], "its record went just now");
    fill(&partition);
    assert!(compact(&partition, NOON));
    assert_eq!(markers(&partition), [1, newest]);
    let delayed = headers(&partition).into_iter().find(|header| header.base_offset == 1).unwrap();
    assert_eq!(delayed.delete_horizon_ms(), Some(NOON + DAY));
    fill(&partition);
    assert!(compact(&partition, NOON + DAY - 1));
    assert_eq!(markers(&partition), [1, newest]);
    fill(&partition);
    assert!(compact(&partition, NOON + DAY));
    assert_eq!(markers(&partition), [newest]);
    drop(partition);
    let partition = lab.open();
    assert_eq!(values(&partition), ["new"]);
    assert_eq!(partition.last_stable_offset(), partition.log_end_offset());
}

#[test]
fn a_transaction_over_several_segments_goes_as_a_whole() {
    let lab = lab();
    let partition = lab.open();
    for number in 0..30 {
        send(&partition, (1, 0, number), &format!("k{number}"), "aborted").unwrap();
        put(&partition, &format!("plain{number}"), "kept");
    }
    abort(&partition, 1, 0);
    fill(&partition);
    let mut now = NOON;
    for _ in 0..4 {
        assert!(compact(&partition, now));
        assert_eq!(values(&partition), vec!["kept"; 30]);
        fill(&partition);
        now += 2 * DAY;
    }
    let left = headers(&partition).into_iter().filter(|header| header.producer_id == 1);
    let left: Vec<(i32, bool)> = left.map(|header| (header.records_count, header.is_control())).collect();
    assert_eq!(left, [(0, false), (1, true)], "the newest sequence stays, and with it the marker");
    drop(partition);
    assert_eq!(values(&lab.open()), vec!["kept"; 30]);
}

/// The power failed after compaction had removed a marker; the newer snapshots were not on the disk, and the one that was
/// knew the transaction as open.
#[test]
fn no_snapshot_waits_for_a_marker_that_has_gone() {
    let lab = lab();
    let partition = lab.open();
    send(&partition, (1, 0, 0), "a", "old").unwrap();
    fill(&partition);
    let open = lab.files("snapshot");
    assert!(!open.is_empty());
    commit(&partition, 1, 0);
    put(&partition, "a", "new");
    // the producer's newest sequence is elsewhere, so that nothing has to stay for it
    let mut builder = BatchBuilder::new(Compression::None).producer(1, 0, 1);
    builder.append(NOON, Some(b"b"), Some(b"v"), &[]).unwrap();
    partition.append(&mut builder.finish().unwrap().to_vec()).unwrap();
    fill(&partition);
    for round in 0..4 {
        assert!(compact(&partition, NOON + round * 2 * DAY));
        fill(&partition);
    }
    assert!(markers(&partition).is_empty());
    let end = partition.log_end_offset();
    drop(partition);
    for name in lab.files("snapshot").iter().filter(|name| !open.contains(name)) {
        std::fs::remove_file(lab.path(name)).unwrap();
    }
    let partition = lab.open_as(false, end).0;
    assert_eq!(partition.last_stable_offset(), end);
}
