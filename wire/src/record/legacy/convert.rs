//! Message sets into record batches, for a broker that keeps magic 2 only.
//!
//! A wrapper becomes a batch of the same codec; messages in a row that are not compressed become
//! one batch. A topic may demand a codec: then all batches get that one at once. What would be too
//! large a batch becomes several: clients limit a message, or a wrapper, but not how many messages
//! they send in a row, and another compressor may need some more room.
//! Offsets are those of a fresh batch, 0 and up: the broker assigns them anyway, and
//! old clients do not agree on what they write there. Timestamps stay; magic 0 has none and gets
//! -1, as Kafka converts it.

use bytes::Bytes;

use super::Message;
use super::message::entries;
use crate::record::{BatchBuilder, Compression, RecordError};

/// More than a record has in a batch beside its key and value.
const RECORD_OVERHEAD: usize = 32;

/// How much a conversion may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConversionLimits {
    /// Bytes that all wrappers together may decompress to.
    pub decompressed: usize,
    /// Bytes of one entry; batches become no larger either, unless it is by a single record.
    pub batch: usize,
}

/// The record batches (magic 2) that hold the messages of `set`, in order; of the codec `demanded`, if there is one.
pub fn to_batches(
    set: &[u8],
    demanded: Option<Compression>,
    limits: ConversionLimits,
) -> Result<Vec<Bytes>, RecordError> {
    let mut batches = Vec::new();
    let mut row = Row::new(demanded.unwrap_or_default());
    let mut left = limits.decompressed;
    for entry in entries(set) {
        let entry = entry?;
        if entry.size() > limits.batch {
            return Err(RecordError::TooLarge { limit: limits.batch });
        }
        let codec = entry.compression()?;
        let is_plain = codec == Compression::None;
        if !is_plain || !row.has_room_for(&entry, limits.batch) {
            row.finish(limits.batch, &mut batches)?;
        }
        if is_plain {
            row.push(entry)?;
            continue;
        }
        let messages = entry.messages(left).map_err(|error| match error {
            RecordError::TooLarge { .. } => RecordError::TooLarge { limit: limits.decompressed },
            error => error,
        })?;
        left -= messages.decompressed().min(left);
        let messages: Vec<Message<'_>> = messages.iter().collect();
        compress(&messages, demanded.unwrap_or(codec), limits.batch, &mut batches)?;
    }
    row.finish(limits.batch, &mut batches)?;
    Ok(batches)
}

/// Messages in a row that are not compressed, as many as fit into a batch.
struct Row<'a> {
    codec: Compression,
    batch: BatchBuilder,
    /// Those in the batch, in case that the codec makes it larger than it may be.
    messages: Vec<Message<'a>>,
}

impl<'a> Row<'a> {
    fn new(codec: Compression) -> Self {
        Self { codec, batch: BatchBuilder::new(codec), messages: Vec::new() }
    }

    fn has_room_for(&self, message: &Message<'_>, batch_max: usize) -> bool {
        self.batch.len_estimate() + message.payload() + RECORD_OVERHEAD <= batch_max
    }

    fn push(&mut self, message: Message<'a>) -> Result<(), RecordError> {
        append(&mut self.batch, &message)?;
        self.messages.push(message);
        Ok(())
    }

    /// Ends the row; the next message begins another.
    fn finish(&mut self, batch_max: usize, batches: &mut Vec<Bytes>) -> Result<(), RecordError> {
        if !self.messages.is_empty() {
            push(self.batch.finish()?, &self.messages, self.codec, batch_max, batches)?;
            self.messages.clear();
        }
        Ok(())
    }
}

/// The messages as one batch, or as several if that is too large.
fn compress(
    messages: &[Message<'_>],
    codec: Compression,
    batch_max: usize,
    batches: &mut Vec<Bytes>,
) -> Result<(), RecordError> {
    let mut batch = BatchBuilder::new(codec);
    for message in messages {
        append(&mut batch, message)?;
    }
    push(batch.finish()?, messages, codec, batch_max, batches)
}

/// Adds the batch that holds the messages, or several in its place if it is too large.
fn push(
    batch: Bytes,
    messages: &[Message<'_>],
    codec: Compression,
    batch_max: usize,
    batches: &mut Vec<Bytes>,
) -> Result<(), RecordError> {
    match messages.split_at_checked(messages.len() / 2) {
        Some((front, back)) if batch.len() > batch_max && !front.is_empty() => {
            // its memory is not kept while the parts are made
            drop(batch);
            compress(front, codec, batch_max, batches)?;
            compress(back, codec, batch_max, batches)
        }
        _ => {
            batches.push(batch);
            Ok(())
        }
    }
}

fn append(batch: &mut BatchBuilder, message: &Message<'_>) -> Result<(), RecordError> {
    batch.append(message.timestamp, message.key, message.value, &[])
}
