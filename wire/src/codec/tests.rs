//! Tests of the primitive encodings and of the tables' rules, on a table made for it.

use bytes::Bytes;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::testing::{Gen, Random, allocated, hex};

message! {
    /// Every kind of field once.
    #[expect(unreachable_pub, reason = "tables make public structs")]
    pub struct Sample {
        yes: bool = true, 0..;
        byte: i8, 0..;
        short: i16, 0..;
        int: i32, 0..=1;
        long: i64 = -1, 1..;
        id: Uuid, 0..;
        name: String, 0..;
        note: Option<String>, 0.., nullable 1..;
        hint: Option<String>, 2.., ignorable;
        data: Bytes, 0..;
        records: Option<Blob>, 0..;
        parts: Vec<Part>, 0..;
        numbers: Option<Vec<i32>> = Some(Vec::new()), 0.., nullable 2..=2;
    } tagged {
        1 => label: Option<String>, 2..;
        300 => part: Part, 3.., ignorable;
    }

    /// A struct in it.
    #[expect(unreachable_pub, reason = "tables make public structs")]
    pub struct Part {
        index: i32, 0..;
        names: Vec<String>, 1..;
    }
}

fn plain(number: i16) -> Version {
    Version { number, flexible: false }
}

fn flexible(number: i16) -> Version {
    Version { number, flexible: true }
}

fn write<T: Field>(value: &T, v: Version) -> Result<Encoded, EncodeError> {
    let mut w = Writer::new();
    value.write(&mut w, v)?;
    Ok(w.finish())
}

fn read<T: Field>(bytes: &Bytes, v: Version) -> Result<T, DecodeError> {
    T::read(&mut Reader::new(bytes.clone()), v)
}

fn sample() -> Sample {
    Sample { note: Some("n".into()), records: Some(Bytes::from_static(b"r").into()), ..Default::default() }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn samples_are_read_as_they_were_written(
        random in prop::collection::vec(any::<u8>(), 0..400),
        number in 0i16..5,
        flexible in any::<bool>(),
    ) {
        // A version below the first tagged field's is plain here, as in every real API.
        let v = Version { number, flexible: flexible || number >= 2 };
        let sample = Sample::random(&mut Gen::new(&random), v);
        let encoded = write(&sample, v).unwrap();
        let mut r = Reader::new(encoded.bytes);
        prop_assert_eq!(Sample::read(&mut r, v).unwrap(), sample);
        prop_assert_eq!(r.remaining(), 0);
    }

    #[test]
    fn varints_are_read_as_they_were_written(value in any::<u32>(), shift in 0u32..32) {
        let value = value >> shift;
        let mut w = Writer::new();
        w.uvarint(value);
        let mut r = Reader::new(w.finish().bytes);
        prop_assert_eq!(r.uvarint().unwrap(), value);
        prop_assert_eq!(r.remaining(), 0);
    }
}

