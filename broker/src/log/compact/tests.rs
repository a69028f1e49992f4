use std::collections::BTreeMap;
use std::fs;

use proptest::prelude::*;
use wire::record::{BatchHeader, Compression, batch};

use super::key_map::KeyMap;
use super::rewrite::{Rewritten, retain, without_records};
use super::swap;
use crate::log::RealDisk;
use crate::log::config::{CleanupPolicy, LogConfig};
use crate::log::partition::Partition;
use crate::log::tests::{Fault, Lab, NOON, keyed, read_from};

const DAY: i64 = 24 * 3_600_000;

fn lab() -> Lab {
    let config = LogConfig {
        cleanup_policy: CleanupPolicy::COMPACT,
        segment_bytes: 500,
        index_interval_bytes: 100,
        min_cleanable_dirty_ratio: 0.01,
        ..LogConfig::default()
    };
    Lab::with(config)
}

fn put(partition: &Partition, key: &str, value: Option<&str>) {
    partition.append(&mut keyed(NOON, Compression::None, &[(key, value)])).unwrap();
}

/// The newest value of each key, by reading everything.
fn state(partition: &Partition) -> BTreeMap<String, Option<String>> {
    read_from(partition, 0, 300).into_iter().map(|record| (record.key.unwrap(), record.value)).collect()
}

fn compact(partition: &Partition, now_ms: i64) -> bool {
    partition.compact_if_due(now_ms).unwrap().is_some()
}

#[test]
fn of_each_key_the_newest_record_stays_at_its_offset() {
    let lab = lab();
    let partition = lab.open();
    for number in 0..100 {
        put(&partition, &format!("key-{}", number % 5), Some(&number.to_string()));
    }
    let (before, size) = (state(&partition), partition.size_bytes());
    let end = partition.log_end_offset();
    assert!(compact(&partition, NOON));
    assert_eq!(state(&partition), before);
    assert_eq!(partition.log_end_offset(), end);
    assert!(partition.size_bytes() < size / 4);
    let read = read_from(&partition, 0, 300);
    assert!(read.iter().all(|record| record.value == Some(record.offset.to_string())));
    // small segments were put together
    assert_eq!(lab.files("log").len(), 2);
    assert!(!compact(&partition, NOON), "there is nothing new");
}

#[test]
fn a_compacted_log_opens_cleanly_and_after_a_crash() {
    let lab = lab();
    let partition = lab.open();
    for number in 0..100 {
        put(&partition, &format!("key-{}", number % 5), Some(&number.to_string()));
    }
    compact(&partition, NOON);
    let before = state(&partition);
    partition.close().unwrap();
    for clean in [true, false] {
        let (partition, report) = lab.open_as(clean, 0);
        assert_eq!((report.truncated_bytes, report.segments_deleted), (0, 0));
        assert_eq!(state(&partition), before);
        for offset in 0..=100 {
            partition.read(offset, 100, true).unwrap();
        }
    }
}

#[test]
fn tombstones_go_when_their_time_is_over_and_what_they_delete_goes_at_once() {
    let lab = lab();
    let partition = lab.open();
    put(&partition, "gone", Some("value"));
    put(&partition, "gone", None);
    for number in 0..20 {
        put(&partition, &format!("key-{number}"), Some("filler"));
    }
    assert!(compact(&partition, NOON + DAY));
    assert_eq!(state(&partition).get("gone"), Some(&None));
    assert_eq!(read_from(&partition, 0, 300)[0].offset, 1);
    for number in 0..20 {
        put(&partition, &format!("key-{number}"), Some("filler"));
    }
    assert!(compact(&partition, NOON + DAY + 1));
    assert_eq!(state(&partition).get("gone"), None);
}

#[test]
fn a_small_key_map_compacts_in_several_rounds() {
    let config = LogConfig { dedupe_buffer_bytes: 64 * 7, ..lab().config };
    let lab = Lab { config, ..lab() };
    let partition = lab.open();
    for number in 0..200 {
        put(&partition, &format!("key-{}", number * 7 % 50), Some(&number.to_string()));
    }
    let before = state(&partition);
    let mut rounds = 0;
    while compact(&partition, NOON) {
        rounds += 1;
        assert_eq!(state(&partition), before);
    }
    assert!(rounds > 1);
}

/// A tombstone that the key map had no room for may not go before the value that it deletes.
#[test]
fn a_full_key_map_brings_no_deleted_value_back() {
    let config = LogConfig { dedupe_buffer_bytes: 64 * 3, ..lab().config };
    let lab = Lab { config, ..lab() };
    let partition = lab.open();
    for number in 0..30 {
        put(&partition, &format!("key-{number}"), Some("value"));
        put(&partition, &format!("key-{}", number / 2), None);
    }
    let alive = |partition: &Partition| -> Vec<String> {
        state(partition).into_iter().filter(|(_, value)| value.is_some()).map(|(key, _)| key).collect()
    };
    let before = alive(&partition);
    while compact(&partition, NOON + 10 * DAY) {
        assert_eq!(alive(&partition), before);
    }
}

