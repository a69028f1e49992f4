//! The time index of a segment: Kafka's `.timeindex`.
//!
//! An entry is 12 bytes, big-endian, in ascending order of both fields:
//!
//! | bytes | field | |
//! |---|---|---|
//! | 8 | timestamp | the largest of all records up to and including the batch below; milliseconds |
//! | 4 | relative offset | last offset of the batch with that timestamp, minus the segment's base offset |
//!
//! An entry is added together with one of the offset index when the largest timestamp has grown, and when the
//! segment closes. So every record before the entry's batch is older than the entry, and a search by time may
//! begin there.

use std::io;
use std::path::Path;

use super::entries::EntryFile;
use super::side_file::SideFile;
use crate::log::disk::Disk;
use crate::log::error::StorageError;

/// Bytes of an entry.
pub(crate) const ENTRY: usize = 12;

/// The timestamp of a log without records, and of records without a timestamp.
pub(crate) const NO_TIMESTAMP: i64 = -1;

/// The largest timestamp up to a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TimeEntry {
    /// Milliseconds since 1970.
    pub(crate) timestamp: i64,
    /// The last offset of the batch that has it.
    pub(crate) offset: i64,
}

/// The time index of one segment.
#[derive(Debug)]
pub(crate) struct TimeIndex {
    base_offset: i64,
    entries: EntryFile<ENTRY>,
    last: Option<TimeEntry>,
}

impl TimeIndex {
    /// Opens or creates the time index of the segment that begins with `base_offset`.
    pub(crate) fn open(disk: &dyn Disk, path: &Path, base_offset: i64) -> Result<Self, StorageError> {
        let entries = EntryFile::open(disk, path)?;
        let last = entries.last().map_err(|source| StorageError::io("read", path, source))?;
        let last = last.map(|entry| decode(base_offset, entry));
        Ok(TimeIndex { base_offset, entries, last })
    }

    /// Whether the file's shape and its last entry are plausible for a segment whose last offset is given.
    pub(crate) fn is_plausible(&self, last_offset: i64) -> bool {
        self.entries.is_whole()
            && self.last.is_none_or(|last| {
                last.timestamp >= 0 && (self.base_offset..=last_offset).contains(&last.offset)
            })
    }

    /// The last entry, which has the largest timestamp.
    pub(crate) fn last(&self) -> Option<TimeEntry> {
        self.last
    }

    /// The last entry that is not younger than `timestamp`.
    pub(crate) fn lookup(&self, timestamp: i64) -> io::Result<Option<TimeEntry>> {
        if self.last.is_some_and(|last| last.timestamp <= timestamp) {
            return Ok(self.last);
        }
        let older = |entry: &[u8; ENTRY]| decode(self.base_offset, *entry).timestamp <= timestamp;
        Ok(self.entries.last_where(older)?.map(|entry| decode(self.base_offset, entry)))
    }

    /// Adds an entry in memory if its timestamp is larger than all before.
    pub(crate) fn push_if_newer(&mut self, entry: TimeEntry) {
        if entry.timestamp <= self.last.map_or(NO_TIMESTAMP, |last| last.timestamp) {
            return;
        }
        let relative = (entry.offset - self.base_offset) as u32;
        let bytes = ((u128::from(entry.timestamp as u64) << 32) | u128::from(relative)).to_be_bytes();
        // the 12 low bytes of the 16
        if let Some(entry) = bytes.last_chunk() {
            self.entries.push(*entry);
        }
        self.last = Some(entry);
    }

    /// See [`EntryFile::file`].
    pub(super) fn file(&mut self) -> &mut SideFile {
        self.entries.file()
    }

    /// The size in bytes.
    pub(crate) fn size_bytes(&self) -> u64 {
        self.entries.size_bytes()
    }

    /// See [`EntryFile::reserve`].
    pub(crate) fn reserve(&mut self, disk: &dyn Disk) -> Result<(), StorageError> {
        self.entries.reserve(disk)
    }

    /// See [`EntryFile::write`].
    pub(crate) fn write(&mut self, disk: &dyn Disk) -> Result<(), StorageError> {
        self.entries.write(disk)
    }

    /// See [`EntryFile::sync`].
    pub(crate) fn sync(&mut self, disk: &dyn Disk) -> Result<(), StorageError> {
        self.entries.sync(disk)
    }

    /// See [`EntryFile::clear`].
    pub(crate) fn clear(&mut self, disk: &dyn Disk) -> Result<(), StorageError> {
        self.last = None;
        self.entries.clear(disk)
    }
}

/// The entry in the index of the segment that begins at `base_offset`.
pub(crate) fn decode(base_offset: i64, entry: [u8; ENTRY]) -> TimeEntry {
    let mut wide = [0; 16];
    wide[4..].copy_from_slice(&entry);
    let wide = u128::from_be_bytes(wide);
    let relative = wide as u32;
    TimeEntry {
        timestamp: (wide >> 32) as u64 as i64,
        offset: base_offset.saturating_add(i64::from(relative as i32)),
    }
}
