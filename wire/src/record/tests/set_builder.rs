//! Batches written as message sets, and read again: by us, and by the `kafka-protocol` crate, which knows
//! these formats without compression.

use bytes::{Bytes, BytesMut};
use kafka_protocol_015::records::{
    Compression as TheirCompression, Record as TheirRecord, RecordBatchDecoder, RecordBatchEncoder,
    RecordEncodeOptions, TimestampType as TheirTimestampType,
};
use proptest::prelude::*;

use crate::record::batch::{set_base_offset, set_log_append_time};
use crate::record::legacy::{ConversionLimits, Magic, SetBuilder, entries, to_batches};
use crate::record::{BatchBuilder, Compression, RecordError, TimestampType};

use super::{LIMIT, resealed, sample};

const BOTH: [Magic; 2] = [Magic::V0, Magic::V1];
/// What message sets know: all but zstd.
const CODECS: [Compression; 4] =
    [Compression::None, Compression::Gzip, Compression::Snappy, Compression::Lz4];

type Plain = (i64, Option<Vec<u8>>, Option<Vec<u8>>);
/// Offset, timestamp, key, value.
type Read = (i64, i64, Option<Vec<u8>>, Option<Vec<u8>>);

fn batch(codec: Compression, base_offset: i64, list: &[Plain]) -> Vec<u8> {
    let mut builder = BatchBuilder::new(codec);
    for (timestamp, key, value) in list {
        builder.append(*timestamp, key.as_deref(), value.as_deref(), &[("header", b"dropped")]).unwrap();
    }
    let mut batch = builder.finish().unwrap().to_vec();
    set_base_offset(&mut batch, base_offset);
    batch
}

fn set(magic: Magic, first_offset: i64, max_bytes: usize, batches: &[Vec<u8>]) -> Vec<u8> {
    let mut builder = SetBuilder::new(magic, first_offset, max_bytes);
    batches.iter().for_each(|batch| builder.push(batch, LIMIT).unwrap());
    builder.finish()
}

fn read(set: &[u8]) -> Vec<Read> {
    let mut read = Vec::new();
    for entry in entries(set) {
        for message in entry.unwrap().messages(LIMIT).unwrap().iter() {
            let [key, value] = [message.key, message.value].map(|field| field.map(<[u8]>::to_vec));
            read.push((message.offset, message.timestamp, key, value));
        }
    }
    read
}

fn offsets(set: &[u8]) -> Vec<i64> {
    read(set).into_iter().map(|(offset, ..)| offset).collect()
}

/// Ten records of ten bytes at offsets 100 to 109, of times 0 to 9.
fn ten(codec: Compression) -> Vec<u8> {
    let list: Vec<Plain> = (0..10).map(|number| (number, None, Some(vec![b'x'; 10]))).collect();
    batch(codec, 100, &list)
}

fn any_list() -> impl Strategy<Value = Vec<Plain>> {
    let bytes = || proptest::option::of(proptest::collection::vec(any::<u8>(), 0..100));
    proptest::collection::vec((any::<i64>(), bytes(), bytes()), 1..10)
}

