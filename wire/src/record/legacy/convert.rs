//! Message sets into record batches, for a broker that keeps magic 2 only.
//!
//! A wrapper becomes a batch of the same codec; messages in a row that are not compressed become
//! one batch. Offsets are those of a fresh batch, 0 and up: the broker assigns them anyway, and
//! old clients do not agree on what they write there. Timestamps stay; magic 0 has none and gets
//! -1, as Kafka converts it.

use bytes::Bytes;

use super::Message;
use super::message::entries;
use crate::record::{BatchBuilder, Compression, RecordError};

/// The record batches (magic 2) that hold the messages of `set`, in order. All wrappers together
/// may decompress to `limit` bytes.
pub fn to_batches(set: &[u8], limit: usize) -> Result<Vec<Bytes>, RecordError> {
    let mut batches = Vec::new();
    let mut plain = BatchBuilder::new(Compression::None);
    let mut left = limit;
    for entry in entries(set) {
        let entry = entry?;
        let codec = entry.compression()?;
        if codec == Compression::None {
            append(&mut plain, &entry)?;
            continue;
        }
        if !plain.is_empty() {
            batches.push(plain.finish()?);
        }
        let messages = entry.messages(left).map_err(|error| match error {
            RecordError::TooLarge { .. } => RecordError::TooLarge { limit },
            error => error,
        })?;
        left -= messages.decompressed().min(left);
        let mut batch = BatchBuilder::new(codec);
        for message in messages.iter() {
            append(&mut batch, &message)?;
        }
        batches.push(batch.finish()?);
    }
    if !plain.is_empty() {
        batches.push(plain.finish()?);
    }
    Ok(batches)
}

fn append(batch: &mut BatchBuilder, message: &Message<'_>) -> Result<(), RecordError> {
    batch.append(message.timestamp, message.key, message.value, &[])
}
