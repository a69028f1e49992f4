use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;

use tempfile::TempDir;
use wire::record::BatchHeader;

use super::index::{OffsetEntry, OffsetIndex};
use super::open::{Opened, Place, open_trusted, open_verified};
use super::time_index::{TimeEntry, TimeIndex};
use super::{Segment, file_path};
use crate::log::RealDisk;
use crate::log::error::ReadError;
use crate::log::tests::{NOON, values_at};

const BASE: i64 = 1000;
/// So small that nearly every batch gets an index entry.
const INTERVAL: u32 = 100;

/// A segment of `count` batches of three records each, written and closed.
fn segment_of(count: usize) -> (TempDir, Segment) {
    let dir = tempfile::tempdir().unwrap();
    let segment = Segment::create(&RealDisk, dir.path(), BASE).unwrap();
    for number in 0..count as i64 {
        append(&segment, BASE + 3 * number, NOON + 10 * number);
    }
    segment.close(&RealDisk).unwrap();
    (dir, segment)
}

fn append(segment: &Segment, base_offset: i64, timestamp: i64) {
    let mut bytes = values_at(timestamp, &["one", "two", "three"]);
    wire::record::batch::set_base_offset(&mut bytes, base_offset);
    let header = BatchHeader::parse(&bytes).unwrap();
    segment.append(&RealDisk, &bytes, &[header], INTERVAL).unwrap();
    segment.publish(bytes.len() as u32);
}

/// Not the last segment, whose indexes are written when they are rebuilt.
fn place(dir: &Path) -> Place<'_> {
    Place {
        disk: &RealDisk,
        dir,
        base_offset: BASE,
        end_offset: i64::MAX - 1,
        gapless: true,
        index_interval_bytes: INTERVAL,
    }
}

/// The offsets of all records can be found, each in its batch.
fn assert_finds_all(segment: &Segment, batches: usize) {
    for offset in BASE..BASE + 3 * batches as i64 {
        let (_, header) = segment.find(offset).unwrap().unwrap();
        assert!((header.base_offset..=header.last_offset()).contains(&offset));
    }
    assert_eq!(segment.find(BASE + 3 * batches as i64).unwrap(), None);
}

fn overwrite(path: &Path, at: u64, bytes: &[u8]) {
    OpenOptions::new().write(true).open(path).unwrap().write_all_at(bytes, at).unwrap();
}

fn cut(path: &Path, len: u64) {
    OpenOptions::new().write(true).open(path).unwrap().set_len(len).unwrap();
}

#[test]
fn offset_index_has_kafkas_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("i");
    let mut index = OffsetIndex::open(&RealDisk, &path, BASE).unwrap();
    index.push(OffsetEntry { last_offset: BASE + 2, position: 0 });
    index.push(OffsetEntry { last_offset: BASE + 0x0102_0304, position: 0x0506_0708 });
    index.write(&RealDisk).unwrap();
    assert_eq!(fs::read(&path).unwrap(), [0, 0, 0, 2, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]);
}

#[test]
fn time_index_has_kafkas_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t");
    let mut index = TimeIndex::open(&RealDisk, &path, BASE).unwrap();
    index.push_if_newer(TimeEntry { timestamp: 0x0102_0304_0506_0708, offset: BASE + 9 });
    index.push_if_newer(TimeEntry { timestamp: 7, offset: BASE + 10 });
    index.write(&RealDisk).unwrap();
    assert_eq!(fs::read(&path).unwrap(), [1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 9]);
    let index = TimeIndex::open(&RealDisk, &path, BASE).unwrap();
    assert_eq!(index.last(), Some(TimeEntry { timestamp: 0x0102_0304_0506_0708, offset: BASE + 9 }));
}

#[test]
fn look_ups_agree_between_memory_and_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("i");
    let mut index = OffsetIndex::open(&RealDisk, &path, 0).unwrap();
    for number in 0..200 {
        index.reserve(&RealDisk).unwrap();
        index.push(OffsetEntry { last_offset: 10 * number + 9, position: 100 * number as u32 });
    }
    let waiting: Vec<_> = (0..2100).map(|offset| index.lookup(offset).unwrap()).collect();
    let positions: Vec<_> = (0..21_000).step_by(7).map(|at| index.lookup_position(at).unwrap()).collect();
    index.write(&RealDisk).unwrap();
    let index = OffsetIndex::open(&RealDisk, &path, 0).unwrap();
    assert_eq!((0..2100).map(|offset| index.lookup(offset).unwrap()).collect::<Vec<_>>(), waiting);
    let reread: Vec<_> = (0..21_000).step_by(7).map(|at| index.lookup_position(at).unwrap()).collect();
    assert_eq!(reread, positions);
    assert_eq!(index.lookup(8).unwrap(), None);
    assert_eq!(index.lookup(25).unwrap(), Some(OffsetEntry { last_offset: 19, position: 100 }));
    assert_eq!(index.lookup_position(250).unwrap(), Some(OffsetEntry { last_offset: 29, position: 200 }));
}

