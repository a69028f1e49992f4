//! One message of a message set, and the walk over the entries of a set.

use crate::record::{Compression, MAGIC_AT, RecordError, TimestampType};

/// Bytes of an entry before and with its size field.
const LOG_OVERHEAD: usize = 12;
const CODEC_MASK: i8 = 0b0111;
/// Bytes of an entry without timestamp, key and value.
const OVERHEAD: usize = 26;
const TIMESTAMP_BYTES: usize = 8;

/// A message of magic 0 or 1, borrowed from its set. It may be a wrapper around others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// As it stands in the entry.
    pub offset: i64,
    /// 0 or 1.
    pub magic: i8,
    /// Codec and timestamp type.
    pub attributes: i8,
    /// Milliseconds since 1970; -1 in magic 0, which has none.
    pub timestamp: i64,
    /// What the message is about.
    pub key: Option<&'a [u8]>,
    /// What the message says, or the compressed message set of a wrapper.
    pub value: Option<&'a [u8]>,
}

impl<'a> Message<'a> {
    /// The bit of the attributes that says append time, in magic 1.
    pub(super) const LOG_APPEND_TIME: i8 = 1 << 3;

    /// The codec: anything but none makes the message a wrapper. zstd came after these formats.
    pub fn compression(&self) -> Result<Compression, RecordError> {
        match Compression::from_id(self.attributes & CODEC_MASK)? {
            Compression::Zstd => Err(RecordError::UnknownCompression(Compression::Zstd.id())),
            codec => Ok(codec),
        }
    }

    /// Whose clock the timestamp is from.
    pub fn timestamp_type(&self) -> TimestampType {
        if self.magic == 1 && self.attributes & Self::LOG_APPEND_TIME != 0 {
            TimestampType::LogAppendTime
        } else {
            TimestampType::CreateTime
        }
    }

    /// Bytes of key and value.
    pub(super) fn payload(&self) -> usize {
        self.key.map_or(0, <[u8]>::len) + self.value.map_or(0, <[u8]>::len)
    }

    /// Bytes of the entry.
    pub(super) fn size(&self) -> usize {
        let timestamp = if self.magic == 0 { 0 } else { TIMESTAMP_BYTES };
        OVERHEAD + timestamp + self.payload()
    }

    /// Appends the message as an entry, with its checksum.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let begin = out.len();
        out.reserve(self.size());
        out.extend_from_slice(&self.offset.to_be_bytes());
        out.extend_from_slice(&((self.size() - LOG_OVERHEAD) as i32).to_be_bytes());
        // the checksum's place
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(&[self.magic as u8, self.attributes as u8]);
        if self.magic != 0 {
            out.extend_from_slice(&self.timestamp.to_be_bytes());
        }
        put_nullable(out, self.key);
        put_nullable(out, self.value);
        if let Some(entry) = out.get_mut(begin..) {
            fix_checksums(entry);
        }
    }

    /// Reads the entry at the front of `input`, checks its checksum and moves past it.
    pub(super) fn read(input: &mut &'a [u8]) -> Result<Self, RecordError> {
        let magic = crate::record::magic(input)?;
        if !matches!(magic, 0 | 1) {
            return Err(RecordError::BadMagic(magic));
        }
        let mut rest = *input;
        let offset = i64::from_be_bytes(array(&mut rest)?);
        let size = i32::from_be_bytes(array(&mut rest)?);
        let length = usize::try_from(size).map_err(|_| RecordError::BadLength(size.into()))?;
        let (mut body, behind) = rest
            .split_at_checked(length)
            .ok_or(RecordError::Incomplete { needed: LOG_OVERHEAD + length, have: input.len() })?;
        // The size may be too small for the magic that stands behind it.
        let cut_off = |_| RecordError::BadLength(size.into());
        let stored = u32::from_be_bytes(array(&mut body).map_err(cut_off)?);
        let computed = crc32fast::hash(body);
        if stored != computed {
            return Err(RecordError::BadCrc { stored, computed });
        }
        let [_magic, attributes] = array(&mut body).map_err(cut_off)?;
        let timestamp = match magic {
            0 => -1,
            _ => i64::from_be_bytes(array(&mut body).map_err(cut_off)?),
        };
        let key = nullable(&mut body)?;
        let value = nullable(&mut body)?;
        if !body.is_empty() {
            return Err(RecordError::BadRecord("it is longer than its fields"));
        }
        *input = behind;
        Ok(Self { offset, magic, attributes: attributes as i8, timestamp, key, value })
    }
}

/// The entries of a message set, wrappers as they stand; the checksum of each is verified. The
/// first error ends the iteration: [`RecordError::Incomplete`] for an entry cut off at the end.
pub fn entries(set: &[u8]) -> impl Iterator<Item = Result<Message<'_>, RecordError>> {
    let mut rest = set;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let next = Message::read(&mut rest);
        if next.is_err() {
            rest = &[];
        }
        Some(next)
    })
}

/// Makes the checksums of all entries of `set` right: of one just written, and for tests and fuzzing, which
/// want to get past them.
pub(crate) fn fix_checksums(set: &mut [u8]) {
    let mut rest = set;
    while let Some(size) = rest.get(8..).and_then(<[u8]>::first_chunk) {
        let end = LOG_OVERHEAD.saturating_add(u32::from_be_bytes(*size) as usize);
        let Some((entry, behind)) = rest.split_at_mut_checked(end) else { return };
        let crc = crc32fast::hash(entry.get(MAGIC_AT..).unwrap_or_default());
        if let Some(place) = entry.get_mut(LOG_OVERHEAD..).and_then(<[u8]>::first_chunk_mut) {
            *place = crc.to_be_bytes();
        }
        rest = behind;
    }
}

fn put_nullable(out: &mut Vec<u8>, bytes: Option<&[u8]>) {
    out.extend_from_slice(&bytes.map_or(-1, |bytes| bytes.len() as i32).to_be_bytes());
    out.extend_from_slice(bytes.unwrap_or_default());
}

fn nullable<'a>(body: &mut &'a [u8]) -> Result<Option<&'a [u8]>, RecordError> {
    const BEYOND: RecordError = RecordError::BadRecord("a field is longer than the record");
    let length = i32::from_be_bytes(array(body).map_err(|_| BEYOND)?);
    let Ok(length) = usize::try_from(length) else { return Ok(None) };
    let (bytes, rest) = body.split_at_checked(length).ok_or(BEYOND)?;
    *body = rest;
    Ok(Some(bytes))
}

fn array<const N: usize>(input: &mut &[u8]) -> Result<[u8; N], RecordError> {
    let (taken, rest) =
        input.split_first_chunk().ok_or(RecordError::Incomplete { needed: N, have: input.len() })?;
    *input = rest;
    Ok(*taken)
}
