use proptest::prelude::*;

use crate::record::{RecordError, varint};

fn encoded(value: i64) -> Vec<u8> {
    let mut out = Vec::new();
    varint::put(&mut out, value);
    out
}

/// Worked out by hand from the rule; the first ones are in the documentation of Protocol Buffers.
#[test]
fn known_encodings() {
    let known: [(i64, &[u8]); 12] = [
        (0, &[0]),
        (-1, &[1]),
        (1, &[2]),
        (-2, &[3]),
        (63, &[0x7e]),
        (-64, &[0x7f]),
        (64, &[0x80, 0x01]),
        (-65, &[0x81, 0x01]),
        (i64::from(i32::MAX), &[0xfe, 0xff, 0xff, 0xff, 0x0f]),
        (i64::from(i32::MIN), &[0xff, 0xff, 0xff, 0xff, 0x0f]),
        (i64::MAX, &[0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]),
        (i64::MIN, &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]),
    ];
    for (value, bytes) in known {
        assert_eq!(encoded(value), bytes, "{value}");
        assert_eq!(varint::size(value), bytes.len(), "{value}");
        assert_eq!(varint::read_i64(&mut &bytes[..]), Ok(value));
        if let Ok(value) = i32::try_from(value) {
            assert_eq!(varint::read_i32(&mut &bytes[..]), Ok(value));
        }
    }
}

#[test]
fn a_varint_that_never_ends_is_too_long() {
    let endless = [0x80; 11];
    let too_long = Err(RecordError::BadRecord("a varint is too long"));
    assert_eq!(varint::read_i32(&mut &endless[..]), too_long);
    assert_eq!(varint::read_i64(&mut &endless[..]).map(|_| 0), too_long);
}

#[test]
fn a_varint_may_be_cut_off_anywhere() {
    let bytes = encoded(i64::MIN);
    for length in 0..bytes.len() {
        let cut = varint::read_i64(&mut &bytes[..length]);
        assert_eq!(cut, Err(RecordError::BadRecord("it is cut off")), "{length}");
    }
}

/// Kafka's readers shift the surplus bits out instead of refusing them.
#[test]
fn bits_beyond_the_width_are_dropped() {
    assert_eq!(varint::read_i32(&mut &[0xfe, 0xff, 0xff, 0xff, 0x7f][..]), Ok(i32::MAX));
    assert_eq!(varint::read_i32(&mut &[0x82, 0x00][..]), Ok(1));
}

proptest! {
    #[test]
    fn reads_what_it_writes(value: i64, behind: Vec<u8>) {
        let mut bytes = encoded(value);
        prop_assert_eq!(varint::size(value), bytes.len());
        bytes.extend_from_slice(&behind);
        let mut input = bytes.as_slice();
        prop_assert_eq!(varint::read_i64(&mut input), Ok(value));
        prop_assert_eq!(input, behind.as_slice());
    }

    #[test]
    fn reads_what_it_writes_in_32_bits(value: i32) {
        let bytes = encoded(value.into());
        let mut input = bytes.as_slice();
        prop_assert_eq!(varint::read_i32(&mut input), Ok(value));
        prop_assert!(input.is_empty() && bytes.len() <= 5);
    }
}