#[test]
fn every_offset_is_found_through_the_index() {
    let (dir, segment) = segment_of(50);
    assert_finds_all(&segment, 50);
    assert!(fs::metadata(file_path(dir.path(), BASE, "index")).unwrap().len() > 100);
    let (position, _) = segment.find(BASE + 75).unwrap().unwrap();
    assert_eq!(segment.boundary_before(position + 1), position.min(segment.boundary_before(position + 1)));
}

#[test]
fn a_clean_segment_is_trusted_and_goes_on_where_it_was() {
    let (dir, segment) = segment_of(50);
    let newest = segment.newest();
    let opened = open_trusted(place(dir.path())).unwrap();
    assert!(!opened.verified && !opened.indexes_rebuilt);
    assert_eq!(opened.next_offset, BASE + 150);
    assert_eq!(opened.segment.newest(), newest);
    let before = fs::read(file_path(dir.path(), BASE, "index")).unwrap();
    append(&opened.segment, BASE + 150, NOON);
    append(&opened.segment, BASE + 153, NOON);
    opened.segment.close(&RealDisk).unwrap();
    assert_finds_all(&opened.segment, 52);
    let after = fs::read(file_path(dir.path(), BASE, "index")).unwrap();
    assert!(after.starts_with(&before) && after.len() > before.len());
    // what was appended over the restart is indexed as if there had been none
    let rebuilt = open_verified(place(dir.path())).unwrap();
    rebuilt.segment.close(&RealDisk).unwrap();
    assert_eq!(fs::read(file_path(dir.path(), BASE, "index")).unwrap(), after);
}

#[test]
fn an_index_that_is_missing_short_or_nonsense_is_rebuilt() {
    let (dir, _) = segment_of(50);
    for suffix in ["index", "timeindex"] {
        let path = file_path(dir.path(), BASE, suffix);
        let good = fs::read(&path).unwrap();
        let mut wrong_last = good.clone();
        let last = wrong_last.len() - 8;
        wrong_last[last..].fill(0xff);
        let damages: [(&str, Option<Vec<u8>>); 5] = [
            ("missing", None),
            ("empty", Some(Vec::new())),
            ("half an entry", Some(good[..good.len() - 3].to_vec())),
            ("zeros", Some(vec![0; 10 * good.len()])),
            ("a wrong last entry", Some(wrong_last)),
        ];
        for (damage, content) in damages {
            match content {
                Some(content) => fs::write(&path, content).unwrap(),
                None => fs::remove_file(&path).unwrap(),
            }
            let opened = open_trusted(place(dir.path())).unwrap();
            assert!(opened.indexes_rebuilt, "{suffix}: {damage}");
            assert_eq!(opened.truncated_bytes, 0);
            assert_finds_all(&opened.segment, 50);
            assert_eq!(fs::read(&path).unwrap(), good, "{suffix}: {damage}");
        }
    }
}

#[test]
fn an_index_that_lags_behind_is_rebuilt() {
    let (dir, _) = segment_of(50);
    let path = file_path(dir.path(), BASE, "index");
    let good = fs::read(&path).unwrap();
    cut(&path, good.len() as u64 / 2 / 8 * 8);
    assert!(open_trusted(place(dir.path())).unwrap().indexes_rebuilt);
    assert_eq!(fs::read(&path).unwrap(), good);
}

#[test]
fn wrong_entries_in_the_middle_of_an_index_cost_time_and_no_records() {
    let (dir, _) = segment_of(50);
    let path = file_path(dir.path(), BASE, "index");
    overwrite(&path, 40, &[0x11; 80]);
    let opened = open_trusted(place(dir.path())).unwrap();
    assert_finds_all(&opened.segment, 50);
}

#[test]
fn a_tail_of_garbage_is_cut_off() {
    let (dir, segment) = segment_of(20);
    let path = file_path(dir.path(), BASE, "log");
    let size = u64::from(segment.size());
    for garbage in [vec![0; 5000], vec![0xa5; 7], vec![0x01; 300], values_at(NOON, &["x"])] {
        overwrite(&path, size, &garbage);
        for open in [open_verified, open_trusted] {
            overwrite(&path, size, &garbage);
            let opened: Opened = open(place(dir.path())).unwrap();
            assert_eq!(opened.truncated_bytes, garbage.len() as u64);
            assert_eq!(opened.next_offset, BASE + 60);
            assert!(opened.reason.is_some() && opened.verified);
            assert_eq!(fs::metadata(&path).unwrap().len(), size);
        }
    }
}

#[test]
fn a_segment_may_be_cut_at_any_byte() {
    let (dir, segment) = segment_of(4);
    let path = file_path(dir.path(), BASE, "log");
    let size = u64::from(segment.size());
    let batch = size / 4;
    for len in (0..size).rev() {
        cut(&path, len);
        let opened = open_trusted(place(dir.path())).unwrap();
        assert_eq!(opened.next_offset, BASE + 3 * (len / batch) as i64);
        assert_eq!(u64::from(opened.segment.size()), len / batch * batch);
        // the next round finds zeros where this one has cut
    }
}