fn theirs(magic: Magic, list: &[Plain]) -> Vec<TheirRecord> {
    let each = |(offset, (timestamp, key, value)): (i64, &Plain)| TheirRecord {
        transactional: false,
        control: false,
        partition_leader_epoch: -1,
        producer_id: -1,
        producer_epoch: -1,
        timestamp_type: TheirTimestampType::Creation,
        offset,
        sequence: -1,
        timestamp: if magic == Magic::V0 { -1 } else { *timestamp },
        key: key.clone().map(Bytes::from),
        value: value.clone().map(Bytes::from),
        headers: Default::default(),
    };
    (7..).zip(list).map(each).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn what_is_written_is_read(
        list in any_list(),
        base_offset in 0..1_i64 << 60,
        codec in proptest::sample::select(CODECS.to_vec()),
        magic in proptest::sample::select(BOTH.to_vec()),
    ) {
        let written = set(magic, 0, LIMIT, &[batch(codec, base_offset, &list)]);
        let entry = entries(&written).next().unwrap().unwrap();
        prop_assert_eq!(entry.compression(), Ok(codec));
        let expected: Vec<Read> = (base_offset..)
            .zip(list.clone())
            .map(|(offset, (timestamp, key, value))| {
                (offset, if magic == Magic::V0 { -1 } else { timestamp }, key, value)
            })
            .collect();
        prop_assert_eq!(&read(&written), &expected);

        let limits = ConversionLimits { decompressed: LIMIT, batch: LIMIT };
        let back = to_batches(&written, None, limits).unwrap();
        prop_assert_eq!(back.len(), 1);
        let without_headers: Vec<Read> = crate::record::batch::records(&back[0], LIMIT)
            .unwrap()
            .iter()
            .map(|record| record.unwrap())
            .map(|r| (r.offset + base_offset, r.timestamp, r.key.map(<[u8]>::to_vec), r.value.map(<[u8]>::to_vec)))
            .collect();
        prop_assert_eq!(without_headers, expected);
    }

    #[test]
    fn they_read_what_we_write(list in any_list(), magic in proptest::sample::select(BOTH.to_vec())) {
        let mut written = Bytes::from(set(magic, 0, LIMIT, &[batch(Compression::None, 7, &list)]));
        let read = RecordBatchDecoder::decode_all(&mut written).unwrap();
        let read: Vec<TheirRecord> = read.into_iter().flat_map(|set| set.records).collect();
        prop_assert_eq!(read, theirs(magic, &list));
    }

    #[test]
    fn we_read_what_they_write(list in any_list(), magic in proptest::sample::select(BOTH.to_vec())) {
        let mut bytes = BytesMut::new();
        let version = if magic == Magic::V0 { 0 } else { 1 };
        let options = RecordEncodeOptions { version, compression: TheirCompression::None };
        RecordBatchEncoder::encode(&mut bytes, &theirs(magic, &list), &options).unwrap();
        // their messages all have offset 0
        let expected: Vec<Read> = list
            .into_iter()
            .map(|(timestamp, key, value)| (0, if magic == Magic::V0 { -1 } else { timestamp }, key, value))
            .collect();
        prop_assert_eq!(read(&bytes), expected);
    }
}

#[test]
fn a_set_ends_where_the_limit_says() {
    for magic in BOTH {
        let batches = [ten(Compression::None), ten(Compression::None)];
        let whole = set(magic, 0, LIMIT, &batches);
        let one = whole.len() / 20;
        for limit in [one, one + 1, 2 * one - 1, 2 * one, 10 * one, 13 * one, 20 * one - 1] {
            let mut builder = SetBuilder::new(magic, 0, limit);
            batches.iter().for_each(|batch| builder.push(batch, LIMIT).unwrap());
            assert!(builder.is_full());
            assert_eq!(builder.finish(), whole[..limit / one * one], "{limit}");
        }
    }
}

/// What becomes of an entry that is too large for its reader is for the broker to say.
#[test]
fn the_first_entry_is_kept_whatever_its_size() {
    for magic in BOTH {
        for (codec, kept) in [(Compression::None, 1), (Compression::Gzip, 10)] {
            let mut builder = SetBuilder::new(magic, 0, 0);
            assert!(builder.is_empty() && !builder.is_full());
            builder.push(&ten(codec), LIMIT).unwrap();
            builder.push(&ten(codec), LIMIT).unwrap();
            assert!(!builder.is_empty() && builder.is_full());
            assert_eq!(offsets(&builder.finish()).len(), kept, "{codec}");
        }
    }
}

/// A wrapper that does not fit must not be begun.
#[test]
fn a_compressed_batch_fits_whole_or_not_at_all() {
    let one = set(Magic::V1, 0, LIMIT, &[ten(Compression::Lz4)]);
    let two = [ten(Compression::Lz4), ten(Compression::Lz4)];
    assert_eq!(set(Magic::V1, 0, 2 * one.len() - 1, &two), one);
    assert_eq!(set(Magic::V1, 0, 2 * one.len(), &two).len(), 2 * one.len());
}

