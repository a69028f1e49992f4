//! The variable-length integers inside records (magic 2).
//!
//! A signed integer is first mapped to an unsigned one, so that small magnitudes stay small
//! (*zigzag*: 0, -1, 1, -2 … become 0, 1, 2, 3 …), then written in groups of seven bits, the lowest
//! group first; the high bit of a byte says that another byte follows. At most 5 bytes hold a
//! 32-bit value, at most 10 a 64-bit one. Source: Kafka's documentation, "Record" (the format is
//! that of Protocol Buffers).
//!
//! Like Kafka, the reader takes longer encodings than necessary, and drops what exceeds the width.

use super::RecordError;

/// Reads an `i32` from the front of `input` and moves past it.
pub(super) fn read_i32(input: &mut &[u8]) -> Result<i32, RecordError> {
    let raw = read(input, 5)? as u32;
    Ok((raw >> 1) as i32 ^ -((raw & 1) as i32))
}

/// Reads an `i64` from the front of `input` and moves past it.
pub(super) fn read_i64(input: &mut &[u8]) -> Result<i64, RecordError> {
    let raw = read(input, 10)?;
    Ok((raw >> 1) as i64 ^ -((raw & 1) as i64))
}

#[inline]
fn read(input: &mut &[u8], longest: usize) -> Result<u64, RecordError> {
    let mut value = 0;
    for (index, byte) in input.iter().take(longest).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            *input = input.get(index + 1..).unwrap_or_default();
            return Ok(value);
        }
    }
    Err(RecordError::BadRecord(if input.len() < longest { "it is cut off" } else { "a varint is too long" }))
}

/// Appends `value`; an `i32` has the same encoding as the equal `i64`.
#[inline]
pub(super) fn put(out: &mut Vec<u8>, value: i64) {
    let mut raw = zigzag(value);
    while raw >= 0x80 {
        out.push(raw as u8 | 0x80);
        raw >>= 7;
    }
    out.push(raw as u8);
}

/// The number of bytes that [`put`] writes for `value`.
#[inline]
pub(super) fn size(value: i64) -> usize {
    let bits = 64 - (zigzag(value) | 1).leading_zeros() as usize;
    bits.div_ceil(7)
}

fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}
