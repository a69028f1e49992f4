use proptest::prelude::*;

use crate::record::batch::{records, validate};
use crate::record::{BatchBuilder, BatchHeader, Compression, EncodedHeaders, RecordError};

use super::{LIMIT, sample};

#[derive(Clone, Debug)]
struct Owned {
    timestamp: i64,
    key: Option<Vec<u8>>,
    value: Option<Vec<u8>>,
    headers: Vec<(String, Vec<u8>)>,
}

fn any_record() -> impl Strategy<Value = Owned> {
    let bytes = || proptest::option::of(proptest::collection::vec(any::<u8>(), 0..200));
    let header = (".{0,8}", proptest::collection::vec(any::<u8>(), 0..80));
    let headers = proptest::collection::vec(header, 0..4);
    (any::<i64>(), bytes(), bytes(), headers).prop_map(|(timestamp, key, value, headers)| Owned {
        timestamp,
        key,
        value,
        headers,
    })
}

fn append(builder: &mut BatchBuilder, record: &Owned) {
    let headers: Vec<(&str, &[u8])> =
        record.headers.iter().map(|(key, value)| (key.as_str(), value.as_slice())).collect();
    builder.append(record.timestamp, record.key.as_deref(), record.value.as_deref(), &headers).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn every_codec_reads_what_it_writes(list in proptest::collection::vec(any_record(), 1..20)) {
        for codec in Compression::ALL {
            let mut builder = BatchBuilder::new(codec).producer(7, 1, i32::MAX);
            list.iter().for_each(|record| append(&mut builder, record));
            let batch = builder.finish().unwrap();
            let header = validate(&batch, LIMIT).unwrap();
            prop_assert_eq!(header.compression(), Ok(codec));
            prop_assert_eq!(header.records_count, list.len() as i32);
            prop_assert_eq!(Some(header.max_timestamp), list.iter().map(|record| record.timestamp).max());
            let read = records(&batch, LIMIT).unwrap();
            for (index, (record, expected)) in read.iter().zip(&list).enumerate() {
                let record = record.unwrap();
                prop_assert_eq!(record.offset, index as i64);
                prop_assert_eq!(record.timestamp, expected.timestamp);
                prop_assert_eq!(record.key, expected.key.as_deref());
                prop_assert_eq!(record.value, expected.value.as_deref());
                let headers: Vec<_> = record.headers.iter().map(|(k, v)| (k.to_vec(), v.unwrap().to_vec())).collect();
                let wanted: Vec<_> = expected.headers.iter().map(|(k, v)| (k.as_bytes().to_vec(), v.clone())).collect();
                prop_assert_eq!(headers, wanted);
            }
        }
    }

    #[test]
    fn encoded_headers_make_the_same_batch(record in any_record()) {
        let mut headers = EncodedHeaders::new();
        record.headers.iter().for_each(|(key, value)| headers.push(key, value));
        let mut encoded = BatchBuilder::new(Compression::None);
        encoded.append_encoded(record.timestamp, record.key.as_deref(), record.value.as_deref(), &headers).unwrap();
        let mut listed = BatchBuilder::new(Compression::None);
        append(&mut listed, &record);
        prop_assert_eq!(encoded.finish(), listed.finish());
    }
}

#[test]
fn an_empty_batch_cannot_be_finished() {
    let mut builder = BatchBuilder::new(Compression::None);
    assert!(builder.is_empty());
    assert_eq!(builder.finish(), Err(RecordError::Empty));
    builder.append(1, None, None, &[]).unwrap();
    assert_eq!(builder.count(), 1);
    assert!(builder.finish().is_ok());
}

#[test]
fn the_estimate_is_exact_without_compression() {
    let mut builder = BatchBuilder::new(Compression::None);
    assert_eq!(builder.len_estimate(), BatchHeader::SIZE);
    for size in [0, 63, 64, 8_191, 8_192] {
        builder.append(size, Some(&vec![1; size as usize]), Some(b"v"), &[("k", b"v")]).unwrap();
    }
    let estimate = builder.len_estimate();
    assert_eq!(builder.finish().unwrap().len(), estimate);
}

#[test]
fn what_the_broker_assigns_is_left_to_it() {
    let header = BatchHeader::parse(&sample(Compression::None)).unwrap();
    assert_eq!((header.base_offset, header.partition_leader_epoch), (0, -1));
    let mut plain = BatchBuilder::new(Compression::None);
    plain.append(5, None, Some(b"x"), &[]).unwrap();
    let header = BatchHeader::parse(&plain.finish().unwrap()).unwrap();
    assert_eq!((header.producer_id, header.producer_epoch, header.base_sequence), (-1, -1, -1));
}

#[test]
fn the_next_batch_goes_on_with_the_sequence() {
    for codec in [Compression::None, Compression::Lz4] {
        let mut builder = BatchBuilder::new(codec).producer(9, 2, i32::MAX - 1);
        let mut sequences = Vec::new();
        for count in [1, 3, 2] {
            (0..count).for_each(|_| builder.append(0, None, Some(b"x"), &[]).unwrap());
            let batch = builder.finish().unwrap();
            let header = validate(&batch, LIMIT).unwrap();
            assert_eq!((header.producer_id, header.producer_epoch), (9, 2));
            sequences.push((header.base_sequence, header.last_sequence()));
        }
        assert_eq!(sequences, [(i32::MAX - 1, i32::MAX - 1), (i32::MAX, 1), (2, 3)]);
    }
}

#[test]
fn a_batch_does_not_show_in_the_next_one() {
    for codec in Compression::ALL {
        let mut used = BatchBuilder::new(codec);
        used.append(99_999, Some(b"other"), Some(&[7; 1000]), &[("a", b"b")]).unwrap();
        used.finish().unwrap();
        let mut fresh = BatchBuilder::new(codec);
        for builder in [&mut used, &mut fresh] {
            builder.append(5, None, Some(b"x"), &[]).unwrap();
        }
        assert_eq!(used.finish(), fresh.finish(), "{codec}");
    }
}

#[test]
fn memory_is_recycled_between_batches_only() {
    let mut builder = BatchBuilder::new(Compression::None);
    builder.append(5, None, Some(&[3; 5000]), &[]).unwrap();
    builder.recycle(vec![9; 100_000]);
    let batch = builder.finish().unwrap();
    assert!(validate(&batch, LIMIT).is_ok(), "a begun batch is not touched");

    let memory = Vec::from(batch);
    let place = memory.as_ptr();
    builder.recycle(memory);
    builder.append(6, None, Some(&[4; 4000]), &[]).unwrap();
    let batch = builder.finish().unwrap();
    assert_eq!(batch.as_ptr(), place, "the memory of the first batch serves the second");
    assert!(validate(&batch, LIMIT).is_ok());
}

#[test]
fn timestamps_at_both_ends_survive() {
    let mut builder = BatchBuilder::new(Compression::None);
    for timestamp in [i64::MIN, i64::MAX, -1, 0] {
        builder.append(timestamp, None, None, &[]).unwrap();
    }
    let batch = builder.finish().unwrap();
    let read = records(&batch, LIMIT).unwrap();
    let timestamps: Vec<_> = read.iter().map(|record| record.unwrap().timestamp).collect();
    assert_eq!(timestamps, [i64::MIN, i64::MAX, -1, 0]);
    assert_eq!(read.header().max_timestamp, i64::MAX);
}
