//! Markers byte by byte, as Kafka writes them, and as compaction leaves them.

use super::resealed;
use crate::record::batch::{self, validate_shallow, validate_whole};
use crate::record::control::with_delete_horizon;
use crate::record::{BatchBuilder, BatchHeader, Compression, EndMarker, RecordError, TimestampType};

const MARKER: EndMarker = EndMarker { committed: true, coordinator_epoch: 0x0102_0304 };

/// What Kafka's `MemoryRecords.withEndTransactionMarker` gives for this marker, by the tables in the documents.
#[test]
fn a_marker_by_hand() {
    let mut bytes = vec![
        0, 0, 0, 0, 0, 0, 0, 0, // base offset
        0, 0, 0, 66, // batch length: 49 bytes of header behind it, and a record of 17
        0xff, 0xff, 0xff, 0xff, // partition leader epoch
        2,    // magic
        0, 0, 0, 0, // crc, below
        0, 0x30, // attributes: transactional, control
        0, 0, 0, 0, // last offset delta
        0, 0, 0, 0, 0, 0, 0x03, 0xe8, // base timestamp: 1000
        0, 0, 0, 0, 0, 0, 0x03, 0xe8, // max timestamp
        0, 0, 0, 0, 0, 0, 0, 7, // producer id
        0, 5, // producer epoch
        0xff, 0xff, 0xff, 0xff, // base sequence
        0, 0, 0, 1,  // records count
        32, // record length 16
        0, 0, 0, // attributes, timestamp delta, offset delta
        8, 0, 0, 0, 1, // key: version 0, commit
        12, 0, 0, 1, 2, 3, 4, // value: version 0, coordinator epoch
        0, // no headers
    ];
    let crc = crc32c::crc32c(&bytes[21..]);
    bytes[17..21].copy_from_slice(&crc.to_be_bytes());
    assert_eq!(MARKER.batch(7, 5, 1000).unwrap(), bytes);
    assert_eq!(EndMarker::read(&bytes).unwrap(), Some(MARKER));
    let abort = EndMarker { committed: false, ..MARKER }.batch(7, 5, 1000).unwrap();
    assert_eq!(abort[abort.len() - 9], 0);
    assert_eq!(EndMarker::read(&abort).unwrap(), Some(EndMarker { committed: false, ..MARKER }));
}

#[test]
fn a_broker_may_append_a_marker_and_a_client_may_not() {
    let batch = MARKER.batch(7, 5, 1000).unwrap();
    assert!(validate_whole(&batch).unwrap().is_control());
    assert_eq!(validate_shallow(&batch), Err(RecordError::NotAllowed("it is a control batch")));
}

#[test]
fn only_ends_of_transactions_are_markers() {
    let mut data = BatchBuilder::new(Compression::None).producer(7, 5, 0).transactional();
    data.append(1000, Some(&[0, 0, 0, 1]), Some(&[0; 6]), &[]).unwrap();
    let data = data.finish().unwrap();
    assert!(BatchHeader::parse(&data).unwrap().is_transactional());
    assert_eq!(EndMarker::read(&data).unwrap(), None, "not a control batch");
    let marker = MARKER.batch(7, 5, 1000).unwrap();
    let type_at = marker.len() - 9;
    let other = resealed(&marker, |bytes| bytes[type_at] = 2);
    assert_eq!(EndMarker::read(&other).unwrap(), None, "a leader change");
}

/// Whatever stands in a marker, reading it is an error or a marker, never a panic.
#[test]
fn a_marker_cut_anywhere_is_an_error() {
    let marker = MARKER.batch(7, 5, 1000).unwrap();
    for cut in 0..marker.len() {
        assert!(EndMarker::read(&marker[..cut]).is_err(), "cut at {cut}");
    }
    for at in 61..marker.len() {
        for value in [0, 1, 0x7f, 0xff] {
            let damaged = resealed(&marker, |bytes| bytes[at] = value);
            let _ = EndMarker::read(&damaged);
        }
    }
    let value_at = marker.len() - 8;
    let short = resealed(&marker, |bytes| {
        // a value of two bytes, and the four that are left over as headers of nothing
        bytes[value_at] = 4;
    });
    assert!(EndMarker::read(&short).is_err());
}

#[test]
fn a_delete_horizon_keeps_the_marker_its_place_and_its_time() {
    let mut marker = MARKER.batch(7, 5, 1000).unwrap().to_vec();
    batch::set_base_offset(&mut marker, 77);
    batch::set_leader_epoch(&mut marker, 3);
    batch::set_log_append_time(&mut marker, 2000);
    let horizon = with_delete_horizon(&marker, 9000).unwrap().unwrap();
    validate_whole(&horizon).unwrap();
    let header = BatchHeader::parse(&horizon).unwrap();
    assert_eq!((header.base_offset, header.partition_leader_epoch), (77, 3));
    assert_eq!((header.producer_id, header.producer_epoch, header.base_sequence), (7, 5, -1));
    assert_eq!((header.delete_horizon_ms(), header.max_timestamp), (Some(9000), 2000));
    assert_eq!(header.timestamp_type(), TimestampType::LogAppendTime);
    assert_eq!(EndMarker::read(&horizon).unwrap(), Some(MARKER));
    assert_eq!(BatchHeader::parse(&marker).unwrap().delete_horizon_ms(), None);

    let plain = MARKER.batch(7, 5, 1000).unwrap();
    let horizon = with_delete_horizon(&plain, 9000).unwrap().unwrap();
    let records = batch::records(&horizon, 1024).unwrap();
    assert_eq!(records.iter().next().unwrap().unwrap().timestamp, 1000, "the delta makes up for the horizon");
}
