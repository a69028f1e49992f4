use crate::record::batch::{validate, validate_shallow};
use crate::record::{BatchHeader, Compression, RecordError};

use super::{LIMIT, resealed, sample};

/// A batch with one field of its header replaced, and the checksum right.
fn with_field<const N: usize>(at: usize, bytes: [u8; N]) -> Vec<u8> {
    resealed(&sample(Compression::None), |batch| batch[at..at + N].copy_from_slice(&bytes))
}

#[test]
fn what_the_builder_makes_is_valid() {
    for codec in Compression::ALL {
        let batch = sample(codec);
        let header = BatchHeader::parse(&batch).unwrap();
        assert_eq!(validate_shallow(&batch), Ok(header.clone()), "{codec}");
        assert_eq!(validate(&batch, LIMIT), Ok(header), "{codec}");
    }
}

#[test]
fn exactly_one_batch_is_demanded() {
    let batch = sample(Compression::None);
    for length in 0..batch.len() {
        let cut = validate_shallow(&batch[..length]);
        assert!(matches!(cut, Err(RecordError::Incomplete { .. })), "{length}");
    }
    let two = [&batch[..], &batch[..]].concat();
    assert_eq!(validate_shallow(&two), Err(RecordError::BadLength(batch.len() as i64 - 12)));
}

#[test]
fn a_wrong_checksum_is_refused() {
    let mut batch = sample(Compression::None).to_vec();
    *batch.last_mut().unwrap() ^= 1;
    assert!(matches!(validate_shallow(&batch), Err(RecordError::BadCrc { .. })));
}

#[test]
fn an_unknown_codec_is_refused() {
    let batch = with_field(21, 6_i16.to_be_bytes());
    assert_eq!(validate_shallow(&batch), Err(RecordError::UnknownCompression(6)));
}

#[test]
fn count_and_offsets_must_agree() {
    for count in [i32::MIN, -1, 0, 1, 2, 4, i32::MAX] {
        let batch = with_field(57, count.to_be_bytes());
        let expected = RecordError::BadCount { records_count: count, last_offset_delta: 2 };
        assert_eq!(validate_shallow(&batch), Err(expected));
    }
    for delta in [i32::MIN, -1, 0, 3, i32::MAX] {
        let batch = with_field(23, delta.to_be_bytes());
        let expected = RecordError::BadCount { records_count: 3, last_offset_delta: delta };
        assert_eq!(validate_shallow(&batch), Err(expected));
    }
}

#[test]
fn what_only_brokers_write_is_refused() {
    let control = with_field(21, 0b10_0000_i16.to_be_bytes());
    assert_eq!(validate_shallow(&control), Err(RecordError::NotAllowed("it is a control batch")));
}

#[test]
fn a_producer_id_needs_epoch_and_sequence() {
    let expected = Err(RecordError::NotAllowed("its producer id comes without sequence or epoch"));
    assert_eq!(validate_shallow(&with_field(53, (-1_i32).to_be_bytes())), expected);
    assert_eq!(validate_shallow(&with_field(51, (-1_i16).to_be_bytes())), expected);
}

#[test]
fn a_transaction_needs_a_producer_id() {
    let anonymous = with_field(43, (-1_i64).to_be_bytes());
    assert!(validate_shallow(&anonymous).is_ok());
    let transactional = resealed(&anonymous, |batch| batch[22] |= 0b1_0000);
    let expected = Err(RecordError::NotAllowed("it is transactional without a producer id"));
    assert_eq!(validate_shallow(&transactional), expected);
}

/// The shallow check is the usual one: what it cannot see must be found by the deep one.
#[test]
fn only_the_deep_check_looks_at_the_records() {
    // The first record's offset delta stands behind its length, attributes and timestamp delta.
    let skipped = resealed(&sample(Compression::None), |batch| batch[64] = 2);
    assert!(validate_shallow(&skipped).is_ok());
    let expected = Err(RecordError::BadRecord("its offset is not the next one"));
    assert_eq!(validate(&skipped, LIMIT), expected);

    let garbage = resealed(&sample(Compression::Gzip), |batch| batch[61..].fill(0x55));
    assert!(validate_shallow(&garbage).is_ok());
    assert!(matches!(validate(&garbage, LIMIT), Err(RecordError::Corrupt { codec: Compression::Gzip, .. })));
}

/// The expected offset was once counted up from the base offset, beyond the largest one.
#[test]
fn the_largest_base_offset_does_not_overflow() {
    let mut batch = sample(Compression::None).to_vec();
    crate::record::batch::set_base_offset(&mut batch, i64::MAX);
    assert!(validate(&batch, LIMIT).is_ok());
}

#[test]
fn the_deep_check_keeps_its_limit() {
    for codec in Compression::ALL {
        let batch = sample(codec);
        let records = 3 + 300; // a little less than the records take
        assert_eq!(validate(&batch, records), Err(RecordError::TooLarge { limit: records }), "{codec}");
    }
}
