//! What an entry of a message set stands for: itself, or the messages compressed in it.

use super::Message;
use super::message::entries;
use crate::record::{Compression, RecordError, TimestampType};

/// The messages of one entry: the owner of the decompressed bytes of a wrapper.
#[derive(Clone, Debug)]
pub struct Messages<'a> {
    entry: Message<'a>,
    inner: Option<Inner>,
}

#[derive(Clone, Debug)]
struct Inner {
    set: Vec<u8>,
    /// What is to be added to the offsets in the set.
    base_offset: i64,
}

impl<'a> Message<'a> {
    /// The messages that this entry stands for; a wrapper is decompressed to at most `limit` bytes
    /// and checked to its end.
    pub fn messages(self, limit: usize) -> Result<Messages<'a>, RecordError> {
        let codec = self.compression()?;
        if codec == Compression::None {
            return Ok(Messages { entry: self, inner: None });
        }
        let value = self.value.ok_or(RecordError::BadRecord("a wrapper without a value"))?;
        let set = match self.magic {
            0 => codec.decompress_magic_0(value, limit)?,
            _ => codec.decompress(value, limit)?,
        };
        let mut last_offset = None;
        for message in entries(&set) {
            // An inner set that is cut off cannot be completed by reading more.
            let message = message.map_err(|error| match error {
                RecordError::Incomplete { .. } => RecordError::BadRecord("the wrapped messages are cut off"),
                error => error,
            })?;
            if message.magic != self.magic {
                return Err(RecordError::BadMagic(message.magic));
            }
            if message.compression()? != Compression::None {
                return Err(RecordError::BadRecord("a wrapper inside a wrapper"));
            }
            last_offset = Some(message.offset);
        }
        let last_offset = last_offset.ok_or(RecordError::BadRecord("a wrapper without messages"))?;
        let base_offset = if self.magic == 0 { 0 } else { self.offset.wrapping_sub(last_offset) };
        Ok(Messages { entry: self, inner: Some(Inner { set, base_offset }) })
    }
}

impl Messages<'_> {
    /// The messages in order, with their offsets in the partition and their effective timestamps.
    pub fn iter(&self) -> impl Iterator<Item = Message<'_>> {
        let alone = self.inner.is_none().then(|| self.entry.clone());
        let (set, base_offset) = match &self.inner {
            Some(inner) => (inner.set.as_slice(), inner.base_offset),
            None => (&[][..], 0),
        };
        // The set was walked to its end without an error when it was decompressed.
        let wrapped = entries(set).flatten().map(move |message| Message {
            offset: message.offset.wrapping_add(base_offset),
            timestamp: match self.entry.timestamp_type() {
                TimestampType::CreateTime => message.timestamp,
                TimestampType::LogAppendTime => self.entry.timestamp,
            },
            ..message
        });
        alone.into_iter().chain(wrapped)
    }

    /// Bytes that the wrapper decompressed to; 0 for a message that is none.
    pub(super) fn decompressed(&self) -> usize {
        self.inner.as_ref().map_or(0, |inner| inner.set.len())
    }
}
