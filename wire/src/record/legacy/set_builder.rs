//! Record batches into message sets, for a broker whose client is from before Kafka 0.11.
//!
//! As Kafka converts them: the records of a batch without a codec become messages, those of a
//! compressed batch a wrapper of the same codec. Headers are dropped, control batches left out, zstd is
//! an error: these formats have none of them. Offsets and timestamps stay, the timestamp type too. Unlike
//! Kafka's, a wrapper holds no more than [`WRAPPED_BYTES`] and begins with the offset that was asked
//! for, so that a batch of many records costs little memory and a reader advances with each answer.
//!
//! The client limits the bytes of a set, so entries are whole up to that limit, but for one: the first
//! entry is kept whatever its size, and its user decides whether the client gets it whole (from Fetch
//! version 3 on) or cut off, which tells older clients to ask for more bytes.

use super::Message;
use crate::record::{BatchHeader, Compression, RecordError, TimestampType, batch};

/// Bytes of messages after which a wrapper is closed.
const WRAPPED_BYTES: usize = 1 << 20;

/// The formats of a message set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Magic {
    /// Without timestamps.
    V0,
    /// With timestamps.
    V1,
}

/// Collects a message set of the records of batches.
#[derive(Clone, Debug)]
pub struct SetBuilder {
    magic: Magic,
    first_offset: i64,
    max_bytes: usize,
    set: Vec<u8>,
    is_full: bool,
}

impl SetBuilder {
    /// An empty set of at most `max_bytes`, in which the records before `first_offset` are left out:
    /// a reader that asks for the middle of a batch may not expect them.
    pub fn new(magic: Magic, first_offset: i64, max_bytes: usize) -> Self {
        Self { magic, first_offset, max_bytes, set: Vec::new(), is_full: false }
    }

    /// Adds the records of the batch at the front of `bytes`, as far as they fit. The checksum is
    /// verified, since the messages get new ones; decompressing yields at most `limit` bytes. On an
    /// error, entries that were added before the damage stay.
    pub fn push(&mut self, bytes: &[u8], limit: usize) -> Result<(), RecordError> {
        batch::verify_crc(bytes)?;
        let header = BatchHeader::parse(bytes)?;
        if self.is_full || header.is_control() {
            return Ok(());
        }
        let codec = header.compression()?;
        if codec == Compression::Zstd {
            return Err(RecordError::UnknownCompression(codec.id()));
        }
        let timestamp_type = header.timestamp_type();
        let mut wrapper = Wrapper::default();
        for record in &batch::records(bytes, limit)? {
            let record = record?;
            if record.offset < self.first_offset {
                continue;
            }
            let mut message = Message {
                offset: record.offset,
                magic: self.magic.number(),
                attributes: self.magic.attributes(Compression::None, timestamp_type),
                timestamp: record.timestamp,
                key: record.key,
                value: record.value,
            };
            if codec == Compression::None {
                self.put(&message);
            } else {
                wrapper.push(&mut message);
                if wrapper.messages.len() >= WRAPPED_BYTES {
                    self.put_wrapper(codec, timestamp_type, std::mem::take(&mut wrapper))?;
                }
            }
            if self.is_full {
                return Ok(());
            }
        }
        if wrapper.messages.is_empty() {
            return Ok(());
        }
        self.put_wrapper(codec, timestamp_type, wrapper)
    }

    /// Whether nothing was added.
    pub fn is_empty(&self) -> bool {
        self.set.is_empty()
    }

    /// Whether there was an entry for which there was no room, so that none after it will be added.
    pub fn is_full(&self) -> bool {
        self.is_full
    }

    /// The set: entries that together are within the limit, or a single one that is larger.
    pub fn finish(self) -> Vec<u8> {
        self.set
    }

    fn put(&mut self, message: &Message<'_>) {
        let end = self.set.len().saturating_add(message.size());
        self.is_full = end > self.max_bytes;
        if self.set.is_empty() || !self.is_full {
            message.write(&mut self.set);
        }
    }

    fn put_wrapper(
        &mut self,
        codec: Compression,
        timestamp_type: TimestampType,
        wrapper: Wrapper,
    ) -> Result<(), RecordError> {
        let mut value = Vec::new();
        match self.magic {
            Magic::V0 => codec.compress_magic_0(&wrapper.messages, &mut value)?,
            Magic::V1 => codec.compress(&wrapper.messages, &mut value)?,
        }
        self.put(&Message {
            offset: wrapper.last_offset,
            magic: self.magic.number(),
            attributes: self.magic.attributes(codec, timestamp_type),
            timestamp: wrapper.max_timestamp,
            key: None,
            value: Some(&value),
        });
        Ok(())
    }
}

impl Magic {
    fn number(self) -> i8 {
        match self {
            Self::V0 => 0,
            Self::V1 => 1,
        }
    }

    fn attributes(self, codec: Compression, timestamp_type: TimestampType) -> i8 {
        match (self, timestamp_type) {
            (Self::V1, TimestampType::LogAppendTime) => codec.id() | Message::LOG_APPEND_TIME,
            _ => codec.id(),
        }
    }
}

/// The messages that go into a wrapper.
#[derive(Debug, Default)]
struct Wrapper {
    messages: Vec<u8>,
    base_offset: i64,
    last_offset: i64,
    max_timestamp: i64,
}

impl Wrapper {
    fn push(&mut self, message: &mut Message<'_>) {
        if self.messages.is_empty() {
            (self.base_offset, self.max_timestamp) = (message.offset, message.timestamp);
        }
        self.last_offset = message.offset;
        self.max_timestamp = self.max_timestamp.max(message.timestamp);
        if message.magic != 0 {
            message.offset = message.offset.wrapping_sub(self.base_offset);
        }
        message.write(&mut self.messages);
    }
}