/// Some versions of librdkafka deliver what stands before the offset that they asked for.
#[test]
fn records_before_the_first_offset_are_left_out() {
    for magic in BOTH {
        for codec in CODECS {
            let batches = [ten(codec)];
            assert_eq!(offsets(&set(magic, 104, LIMIT, &batches)), (104..110).collect::<Vec<_>>());
            assert_eq!(offsets(&set(magic, 100, LIMIT, &batches)).len(), 10);
            assert!(set(magic, 110, LIMIT, &batches).is_empty(), "a batch behind is none");
        }
    }
}

/// A reader with a small limit must get on within a batch of many records, and the inner set is held in memory.
#[test]
fn a_large_batch_becomes_several_wrappers() {
    let list: Vec<Plain> = (0..40).map(|number| (number, None, Some(vec![b'x'; 100_000]))).collect();
    for magic in BOTH {
        let whole = set(magic, 0, LIMIT, &[batch(Compression::Gzip, 0, &list)]);
        let wrappers: Vec<_> = entries(&whole).map(|entry| entry.unwrap()).collect();
        assert_eq!(wrappers.len(), 4);
        let mut read = Vec::new();
        while read.len() < list.len() {
            let next = read.len() as i64;
            let first = set(magic, next, 0, &[batch(Compression::Gzip, 0, &list)]);
            assert!(first.len() < 20_000, "{}", first.len());
            read.extend(offsets(&first));
        }
        assert_eq!(read, (0..40).collect::<Vec<_>>());
    }
}

#[test]
fn append_time_stays_append_time() {
    for codec in CODECS {
        let mut stamped = ten(codec);
        set_log_append_time(&mut stamped, 77);
        let written = set(Magic::V1, 0, LIMIT, std::slice::from_ref(&stamped));
        let entry = entries(&written).next().unwrap().unwrap();
        assert_eq!((entry.timestamp_type(), entry.timestamp), (TimestampType::LogAppendTime, 77), "{codec}");
        assert!(read(&written).iter().all(|(_, timestamp, ..)| *timestamp == 77), "{codec}");
        let written = set(Magic::V0, 0, LIMIT, &[stamped]);
        assert_eq!(entries(&written).next().unwrap().unwrap().attributes, codec.id(), "{codec}");
    }
}

#[test]
fn a_wrapper_has_the_last_offset_and_the_largest_time() {
    let list: Vec<Plain> = [5, 9, 7].map(|timestamp| (timestamp, None, Some(b"v".to_vec()))).to_vec();
    let written = set(Magic::V1, 0, LIMIT, &[batch(Compression::Snappy, 100, &list)]);
    let wrapper = entries(&written).next().unwrap().unwrap();
    assert_eq!((wrapper.offset, wrapper.timestamp, wrapper.key), (102, 9, None));
}

#[test]
fn control_batches_are_left_out() {
    // attributes stand at 21; control batches are transactional
    let control = resealed(&ten(Compression::None), |batch| batch[22] |= 0b11_0000);
    for magic in BOTH {
        assert!(set(magic, 0, LIMIT, std::slice::from_ref(&control)).is_empty());
    }
}

#[test]
fn zstd_is_refused_after_what_came_before() {
    for magic in BOTH {
        let mut builder = SetBuilder::new(magic, 0, LIMIT);
        builder.push(&ten(Compression::Gzip), LIMIT).unwrap();
        let zstd = builder.push(&sample(Compression::Zstd), LIMIT);
        assert_eq!(zstd, Err(RecordError::UnknownCompression(Compression::Zstd.id())));
        assert_eq!(offsets(&builder.finish()).len(), 10);
    }
}

/// The messages get checksums of their own, which would make damage look sound.
#[test]
fn a_damaged_batch_is_not_converted() {
    for codec in CODECS {
        let mut damaged = ten(codec);
        *damaged.last_mut().unwrap() ^= 1;
        let mut builder = SetBuilder::new(Magic::V1, 0, LIMIT);
        assert!(matches!(builder.push(&damaged, LIMIT), Err(RecordError::BadCrc { .. })), "{codec}");
        assert!(builder.is_empty());
    }
}

#[test]
fn what_decompresses_beyond_the_limit_is_not_converted() {
    let mut builder = SetBuilder::new(Magic::V1, 0, LIMIT);
    let error = builder.push(&ten(Compression::Gzip), 100).unwrap_err();
    assert_eq!(error, RecordError::TooLarge { limit: 100 });
}
