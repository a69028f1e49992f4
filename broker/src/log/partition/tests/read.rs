use std::os::unix::fs::FileExt;

use wire::record::batch;

use crate::log::error::ReadError;
use crate::log::partition::Partition;
use crate::log::tests::{Lab, read_from, read_values, values};

/// Batches of three records each in segments of about ten batches.
fn filled(lab: &Lab, batches: usize) -> Partition {
    let partition = lab.open();
    for number in 0..batches {
        let value = number.to_string();
        partition.append(&mut values(&[&value, &value, &value])).unwrap();
    }
    partition
}

#[test]
fn every_record_is_read_from_every_offset_in_steps_of_any_size() {
    let lab = Lab::small();
    let partition = filled(&lab, 60);
    assert!(partition.segment_count() > 4);
    for max_bytes in [1, 99, 300, 1500, u32::MAX] {
        let read = read_from(&partition, 0, max_bytes);
        assert!(read.iter().map(|record| record.offset).eq(0..180), "{max_bytes} bytes at a time");
    }
    for offset in 0..180 {
        let first = read_from(&partition, offset, 1).remove(0);
        assert_eq!((first.offset, first.value), (offset, Some((offset / 3).to_string())));
    }
}

#[test]
fn a_range_is_made_of_whole_batches_within_the_limit() {
    let lab = Lab::small();
    let partition = filled(&lab, 60);
    for offset in 0..180 {
        for max_bytes in [100, 200, 450, 900] {
            let slice = partition.read(offset, max_bytes, true).unwrap();
            assert!(slice.len <= max_bytes.max(slice.first_batch_len));
            let bytes = slice.read_bytes().unwrap();
            assert!(batch::batches(&bytes).all(|batch| batch.is_ok()), "offset {offset}, {max_bytes} bytes");
            assert_eq!(batch::batches(&bytes).next().unwrap().unwrap().0.base_offset, slice.base_offset);
        }
    }
}

#[test]
fn a_batch_larger_than_the_limit_comes_whole_or_cut_off_as_asked() {
    let lab = Lab::small();
    let partition = filled(&lab, 3);
    let whole = partition.read(4, 10, true).unwrap();
    assert_eq!((whole.len, whole.base_offset), (whole.first_batch_len, 3));
    let cut = partition.read(4, 10, false).unwrap();
    assert_eq!((cut.len, cut.first_batch_len), (10, whole.len));
    assert_eq!(partition.read(4, 0, false).unwrap().len, 0);
}

#[test]
fn the_logs_end_is_empty_and_beyond_it_is_out_of_range() {
    let lab = Lab::new();
    let partition = lab.open();
    assert_eq!(partition.read(0, 1000, true).unwrap().len, 0);
    partition.append(&mut values(&["a", "b"])).unwrap();
    let end = partition.read(2, 1000, true).unwrap();
    assert_eq!((end.len, end.base_offset, end.high_watermark), (0, 2, 2));
    for offset in [-1, 3, i64::MAX] {
        let error = partition.read(offset, 1000, true).unwrap_err();
        assert!(matches!(error, ReadError::OffsetOutOfRange { log_start_offset: 0, log_end_offset: 2, .. }));
        assert_eq!(error.error_code().code(), 1);
    }
}

#[test]
fn deleted_records_are_out_of_range() {
    let lab = Lab::small();
    let partition = filled(&lab, 10);
    assert_eq!(partition.delete_records_before(7).unwrap(), 7);
    assert_eq!(partition.delete_records_before(3).unwrap(), 7);
    assert!(partition.read(6, 1000, true).is_err());
    assert_eq!(partition.read(7, 1000, true).unwrap().base_offset, 6);
    assert_eq!(read_values(&partition).first().unwrap().0, 7);
    assert!(partition.delete_records_before(31).is_err());
    assert!(partition.delete_records_before(-1).is_err());
}

/// Garbage in what was durable is met by a reader first.
#[test]
fn garbage_in_the_middle_is_an_error_and_what_is_before_it_is_served() {
    let lab = Lab::new();
    let partition = filled(&lab, 20);
    let slice = partition.read(30, 1, true).unwrap();
    let log = std::fs::OpenOptions::new().write(true).open(lab.path("00000000000000000000.log")).unwrap();
    log.write_all_at(&[0xee; 90], slice.position).unwrap();
    assert!(partition.read(0, 1, true).is_ok());
    for offset in 30..60 {
        let error = partition.read(offset, 1000, true).unwrap_err();
        assert!(matches!(error, ReadError::Corrupt { position, .. } if position == slice.position));
        assert_eq!(error.error_code().code(), 2);
    }
    assert!(partition.offset_for_timestamp(i64::MAX).unwrap().is_none());
}

#[test]
fn a_range_outlives_the_segment_it_is_in() {
    let lab = Lab::small();
    let partition = filled(&lab, 60);
    let slice = partition.read(0, 500, true).unwrap();
    partition.delete_records_before(180).unwrap();
    partition.apply_retention(0).unwrap();
    assert!(!lab.path("00000000000000000000.log").exists());
    let bytes = slice.read_bytes().unwrap();
    assert!(batch::batches(&bytes).all(|batch| batch::verify_crc(batch.unwrap().1).is_ok()));
}
