//! Message sets of magic 0 and 1, made here by hand.

use bytes::Bytes;

use crate::record::batch::{records, validate};
use crate::record::legacy::{ConversionLimits, Message, entries};
use crate::record::{BatchHeader, Compression, RecordError, TimestampType};

use super::{LIMIT, sample};

/// An entry with its checksum right. `magic` 0 leaves the timestamp out.
fn entry(offset: i64, magic: i8, attributes: i8, timestamp: i64, key_value: [Option<&[u8]>; 2]) -> Vec<u8> {
    let mut body = vec![magic as u8, attributes as u8];
    if magic == 1 {
        body.extend_from_slice(&timestamp.to_be_bytes());
    }
    for field in key_value {
        body.extend_from_slice(&field.map_or(-1, |bytes| bytes.len() as i32).to_be_bytes());
        body.extend_from_slice(field.unwrap_or_default());
    }
    let mut entry = offset.to_be_bytes().to_vec();
    entry.extend_from_slice(&(body.len() as i32 + 4).to_be_bytes());
    entry.extend_from_slice(&crc32fast::hash(&body).to_be_bytes());
    entry.extend_from_slice(&body);
    entry
}

fn plain(offset: i64, magic: i8, value: &[u8]) -> Vec<u8> {
    entry(offset, magic, 0, offset.wrapping_add(1_000), [None, Some(value)])
}

fn wrapper(offset: i64, magic: i8, codec: Compression, timestamp: i64, inner: &[Vec<u8>]) -> Vec<u8> {
    let mut value = Vec::new();
    codec.compress(&inner.concat(), &mut value).unwrap();
    entry(offset, magic, codec.id(), timestamp, [None, Some(&value)])
}

fn to_batches(set: &[u8], decompressed: usize) -> Result<Vec<Bytes>, RecordError> {
    crate::record::legacy::to_batches(set, None, ConversionLimits { decompressed, batch: LIMIT })
}

/// What `bytes`, one entry, stands for: offsets and timestamps.
fn unwrapped(bytes: &[u8]) -> Result<Vec<(i64, i64)>, RecordError> {
    let message = entries(bytes).next().unwrap()?;
    let messages = message.messages(LIMIT)?;
    Ok(messages.iter().map(|message| (message.offset, message.timestamp)).collect())
}

#[test]
fn a_message_is_read_field_by_field() {
    let bytes = entry(7, 1, 0b1000, 99, [Some(b"k"), None]);
    let message = entries(&bytes).next().unwrap().unwrap();
    let expected =
        Message { offset: 7, magic: 1, attributes: 0b1000, timestamp: 99, key: Some(b"k"), value: None };
    assert_eq!(message, expected);
    assert_eq!(message.timestamp_type(), TimestampType::LogAppendTime);
    assert_eq!(message.compression(), Ok(Compression::None));

    let bytes = entry(8, 0, 0b1000, 0, [None, Some(b"")]);
    let message = entries(&bytes).next().unwrap().unwrap();
    assert_eq!((message.timestamp, message.value), (-1, Some(&b""[..])));
    assert_eq!(message.timestamp_type(), TimestampType::CreateTime, "magic 0 has no timestamp type");
}

#[test]
fn a_set_cut_off_anywhere_is_incomplete() {
    let set = [plain(0, 1, b"one"), plain(1, 1, b"two")].concat();
    let first = set.len() / 2;
    for length in 1..set.len() {
        let items: Vec<_> = entries(&set[..length]).collect();
        let whole = usize::from(length >= first);
        assert_eq!(items.iter().filter(|item| item.is_ok()).count(), whole, "{length}");
        if length != first {
            assert!(matches!(items[whole], Err(RecordError::Incomplete { .. })), "{length}");
            assert!(matches!(to_batches(&set[..length], LIMIT), Err(RecordError::Incomplete { .. })));
        }
    }
}

#[test]
fn every_changed_byte_under_the_checksum_is_noticed() {
    for magic in [0, 1] {
        let bytes = plain(5, magic, b"value");
        for at in (12..bytes.len()).filter(|at| *at != 16) {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x20;
            let read = entries(&damaged).next().unwrap();
            assert!(matches!(read, Err(RecordError::BadCrc { .. })), "byte {at}");
        }
    }
}