#[test]
fn the_newest_batch_of_a_producer_stays_without_its_records() {
    let lab = lab();
    let partition = lab.open();
    let mut builder = wire::record::BatchBuilder::new(Compression::Lz4).producer(7, 0, 0);
    builder.append(NOON, Some(b"k"), Some(b"old"), &[]).unwrap();
    partition.append(&mut builder.finish().unwrap().to_vec()).unwrap();
    for _ in 0..20 {
        put(&partition, "k", Some("new"));
    }
    assert!(compact(&partition, NOON));
    let slice = partition.read(0, 61, true).unwrap();
    let header = BatchHeader::parse(&slice.read_bytes().unwrap()).unwrap();
    assert_eq!((header.base_offset, header.records_count, header.producer_id), (0, 0, 7));
    for name in lab.files("snapshot") {
        fs::remove_file(lab.path(&name)).unwrap();
    }
    drop(partition);
    assert_eq!(lab.open().producer_count(), 1);
}

#[test]
fn compaction_waits_until_enough_is_new() {
    let config = LogConfig { min_cleanable_dirty_ratio: 0.5, ..lab().config };
    let lab = Lab { config, ..lab() };
    let partition = lab.open();
    for number in 0..50 {
        put(&partition, &format!("key-{number}"), Some("value"));
    }
    assert!(compact(&partition, NOON));
    for number in 0..10 {
        put(&partition, &format!("key-{number}"), Some("value"));
    }
    assert!(!compact(&partition, NOON));
}

#[test]
fn a_topic_that_is_not_compacted_is_left_alone() {
    let lab = Lab { config: LogConfig { cleanup_policy: CleanupPolicy::DELETE, ..lab().config }, ..lab() };
    let partition = lab.open();
    for _ in 0..50 {
        put(&partition, "k", Some("value"));
    }
    assert!(!compact(&partition, NOON));
}

#[test]
fn a_crash_in_every_step_of_the_exchange_leaves_one_of_the_two_states() {
    for fault in [
        Fault::WriteFull { after: 10 },
        Fault::Sync,
        Fault::Rename,
        Fault::SyncDir,
        Fault::Remove,
        Fault::Open,
    ] {
        let lab = lab();
        let partition = lab.open();
        for number in 0..100 {
            put(&partition, &format!("key-{}", number % 5), Some(&number.to_string()));
        }
        let before = state(&partition);
        lab.disk.fail(fault);
        assert!(partition.compact_if_due(NOON).is_err(), "{fault:?}");
        drop(partition);
        let partition = lab.open();
        assert_eq!(state(&partition), before, "{fault:?}");
        assert!(lab.files("cleaned").is_empty() && lab.files("swap").is_empty(), "{fault:?}");
        assert_eq!(partition.log_end_offset(), 100, "{fault:?}");
    }
}

#[test]
fn a_swap_that_was_committed_is_carried_through() {
    let lab = lab();
    let partition = lab.open();
    for number in 0..40 {
        put(&partition, &format!("key-{}", number % 2), Some(&number.to_string()));
    }
    let bases: Vec<i64> = lab.files("log").iter().map(|name| name[..20].parse().unwrap()).collect();
    partition.close().unwrap();
    // as if the crash came right after the commit
    let last_of_first = fs::read(lab.path(&lab.files("log")[1])).unwrap();
    fs::write(lab.path(&format!("{:020}-{:020}.swap", 0, bases[2])), last_of_first).unwrap();
    swap::finish(&RealDisk, lab.dir.path()).unwrap();
    assert!(lab.files("swap").is_empty());
    let left: Vec<i64> = lab.files("log").iter().map(|name| name[..20].parse().unwrap()).collect();
    assert_eq!(left, [&[0], &bases[2..]].concat());
    let (partition, _) = lab.open_clean();
    assert_eq!(read_from(&partition, 0, 300)[0].offset, bases[1]);
}

