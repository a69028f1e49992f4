use crate::record::batch::{records, validate};
use crate::record::{BatchHeader, Compression, Record, RecordError, varint};

use super::{LIMIT, resealed, sample};

/// A batch, not compressed, whose records are `body` and whose header counts `count` of them.
fn batch_of(body: &[u8], count: i32) -> Vec<u8> {
    let mut batch = sample(Compression::None)[..BatchHeader::SIZE].to_vec();
    batch.extend_from_slice(body);
    let length = batch.len() as i32 - 12;
    resealed(&batch, |batch| {
        batch[8..12].copy_from_slice(&length.to_be_bytes());
        batch[57..61].copy_from_slice(&count.to_be_bytes());
    })
}

/// A record with its length in front.
fn framed(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    varint::put(&mut out, body.len() as i64);
    out.extend_from_slice(body);
    out
}

/// The error that ends the records of a batch, after the number of good ones before it.
fn first_error(batch: &[u8]) -> (usize, RecordError) {
    let records = records(batch, LIMIT).unwrap();
    let items: Vec<_> = records.iter().collect();
    assert!(items[..items.len() - 1].iter().all(Result::is_ok), "the error is the last item");
    (items.len() - 1, items[items.len() - 1].clone().unwrap_err())
}

/// attributes, timestamp delta 3, offset delta 1, key null, value "v", no headers
const GOOD: &[u8] = &[0, 6, 2, 1, 2, b'v', 0];

#[test]
fn the_sample_reads_as_it_was_written() {
    for codec in Compression::ALL {
        let batch = sample(codec);
        let records = records(&batch, LIMIT).unwrap();
        let all: Vec<Record<'_>> = records.iter().map(Result::unwrap).collect();
        assert_eq!(all.len(), 3, "{codec}");
        assert_eq!((all[0].offset, all[0].timestamp), (0, 1_000));
        assert_eq!((all[0].key, all[0].value), (Some(&b"key"[..]), Some(&b"first"[..])));
        assert_eq!(all[0].headers.get("host"), Some(&b"web-1"[..]));
        assert_eq!(all[0].headers.get("path"), Some(&b"/a.log"[..]));
        assert_eq!((all[1].offset, all[1].timestamp, all[1].key), (1, 1_005, None));
        assert_eq!(all[1].value, Some(&[b'a'; 300][..]));
        assert_eq!((all[2].offset, all[2].timestamp, all[2].value), (2, 998, None));
        assert!(all[2].headers.is_empty());
    }
}

#[test]
fn a_record_is_read_field_by_field() {
    let batch = batch_of(&framed(GOOD), 1);
    let records = records(&batch, LIMIT).unwrap();
    let record = records.into_iter().next().unwrap().unwrap();
    assert_eq!(record.offset, 1);
    assert_eq!(record.timestamp, 1_003);
    assert_eq!((record.key, record.value), (None, Some(&b"v"[..])));
    assert!(record.headers.is_empty());
}

#[test]
fn the_count_must_be_that_of_the_header() {
    let two = [framed(GOOD), framed(GOOD)].concat();
    let (good, error) = first_error(&batch_of(&two, 1));
    assert_eq!((good, error), (1, RecordError::BadRecord("there are more records than the batch counts")));
    let (good, error) = first_error(&batch_of(&two, 3));
    assert_eq!((good, error), (2, RecordError::BadRecord("there are fewer records than the batch counts")));
    let (good, error) = first_error(&batch_of(&two, i32::MIN));
    assert_eq!((good, error), (0, RecordError::BadRecord("there are more records than the batch counts")));
    assert!(records(&batch_of(&[], 0), LIMIT).unwrap().iter().next().is_none());
}

#[test]
fn a_record_cut_off_anywhere_is_malformed() {
    let record = framed(GOOD);
    for length in 1..record.len() {
        let (good, error) = first_error(&batch_of(&record[..length], 1));
        assert_eq!(good, 0);
        assert!(matches!(error, RecordError::BadRecord(_)), "{length}: {error}");
    }
}

#[test]
fn a_record_must_fill_its_length() {
    for length in 0..GOOD.len() {
        let (_, error) = first_error(&batch_of(&framed(&GOOD[..length]), 1));
        assert!(matches!(error, RecordError::BadRecord(_)), "{length}: {error}");
    }
    let longer = [GOOD, &[0]].concat();
    let (_, error) = first_error(&batch_of(&framed(&longer), 1));
    assert_eq!(error, RecordError::BadRecord("it is longer than its fields"));
}

#[test]
fn impossible_lengths_are_malformed() {
    let (_, error) = first_error(&batch_of(&[1], 1)); // length -1
    assert_eq!(error, RecordError::BadRecord("its length is negative"));
    // key of i32::MAX bytes
    let huge = [0, 0, 0, 0xfe, 0xff, 0xff, 0xff, 0x0f];
    let (_, error) = first_error(&batch_of(&framed(&huge), 1));
    assert_eq!(error, RecordError::BadRecord("a field is longer than the record"));
}

#[test]
fn hostile_deltas_do_not_overflow() {
    let mut body = vec![0];
    varint::put(&mut body, i64::MAX);
    varint::put(&mut body, i64::from(i32::MIN));
    body.extend_from_slice(&[1, 1, 0]);
    let batch = batch_of(&framed(&body), 1);
    let records = records(&batch, LIMIT).unwrap();
    let record = records.iter().next().unwrap().unwrap();
    assert_eq!(record.timestamp, i64::MIN + 999);
    assert_eq!(record.offset, i64::from(i32::MIN));
}

#[test]
fn the_limit_holds_without_compression_too() {
    let batch = sample(Compression::None);
    let body = batch.len() - BatchHeader::SIZE;
    assert!(records(&batch, body).is_ok());
    assert_eq!(records(&batch, body - 1).unwrap_err(), RecordError::TooLarge { limit: body - 1 });
}

#[test]
fn nothing_is_copied_without_compression() {
    let batch = sample(Compression::None);
    let records = records(&batch, LIMIT).unwrap();
    let value = records.iter().next().unwrap().unwrap().value.unwrap();
    assert!(batch.as_ptr_range().contains(&value.as_ptr()));
}

#[test]
fn another_codec_changes_the_block_of_records_alone() {
    for from in Compression::ALL {
        // part of a transaction, with append time
        let batch = resealed(&sample(from), |batch| batch[22] |= 0b1_1000);
        let before = records(&batch, LIMIT).unwrap();
        assert_eq!(before.size(), sample(Compression::None).len() - BatchHeader::SIZE, "{from}");
        for to in Compression::ALL {
            let changed = before.compressed(to).unwrap();
            let header = validate(&changed, LIMIT).unwrap();
            let expected = BatchHeader {
                attributes: i16::from(to.id()) | 0b1_1000,
                batch_length: changed.len() as i32 - 12,
                crc: header.crc,
                ..before.header().clone()
            };
            assert_eq!(header, expected, "{from} to {to}");
            let after = records(&changed, LIMIT).unwrap();
            assert!(before.iter().eq(after.iter()), "{from} to {to}");
        }
    }
}

#[test]
fn records_need_the_whole_batch() {
    let batch = sample(Compression::None);
    let error = records(&batch[..batch.len() - 1], LIMIT).unwrap_err();
    assert_eq!(error, RecordError::Incomplete { needed: batch.len(), have: batch.len() - 1 });
}
