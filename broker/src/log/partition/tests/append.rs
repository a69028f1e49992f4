use std::fs;
use std::sync::Arc;
use std::thread;

use wire::record::{BatchHeader, Compression, TimestampType as RecordTime, batch};

use crate::log::config::{CleanupPolicy, LogConfig, TimestampType};
use crate::log::error::{AppendError, BrokenRule, RefusedRecords, StorageError};
use crate::log::partition::Partition;
use crate::log::tests::{Fault, Lab, NOON, keyed, produced, read_values, values, values_at};

fn wanted(values: &[&str]) -> Vec<(i64, String)> {
    (0..).zip(values).map(|(offset, value)| (offset, (*value).to_owned())).collect()
}

fn is_storage_error(result: Result<crate::log::Appended, AppendError>) -> bool {
    result.is_err_and(|error| error.error_code().code() == 56)
}

#[test]
fn offsets_follow_each_other_over_batches() {
    let lab = Lab::new();
    let partition = lab.open();
    let first = partition.append(&mut values(&["a", "b"])).unwrap();
    assert_eq!((first.base_offset, first.last_offset, first.log_append_time), (0, 1, -1));
    let second = partition.append(&mut values(&["c"])).unwrap();
    assert_eq!((second.base_offset, second.last_offset, second.log_start_offset), (2, 2, 0));
    assert_eq!(partition.log_end_offset(), 3);
    assert_eq!(partition.high_watermark(), 3);
    assert_eq!(read_values(&partition), wanted(&["a", "b", "c"]));
}

#[test]
fn the_bytes_are_appended_as_they_came_but_for_offset_and_epoch() {
    let lab = Lab::new();
    let partition = lab.open();
    partition.append(&mut values(&["a"])).unwrap();
    let original = keyed(NOON, Compression::Lz4, &[("k", Some("v")), ("k", None)]);
    let mut sent = original.clone();
    let writes = lab.disk.writes();
    partition.append(&mut sent).unwrap();
    assert_eq!(lab.disk.writes(), writes + 1, "one write for an append");
    let log = fs::read(lab.path("00000000000000000000.log")).unwrap();
    let stored = &log[log.len() - original.len()..];
    assert_eq!(stored, sent);
    let mut expected = original;
    batch::set_base_offset(&mut expected, 1);
    batch::set_leader_epoch(&mut expected, 0);
    assert_eq!(stored, expected);
}

#[test]
fn several_batches_go_in_with_one_append() {
    let lab = Lab::new();
    let partition = lab.open();
    let mut both = [values(&["a", "b"]), values(&["c"])].concat();
    let appended = partition.append(&mut both).unwrap();
    assert_eq!((appended.base_offset, appended.last_offset), (0, 2));
    assert_eq!(read_values(&partition), wanted(&["a", "b", "c"]));
}

#[test]
fn append_time_is_the_brokers_clock() {
    let config = LogConfig { message_timestamp_type: TimestampType::LogAppendTime, ..LogConfig::default() };
    let lab = Lab::with(config);
    let partition = lab.open();
    lab.clock.advance(500);
    let appended = partition.append(&mut values(&["a"])).unwrap();
    assert_eq!(appended.log_append_time, NOON + 500);
    let bytes = partition.read(0, 1000, true).unwrap().read_bytes().unwrap();
    batch::verify_crc(&bytes).unwrap();
    let header = BatchHeader::parse(&bytes).unwrap();
    assert_eq!((header.timestamp_type(), header.max_timestamp), (RecordTime::LogAppendTime, NOON + 500));
}

#[test]
fn damaged_bytes_are_corrupt_and_leave_no_trace() {
    let lab = Lab::new();
    let partition = lab.open();
    let good = values(&["some text", "more text"]);
    for at in 12..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 0x10;
        // the leader epoch is not under the checksum
        let result = partition.append(&mut bad);
        assert_eq!(result.is_ok(), (12..16).contains(&at), "byte {at}: {result:?}");
    }
    for len in 1..good.len() {
        assert!(partition.append(&mut good[..len].to_vec()).is_err(), "cut at {len}");
    }
    let error = partition.append(&mut [good.as_slice(), b"trailing"].concat()).unwrap_err();
    assert_eq!(error.error_code().code(), 2);
    assert_eq!(partition.log_end_offset(), 8);
}

