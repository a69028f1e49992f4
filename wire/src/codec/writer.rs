//! Owns writing primitive values, and remembering where bytes are left out.

use bytes::{BufMut, BytesMut};
use uuid::Uuid;

use super::{Blob, EncodeError, Encoded, Hole};

/// Collects encoded bytes and the holes in them.
#[derive(Debug, Default)]
pub struct Writer {
    bytes: BytesMut,
    holes: Vec<Hole>,
}

impl Writer {
    /// An empty writer.
    pub fn new() -> Self {
        Self::default()
    }

    /// What was written.
    pub fn finish(self) -> Encoded {
        Encoded { bytes: self.bytes.freeze(), holes: self.holes }
    }

    /// The number of bytes on the wire so far, holes included.
    pub fn wire_len(&self) -> usize {
        self.holes.iter().fold(self.bytes.len(), |sum, hole| sum.saturating_add(hole.len as usize))
    }

    /// Overwrites the first four bytes, which must have been written, with an int32.
    pub(crate) fn set_first_i32(&mut self, value: i32) {
        if let Some(first) = self.bytes.first_chunk_mut::<4>() {
            *first = value.to_be_bytes();
        }
    }

    /// A byte, 1 for true.
    pub fn bool(&mut self, value: bool) {
        self.bytes.put_u8(u8::from(value));
    }

    /// An int8.
    pub fn i8(&mut self, value: i8) {
        self.bytes.put_i8(value);
    }

    /// An int16.
    pub fn i16(&mut self, value: i16) {
        self.bytes.put_i16(value);
    }

    /// An int32.
    pub fn i32(&mut self, value: i32) {
        self.bytes.put_i32(value);
    }

    /// An int64.
    pub fn i64(&mut self, value: i64) {
        self.bytes.put_i64(value);
    }

    /// A float64.
    pub fn f64(&mut self, value: f64) {
        self.bytes.put_f64(value);
    }

    /// A UUID.
    pub fn uuid(&mut self, value: Uuid) {
        self.bytes.put_slice(value.as_bytes());
    }

    /// An unsigned varint.
    pub fn uvarint(&mut self, mut value: u32) {
        while value >= 0x80 {
            // The low 7 bits; the rest follows.
            self.bytes.put_u8((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.put_u8(value as u8);
    }

    /// A string with an int16 length, or a compact one.
    pub fn string(&mut self, value: Option<&str>, compact: bool) -> Result<(), EncodeError> {
        if compact {
            self.compact_len(value.map(str::len))?;
        } else {
            let len = value.map_or(Ok(-1), |text| short_len(text.len()))?;
            self.i16(len);
        }
        self.bytes.put_slice(value.unwrap_or_default().as_bytes());
        Ok(())
    }

    /// Bytes with an int32 length, or compact ones.
    pub fn bytes(&mut self, value: Option<&[u8]>, compact: bool) -> Result<(), EncodeError> {
        self.len(value.map(<[u8]>::len), compact)?;
        self.bytes.put_slice(value.unwrap_or_default());
        Ok(())
    }

    /// Record bytes: as [`Writer::bytes`], but a hole leaves only its length here and is noted.
    pub fn blob(&mut self, value: Option<&Blob>, compact: bool) -> Result<(), EncodeError> {
        self.len(value.map(Blob::len), compact)?;
        match value {
            None => {}
            Some(Blob::Bytes(bytes)) => self.bytes.put_slice(bytes),
            Some(&Blob::Hole { len, tag }) => self.holes.push(Hole { at: self.bytes.len(), len, tag }),
        }
        Ok(())
    }

    /// The count of an array, or the length of bytes; `None` for null.
    pub(super) fn len(&mut self, len: Option<usize>, compact: bool) -> Result<(), EncodeError> {
        if compact {
            return self.compact_len(len);
        }
        let len = len.map_or(Ok(-1), |len| i32::try_from(len).map_err(|_| EncodeError::TooLong(len)))?;
        self.i32(len);
        Ok(())
    }

    fn compact_len(&mut self, len: Option<usize>) -> Result<(), EncodeError> {
        let Some(len) = len else {
            self.uvarint(0);
            return Ok(());
        };
        let len = i32::try_from(len).map_err(|_| EncodeError::TooLong(len))?;
        // At most 2^31, as len is not negative.
        self.uvarint(len.unsigned_abs() + 1);
        Ok(())
    }

    /// A struct's tagged fields.
    pub(crate) fn tagged_fields(&mut self, tags: Tags) {
        self.uvarint(tags.count);
        self.append(tags.body);
    }

    fn append(&mut self, other: Self) {
        let before = self.bytes.len();
        self.holes.extend(other.holes.into_iter().map(|hole| Hole { at: before + hole.at, ..hole }));
        self.bytes.unsplit(other.bytes);
    }
}

fn short_len(len: usize) -> Result<i16, EncodeError> {
    i16::try_from(len).map_err(|_| EncodeError::TooLong(len))
}

/// The tagged fields of one struct while they are collected, by ascending tag.
#[derive(Debug, Default)]
pub(crate) struct Tags {
    count: u32,
    body: Writer,
}

impl Tags {
    /// Adds a field if it is `set`: its value is not the default, which is what an absent tag means.
    pub(crate) fn with(
        mut self,
        tag: u32,
        set: bool,
        write: impl FnOnce(&mut Writer) -> Result<(), EncodeError>,
    ) -> Result<Self, EncodeError> {
        if set {
            let mut value = Writer::new();
            write(&mut value)?;
            let size = value.wire_len();
            self.count += 1;
            self.body.uvarint(tag);
            self.body.uvarint(u32::try_from(size).map_err(|_| EncodeError::TooLong(size))?);
            self.body.append(value);
        }
        Ok(self)
    }
}
