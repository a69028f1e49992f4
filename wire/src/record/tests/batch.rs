use crate::record::batch::{
    batches, increment_sequence, set_base_offset, set_leader_epoch, set_log_append_time, verify_crc,
};
use crate::record::{BatchHeader, Compression, RecordError, TimestampType, magic};

use super::sample;

#[test]
fn the_header_is_read_field_by_field() {
    let batch = sample(Compression::None);
    let header = BatchHeader::parse(&batch).unwrap();
    let expected = BatchHeader {
        base_offset: 0,
        batch_length: batch.len() as i32 - 12,
        partition_leader_epoch: -1,
        magic: 2,
        crc: crc32c::crc32c(&batch[21..]),
        attributes: 0,
        last_offset_delta: 2,
        base_timestamp: 1_000,
        max_timestamp: 1_005,
        producer_id: 4000,
        producer_epoch: 5,
        base_sequence: 17,
        records_count: 3,
    };
    assert_eq!(header, expected);
    assert_eq!(header.size(), batch.len());
    assert_eq!(header.last_sequence(), 19);
    assert!(!header.is_control() && !header.is_transactional());
}

#[test]
fn a_header_is_written_as_it_was_read() {
    let batch = sample(Compression::Gzip);
    let mut copy = [0; BatchHeader::SIZE];
    BatchHeader::parse(&batch).unwrap().write(&mut copy);
    assert_eq!(copy, batch[..BatchHeader::SIZE]);
}

#[test]
fn the_header_suffices_to_parse() {
    let batch = sample(Compression::None);
    assert!(BatchHeader::parse(&batch[..61]).is_ok());
    assert_eq!(BatchHeader::parse(&batch[..60]), Err(RecordError::Incomplete { needed: 61, have: 60 }));
    assert_eq!(BatchHeader::parse(&[]), Err(RecordError::Incomplete { needed: 17, have: 0 }));
}

/// A message of magic 0 is shorter than a batch's header: it is another format, not a piece of this one.
#[test]
fn a_short_old_message_is_told_by_its_magic() {
    let mut bytes = vec![0; 26];
    for old in [0_i8, 1] {
        bytes[16] = old as u8;
        assert_eq!(BatchHeader::parse(&bytes), Err(RecordError::BadMagic(old)));
        assert_eq!(magic(&bytes), Ok(old));
    }
    bytes[16] = 0xff;
    assert_eq!(BatchHeader::parse(&bytes), Err(RecordError::BadMagic(-1)));
    assert_eq!(magic(&bytes[..16]), Err(RecordError::Incomplete { needed: 17, have: 16 }));
}

#[test]
fn lengths_below_the_header_are_impossible() {
    for length in [i32::MIN, -1, 0, 48] {
        let mut batch = sample(Compression::None).to_vec();
        batch[8..12].copy_from_slice(&length.to_be_bytes());
        assert_eq!(BatchHeader::parse(&batch), Err(RecordError::BadLength(length.into())));
        assert_eq!(verify_crc(&batch), Err(RecordError::BadLength(length.into())));
    }
}

#[test]
fn the_attributes_are_told_apart() {
    let mut header = BatchHeader::parse(&sample(Compression::Zstd)).unwrap();
    assert_eq!(header.compression(), Ok(Compression::Zstd));
    assert_eq!(header.timestamp_type(), TimestampType::CreateTime);
    header.attributes = 0b0011_1011;
    assert_eq!(header.compression(), Ok(Compression::Lz4));
    assert_eq!(header.timestamp_type(), TimestampType::LogAppendTime);
    assert!(header.is_transactional() && header.is_control());
    for unknown in 5..=7 {
        header.attributes = unknown;
        assert_eq!(header.compression(), Err(RecordError::UnknownCompression(unknown as i8)));
    }
}

#[test]
fn sequences_go_on_at_zero_after_the_largest() {
    assert_eq!(increment_sequence(0, 1), 1);
    assert_eq!(increment_sequence(i32::MAX, 1), 0);
    assert_eq!(increment_sequence(i32::MAX - 1, 3), 1);
    assert_eq!(increment_sequence(i32::MAX, i32::MAX), i32::MAX - 1);
    let mut header = BatchHeader::parse(&sample(Compression::None)).unwrap();
    header.base_sequence = i32::MAX;
    assert_eq!(header.last_sequence(), 1);
    header.base_sequence = -1;
    assert_eq!(header.last_sequence(), -1);
}