#[test]
fn what_is_left_of_a_batch_keeps_its_bytes() {
    for codec in
        [Compression::None, Compression::Gzip, Compression::Snappy, Compression::Lz4, Compression::Zstd]
    {
        let records: Vec<(String, String)> = (0..300).map(|n| (format!("k{n}"), "v".repeat(n))).collect();
        let records: Vec<(&str, Option<&str>)> =
            records.iter().map(|(key, value)| (key.as_str(), Some(value.as_str()))).collect();
        let mut bytes = keyed(NOON, codec, &records);
        batch::set_base_offset(&mut bytes, 5000);
        let Ok(Rewritten::Shorter(shorter)) = retain(&bytes, |record| record.offset % 3 == 0) else {
            panic!("{codec:?}");
        };
        batch::verify_crc(&shorter).unwrap();
        let (old, new) = (BatchHeader::parse(&bytes).unwrap(), BatchHeader::parse(&shorter).unwrap());
        assert_eq!((new.base_offset, new.last_offset()), (old.base_offset, old.last_offset()));
        assert_eq!((new.records_count, new.attributes), (100, old.attributes));
        let all = batch::records(&bytes, 1 << 20).unwrap();
        let kept = batch::records(&shorter, 1 << 20).unwrap();
        let wanted: Vec<_> = all.iter().map(Result::unwrap).filter(|record| record.offset % 3 == 0).collect();
        assert_eq!(kept.iter().map(Result::unwrap).collect::<Vec<_>>(), wanted, "{codec:?}");
        assert_eq!(retain(&bytes, |_| true), Ok(Rewritten::Same));
        assert_eq!(retain(&bytes, |_| false), Ok(Rewritten::Empty));
        let empty = without_records(&bytes).unwrap();
        batch::verify_crc(&empty).unwrap();
        assert_eq!(batch::records(&empty, 0).unwrap().iter().count(), 0);
    }
}

#[test]
fn the_key_map_is_bounded_and_knows_the_newest_offset() {
    let mut keys = KeyMap::new(64 * 2);
    assert!(keys.note(b"a", 1) && keys.note(b"b", 2) && keys.note(b"a", 3));
    assert!(!keys.note(b"c", 4), "it is full");
    assert!(keys.note(b"b", 5), "a known key takes no room");
    assert!(keys.is_superseded(b"a", 2) && !keys.is_superseded(b"a", 3) && !keys.is_superseded(b"c", 0));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Whoever replays the log gets the same state with and without compaction, whenever it happens.
    #[test]
    fn replay_gives_the_same_state(
        records in prop::collection::vec((0..12u8, prop::option::of(0..5u8), any::<bool>()), 1..200),
        keys in 1..20usize,
        advance in 0..3i64,
    ) {
        let config = LogConfig { dedupe_buffer_bytes: 64 * keys, ..lab().config };
        let lab = Lab { config, ..lab() };
        let mut partition = lab.open();
        let mut wanted = BTreeMap::new();
        for (number, (key, value, compact_now)) in records.iter().enumerate() {
            let (key, value) = (format!("key-{key}"), value.map(|value| value.to_string()));
            put(&partition, &key, value.as_deref());
            wanted.insert(key, value);
            if *compact_now && number % 10 == 0 {
                compact(&partition, NOON + advance * DAY);
                drop(partition);
                partition = lab.open();
            }
        }
        let alive = |state: BTreeMap<String, Option<String>>| {
            state.into_iter().filter(|(_, value)| value.is_some()).collect::<Vec<_>>()
        };
        prop_assert_eq!(alive(state(&partition)), alive(wanted));
    }
}

/// The segment lies before the recovery point: after a crash its indexes are trusted.
#[test]
fn the_indexes_of_a_compacted_segment_are_made_durable() {
    let lab = lab();
    let partition = lab.open();
    for number in 0..100 {
        put(&partition, &format!("key-{}", number % 5), Some(&number.to_string()));
    }
    partition.flush_to(100).unwrap();
    let syncs = lab.disk.syncs();
    assert!(compact(&partition, NOON));
    // the new .log and .timeindex, the .index twice: its last entry apart
    assert_eq!(lab.disk.syncs(), syncs + 4);
}

/// Offsets may be missing in a compacted log: nothing would tell that a loss of power took the end of a segment.
#[test]
fn a_segment_is_durable_before_the_next_begins() {
    let lab = lab();
    let partition = lab.open();
    while partition.segment_count() < 2 {
        put(&partition, "k", Some("value"));
    }
    assert_eq!(partition.flushed_offset(), partition.log_end_offset() - 1);
}

#[test]
fn young_records_are_left_alone() {
    let lab = Lab { config: LogConfig { min_compaction_lag_ms: DAY, ..lab().config }, ..lab() };
    let partition = lab.open();
    for _ in 0..50 {
        put(&partition, "k", Some("value"));
    }
    let size = partition.size_bytes();
    assert!(!compact(&partition, NOON + DAY - 1));
    assert_eq!(partition.size_bytes(), size);
    assert!(compact(&partition, NOON + DAY));
    assert!(partition.size_bytes() < size / 2);
}

#[test]
fn a_record_that_waits_too_long_is_compacted_whatever_its_share() {
    let config = LogConfig { min_cleanable_dirty_ratio: 0.9, max_compaction_lag_ms: DAY, ..lab().config };
    let lab = Lab { config, ..lab() };
    let partition = lab.open();
    for number in 0..100 {
        put(&partition, &format!("key-{number}"), Some("value"));
    }
    assert!(compact(&partition, NOON), "all of it is new");
    for _ in 0..20 {
        put(&partition, "k", Some("value"));
    }
    assert!(!compact(&partition, NOON + DAY), "a small share");
    assert!(compact(&partition, NOON + DAY + 1));
    assert!(!compact(&partition, NOON + 9 * DAY), "nothing waits any more");
}
