//! A file of entries of `N` bytes each, in ascending order: what the offset index and the time index share.
//!
//! New entries wait in memory and are written [`PENDING`] at a time and when the segment closes. A crash may lose those that wait;
//! recovery rebuilds the indexes of the segments that were open. The file is never longer than its entries (Kafka
//! preallocates and trims; its tools accept both, and a time index only trimmed). It is open while it is in use, see
//! [`SideFile`]: opening it once for 64 entries, or for the seventeen reads of a bisection, is not felt.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::side_file::SideFile;
use crate::log::disk::Disk;
use crate::log::error::StorageError;

/// Entries that may wait in memory.
const PENDING: usize = 64;

/// The file and the entries that are not in it yet.
#[derive(Debug)]
pub(crate) struct EntryFile<const N: usize> {
    file: SideFile,
    written: u32,
    pending: Vec<[u8; N]>,
    /// Whether the file's length was a multiple of `N` when it was opened.
    whole: bool,
}

impl<const N: usize> EntryFile<N> {
    /// Opens or creates the file.
    pub(crate) fn open(disk: &dyn Disk, path: &Path) -> Result<Self, StorageError> {
        let (file, len) = SideFile::open(disk, path.to_path_buf())?;
        let written = u32::try_from(len / N as u64).unwrap_or(u32::MAX);
        let whole = len % N as u64 == 0;
        Ok(EntryFile { file, written, pending: Vec::new(), whole })
    }

    /// The file, for what becomes of it as a whole.
    pub(super) fn file(&mut self) -> &mut SideFile {
        &mut self.file
    }

    /// Whether the file ended with a whole entry when it was opened.
    pub(crate) fn is_whole(&self) -> bool {
        self.whole
    }

    /// The number of entries.
    pub(crate) fn len(&self) -> u32 {
        self.written.saturating_add(self.pending.len() as u32)
    }

    /// The size in bytes of a file with all entries in it.
    pub(crate) fn size_bytes(&self) -> u64 {
        u64::from(self.len()) * N as u64
    }

    /// The last entry.
    pub(crate) fn last(&self) -> io::Result<Option<[u8; N]>> {
        if let Some(entry) = self.pending.last() {
            return Ok(Some(*entry));
        }
        let Some(at) = self.written.checked_sub(1) else { return Ok(None) };
        let file = self.file.reader()?;
        read(&file, at).map(Some)
    }

    /// The last of the leading entries that satisfy `holds`. Entries that wait in memory come first: with one of them that
    /// does, there is nothing to read.
    pub(crate) fn last_where(&self, holds: impl Fn(&[u8; N]) -> bool) -> io::Result<Option<[u8; N]>> {
        let waiting = self.pending.partition_point(&holds);
        if let Some(found) = waiting.checked_sub(1).and_then(|at| self.pending.get(at)) {
            return Ok(Some(*found));
        }
        if self.written == 0 {
            return Ok(None);
        }
        let file = self.file.reader()?;
        let (mut low, mut high, mut found) = (0, self.written, None);
        while low < high {
            let middle = low + (high - low) / 2;
            let entry = read(&file, middle)?;
            if holds(&entry) {
                (low, found) = (middle + 1, Some(entry));
            } else {
                high = middle;
            }
        }
        Ok(found)
    }

    /// Makes sure that a [`push`](Self::push) needs no disk: writes the waiting entries when there are many.
    pub(crate) fn reserve(&mut self, disk: &dyn Disk) -> Result<(), StorageError> {
        if self.pending.len() >= PENDING { self.write(disk) } else { Ok(()) }
    }

    /// Adds an entry in memory.
    pub(crate) fn push(&mut self, entry: [u8; N]) {
        self.pending.push(entry);
    }

    /// Writes the waiting entries to the file, unless that is being removed.
    pub(crate) fn write(&mut self, disk: &dyn Disk) -> Result<(), StorageError> {
        if self.pending.is_empty() || self.file.is_detached() {
            return Ok(());
        }
        let at = u64::from(self.written) * N as u64;
        self.file.write_at(disk, self.pending.as_flattened(), at)?;
        self.written = self.len();
        self.pending.clear();
        Ok(())
    }

    /// Writes the waiting entries and makes all of them durable, if any were written since that was last done.
    pub(crate) fn sync(&mut self, disk: &dyn Disk) -> Result<(), StorageError> {
        self.write(disk)?;
        self.file.sync(disk)?;
        Ok(())
    }

    /// Writes the waiting entries, the last of them when the others are durable. A loss of power may leave any part of a write:
    /// whoever finds the last entry in the file finds all.
    pub(crate) fn write_last_apart(&mut self, disk: &dyn Disk) -> Result<(), StorageError> {
        let Some(last) = self.pending.pop() else { return Ok(()) };
        let others = self.sync(disk);
        self.pending.push(last);
        others?;
        self.write(disk)
    }

    /// Removes all entries. An empty file is left as it is, and needs no sync for that. If it is empty only since a process that
    /// died before it could sync, a loss of power may bring entries back; they are not of what the segment holds by then, and
    /// whoever trusts its files looks whether the last entry is.
    pub(crate) fn clear(&mut self, disk: &dyn Disk) -> Result<(), StorageError> {
        self.pending.clear();
        if self.written == 0 && self.whole {
            return Ok(());
        }
        self.cut(disk)
    }

    /// Removes all entries, also those that a loss of power would bring back.
    pub(crate) fn clear_durably(&mut self, disk: &dyn Disk) -> Result<(), StorageError> {
        self.pending.clear();
        self.cut(disk)?;
        self.file.sync(disk)?;
        Ok(())
    }

    fn cut(&mut self, disk: &dyn Disk) -> Result<(), StorageError> {
        self.file.truncate(disk, 0)?;
        (self.written, self.whole) = (0, true);
        Ok(())
    }
}

fn read<const N: usize>(file: &File, at: u32) -> io::Result<[u8; N]> {
    let mut entry = [0; N];
    file.read_exact_at(&mut entry, u64::from(at) * N as u64)?;
    Ok(entry)
}
