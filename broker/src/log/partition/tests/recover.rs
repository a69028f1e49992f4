use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;

use wire::record::Compression;

use crate::log::config::{CleanupPolicy, LogConfig};
use crate::log::partition::{Origin, Partition, RecoveryReport};
use crate::log::tests::{Fault, Lab, NOON, keyed, produced, read_values, values};

/// Records `0` to `count - 1`, one a batch, about ten batches a segment.
fn filled(lab: &Lab, count: usize) -> Partition {
    let partition = lab.open();
    for number in 0..count {
        partition.append(&mut values(&[&number.to_string()])).unwrap();
    }
    partition
}

fn overwrite(lab: &Lab, name: &str, at: u64, bytes: &[u8]) {
    OpenOptions::new().write(true).open(lab.path(name)).unwrap().write_all_at(bytes, at).unwrap();
}

fn len(lab: &Lab, name: &str) -> u64 {
    fs::metadata(lab.path(name)).unwrap().len()
}

fn is_prefix(partition: &Partition, count: usize) -> bool {
    let wanted = (0..count).map(|number| (number as i64, number.to_string()));
    read_values(partition).into_iter().eq(wanted)
}

#[test]
fn a_new_directory_is_an_empty_log() {
    let lab = Lab::new();
    let (partition, report) = lab.open_clean();
    assert_eq!(report, RecoveryReport::default());
    assert_eq!(
        (partition.log_start_offset(), partition.log_end_offset(), partition.flushed_offset()),
        (0, 0, 0)
    );
}

#[test]
fn a_killed_broker_loses_nothing_that_was_written() {
    let lab = Lab::small();
    drop(filled(&lab, 100));
    let (partition, report) = lab.open_as(false, 0);
    assert!(is_prefix(&partition, 100));
    assert_eq!((report.truncated_bytes, report.reason), (0, None));
    assert_eq!(report.segments_scanned, partition.segment_count());
    assert_eq!(partition.append(&mut values(&["100"])).unwrap().base_offset, 100);
    assert!(is_prefix(&partition, 101));
}

#[test]
fn only_what_may_not_be_durable_is_verified() {
    let lab = Lab::small();
    let segments = filled(&lab, 100).segment_count();
    let (partition, report) = lab.open_as(false, 85);
    assert!(report.segments_scanned < segments && report.segments_scanned >= 2);
    assert!(is_prefix(&partition, 100));
}

#[test]
fn half_a_batch_at_the_end_is_cut_off() {
    let lab = Lab::small();
    drop(filled(&lab, 25));
    let last = lab.files("log").pop().unwrap();
    let half = &values(&["25"])[..50];
    overwrite(&lab, &last, len(&lab, &last), half);
    let (partition, report) = lab.open_as(false, 25);
    assert_eq!((report.truncated_bytes, report.segments_deleted), (50, 0));
    assert!(report.reason.unwrap().contains(&last));
    assert!(is_prefix(&partition, 25));
}

#[test]
fn at_the_first_bad_batch_the_log_ends_and_later_segments_go() {
    let lab = Lab::small();
    drop(filled(&lab, 100));
    let logs = lab.files("log");
    let third = &logs[2];
    let cut_off = len(&lab, third) - 61 + logs[3..].iter().map(|log| len(&lab, log)).sum::<u64>();
    let base: usize = third[..20].parse().unwrap();
    let first_batch = len(&lab, third) - cut_off_of_first(&lab, third);
    overwrite(&lab, third, first_batch + 65, &[0xff; 4]);
    let (partition, report) = lab.open_as(false, 0);
    assert!(is_prefix(&partition, base + 1));
    assert_eq!(report.segments_deleted, logs.len() - 3);
    assert!(report.truncated_bytes > 0 && report.truncated_bytes < cut_off);
    assert_eq!(lab.files("log"), logs[..3]);
    // offsets go on where the log now ends
    let next = (base + 1).to_string();
    assert_eq!(partition.append(&mut values(&[&next])).unwrap().base_offset, base as i64 + 1);
    drop(partition);
    assert!(is_prefix(&lab.open(), base + 2));
}

/// A write that failed was cut off, the segment was rolled and the next one flushed; then the power failed, and the cut was lost.
#[test]
fn what_stands_behind_a_whole_segment_costs_no_later_one() {
    let lab = Lab::small();
    drop(filled(&lab, 100));
    let logs = lab.files("log");
    overwrite(&lab, &logs[2], len(&lab, &logs[2]), &[7; 100]);
    let (partition, report) = lab.open_as(false, 0);
    assert_eq!((report.truncated_bytes, report.segments_deleted), (100, 0));
    assert!(is_prefix(&partition, 100));
}