#[test]
fn plain_form() {
    let sample = Sample { note: Some("n".into()), ..sample() };
    let bytes = hex(r#"
        01 00 0000 00000000
        00000000000000000000000000000000
        0000 0001 "n" 00000000 00000001 "r" 00000000 00000000
        "#);
    assert_eq!(write(&sample, plain(0)).unwrap().bytes, bytes);
    assert_eq!(read::<Sample>(&bytes, plain(0)).unwrap(), sample);
}

#[test]
fn flexible_form_with_a_tag_beyond_one_byte() {
    let sample = Sample {
        label: Some("abc".into()),
        part: Part { index: 1, names: vec!["x".into()] },
        numbers: Some(vec![5]),
        ..sample()
    };
    let bytes = hex(r#"
        01 00 0000 ffffffffffffffff
        00000000000000000000000000000000
        01 02 "n" 00 01 02 "r" 01 02 00000005
        02
        01 04 04 "abc"
        ac02 08 00000001 02 02 "x" 00
        "#);
    assert_eq!(write(&sample, flexible(3)).unwrap().bytes, bytes);
    assert_eq!(read::<Sample>(&bytes, flexible(3)).unwrap(), sample);
}

#[test]
fn null_only_where_the_table_says_so() {
    let null_note = Sample { note: None, ..sample() };
    let field = "Sample.note";
    assert_eq!(write(&null_note, plain(0)), Err(EncodeError::Null { field, version: 0 }));
    assert!(write(&null_note, plain(1)).is_ok());

    let null_numbers = Sample { numbers: None, ..sample() };
    let field = "Sample.numbers";
    for number in [0, 1, 3] {
        assert_eq!(write(&null_numbers, plain(number)), Err(EncodeError::Null { field, version: number }));
    }
    assert!(write(&null_numbers, plain(2)).is_ok());
}

#[test]
fn what_a_version_lacks_is_an_error_unless_it_is_ignorable() {
    let with_long = Sample { long: 5, ..sample() };
    let error = EncodeError::NotInVersion { field: "Sample.long", version: 0 };
    assert_eq!(write(&with_long, plain(0)), Err(error));

    let with_hint = Sample { hint: Some("h".into()), ..sample() };
    assert_eq!(write(&with_hint, plain(0)).unwrap(), write(&sample(), plain(0)).unwrap());

    let with_label = Sample { label: Some("l".into()), ..sample() };
    let error = EncodeError::NotInVersion { field: "Sample.label", version: 1 };
    assert_eq!(write(&with_label, flexible(1)), Err(error));

    let with_part = Sample { part: Part { index: 1, names: Vec::new() }, ..sample() };
    assert_eq!(write(&with_part, flexible(2)).unwrap(), write(&sample(), flexible(2)).unwrap());
}

#[test]
fn a_uvarint_has_at_most_32_bits_in_5_bytes() {
    let uvarint = |text| Reader::new(hex(text)).uvarint();
    assert_eq!(uvarint("00"), Ok(0));
    assert_eq!(uvarint("ffffffff0f"), Ok(u32::MAX));
    assert_eq!(uvarint("8000"), Ok(0), "more bytes than needed");
    assert_eq!(uvarint("ffffffff1f"), Err(DecodeError::VarintTooLong));
    assert_eq!(uvarint("ffffffff8f00"), Err(DecodeError::VarintTooLong));
    assert_eq!(uvarint("80"), Err(DecodeError::Incomplete { missing: 1 }));
}

#[test]
fn values_cut_short_say_how_much_is_missing() {
    assert_eq!(Reader::new(hex("0000")).i64(), Err(DecodeError::Incomplete { missing: 6 }));
    assert_eq!(Reader::new(Bytes::new()).bool(), Err(DecodeError::Incomplete { missing: 1 }));
    let error = DecodeError::LengthBeyondEnd { length: 5, left: 2 };
    assert_eq!(Reader::new(hex("0005 6161")).string(false), Err(error));
}

#[test]
fn a_failed_read_of_a_length_allocates_nothing() {
    for text in ["7fffffff 00", "ffffffff0f 00"] {
        let compact = text.len() > 11;
        let bytes = hex(text);
        let mut r = Reader::new(bytes);
        let (memory, result) = allocated(|| r.bytes(compact));
        assert!(matches!(result, Err(DecodeError::LengthBeyondEnd { left: 1, .. })), "{result:?}");
        assert_eq!(memory, 0);
    }
}

#[test]
fn strings_are_utf8() {
    assert_eq!(Reader::new(hex("0002 c3a4")).string(false), Ok(Some("ä".into())));
    assert_eq!(Reader::new(hex("0001 c3")).string(false), Err(DecodeError::InvalidUtf8));
    assert_eq!(Reader::new(hex("ffff")).string(false), Ok(None));
    assert_eq!(Reader::new(hex("00")).string(true), Ok(None));
    assert_eq!(Reader::new(hex("01")).string(true), Ok(Some(String::new())));
}

#[test]
fn a_string_too_long_for_its_length_is_refused_unless_compact() {
    let long = "x".repeat(40_000);
    assert_eq!(write(&long, plain(0)), Err(EncodeError::TooLong(40_000)));
    let bytes = write(&long, flexible(0)).unwrap().bytes;
    assert_eq!(read::<String>(&bytes, flexible(0)), Ok(long));
}

#[test]
fn all_arrays_of_a_message_share_one_allowance() {
    // 30,000 arrays of 100 empty strings each: 101 bytes on the wire and 2,424 in memory.
    let mut bytes = vec![0xb1, 0xea, 0x01];
    for _ in 0..30_000 {
        bytes.push(101);
        bytes.extend([1; 100]);
    }
    let bytes = Bytes::from(bytes);
    let limit = 16 * bytes.len();
    let mut r = Reader::new(bytes);
    let (memory, result) = allocated(|| Vec::<Vec<String>>::read(&mut r, flexible(0)));
    assert_eq!(result, Err(DecodeError::TooManyElements { count: 100 }));
    assert!(memory <= limit, "{memory} of {limit}");
}

#[test]
fn tags_with_a_count_beyond_the_frame_are_refused() {
    let error = DecodeError::LengthBeyondEnd { length: 3, left: 5 };
    assert_eq!(Reader::new(hex("03 0000 0000 00")).tagged_fields(|_, _| Ok(true)), Err(error));
}

#[test]
fn holes_keep_their_place_inside_a_tag() {
    let hole = Blob::Hole { len: 1000, tag: 9 };
    let tags = Tags::default().with(2, true, |w| hole.write(w, flexible(0))).unwrap();
    let mut w = Writer::new();
    w.i32(-1);
    w.tagged_fields(tags);
    let encoded = w.finish();
    // Count, tag, the size of 1,002 and the length of 1,001, each of two bytes; then the hole.
    assert_eq!(encoded.bytes, hex("ffffffff 01 02 ea07 e907"));
    assert_eq!(encoded.holes, [Hole { at: 10, len: 1000, tag: 9 }]);
    assert_eq!(encoded.wire_len(), 1010);
}

#[test]
fn floats_and_blobs() {
    let bytes = write(&1.5f64, plain(0)).unwrap().bytes;
    assert_eq!(read::<f64>(&bytes, plain(0)), Ok(1.5));
    assert_eq!(Blob::default(), Blob::from(Bytes::new()));
    assert!(Blob::default().is_empty());
    assert_eq!(Blob::Hole { len: 3, tag: 0 }.len(), 3);
    assert_eq!(Blob::Hole { len: 3, tag: 0 }.bytes(), None);
}