#[test]
fn batches_that_no_client_may_send_are_refused() {
    let lab = Lab::new();
    let partition = lab.open();
    let code = |mut bytes: Vec<u8>| partition.append(&mut bytes).unwrap_err().error_code().code();
    assert_eq!(code(Vec::new()), 87);
    let mut old_format = values(&["a"]);
    old_format[16] = 1;
    assert_eq!(code(old_format), 43);
    assert_eq!(code([produced(1, 0, 0, 1), produced(1, 0, 1, 1)].concat()), 87);
    assert_eq!(code(produced(1, 0, -2, 1)), 87);
    assert_eq!(partition.log_end_offset(), 0);
}

#[test]
fn limits_on_batch_and_segment_hold() {
    let lab = Lab::with(LogConfig { max_message_bytes: 200, segment_bytes: 300, ..LogConfig::default() });
    let partition = lab.open();
    let large = partition.append(&mut values(&[&"x".repeat(200)])).unwrap_err();
    assert_eq!(large.error_code().code(), 10);
    let many = [values(&[&"x".repeat(100)]), values(&[&"x".repeat(100)])].concat();
    assert_eq!(partition.append(&mut many.clone()).unwrap_err().error_code().code(), 18);
    partition.append(&mut many[..many.len() / 2].to_vec()).unwrap();
}

#[test]
fn a_compacted_topic_wants_keys() {
    let lab = Lab::with(LogConfig { cleanup_policy: CleanupPolicy::COMPACT, ..LogConfig::default() });
    let partition = lab.open();
    assert_eq!(partition.append(&mut values(&["a"])).unwrap_err().error_code().code(), 87);
    partition.append(&mut keyed(NOON, Compression::Zstd, &[("k", None)])).unwrap();
}

#[test]
fn a_full_disk_fails_the_append_and_leaves_nothing_half_written() {
    let lab = Lab::new();
    let partition = lab.open();
    partition.append(&mut values(&["kept"])).unwrap();
    let size = fs::metadata(lab.path("00000000000000000000.log")).unwrap().len();
    for after in [0, 1, 40, 60] {
        let syncs = lab.disk.syncs();
        lab.disk.fail(Fault::WriteFull { after });
        assert!(is_storage_error(partition.append(&mut produced(5, 0, 0, 1))));
        assert_eq!(lab.disk.syncs(), syncs + 1, "no loss of power brings back what was refused");
        assert_eq!(fs::metadata(lab.path("00000000000000000000.log")).unwrap().len(), size);
        assert_eq!(partition.log_end_offset(), 1);
    }
    // the producer's sequence was not taken either
    assert_eq!(partition.append(&mut produced(5, 0, 0, 1)).unwrap().base_offset, 1);
    assert_eq!(read_values(&partition), wanted(&["kept", "5/0/0"]));
}

#[test]
fn a_write_that_cannot_be_undone_takes_the_partition_offline() {
    for undo in [Fault::Truncate, Fault::Sync] {
        let lab = Lab::new();
        let partition = lab.open();
        partition.append(&mut values(&["kept"])).unwrap();
        lab.disk.fail(Fault::WriteFull { after: 30 });
        lab.disk.fail(undo);
        assert!(is_storage_error(partition.append(&mut values(&["lost"]))));
        assert!(partition.is_offline(), "{undo:?}");
        assert!(is_storage_error(partition.append(&mut values(&["refused"]))));
        assert!(partition.read(0, 1000, true).is_err());
        drop(partition);
        assert_eq!(read_values(&lab.open()), wanted(&["kept"]));
    }
}

#[test]
fn a_closed_partition_refuses() {
    let lab = Lab::new();
    let partition = lab.open();
    partition.close().unwrap();
    let error = partition.append(&mut values(&["late"])).unwrap_err();
    assert!(matches!(error, AppendError::Storage(StorageError::Closed(_))));
    assert!(matches!(partition.close(), Err(StorageError::Closed(_))));
}

#[test]
fn appends_from_many_threads_are_whole_and_in_one_order() {
    let lab = Lab::small();
    let partition: Arc<Partition> = Arc::new(lab.open());
    thread::scope(|scope| {
        for thread in 0..4 {
            let partition = &partition;
            scope.spawn(move || {
                for number in 0..50 {
                    let value = format!("{thread} {number}");
                    partition.append(&mut values(&[&value, &value])).unwrap();
                }
            });
        }
        let partition = &partition;
        scope.spawn(move || {
            // a reader sees whole batches only, while they are appended
            while partition.log_end_offset() < 400 {
                read_values(partition);
            }
        });
    });
    let read = read_values(&partition);
    assert!(read.iter().map(|(offset, _)| *offset).eq(0..400));
    for thread in 0..4 {
        let prefix = format!("{thread} ");
        let own: Vec<_> = read.iter().filter(|(_, value)| value.starts_with(&prefix)).collect();
        assert!(own.is_sorted_by_key(|(_, value)| value[2..].parse::<u32>().unwrap()));
    }
}