#[test]
fn a_flipped_bit_ends_a_verified_segment_and_not_a_trusted_one() {
    let (dir, segment) = segment_of(20);
    let path = file_path(dir.path(), BASE, "log");
    let (position, _) = segment.find(BASE + 30).unwrap().unwrap();
    overwrite(&path, u64::from(position) + 70, &[0xff]);
    let trusted = open_trusted(place(dir.path())).unwrap();
    assert_eq!((trusted.truncated_bytes, trusted.next_offset), (0, BASE + 60));
    let verified = open_verified(place(dir.path())).unwrap();
    assert_eq!(verified.next_offset, BASE + 30);
    assert_eq!(u64::from(segment.size()) - verified.truncated_bytes, u64::from(position));
    assert!(verified.reason.unwrap().contains("checksum"));
}

#[test]
fn a_damaged_header_met_while_reading_is_an_error_not_a_panic() {
    let (dir, segment) = segment_of(20);
    let (position, _) = segment.find(BASE + 30).unwrap().unwrap();
    let path = file_path(dir.path(), BASE, "log");
    for damage in [[0xff; 61], [0; 61], [0x7f; 61]] {
        overwrite(&path, u64::from(position), &damage);
        let results: Vec<_> = (BASE..BASE + 60).map(|offset| segment.find(offset)).collect();
        assert!(results.iter().any(|result| matches!(result, Err(ReadError::Corrupt { .. }))));
        assert!(results[..30].iter().all(Result::is_ok));
        assert!(segment.headers_from(0).any(|batch| batch.is_err()));
    }
}

#[test]
fn batches_beyond_the_next_segments_base_are_cut() {
    let (dir, _) = segment_of(20);
    let opened = open_verified(Place { end_offset: BASE + 30, ..place(dir.path()) }).unwrap();
    assert_eq!(opened.next_offset, BASE + 30);
    assert!(opened.truncated_bytes > 0);
}

/// A base offset is not under the checksum: a bit of it once moved the log's end by 1.7 billion.
#[test]
fn a_flipped_bit_in_a_base_offset_ends_the_segment_unless_it_was_compacted() {
    let (dir, segment) = segment_of(20);
    let (position, _) = segment.find(BASE + 57).unwrap().unwrap();
    overwrite(&file_path(dir.path(), BASE, "log"), u64::from(position) + 4, &[0x67]);
    let compacted = open_verified(Place { gapless: false, ..place(dir.path()) }).unwrap();
    assert!(compacted.truncated_bytes == 0 && compacted.next_offset > 1_000_000_000);
    let opened = open_verified(place(dir.path())).unwrap();
    assert_eq!(opened.next_offset, BASE + 57);
    assert!(opened.truncated_bytes > 0);
}

#[test]
fn removing_a_segment_leaves_the_open_file_readable() {
    let (dir, segment) = segment_of(5);
    segment.remove(&RealDisk).unwrap();
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    assert_finds_all(&segment, 5);
    segment.sync_indexes(&RealDisk).unwrap();
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

/// A look-up by name would find the new segment's index, whose positions are not the old one's.
#[test]
fn a_detached_segment_does_not_look_into_an_index_of_its_name() {
    let (dir, old) = segment_of(50);
    old.settle_indexes(&RealDisk).unwrap();
    // not what the last entries say, which are in memory
    let look =
        |segment: &Segment| (segment.boundary_before(old.size() / 2), segment.position_of_time(NOON + 200));
    assert!(look(&old).0 > 0 && look(&old).1 > 0);
    old.detach();
    for suffix in ["log", "index", "timeindex"] {
        fs::remove_file(file_path(dir.path(), BASE, suffix)).unwrap();
    }
    let new = Segment::create(&RealDisk, dir.path(), BASE).unwrap();
    for number in 0..40 {
        append(&new, BASE + 30 * number, NOON);
    }
    new.close(&RealDisk).unwrap();
    assert_finds_all(&old, 50);
    assert_eq!(look(&old), (0, 0));
}

/// The last segment grows on: as in any that grows the newest entries of its indexes are in memory.
#[test]
fn indexes_of_the_last_segment_are_rebuilt_in_memory() {
    let (dir, _) = segment_of(50);
    let index = file_path(dir.path(), BASE, "index");
    let good = fs::read(&index).unwrap();
    let opened = open_verified(Place { end_offset: i64::MAX, ..place(dir.path()) }).unwrap();
    assert_eq!(fs::metadata(&index).unwrap().len(), 0);
    assert_finds_all(&opened.segment, 50);
    opened.segment.close(&RealDisk).unwrap();
    assert_eq!(fs::read(&index).unwrap(), good);
}
