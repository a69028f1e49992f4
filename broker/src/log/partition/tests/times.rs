use wire::record::{BatchHeader, Compression, batch};

use crate::log::error::AppendError;
use crate::log::partition::{Partition, TimestampOffset};
use crate::log::tests::{Lab, NOON, keyed, values_at};

fn found(partition: &Partition, timestamp: i64) -> Option<(i64, i64)> {
    partition.offset_for_timestamp(timestamp).unwrap().map(|found| (found.offset, found.timestamp))
}

#[test]
fn the_first_record_not_older_is_found_over_segments() {
    let lab = Lab::small();
    let partition = lab.open();
    for number in 0..60 {
        partition.append(&mut values_at(NOON + 100 * number, &["a", "b", "c"])).unwrap();
    }
    assert!(partition.segment_count() > 4);
    assert_eq!(found(&partition, i64::MIN), Some((0, NOON)));
    for number in 0..60 {
        assert_eq!(found(&partition, NOON + 100 * number), Some((3 * number, NOON + 100 * number)));
        assert_eq!(
            found(&partition, NOON + 100 * number + 2),
            Some((3 * number + 2, NOON + 100 * number + 2))
        );
    }
    assert_eq!(found(&partition, NOON + 203), Some((9, NOON + 300)));
    assert_eq!(found(&partition, NOON + 5903), None);
}

#[test]
fn timestamps_in_any_order_give_the_first_in_the_log() {
    let lab = Lab::small();
    let partition = lab.open();
    for number in 0..60 {
        // 0 900 800 … 100 1000 1900 …: large ones come early
        let timestamp = NOON + 1000 * (number / 10) + (1000 - 100 * (number % 10)) % 1000;
        partition.append(&mut values_at(timestamp, &["a"])).unwrap();
    }
    let all: Vec<(i64, i64)> =
        (0..60).map(|n| (n, NOON + 1000 * (n / 10) + (1000 - 100 * (n % 10)) % 1000)).collect();
    for timestamp in (NOON..NOON + 6000).step_by(50) {
        let wanted = all.iter().find(|(_, at)| *at >= timestamp).copied();
        assert_eq!(found(&partition, timestamp), wanted, "{}", timestamp - NOON);
    }
}

#[test]
fn records_before_the_logs_start_are_not_found() {
    let lab = Lab::new();
    let partition = lab.open();
    partition.append(&mut values_at(NOON, &["a", "b", "c"])).unwrap();
    partition.delete_records_before(2).unwrap();
    assert_eq!(found(&partition, NOON), Some((2, NOON + 2)));
}

#[test]
fn the_largest_timestamp_is_found_where_it_first_occurs() {
    let lab = Lab::small();
    let partition = lab.open();
    assert_eq!(partition.max_timestamp().unwrap(), None);
    for number in 0..60 {
        let timestamp = if number == 23 { NOON + 1_000_000 } else { NOON + number };
        partition.append(&mut values_at(timestamp, &["a", "b"])).unwrap();
    }
    let wanted = TimestampOffset { offset: 47, timestamp: NOON + 1_000_001 };
    assert_eq!(partition.max_timestamp().unwrap(), Some(wanted));
    drop(partition);
    assert_eq!(lab.open().max_timestamp().unwrap(), Some(wanted));
}

#[test]
fn an_empty_log_has_no_times() {
    assert_eq!(found(&Lab::new().open(), 0), None);
}

/// sarama 1.19 leaves it out; the checksum is then another one, and a wrong one before is still refused.
#[test]
fn the_largest_timestamp_of_a_batch_is_computed_if_the_client_left_it_out() {
    let partition = Lab::new().open();
    for compression in [Compression::None, Compression::Lz4] {
        let mut unset = keyed(NOON, compression, &[("a", Some("1")), ("b", Some("2"))]);
        batch::set_max_timestamp(&mut unset, -1);
        let mut damaged = unset.clone();
        *damaged.last_mut().unwrap() ^= 1;
        assert!(matches!(partition.append(&mut damaged).unwrap_err(), AppendError::Corrupt(_)));
        let base = partition.append(&mut unset).unwrap().base_offset;
        batch::verify_crc(&unset).unwrap();
        assert_eq!(BatchHeader::parse(&unset).unwrap().max_timestamp, newest(&unset));
        assert!(newest(&unset) >= NOON && base == partition.log_end_offset() - 2);
    }
    assert_eq!(found(&partition, NOON), Some((0, NOON)));
}

fn newest(bytes: &[u8]) -> i64 {
    let records = batch::records(bytes, 1 << 20).unwrap();
    records.iter().map(|record| record.unwrap().timestamp).max().unwrap()
}