#[tokio::test]
async fn an_append_wakes_those_that_wait_for_it() {
    let lab = Lab::new();
    let partition = Arc::new(lab.open());
    let mut high_watermark = partition.watch_high_watermark();
    assert_eq!(*high_watermark.borrow_and_update(), 0);
    let appender = Arc::clone(&partition);
    let appended = tokio::task::spawn_blocking(move || appender.append(&mut values(&["a", "b"])).unwrap());
    high_watermark.changed().await.unwrap();
    assert_eq!(*high_watermark.borrow(), 2);
    assert_eq!(appended.await.unwrap().last_offset, 1);
}

#[test]
fn timestamps_too_far_from_the_brokers_time_are_refused() {
    let config = LogConfig {
        message_timestamp_before_max_ms: 1000,
        message_timestamp_after_max_ms: 500,
        ..LogConfig::default()
    };
    let lab = Lab::with(config);
    let partition = lab.open();
    let at = |timestamp| partition.append(&mut values_at(timestamp, &["x"]));
    for timestamp in [NOON - 1000, NOON, NOON + 500, -1] {
        assert!(at(timestamp).is_ok(), "{timestamp}");
    }
    for (timestamp, side) in
        [(NOON - 1001, "before"), (NOON + 501, "after"), (2 * NOON, "after"), (0, "before")]
    {
        let error = at(timestamp).unwrap_err();
        assert_eq!(error.error_code().code(), 32, "{timestamp}");
        assert!(error.to_string().contains(side), "{error}");
    }
    assert_eq!(partition.log_end_offset(), 4, "nothing of what was refused is there");
}

/// The header of a batch has only the largest timestamp.
#[test]
fn an_old_record_among_new_ones_is_found_also_in_a_compressed_batch() {
    let lab = Lab::with(LogConfig { message_timestamp_before_max_ms: 1000, ..LogConfig::default() });
    let partition = lab.open();
    for codec in [Compression::None, Compression::Zstd] {
        let mut builder = wire::record::BatchBuilder::new(codec);
        for timestamp in [NOON, NOON - 1001] {
            builder.append(timestamp, None, Some(b"x"), &[]).unwrap();
        }
        let mut batch = Vec::from(builder.finish().unwrap());
        let refused = refused(&partition, &mut batch);
        assert_eq!((refused.count, refused.first[0].batch_index), (1, 1));
        assert!(matches!(refused.first[0].rule, BrokenRule::Timestamp(far) if far.side == "before"));
    }
}

/// The records that an append is refused for.
fn refused(partition: &Partition, batch: &mut [u8]) -> RefusedRecords {
    match partition.append(batch).unwrap_err() {
        AppendError::InvalidRecords(refused) => refused,
        other => panic!("{other}"),
    }
}

/// Retention goes by it, whatever the records say.
#[test]
fn a_batch_that_claims_a_timestamp_too_far_ahead_is_refused_without_naming_records() {
    let lab = Lab::with(LogConfig { message_timestamp_after_max_ms: 500, ..LogConfig::default() });
    let mut batch = values(&["x"]);
    batch::set_max_timestamp(&mut batch, 2 * NOON);
    let error = lab.open().append(&mut batch).unwrap_err();
    assert!(matches!(error, AppendError::InvalidTimestamp(far) if far.timestamp == 2 * NOON));
}

/// A few kilobytes of them compressed would be answered with hundreds of megabytes of words.
#[test]
fn of_very_many_refused_records_only_the_first_are_named() {
    let lab = Lab::with(LogConfig { cleanup_policy: CleanupPolicy::COMPACT, ..LogConfig::default() });
    let mut builder = wire::record::BatchBuilder::new(Compression::Zstd);
    let count = RefusedRecords::MAX + 1;
    for _ in 0..count {
        builder.append(NOON, None, Some(b"x"), &[]).unwrap();
    }
    let refused = refused(&lab.open(), &mut Vec::from(builder.finish().unwrap()));
    assert_eq!((refused.count, refused.first.len()), (count, RefusedRecords::MAX));
}

#[test]
fn with_append_time_the_producers_timestamps_do_not_matter() {
    let config = LogConfig {
        message_timestamp_type: TimestampType::LogAppendTime,
        message_timestamp_before_max_ms: 0,
        message_timestamp_after_max_ms: 0,
        ..LogConfig::default()
    };
    let lab = Lab::with(config);
    assert!(lab.open().append(&mut values_at(5, &["x"])).is_ok());
}
