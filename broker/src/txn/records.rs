//! What stands in `__transaction_state`, in Kafka's own formats (TransactionLogKey/Value of Kafka 3.9), so that Kafka's
//! tools read it. All integers are big-endian; a string is an int16 length and UTF-8, an array an int32 count.
//!
//! | | version | fields |
//! |---|---|---|
//! | key | int16 0 | string transactional id |
//! | value | int16 0 | int64 producer id, int16 epoch, int32 time-out (ms), int8 state, nullable array of topics, int64 last update (ms), int64 start (ms) |
//! | a topic | | string name, array of int32 partitions |
//!
//! Read is also value version 1, the same in flexible form. The topics are null in state Empty. A null value removes the
//! id. Records of versions not known are skipped.

use bytes::Bytes;
use wire::codec::{DecodeError, EncodeError, Reader, Writer};

use super::state::{Partitions, State, Transaction};

/// The key of a transactional id.
pub(super) fn key(id: &str) -> Result<Bytes, EncodeError> {
    let mut key = Writer::new();
    key.i16(0);
    key.string(Some(id), false)?;
    Ok(key.finish().bytes)
}

/// The transactional id of a key; `None` for a version that is not known.
pub(super) fn read_key(bytes: Bytes) -> Result<Option<String>, DecodeError> {
    let mut reader = Reader::new(bytes);
    match reader.i16()? {
        0 => reader.string(false),
        _ => Ok(None),
    }
}

/// The value of a state.
pub(super) fn value(transaction: &Transaction) -> Result<Bytes, EncodeError> {
    let count = |len: usize| i32::try_from(len).map_err(|_| EncodeError::TooLong(len));
    let mut value = Writer::new();
    value.i16(0);
    value.i64(transaction.producer_id);
    value.i16(transaction.producer_epoch);
    value.i32(transaction.timeout_ms);
    value.i8(transaction.state as i8);
    if transaction.state == State::Empty {
        value.i32(-1);
    } else {
        value.i32(count(transaction.partitions.len())?);
        for (topic, partitions) in &transaction.partitions {
            value.string(Some(topic), false)?;
            value.i32(count(partitions.len())?);
            partitions.iter().for_each(|partition| value.i32(*partition));
        }
    }
    value.i64(transaction.updated_ms);
    value.i64(transaction.start_ms);
    Ok(value.finish().bytes)
}

/// The state of a value; `None` for a version or a state that is not known. What only serves to recognise repeated
/// requests is not kept.
pub(super) fn read_value(bytes: Bytes) -> Result<Option<Transaction>, DecodeError> {
    let mut reader = Reader::new(bytes);
    let compact = match reader.i16()? {
        0 => false,
        1 => true,
        _ => return Ok(None),
    };
    let (producer_id, producer_epoch) = (reader.i64()?, reader.i16()?);
    let (timeout_ms, state) = (reader.i32()?, reader.i8()?);
    let mut partitions = Partitions::new();
    for _ in 0..count(&mut reader, compact)? {
        let topic = reader.string(compact)?.unwrap_or_default();
        let of_topic = partitions.entry(topic).or_default();
        for _ in 0..count(&mut reader, compact)? {
            of_topic.insert(reader.i32()?);
        }
        skip_tags(&mut reader, compact)?;
    }
    let (updated_ms, start_ms) = (reader.i64()?, reader.i64()?);
    let Some(state) = State::from_id(state) else { return Ok(None) };
    Ok(Some(Transaction {
        producer_id,
        last_producer_id: -1,
        producer_epoch,
        last_producer_epoch: -1,
        timeout_ms,
        state,
        partitions,
        start_ms,
        updated_ms,
    }))
}

/// The count of an array; 0 for null.
fn count(reader: &mut Reader, compact: bool) -> Result<i32, DecodeError> {
    if compact {
        Ok(i32::try_from(reader.uvarint()?.saturating_sub(1)).unwrap_or(i32::MAX))
    } else {
        reader.i32()
    }
}

fn skip_tags(reader: &mut Reader, compact: bool) -> Result<(), DecodeError> {
    if compact {
        for _ in 0..reader.uvarint()? {
            let (_tag, size) = (reader.uvarint()?, reader.uvarint()?);
            reader.take(size as usize)?;
        }
    }
    Ok(())
}