#[test]
fn hostile_offsets_do_not_overflow() {
    let mut header = BatchHeader::parse(&sample(Compression::None)).unwrap();
    header.base_offset = i64::MAX;
    assert_eq!(header.last_offset(), i64::MIN + 1);
}

#[test]
fn every_changed_byte_under_the_checksum_is_noticed() {
    let batch = sample(Compression::Lz4);
    assert_eq!(verify_crc(&batch), Ok(()));
    for at in 17..batch.len() {
        let mut damaged = batch.to_vec();
        damaged[at] ^= 0x10;
        assert!(matches!(verify_crc(&damaged), Err(RecordError::BadCrc { .. })), "byte {at}");
    }
}

#[test]
fn offset_and_epoch_are_patched_outside_the_checksum() {
    let mut batch = sample(Compression::Snappy).to_vec();
    let before = BatchHeader::parse(&batch).unwrap();
    set_base_offset(&mut batch, 123_456_789_012);
    set_leader_epoch(&mut batch, 42);
    assert_eq!(verify_crc(&batch), Ok(()));
    let after = BatchHeader::parse(&batch).unwrap();
    assert_eq!(after, BatchHeader { base_offset: 123_456_789_012, partition_leader_epoch: 42, ..before });
    assert_eq!(after.last_offset(), 123_456_789_014);
}

#[test]
fn the_append_time_is_that_of_all_records() {
    let mut batch = sample(Compression::Zstd).to_vec();
    set_log_append_time(&mut batch, 77_000);
    assert_eq!(verify_crc(&batch), Ok(()));
    let records = crate::record::batch::records(&batch, 1 << 20).unwrap();
    assert_eq!(records.header().timestamp_type(), TimestampType::LogAppendTime);
    assert!(records.iter().all(|record| record.unwrap().timestamp == 77_000));
}

#[test]
fn patches_leave_bytes_alone_that_hold_no_batch() {
    for length in [0, 7, 8, 60, 61] {
        let mut bytes = vec![0; length];
        set_log_append_time(&mut bytes, 1);
        assert!(bytes.iter().all(|byte| *byte == 0));
        if length < 61 {
            set_base_offset(&mut bytes, -1);
            set_leader_epoch(&mut bytes, -1);
            assert!(bytes.iter().all(|byte| *byte == 0));
        }
    }
}

#[test]
fn patches_and_checksum_concern_the_first_batch_only() {
    let one = sample(Compression::None);
    let mut two = [&one[..], &one[..]].concat();
    set_base_offset(&mut two, 9);
    set_log_append_time(&mut two, 5);
    assert_eq!(verify_crc(&two), Ok(()));
    assert_eq!(two[one.len()..], one[..]);
}

#[test]
fn batches_come_one_after_the_other() {
    let parts: Vec<_> = Compression::ALL.into_iter().map(sample).collect();
    let joined = parts.concat();
    let read: Vec<_> = batches(&joined).map(|item| item.unwrap()).collect();
    assert_eq!(read.len(), 5);
    for ((header, batch), part) in read.iter().zip(&parts) {
        assert_eq!(batch, part);
        assert_eq!(header.size(), part.len());
    }
    assert!(batches(&[]).next().is_none());
}

#[test]
fn a_batch_cut_off_at_the_end_is_incomplete_at_every_length() {
    let one = sample(Compression::None);
    let two = [&one[..], &one[..]].concat();
    for length in one.len() + 1..two.len() {
        let items: Vec<_> = batches(&two[..length]).collect();
        assert_eq!(items.len(), 2, "{length}");
        assert!(items[0].is_ok());
        let Err(RecordError::Incomplete { needed, have }) = &items[1] else { panic!("{:?}", items[1]) };
        assert_eq!(*have, length - one.len());
        assert!(needed > have);
    }
}