/// Power was lost before the end of a file was written, and after the next one was.
#[test]
fn a_segment_that_lost_its_end_at_a_batch_s_border_ends_the_log() {
    let lab = Lab::small();
    drop(filled(&lab, 100));
    let logs = lab.files("log");
    let third = &logs[2];
    let base: usize = third[..20].parse().unwrap();
    let first_batch = len(&lab, third) - cut_off_of_first(&lab, third);
    OpenOptions::new().write(true).open(lab.path(third)).unwrap().set_len(first_batch).unwrap();
    let (partition, report) = lab.open_as(false, 0);
    assert!(is_prefix(&partition, base + 1));
    assert_eq!(report.segments_deleted, logs.len() - 3);
    assert!(report.reason.unwrap().contains(third));
}

/// Bytes behind the first batch of a segment.
fn cut_off_of_first(lab: &Lab, name: &str) -> u64 {
    let bytes = fs::read(lab.path(name)).unwrap();
    let header = wire::record::BatchHeader::parse(&bytes).unwrap();
    (bytes.len() - header.size()) as u64
}

#[test]
fn damage_in_what_was_durable_costs_that_segment_only() {
    let lab = Lab::small();
    drop(filled(&lab, 100));
    let logs = lab.files("log");
    overwrite(&lab, &logs[2], len(&lab, &logs[2]) - 70, &[0; 70]);
    for clean in [false, true] {
        let (partition, report) = lab.open_as(clean, 95);
        assert_eq!(report.segments_deleted, 0);
        let read = read_values(&partition);
        assert_eq!((read.len(), read.last().unwrap().0), (99, 99));
        // a consumer at the missing offset goes on behind it
        let missing = logs[3][..20].parse::<i64>().unwrap() - 1;
        assert_eq!(partition.read(missing, 1, true).unwrap().base_offset, missing + 1);
    }
}

#[test]
fn a_deleted_index_is_rebuilt_and_counted() {
    let lab = Lab::small();
    let partition = filled(&lab, 100);
    partition.close().unwrap();
    fs::remove_file(lab.path(&lab.files("index")[1])).unwrap();
    fs::remove_file(lab.path(&lab.files("timeindex")[3])).unwrap();
    let (partition, report) = lab.open_clean();
    assert_eq!((report.indexes_rebuilt, report.truncated_bytes), (2, 0));
    assert!(is_prefix(&partition, 100));
}

#[test]
fn a_marked_clean_log_with_a_torn_tail_is_repaired_all_the_same() {
    let lab = Lab::small();
    filled(&lab, 25).close().unwrap();
    let last = lab.files("log").pop().unwrap();
    overwrite(&lab, &last, len(&lab, &last), &[7; 33]);
    let (partition, report) = lab.open_clean();
    assert_eq!(report.truncated_bytes, 33);
    assert!(is_prefix(&partition, 25));
}

#[test]
fn leftovers_are_removed() {
    let lab = Lab::small();
    filled(&lab, 25).close().unwrap();
    for name in [
        "00000000000000000777.index",
        "00000000000000000777.timeindex",
        "00000000000000000000.cleaned",
        "leader-epoch-checkpoint.tmp",
        "00000000000000000005.log.deleted",
    ] {
        fs::write(lab.path(name), b"left over").unwrap();
    }
    fs::write(lab.path("notes.txt"), b"somebody's").unwrap();
    let before = lab.files("log").len();
    let (partition, _) = lab.open_clean();
    assert!(is_prefix(&partition, 25));
    assert_eq!((lab.files("index").len(), lab.files("timeindex").len()), (before, before));
    assert!(
        lab.files("cleaned").is_empty() && lab.files("tmp").is_empty() && lab.files("deleted").is_empty()
    );
    assert!(lab.path("notes.txt").exists());
}

#[test]
fn a_log_that_lost_all_its_files_goes_on_at_its_start() {
    let lab = Lab::small();
    let origin = Origin { log_start: 500, ..lab.origin(false, 700) };
    let (partition, _) = Partition::open(origin).unwrap();
    assert_eq!((partition.log_start_offset(), partition.log_end_offset()), (500, 500));
    assert_eq!(partition.append(&mut values(&["a"])).unwrap().base_offset, 500);
}

#[test]
fn the_logs_start_within_a_segment_is_kept() {
    let lab = Lab::new();
    drop(filled(&lab, 10));
    let (partition, _) = Partition::open(Origin { log_start: 4, ..lab.origin(false, 0) }).unwrap();
    assert_eq!(partition.log_start_offset(), 4);
    assert!(partition.read(3, 100, true).is_err());
}

