//! A file of entries of `N` bytes each, in ascending order: what the offset index and the time index share.
//!
//! New entries wait in memory and are written [`PENDING`] at a time, at a flush and when the segment closes.
//! A crash may lose those that wait; recovery rebuilds the indexes of the segments that were open. The file is
//! never longer than its entries (Kafka preallocates and trims; its tools accept both, and a time index only
//! trimmed).

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crate::log::disk::Disk;
use crate::log::error::StorageError;

/// Entries that may wait in memory.
const PENDING: usize = 64;

/// The file and the entries that are not in it yet.
#[derive(Debug)]
pub(crate) struct EntryFile<const N: usize> {
    file: File,
    path: PathBuf,
    written: u32,
    pending: Vec<[u8; N]>,
    /// Whether the file's length was a multiple of `N` when it was opened.
    whole: bool,
    /// Something was written since the last sync.
    dirty: bool,
}

impl<const N: usize> EntryFile<N> {
    /// Opens or creates the file.
    pub(crate) fn open(disk: &dyn Disk, path: &Path) -> Result<Self, StorageError> {
        let opened = disk.open(path).and_then(|file| Ok((file.metadata()?.len(), file)));
        let (len, file) = opened.map_err(|source| StorageError::io("open", path, source))?;
        let written = u32::try_from(len / N as u64).unwrap_or(u32::MAX);
        let whole = len % N as u64 == 0;
        Ok(EntryFile { file, path: path.to_path_buf(), written, pending: Vec::new(), whole, dirty: false })
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

    /// The entry number `at`, which must be below [`len`](Self::len).
    pub(crate) fn get(&self, at: u32) -> io::Result<[u8; N]> {
        if let Some(waiting) = at.checked_sub(self.written) {
            return self
                .pending
                .get(waiting as usize)
                .copied()
                .ok_or_else(|| io::ErrorKind::UnexpectedEof.into());
        }
        let mut entry = [0; N];
        self.file.read_exact_at(&mut entry, u64::from(at) * N as u64)?;
        Ok(entry)
    }

    /// The last entry.
    pub(crate) fn last(&self) -> io::Result<Option<[u8; N]>> {
        self.len().checked_sub(1).map(|at| self.get(at)).transpose()
    }

    /// The last of the leading entries that satisfy `holds`.
    pub(crate) fn last_where(&self, holds: impl Fn(&[u8; N]) -> bool) -> io::Result<Option<[u8; N]>> {
        let (mut low, mut high, mut found) = (0, self.len(), None);
        while low < high {
            let middle = low + (high - low) / 2;
            let entry = self.get(middle)?;
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

    /// Writes the waiting entries to the file.
    pub(crate) fn write(&mut self, disk: &dyn Disk) -> Result<(), StorageError> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let at = u64::from(self.written) * N as u64;
        self.dirty = true;
        disk.write_at(&self.file, self.pending.as_flattened(), at)
            .map_err(|source| StorageError::io("write", &self.path, source))?;
        self.written = self.len();
        self.pending.clear();
        Ok(())
    }

    /// Writes the waiting entries and makes all of them durable, if any were written since that was last done.
    pub(crate) fn sync(&mut self, disk: &dyn Disk) -> Result<(), StorageError> {
        self.write(disk)?;
        if self.dirty {
            disk.sync(&self.file).map_err(|source| StorageError::io("flush", &self.path, source))?;
        }
        self.dirty = false;
        Ok(())
    }

    /// Removes all entries.
    pub(crate) fn clear(&mut self, disk: &dyn Disk) -> Result<(), StorageError> {
        self.pending.clear();
        self.dirty = true;
        disk.truncate(&self.file, 0).map_err(|source| StorageError::io("truncate", &self.path, source))?;
        (self.written, self.whole) = (0, true);
        Ok(())
    }
}
