//! The producers at one offset, in a file: Kafka's `.snapshot`, version 1. Recovery loads the newest one and adds
//! the batches from its offset on.
//!
//! The name is the offset in 20 digits: the snapshot describes the log before it. All integers are big-endian.
//!
//! | bytes | field | |
//! |---|---|---|
//! | 2 | version | 1 |
//! | 4 | crc | CRC-32C of everything after it |
//! | 4 | entries | count |
//! | 8 | producer id | |
//! | 2 | producer epoch | |
//! | 4 | last sequence | of the batch; -1 for none |
//! | 8 | last offset | of the batch; -1 for none |
//! | 4 | offset delta | last offset minus base offset |
//! | 8 | timestamp | when the producer was last seen, milliseconds |
//! | 4 | coordinator epoch | of the last marker's coordinator; -1: no transactions |
//! | 8 | current transaction's first offset | -1 if none is open |
//!
//! Kafka writes one entry for a producer, its last batch, and so knows only that one after a restart. Here a
//! producer has an entry for each of its batches, oldest first, or one without a batch: Kafka reads such a file too,
//! and takes the last entry. Write: whole, under a temporary name, renamed. A file that is short or whose CRC is wrong is
//! ignored: an older snapshot, or the whole log, takes its place. One that is followed by batches that are gone, deleted or
//! compacted, is not read, as it may know a transaction as open whose marker was among them.

use std::fs;
use std::path::{Path, PathBuf};

use bytes::BufMut;
use wire::record::batch::increment_sequence;

use super::entries::{self, CHECKED_FROM, ENTRY, Entry, HEADER, VERSION};
use super::{ProducerBatch, Producers};
use crate::log::disk::Disk;
use crate::log::error::StorageError;

/// The file for the log before `offset`.
pub(crate) fn path(dir: &Path, offset: i64) -> PathBuf {
    dir.join(format!("{offset:020}.snapshot"))
}

/// The offsets of the snapshots in a directory, newest first.
pub(crate) fn list(dir: &Path) -> Result<Vec<i64>, StorageError> {
    let entries = fs::read_dir(dir).map_err(|source| StorageError::io("list", dir, source))?;
    let mut offsets: Vec<i64> = entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.strip_suffix(".snapshot")?.parse().ok())
        .collect();
    offsets.sort_unstable_by(|a, b| b.cmp(a));
    Ok(offsets)
}

/// Writes the snapshot for the log before `offset`. It is not flushed: the CRC tells a damaged one.
pub(crate) fn write(
    disk: &dyn Disk,
    dir: &Path,
    offset: i64,
    producers: &Producers,
) -> Result<(), StorageError> {
    let target = path(dir, offset);
    let temporary = target.with_extension("snapshot.tmp");
    let bytes = encode(producers);
    let write = || {
        let file = disk.open(&temporary)?;
        disk.truncate(&file, 0)?;
        disk.write_at(&file, &bytes, 0)?;
        disk.rename(&temporary, &target)
    };
    write().map_err(|source| StorageError::io("write", &target, source))
}

/// Reads the snapshot for the log before `offset`; `None` when it is damaged or not there.
pub(crate) fn read(dir: &Path, offset: i64) -> Option<Producers> {
    decode(&fs::read(path(dir, offset)).ok()?)
}

fn encode(producers: &Producers) -> Vec<u8> {
    let count: usize = producers.iter().map(|(_, producer)| producer.batches.len().max(1)).sum();
    let mut out = Vec::with_capacity(HEADER + count * ENTRY);
    out.put_i16(VERSION);
    out.put_u32(0);
    out.put_u32(count as u32);
    for (id, producer) in producers.iter() {
        let mut entry = |last_sequence: i32, last_offset: i64, offset_delta: i32| {
            out.put_i64(id);
            out.put_i16(producer.epoch);
            out.put_i32(last_sequence);
            out.put_i64(last_offset);
            out.put_i32(offset_delta);
            out.put_i64(producer.seen_ms);
            out.put_i32(producer.coordinator_epoch);
            out.put_i64(producer.txn_first_offset.unwrap_or(-1));
        };
        for batch in &producer.batches {
            entry(batch.last_sequence, batch.last_offset, (batch.last_offset - batch.base_offset) as i32);
        }
        if producer.batches.is_empty() {
            entry(-1, -1, 0);
        }
    }
    let crc = wire::crc32c(out.get(CHECKED_FROM..).unwrap_or_default());
    if let Some(place) = out.get_mut(2..CHECKED_FROM) {
        place.copy_from_slice(&crc.to_be_bytes());
    }
    out
}

fn decode(bytes: &[u8]) -> Option<Producers> {
    let mut producers = Producers::default();
    for entry in entries::parse(bytes).ok()? {
        let producer = producers.entry(entry.producer_id, entry.producer_epoch, entry.timestamp);
        producer.coordinator_epoch = entry.coordinator_epoch;
        if entry.last_offset >= 0 && entry.last_sequence >= 0 {
            producer.push(batch_of(&entry)?);
        }
        if entry.current_txn_first_offset >= 0 {
            producers.begin(entry.producer_id, entry.current_txn_first_offset);
        }
    }
    Some(producers)
}

fn batch_of(entry: &Entry) -> Option<ProducerBatch> {
    Some(ProducerBatch {
        // the sequence wraps as offsets do not
        base_sequence: increment_sequence(entry.last_sequence, entry.offset_delta.checked_neg()?),
        last_sequence: entry.last_sequence,
        base_offset: entry.last_offset.checked_sub(i64::from(entry.offset_delta))?,
        last_offset: entry.last_offset,
        timestamp: entry.timestamp,
    })
}
