//! Room on the disk ahead of the active segment, as the file system counts it.

use std::os::unix::fs::MetadataExt;

use super::{Fault, Lab, values};
use crate::log::config::LogConfig;
use crate::log::partition::Partition;

/// Of one batch; bytes.
const BIG: usize = 600_000;
/// Bytes that a file may take beyond its length: its last block and the map of the others.
const ROUNDING: u64 = 64 << 10;

/// Segments hold three big batches.
fn lab() -> Lab {
    Lab::with(LogConfig { segment_bytes: 2_000_000, ..LogConfig::default() })
}

fn append_big(partition: &Partition, times: usize) {
    for _ in 0..times {
        partition.append(&mut values(&[&"x".repeat(BIG)])).unwrap();
    }
}

/// The length of a segment's `.log`, and what it takes on the disk; bytes.
fn taken(lab: &Lab, name: &str) -> (u64, u64) {
    let found = std::fs::metadata(lab.path(name)).unwrap();
    (found.len(), found.blocks() * 512)
}

const FIRST: &str = "00000000000000000000.log";

#[test]
fn a_segment_has_as_much_ahead_as_it_has_while_it_grows() {
    let lab = lab();
    let partition = lab.open();
    append_big(&partition, 1);
    partition.flush_to(1).unwrap();
    let (len, on_disk) = taken(&lab, FIRST);
    assert!(on_disk <= len + ROUNDING, "a small one has none: {on_disk} for {len}");
    append_big(&partition, 2);
    partition.flush_to(3).unwrap();
    let (len, on_disk) = taken(&lab, FIRST);
    assert_eq!(len, partition.size_bytes(), "the file ends with the last batch");
    assert!(on_disk > len + len / 4 && on_disk <= 2 * len + ROUNDING, "{on_disk} for {len}");
}

#[test]
fn it_is_given_back_when_the_segment_is_rolled_and_when_the_log_is_closed() {
    let lab = lab();
    let partition = lab.open();
    append_big(&partition, 6);
    partition.flush_to(6).unwrap();
    let (len, on_disk) = taken(&lab, FIRST);
    assert!(on_disk <= len + ROUNDING, "{on_disk} for {len}");
    let active = "00000000000000000003.log";
    let (len, on_disk) = taken(&lab, active);
    assert!(on_disk > len + ROUNDING, "{on_disk} for {len}");
    partition.close().unwrap();
    let (len, on_disk) = taken(&lab, active);
    assert!(on_disk <= len + ROUNDING, "{on_disk} for {len}");
    assert_eq!(lab.open_clean().0.log_end_offset(), 6);
}

#[test]
fn what_a_killed_process_had_is_given_back_at_the_start() {
    let mut lab = lab();
    lab.config.segment_bytes = 10_000_000;
    let partition = lab.open();
    append_big(&partition, 5);
    partition.flush_to(5).unwrap();
    drop(partition);
    let (len, on_disk) = taken(&lab, FIRST);
    assert!(on_disk > len + (1 << 20), "{on_disk} for {len}");
    let partition = lab.open();
    assert_eq!(partition.log_end_offset(), 5);
    let (len, on_disk) = taken(&lab, FIRST);
    assert!(on_disk <= len + ROUNDING, "{on_disk} for {len}");
}

#[test]
fn records_are_written_without_it() {
    let lab = lab();
    let partition = lab.open();
    lab.disk.fail(Fault::Allocate);
    append_big(&partition, 3);
    partition.flush_to(3).unwrap();
    let (len, on_disk) = taken(&lab, FIRST);
    assert!(on_disk <= len + ROUNDING, "it was asked for once: {on_disk} for {len}");
    // the next segment asks again, and cannot give it back
    append_big(&partition, 2);
    lab.disk.fail(Fault::Truncate);
    append_big(&partition, 2);
    assert_eq!((partition.log_end_offset(), partition.segment_count()), (7, 3));
    partition.close().unwrap();
}

#[test]
fn a_write_that_fails_loses_it_with_its_own_bytes() {
    let lab = lab();
    let partition = lab.open();
    append_big(&partition, 2);
    lab.disk.fail(Fault::WriteFull { after: 1000 });
    assert!(partition.append(&mut values(&[&"x".repeat(BIG)])).is_err());
    append_big(&partition, 1);
    partition.flush_to(3).unwrap();
    let (len, on_disk) = taken(&lab, FIRST);
    assert_eq!(len, partition.size_bytes());
    assert!(on_disk > len + len / 4, "it was asked for anew: {on_disk} for {len}");
}
