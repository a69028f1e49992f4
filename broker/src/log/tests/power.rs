//! A compaction that loses power at each operation of the disk.

use std::sync::Arc;

use wire::record::Compression;

use super::{Lab, NOON, SimDisk, keyed, read_from};
use crate::log::config::{CleanupPolicy, LogConfig};
use crate::log::partition::{Origin, Partition};
use crate::log::verify::check_partition;

const KEYS: i64 = 40;
/// With 24 the first part of an index is lost and its last entry is not, when only the order of writing tells that.
const SEEDS: std::ops::Range<u64> = 22..26;

fn lab() -> Lab {
    Lab::with(LogConfig {
        cleanup_policy: CleanupPolicy::COMPACT,
        segment_bytes: 1500,
        index_interval_bytes: 10,
        min_cleanable_dirty_ratio: 0.01,
        ..LogConfig::default()
    })
}

fn open(lab: &Lab, disk: &Arc<SimDisk>, recovery_point: i64) -> Partition {
    let origin = Origin { disk: disk.clone(), ..lab.origin(false, recovery_point) };
    Partition::open(origin).unwrap().0
}

/// Lets the power fail after so many operations of a compaction; `false` when it was done before.
fn fails_after(operations: u32, seed: u64) -> bool {
    let lab = lab();
    let disk = Arc::new(SimDisk::new(lab.dir.path(), seed, lab.clock.clone()));
    let partition = open(&lab, &disk, 0);
    for number in 0..2 * KEYS {
        let (key, value) = (format!("key-{}", number % KEYS), number.to_string());
        partition.append(&mut keyed(NOON, Compression::None, &[(&key, Some(&value))])).unwrap();
    }
    partition.flush_to(2 * KEYS).unwrap();
    disk.set_fuse(Some(operations));
    let compacted = partition.compact_if_due(NOON);
    let failed = disk.is_dead();
    assert!(failed || compacted.unwrap().is_some());
    drop(partition);
    disk.crash();

    let what = format!("seed {seed}, power for {operations} operations");
    let partition = open(&lab, &disk, 2 * KEYS);
    let newest = read_from(&partition, 0, 300).into_iter().filter(|record| record.offset >= KEYS);
    let newest: Vec<String> = newest.map(|record| record.value.unwrap()).collect();
    assert_eq!(newest, (KEYS..2 * KEYS).map(|number| number.to_string()).collect::<Vec<_>>(), "{what}");
    drop(partition);
    let found = check_partition(lab.dir.path(), false).unwrap().findings;
    // that file is not the log's but its manager's
    let damage = found.iter().find(|found| found.is_damage() && !found.path.ends_with("partition.metadata"));
    assert!(damage.is_none(), "{what}: {damage:?}");
    failed
}

/// Also of an index, any part of a write may be what is left.
#[test]
fn a_compaction_leaves_sound_files_whenever_the_power_fails() {
    for seed in SEEDS {
        let operations = (0..).find(|operations| !fails_after(*operations, seed)).unwrap();
        // fewer than the exchange of the files has, and the test has seen nothing
        assert!(operations > 15, "{operations}");
    }
}
