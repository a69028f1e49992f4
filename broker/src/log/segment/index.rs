//! The offset index of a segment: Kafka's `.index`.
//!
//! An entry is 8 bytes, big-endian, in ascending order:
//!
//! | bytes | field | |
//! |---|---|---|
//! | 4 | relative offset | last offset of a batch minus the segment's base offset |
//! | 4 | position | where that batch begins in the `.log` file |
//!
//! An entry is added for a batch that begins more than `index.interval.bytes` after the last one. To find an
//! offset, take the last entry not beyond it and walk over batch headers from its position. The entry points
//! to the batch itself, so a look-up can tell a damaged index from a sound one by comparing the two.

use std::io;
use std::path::Path;

use super::entries::EntryFile;
use super::side_file::SideFile;
use crate::log::disk::Disk;
use crate::log::error::StorageError;

/// Bytes of an entry.
pub(crate) const ENTRY: usize = 8;

/// Where a batch is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OffsetEntry {
    /// The batch's last offset.
    pub(crate) last_offset: i64,
    /// The batch's first byte in the segment.
    pub(crate) position: u32,
}

/// The index of one segment.
#[derive(Debug)]
pub(crate) struct OffsetIndex {
    base_offset: i64,
    entries: EntryFile<ENTRY>,
    /// The last entry, which is the one that consumers at the log's end need.
    last: Option<OffsetEntry>,
}

impl OffsetIndex {
    /// Opens or creates the index of the segment that begins with `base_offset`.
    pub(crate) fn open(disk: &dyn Disk, path: &Path, base_offset: i64) -> Result<Self, StorageError> {
        let entries = EntryFile::open(disk, path)?;
        let last = entries.last().map_err(|source| StorageError::io("read", path, source))?;
        let last = last.map(|entry| decode(base_offset, entry));
        Ok(OffsetIndex { base_offset, entries, last })
    }

    /// Whether the file's shape and its last entry are plausible for a segment of `segment_bytes`.
    pub(crate) fn is_plausible(&self, segment_bytes: u32) -> bool {
        self.entries.is_whole()
            && self
                .last
                .is_none_or(|last| last.last_offset >= self.base_offset && last.position < segment_bytes)
    }

    /// The last entry.
    pub(crate) fn last(&self) -> Option<OffsetEntry> {
        self.last
    }

    /// The last entry whose batch ends at or before `offset`.
    pub(crate) fn lookup(&self, offset: i64) -> io::Result<Option<OffsetEntry>> {
        self.find(|entry| entry.last_offset <= offset)
    }

    /// The last entry whose batch begins at or before `position`.
    pub(crate) fn lookup_position(&self, position: u32) -> io::Result<Option<OffsetEntry>> {
        self.find(|entry| entry.position <= position)
    }

    fn find(&self, holds: impl Fn(OffsetEntry) -> bool) -> io::Result<Option<OffsetEntry>> {
        if self.last.is_some_and(&holds) {
            return Ok(self.last);
        }
        let found = self.entries.last_where(|entry| holds(decode(self.base_offset, *entry)))?;
        Ok(found.map(|entry| decode(self.base_offset, entry)))
    }

    /// Adds an entry in memory. The caller keeps the segment's offsets within 32 bits of its base.
    pub(crate) fn push(&mut self, entry: OffsetEntry) {
        let relative = (entry.last_offset - self.base_offset) as u32;
        self.entries.push(((u64::from(relative) << 32) | u64::from(entry.position)).to_be_bytes());
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

    /// See [`EntryFile::write_last_apart`].
    pub(crate) fn write_last_apart(&mut self, disk: &dyn Disk) -> Result<(), StorageError> {
        self.entries.write_last_apart(disk)
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

    /// See [`EntryFile::clear_durably`].
    pub(crate) fn clear_durably(&mut self, disk: &dyn Disk) -> Result<(), StorageError> {
        self.last = None;
        self.entries.clear_durably(disk)
    }
}

/// The entry in the index of the segment that begins at `base_offset`.
pub(crate) fn decode(base_offset: i64, entry: [u8; ENTRY]) -> OffsetEntry {
    let entry = u64::from_be_bytes(entry);
    let relative = (entry >> 32) as u32;
    OffsetEntry {
        last_offset: base_offset.saturating_add(i64::from(relative as i32)),
        position: entry as u32,
    }
}