#[test]
fn recovery_makes_durable_what_it_found() {
    let lab = Lab::small();
    drop(filled(&lab, 100));
    let syncs = lab.disk.syncs();
    let (partition, _) = lab.open_as(false, 0);
    assert!(lab.disk.syncs() - syncs >= partition.segment_count());
    assert_eq!(partition.flushed_offset(), 100);
}

/// Thousands of partitions may be opened after a kill, most of them small: each sync that is not needed is waited for thousands of
/// times.
#[test]
fn a_kill_costs_a_small_partition_one_sync_and_no_write() {
    let lab = Lab::new();
    drop(lab.open());
    for records in [0, 5] {
        let partition = lab.open();
        for _ in 0..records {
            partition.append(&mut values(&["a"])).unwrap();
        }
        drop(partition);
        let before = (lab.disk.syncs(), lab.disk.writes());
        let (partition, report) = lab.open_as(false, 0);
        assert_eq!(report.segments_scanned, 1);
        assert_eq!((lab.disk.syncs(), lab.disk.writes()), (before.0 + 1, before.1), "the .log");
        assert_eq!(partition.log_end_offset(), records);
    }
}

/// They were durable, and nothing was changed in them.
#[test]
fn segments_that_are_trusted_are_not_synced_again() {
    let lab = Lab::small();
    let partition = filled(&lab, 100);
    partition.flush_to(100).unwrap();
    drop(partition);
    let syncs = lab.disk.syncs();
    let (partition, report) = lab.open_as(false, 100);
    assert!(partition.segment_count() > 5);
    assert_eq!((report.segments_scanned, lab.disk.syncs()), (1, syncs + 1));
}

#[test]
fn a_disk_error_while_opening_is_reported_not_taken_for_damage() {
    let lab = Lab::small();
    drop(filled(&lab, 100));
    let files = lab.files("log");
    lab.disk.fail(Fault::Open);
    let error = lab.try_open().unwrap_err();
    assert!(error.to_string().starts_with("cannot open "), "{error}");
    assert_eq!(lab.files("log"), files);
    assert!(is_prefix(&lab.open(), 100));
}

#[test]
fn leader_epochs_survive_and_stamp_what_is_appended() {
    let lab = Lab::new();
    let partition = lab.open();
    partition.append(&mut produced(1, 0, 0, 5)).unwrap();
    assert_eq!(partition.leader_epoch(), 0);
    assert_eq!(partition.end_offset_of_epoch(0), Some((0, 5)));
    drop(partition);
    let partition = lab.open();
    assert_eq!(partition.end_offset_of_epoch(7), None);
}

/// They are flushed when the segment no longer grows: what a loss of power leaves of them may end with a sound entry.
#[test]
fn indexes_of_a_segment_that_was_flushed_while_it_grew_are_built_anew() {
    let lab = Lab::small();
    drop(filled(&lab, 100));
    let logs = lab.files("log");
    let (third, end) = (&logs[2], logs[3][..20].parse::<i64>().unwrap());
    let index = third.replace(".log", ".index");
    let sound = fs::read(lab.path(&index)).unwrap();
    assert!(sound.len() > 8);
    overwrite(&lab, &index, 0, &[0xff; 8]);
    let rebuilt = lab.open_as(false, end).1.indexes_rebuilt;
    assert_eq!(fs::read(lab.path(&index)).unwrap(), sound);
    assert_eq!(lab.open_as(false, end + 1).1.indexes_rebuilt, rebuilt - 1);
}

/// A batch's base offset is not under its checksum. The sum with the records' number was negative, the log seemed to end
/// before it began, and all of it was removed.
#[test]
fn a_base_offset_near_the_end_of_all_numbers_costs_its_batch_only() {
    let config = LogConfig { cleanup_policy: CleanupPolicy::COMPACT, ..LogConfig::default() };
    for (clean, damage) in [(false, i64::MAX - 1), (true, i64::MAX - 1), (true, 1 << 40)] {
        let lab = Lab::with(config.clone());
        let partition = lab.open();
        for number in 0..10 {
            let (key, value) = (number.to_string(), Some("value"));
            let records = [(key.as_str(), value), ("more", value), ("most", value)];
            partition.append(&mut keyed(NOON, Compression::None, &records)).unwrap();
        }
        partition.close().unwrap();
        let log = &lab.files("log")[0];
        let batch = len(&lab, log) / 10;
        overwrite(&lab, log, 9 * batch, &damage.to_be_bytes());
        let (partition, report) = lab.open_as(clean, 0);
        assert_eq!((partition.log_end_offset(), report.truncated_bytes), (27, batch), "{clean} {damage}");
    }
}
