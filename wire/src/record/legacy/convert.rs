//! Message sets into record batches, for a broker that keeps magic 2 only.
//!
//! A wrapper becomes a batch of the same codec; messages in a row that are not compressed become
//! one batch. What would be too large a batch becomes several: clients limit a message, or a wrapper,
//! but not how many messages they send in a row, and another compressor may need some more room.
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

/// The record batches (magic 2) that hold the messages of `set`, in order.
pub fn to_batches(set: &[u8], limits: ConversionLimits) -> Result<Vec<Bytes>, RecordError> {
    let mut batches = Vec::new();
    let mut plain = BatchBuilder::new(Compression::None);
    let mut left = limits.decompressed;
    for entry in entries(set) {
        let entry = entry?;
        if entry.size() > limits.batch {
            return Err(RecordError::TooLarge { limit: limits.batch });
        }
        let codec = entry.compression()?;
        let is_plain = codec == Compression::None;
        if !plain.is_empty()
            && (!is_plain || plain.len_estimate() + entry.payload() + RECORD_OVERHEAD > limits.batch)
        {
            batches.push(plain.finish()?);
        }
        if is_plain {
            append(&mut plain, &entry)?;
            continue;
        }
        let messages = entry.messages(left).map_err(|error| match error {
            RecordError::TooLarge { .. } => RecordError::TooLarge { limit: limits.decompressed },
            error => error,
        })?;
        left -= messages.decompressed().min(left);
        let messages: Vec<Message<'_>> = messages.iter().collect();
        compress(&messages, codec, limits.batch, &mut batches)?;
    }
    if !plain.is_empty() {
        batches.push(plain.finish()?);
    }
    Ok(batches)
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
    let batch = batch.finish()?;
    match messages.split_at_checked(messages.len() / 2) {
        Some((front, back)) if batch.len() > batch_max && !front.is_empty() => {
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