#[test]
fn other_magics_are_refused() {
    for magic in [2, 3, -1] {
        let bytes = plain(0, magic, b"value");
        assert_eq!(entries(&bytes).next().unwrap(), Err(RecordError::BadMagic(magic)));
    }
    let mixed = [&plain(0, 1, b"value")[..], &sample(Compression::None)].concat();
    assert_eq!(to_batches(&mixed, LIMIT), Err(RecordError::BadMagic(2)));
}

#[test]
fn impossible_sizes_are_refused() {
    let mut bytes = plain(0, 1, b"value");
    bytes[8..12].copy_from_slice(&(-1_i32).to_be_bytes());
    assert_eq!(entries(&bytes).next().unwrap(), Err(RecordError::BadLength(-1)));
    // Too small for checksum, magic, attributes and timestamp, with a checksum that is right.
    for (size, body) in [(0_usize, &[][..]), (3, &[][..]), (4, &[]), (5, &[1]), (9, &[1, 0, 0, 0, 0])] {
        let mut bytes = vec![0; 8];
        bytes.extend_from_slice(&(size as i32).to_be_bytes());
        bytes.extend_from_slice(&crc32fast::hash(body).to_be_bytes());
        bytes.extend_from_slice(body);
        bytes.resize(64, 0);
        bytes[16] = 1;
        let read = entries(&bytes).next().unwrap();
        assert_eq!(read, Err(RecordError::BadLength(size as i64)), "{size}");
    }
}

#[test]
fn fields_beyond_the_message_are_malformed() {
    let malformed = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = entry(0, 0, 0, 0, [Some(b"key"), Some(b"value")]);
        change(&mut bytes);
        let length = bytes.len() as i32 - 12;
        bytes[8..12].copy_from_slice(&length.to_be_bytes());
        crate::record::legacy::fix_checksums(&mut bytes);
        entries(&bytes).next().unwrap().unwrap_err()
    };
    let beyond = RecordError::BadRecord("a field is longer than the record");
    assert_eq!(malformed(&|bytes| bytes[18..22].copy_from_slice(&i32::MAX.to_be_bytes())), beyond);
    assert_eq!(malformed(&|bytes| bytes.truncate(bytes.len() - 1)), beyond);
    assert_eq!(malformed(&|bytes| bytes.truncate(20)), beyond);
    assert_eq!(malformed(&|bytes| bytes.push(0)), RecordError::BadRecord("it is longer than its fields"));
}

#[test]
fn offsets_in_a_wrapper_are_absolute_in_magic_0_and_relative_in_magic_1() {
    for codec in [Compression::Gzip, Compression::Snappy, Compression::Lz4] {
        let inner = [plain(40, 0, b"a"), plain(42, 0, b"b")];
        assert_eq!(unwrapped(&wrapper(42, 0, codec, 0, &inner)), Ok(vec![(40, -1), (42, -1)]));
        let inner = [plain(0, 1, b"a"), plain(2, 1, b"b")];
        assert_eq!(unwrapped(&wrapper(42, 1, codec, 5, &inner)), Ok(vec![(40, 1_000), (42, 1_002)]));
    }
}

#[test]
fn the_append_time_of_a_wrapper_is_that_of_its_messages() {
    let inner = [plain(0, 1, b"a"), plain(1, 1, b"b")].concat();
    let mut value = Vec::new();
    Compression::Gzip.compress(&inner, &mut value).unwrap();
    let bytes = entry(9, 1, 0b1001, 77, [None, Some(&value)]);
    assert_eq!(unwrapped(&bytes), Ok(vec![(8, 77), (9, 77)]));
}

#[test]
fn hostile_offsets_do_not_overflow() {
    let inner = [plain(i64::MAX, 1, b"a"), plain(i64::MIN, 1, b"b")];
    assert!(unwrapped(&wrapper(i64::MAX, 1, Compression::Gzip, 0, &inner)).is_ok());
}

