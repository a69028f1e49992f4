//! The two indexes of a segment and when they get entries.

use std::io;

use wire::record::BatchHeader;

use super::index::{OffsetEntry, OffsetIndex};
use super::side_file::SideFile;
use super::time_index::{NO_TIMESTAMP, TimeEntry, TimeIndex};
use crate::log::disk::Disk;
use crate::log::error::StorageError;

/// The indexes of one segment, and what they do not say yet.
#[derive(Debug)]
pub(crate) struct Indexes {
    offsets: OffsetIndex,
    times: TimeIndex,
    /// Bytes of batches from the one with the last offset entry on.
    bytes_since_entry: u64,
    newest: TimeEntry,
}

impl Indexes {
    pub(crate) fn new(offsets: OffsetIndex, times: TimeIndex, base_offset: i64) -> Self {
        let newest = times.last().unwrap_or(TimeEntry { timestamp: NO_TIMESTAMP, offset: base_offset });
        Indexes { offsets, times, bytes_since_entry: 0, newest }
    }

    pub(crate) fn newest(&self) -> TimeEntry {
        self.newest
    }

    pub(crate) fn offsets(&self) -> &OffsetIndex {
        &self.offsets
    }

    pub(crate) fn times(&self) -> &TimeIndex {
        &self.times
    }

    pub(crate) fn size_bytes(&self) -> u64 {
        self.offsets.size_bytes().max(self.times.size_bytes())
    }

    /// Takes note of a batch that was written at `position`, which gets entries when it is far enough from the
    /// last one that did.
    pub(crate) fn note(&mut self, position: u32, header: &BatchHeader, interval_bytes: u32) {
        self.note_time(header);
        if self.is_due(interval_bytes) {
            self.offsets.push(OffsetEntry { last_offset: header.last_offset(), position });
            self.times.push_if_newer(self.newest);
            self.bytes_since_entry = 0;
        }
        self.bytes_since_entry += header.size() as u64;
    }

    /// Takes note of a batch that an existing index covers. `false` when the index should have an entry for it
    /// and has none.
    pub(crate) fn note_indexed(&mut self, position: u32, header: &BatchHeader, interval_bytes: u32) -> bool {
        self.note_time(header);
        let has_entry = self.offsets.last().is_some_and(|last| last.position == position);
        if self.is_due(interval_bytes) && !has_entry {
            return false;
        }
        self.bytes_since_entry += header.size() as u64;
        true
    }

    fn is_due(&self, interval_bytes: u32) -> bool {
        self.bytes_since_entry > u64::from(interval_bytes)
    }

    fn note_time(&mut self, header: &BatchHeader) {
        if header.max_timestamp > self.newest.timestamp {
            self.newest = TimeEntry { timestamp: header.max_timestamp, offset: header.last_offset() };
        }
    }

    pub(crate) fn lookup(&self, offset: i64) -> io::Result<Option<OffsetEntry>> {
        self.offsets.lookup(offset)
    }

    pub(crate) fn boundary_before(&self, position: u32) -> io::Result<u32> {
        Ok(self.offsets.lookup_position(position)?.map_or(0, |entry| entry.position))
    }

    pub(crate) fn position_of_time(&self, timestamp: i64) -> io::Result<u32> {
        let Some(entry) = self.times.lookup(timestamp)? else { return Ok(0) };
        Ok(self.offsets.lookup(entry.offset)?.map_or(0, |entry| entry.position))
    }

    pub(crate) fn reserve(&mut self, disk: &dyn Disk) -> Result<(), StorageError> {
        self.offsets.reserve(disk)?;
        self.times.reserve(disk)
    }

    /// As [`reserve`](Self::reserve) while both are built anew: the offset index waits for [`complete`](Self::complete).
    pub(crate) fn reserve_times(&mut self, disk: &dyn Disk) -> Result<(), StorageError> {
        self.times.reserve(disk)
    }

    /// Leaves an offset index on the disk that nobody takes for whole.
    pub(crate) fn distrust(&mut self, disk: &dyn Disk) -> Result<(), StorageError> {
        self.offsets.clear_durably(disk)
    }

    /// As [`close`](Self::close), of indexes that were built anew and that an interrupted start would leave to the next one to
    /// trust. That looks whether the offset index has its last entry, and cannot tell it of the others and of the other index: so
    /// that one is written when all the rest is durable.
    pub(crate) fn complete(&mut self, disk: &dyn Disk) -> Result<(), StorageError> {
        self.times.push_if_newer(self.newest);
        self.times.sync(disk)?;
        self.offsets.write_last_apart(disk)
    }

    pub(crate) fn close(&mut self, disk: &dyn Disk) -> Result<(), StorageError> {
        self.times.push_if_newer(self.newest);
        self.offsets.write(disk)?;
        self.times.write(disk)
    }

    pub(crate) fn sync(&mut self, disk: &dyn Disk) -> Result<(), StorageError> {
        self.offsets.sync(disk)?;
        self.times.sync(disk)
    }

    /// Both files.
    fn files(&mut self) -> [&mut SideFile; 2] {
        [self.offsets.file(), self.times.file()]
    }

    /// Makes durable what is in the files, and leaves in memory what waits there; `true` when the disk was waited for.
    pub(crate) fn settle(&mut self, disk: &dyn Disk) -> Result<bool, StorageError> {
        let mut waited = false;
        for file in self.files() {
            waited |= file.sync(disk)?;
        }
        Ok(waited)
    }

    /// See [`SideFile::release`].
    pub(crate) fn release(&mut self) {
        self.files().into_iter().for_each(SideFile::release);
    }

    /// See [`SideFile::detach`].
    pub(crate) fn detach(&mut self) {
        self.files().into_iter().for_each(SideFile::detach);
    }

    /// See [`SideFile::detach_open`].
    pub(crate) fn detach_open(&mut self) {
        self.files().into_iter().for_each(SideFile::detach_open);
    }

    pub(crate) fn clear(&mut self, disk: &dyn Disk) -> Result<(), StorageError> {
        self.offsets.clear(disk)?;
        self.times.clear(disk)?;
        self.bytes_since_entry = 0;
        self.newest = TimeEntry { timestamp: NO_TIMESTAMP, offset: self.newest.offset };
        Ok(())
    }
}
