//! Owns reading primitive values out of a frame that may be hostile.

use bytes::{Buf, Bytes};
use uuid::Uuid;

use super::DecodeError;

/// Memory that arrays of a message may take for each byte of the message. The worst honest message is an array of
/// one-letter names, at some 12 bytes for each.
const ARRAY_MEMORY_FACTOR: usize = 16;
/// Memory that arrays may take however small the message is, in bytes.
const ARRAY_MEMORY_FLOOR: usize = 64 * 1024;

/// A cursor over a frame. It never reads beyond the end, never panics, and allocates nothing before it knows that
/// the bytes for it are there.
///
/// An array's elements may be smaller on the wire than in memory (an empty compact string is 1 byte there and 24
/// here), so all arrays of a message together may take 16 times the size of the message, and at least 64 KiB.
#[derive(Debug, Clone)]
pub struct Reader {
    bytes: Bytes,
    /// Memory in bytes that arrays may still take.
    array_memory: usize,
}

impl Reader {
    /// A reader at the start of `bytes`.
    pub fn new(bytes: Bytes) -> Self {
        let array_memory = bytes.len().saturating_mul(ARRAY_MEMORY_FACTOR).max(ARRAY_MEMORY_FLOOR);
        Self { bytes, array_memory }
    }

    /// The number of bytes not yet read.
    pub fn remaining(&self) -> usize {
        self.bytes.len()
    }

    /// The bytes not yet read.
    pub fn into_remaining(self) -> Bytes {
        self.bytes
    }

    fn fixed<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let Some(chunk) = self.bytes.first_chunk::<N>() else {
            return Err(DecodeError::Incomplete { missing: N.saturating_sub(self.bytes.len()) });
        };
        let chunk = *chunk;
        self.bytes.advance(N);
        Ok(chunk)
    }

    /// A byte that is false if 0 and true otherwise.
    pub fn bool(&mut self) -> Result<bool, DecodeError> {
        Ok(self.i8()? != 0)
    }

    /// An int8.
    pub fn i8(&mut self) -> Result<i8, DecodeError> {
        self.fixed().map(i8::from_be_bytes)
    }

    /// An int16.
    pub fn i16(&mut self) -> Result<i16, DecodeError> {
        self.fixed().map(i16::from_be_bytes)
    }

    /// An int32.
    pub fn i32(&mut self) -> Result<i32, DecodeError> {
        self.fixed().map(i32::from_be_bytes)
    }

    /// An int64.
    pub fn i64(&mut self) -> Result<i64, DecodeError> {
        self.fixed().map(i64::from_be_bytes)
    }

    /// A float64.
    pub fn f64(&mut self) -> Result<f64, DecodeError> {
        self.fixed().map(f64::from_be_bytes)
    }

    /// A UUID.
    pub fn uuid(&mut self) -> Result<Uuid, DecodeError> {
        self.fixed().map(Uuid::from_bytes)
    }

    /// An unsigned varint of at most 32 bits.
    pub fn uvarint(&mut self) -> Result<u32, DecodeError> {
        let mut value = 0;
        for shift in [0, 7, 14, 21, 28] {
            let [byte] = self.fixed()?;
            let bits = u32::from(byte & 0x7f);
            if shift == 28 && bits > 0x0f {
                return Err(DecodeError::VarintTooLong);
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(DecodeError::VarintTooLong)
    }

    /// The next `len` bytes, without a copy.
    pub fn take(&mut self, len: usize) -> Result<Bytes, DecodeError> {
        if len > self.bytes.len() {
            return Err(DecodeError::LengthBeyondEnd { length: len, left: self.bytes.len() });
        }
        Ok(self.bytes.split_to(len))
    }

    /// A string with an int16 length, or a compact one; `None` for null.
    pub fn string(&mut self, compact: bool) -> Result<Option<String>, DecodeError> {
        let len = if compact { self.compact_len()? } else { usize::try_from(self.i16()?).ok() };
        let Some(len) = len else { return Ok(None) };
        let bytes = self.take(len)?;
        let text = std::str::from_utf8(&bytes).map_err(|_| DecodeError::InvalidUtf8)?;
        Ok(Some(text.to_owned()))
    }

    /// Bytes with an int32 length, or compact ones, without a copy; `None` for null.
    pub fn bytes(&mut self, compact: bool) -> Result<Option<Bytes>, DecodeError> {
        self.len(compact)?.map(|len| self.take(len)).transpose()
    }

    /// The count of an array whose elements take `element_size` bytes of memory, all checked; `None` for null.
    pub(super) fn array_len(
        &mut self,
        compact: bool,
        element_size: usize,
    ) -> Result<Option<usize>, DecodeError> {
        let Some(count) = self.len(compact)? else { return Ok(None) };
        // Every element takes at least one byte.
        if count > self.bytes.len() {
            return Err(DecodeError::LengthBeyondEnd { length: count, left: self.bytes.len() });
        }
        let memory = count.saturating_mul(element_size);
        let left = self.array_memory.checked_sub(memory);
        self.array_memory = left.ok_or(DecodeError::TooManyElements { count })?;
        Ok(Some(count))
    }

    fn len(&mut self, compact: bool) -> Result<Option<usize>, DecodeError> {
        if compact { self.compact_len() } else { Ok(usize::try_from(self.i32()?).ok()) }
    }

    fn compact_len(&mut self) -> Result<Option<usize>, DecodeError> {
        Ok(self.uvarint()?.checked_sub(1).map(|len| len as usize))
    }

    /// Reads a struct's tagged fields. `read` is given each tag with the reader confined to its value and says
    /// whether it knows the tag; what it does not know is skipped.
    pub(crate) fn tagged_fields(
        &mut self,
        mut read: impl FnMut(u32, &mut Self) -> Result<bool, DecodeError>,
    ) -> Result<(), DecodeError> {
        let count = self.uvarint()? as usize;
        // A tag and a size take at least one byte each.
        if count > self.bytes.len() / 2 {
            return Err(DecodeError::LengthBeyondEnd { length: count, left: self.bytes.len() });
        }
        for _ in 0..count {
            let tag = self.uvarint()?;
            let size = self.uvarint()? as usize;
            let value = self.take(size)?;
            let rest = std::mem::replace(&mut self.bytes, value);
            if read(tag, self)? && !self.bytes.is_empty() {
                return Err(DecodeError::TagSize { tag, left: self.bytes.len() });
            }
            self.bytes = rest;
        }
        Ok(())
    }
}