#[test]
fn a_wrapper_holds_whole_messages_of_its_own_kind() {
    let wrap = |inner: &[Vec<u8>]| unwrapped(&wrapper(0, 1, Compression::Gzip, 0, inner));
    assert_eq!(wrap(&[]), Err(RecordError::BadRecord("a wrapper without messages")));
    assert_eq!(wrap(&[plain(0, 0, b"a")]), Err(RecordError::BadMagic(0)));
    let nested = wrapper(0, 1, Compression::Gzip, 0, &[plain(0, 1, b"a")]);
    assert_eq!(wrap(&[nested]), Err(RecordError::BadRecord("a wrapper inside a wrapper")));
    let mut cut = plain(0, 1, b"a");
    cut.pop();
    assert_eq!(wrap(&[cut]), Err(RecordError::BadRecord("the wrapped messages are cut off")));
    let empty = entry(0, 1, 1, 0, [None, None]);
    assert_eq!(unwrapped(&empty), Err(RecordError::BadRecord("a wrapper without a value")));
}

#[test]
fn codecs_that_came_later_are_unknown() {
    for codec in [4, 5, 6, 7] {
        let bytes = entry(0, 1, codec, 0, [None, Some(b"")]);
        assert_eq!(unwrapped(&bytes), Err(RecordError::UnknownCompression(codec)));
        assert_eq!(to_batches(&bytes, LIMIT), Err(RecordError::UnknownCompression(codec)));
    }
}

#[test]
fn a_set_converts_to_batches_in_order() {
    let set = [
        plain(0, 1, b"a"),
        plain(0, 1, b"b"), // some clients write 0 everywhere
        wrapper(1, 1, Compression::Snappy, 0, &[plain(0, 1, b"c"), plain(1, 1, b"d")]),
        plain(0, 0, b"e"),
    ]
    .concat();
    let mut read = Vec::new();
    let mut codecs = Vec::new();
    for batch in to_batches(&set, LIMIT).unwrap() {
        let header = validate(&batch, LIMIT).unwrap();
        codecs.push((header.compression().unwrap(), header.records_count));
        for record in &records(&batch, LIMIT).unwrap() {
            let record = record.unwrap();
            read.push((record.offset, record.timestamp, record.value.unwrap()[0]));
        }
    }
    assert_eq!(codecs, [(Compression::None, 2), (Compression::Snappy, 2), (Compression::None, 1)]);
    let expected = [(0, 1_000, b'a'), (1, 1_000, b'b'), (0, 1_000, b'c'), (1, 1_001, b'd'), (0, -1, b'e')];
    assert_eq!(read, expected);
    assert_eq!(to_batches(&[], LIMIT), Ok(vec![]));
}

/// A request could otherwise hold many wrappers, each just under the limit.
#[test]
fn the_limit_is_for_all_wrappers_together() {
    let inner = [plain(0, 1, &[b'a'; 1000])];
    let size = inner[0].len();
    let one = wrapper(0, 1, Compression::Gzip, 0, &inner);
    let three = one.repeat(3);
    assert_eq!(to_batches(&three, 3 * size).unwrap().len(), 3);
    let limit = 3 * size - 1;
    assert_eq!(to_batches(&three, limit), Err(RecordError::TooLarge { limit }));
}

/// Values of the batches in order, and the batches' sizes.
fn read_back(batches: &[Bytes]) -> (Vec<Vec<u8>>, Vec<usize>) {
    let values = batches.iter().flat_map(|batch| {
        validate(batch, LIMIT).unwrap();
        let records = records(batch, LIMIT).unwrap();
        records.iter().map(|record| record.unwrap().value.unwrap().to_vec()).collect::<Vec<_>>()
    });
    (values.collect(), batches.iter().map(Bytes::len).collect())
}

/// sarama 1.19 limits a message, but sends as many in one set as it has: more than one batch may hold.
#[test]
fn a_long_set_becomes_several_batches() {
    let values: Vec<Vec<u8>> = (0..100_u8).map(|number| vec![number; 100]).collect();
    let set: Vec<u8> = values.iter().flat_map(|value| plain(0, 0, value)).collect();
    let limits = ConversionLimits { decompressed: 0, batch: 1000 };
    let (read, sizes) = read_back(&crate::record::legacy::to_batches(&set, None, limits).unwrap());
    assert_eq!(read, values);
    assert!(sizes.len() < 20 && sizes.iter().all(|size| (126..=1000).contains(size)), "{sizes:?}");
}

/// Another compressor than the client's may need more bytes than the client was allowed: here one bare Snappy block,
/// with a repetition that our blocks of 32 KiB are too short for. It is written by hand, since compressors may miss it.
#[test]
fn a_wrapper_that_grows_beyond_the_limit_becomes_several_batches() {
    let mut state = 1_u32;
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    let [one, other]: [Vec<u8>; 2] = std::array::from_fn(|_| (0..20_480).map(|_| noise()).collect());
    let values = vec![one.clone(), other, one];
    let inner: Vec<u8> = (0..).zip(&values).flat_map(|(offset, value)| plain(offset, 1, value)).collect();
    let (literal, _) = inner.split_at(inner.len() - 20_480);
    let size = inner.len();
    // the size as a varint, a literal with a length of two bytes, copies of 64 bytes
    let mut block =
        vec![(size & 0x7f | 0x80) as u8, (size >> 7 & 0x7f | 0x80) as u8, (size >> 14) as u8, 61 << 2];
    block.extend_from_slice(&((literal.len() - 1) as u16).to_le_bytes());
    block.extend_from_slice(literal);
    let distance = (2 * size / 3) as u16;
    let copy = [&[63 << 2 | 2][..], &distance.to_le_bytes()].concat();
    block.extend(copy.repeat(20_480 / 64));
    let set = entry(2, 1, Compression::Snappy.id(), 0, [None, Some(&block)]);
    let limits = ConversionLimits { decompressed: LIMIT, batch: set.len() };
    let (read, sizes) = read_back(&crate::record::legacy::to_batches(&set, None, limits).unwrap());
    assert_eq!(read, values);
    assert!(sizes.len() == 2 && sizes.iter().all(|size| *size <= set.len()), "{sizes:?}, {}", set.len());
}

#[test]
fn a_codec_that_is_demanded_is_that_of_all_batches() {
    let set = [
        plain(0, 1, b"a"),
        plain(1, 1, b"b"),
        wrapper(3, 1, Compression::Snappy, 0, &[plain(0, 1, b"c"), plain(1, 1, b"d")]),
        plain(4, 0, b"e"),
    ]
    .concat();
    for codec in Compression::ALL {
        let limits = ConversionLimits { decompressed: LIMIT, batch: LIMIT };
        let batches = crate::record::legacy::to_batches(&set, Some(codec), limits).unwrap();
        let headers = batches.iter().map(|batch| BatchHeader::parse(batch).unwrap());
        let kinds: Vec<_> =
            headers.map(|header| (header.compression().unwrap(), header.records_count)).collect();
        assert_eq!(kinds, [(codec, 2), (codec, 2), (codec, 1)]);
        assert_eq!(read_back(&batches).0.concat(), b"abcde");
    }
}

/// What a batch of plain messages has room for may be too much once a codec has added its framing to it.
#[test]
fn messages_that_grow_by_the_demanded_codec_become_several_batches() {
    let mut state = 1_u32;
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    let values: Vec<Vec<u8>> = (0..120).map(|_| (0..1000).map(|_| noise()).collect()).collect();
    let set: Vec<u8> = values.iter().flat_map(|value| plain(0, 0, value)).collect();
    for batch in (100_000..101_100).step_by(13) {
        let limits = ConversionLimits { decompressed: 0, batch };
        let converted = crate::record::legacy::to_batches(&set, Some(Compression::Snappy), limits).unwrap();
        let (read, sizes) = read_back(&converted);
        assert_eq!(read, values, "{batch}");
        assert!(sizes.iter().all(|size| *size <= batch), "{batch}: {sizes:?}");
    }
}

#[test]
fn an_entry_beyond_the_limit_of_a_batch_is_too_large() {
    let set = [plain(0, 0, &[0; 100]), plain(1, 0, &[0; 101])].concat();
    let limits = ConversionLimits { decompressed: LIMIT, batch: 26 + 100 };
    assert_eq!(
        crate::record::legacy::to_batches(&set, None, limits),
        Err(RecordError::TooLarge { limit: limits.batch })
    );
}
