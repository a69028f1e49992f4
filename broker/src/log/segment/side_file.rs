//! A file beside a segment's `.log`, an index, that is open only while it is in use.
//!
//! A process may have some ten thousands of files open, and a broker has a segment or more for each partition. The `.log` stays
//! open, for records are sent from it; were its indexes open too, three files would be taken where one is used.
//!
//! Write: the first write or truncation opens the file, and it stays open until the next sync. Closed in between, the kernel might
//! forget with the inode that writing back has failed, and the sync, asked of another descriptor, would say that all is well.
//! Read: from the open file if there is one, else from one that is opened for the look-up and costs little beside its many reads;
//! what look-ups ask for most, the newest entries, is in memory. Reading never creates a file.
//!
//! A path is a promise only as long as the segment is part of the log: once its files are removed, another segment's may have
//! the same names. So a segment is detached before that: its indexes are never opened again, by nobody. A look-up that finds
//! none open fails, and the caller walks over the `.log`, which is open.

use std::fs::File;
use std::io;
use std::ops::Deref;
use std::path::PathBuf;

use crate::log::disk::Disk;
use crate::log::error::StorageError;

/// The file and what is to be done with it.
#[derive(Debug)]
pub(super) struct SideFile {
    path: PathBuf,
    file: Option<File>,
    /// Something was changed since the last sync.
    dirty: bool,
    /// The path may be another file's.
    detached: bool,
}

/// A file to read from: the one that is open, or one that is closed afterwards.
#[derive(Debug)]
pub(super) enum Reader<'a> {
    Open(&'a File),
    Own(File),
}

impl Deref for Reader<'_> {
    type Target = File;

    fn deref(&self) -> &File {
        match self {
            Reader::Open(file) => file,
            Reader::Own(file) => file,
        }
    }
}

impl SideFile {
    /// Opens or creates the file; its length comes with it. It stays open until [`release`](Self::release) or a sync.
    pub(super) fn open(disk: &dyn Disk, path: PathBuf) -> Result<(Self, u64), StorageError> {
        match disk.open(&path).and_then(|file| Ok((file.metadata()?.len(), file))) {
            Ok((len, file)) => Ok((SideFile { path, file: Some(file), dirty: false, detached: false }, len)),
            Err(source) => Err(StorageError::io("open", &path, source)),
        }
    }

    /// A file that is left alone until it is used.
    pub(super) fn closed(path: PathBuf) -> Self {
        SideFile { path, file: None, dirty: false, detached: false }
    }

    pub(super) fn failed(&self, action: &'static str, source: io::Error) -> StorageError {
        StorageError::io(action, &self.path, source)
    }

    /// Opens the file for changes, and creates it when it does not exist.
    pub(super) fn ensure_open(&mut self, disk: &dyn Disk) -> Result<(), StorageError> {
        if self.detached {
            return Err(self.failed("open", io::ErrorKind::NotFound.into()));
        }
        if self.file.is_none() {
            self.file = Some(disk.open(&self.path).map_err(|source| self.failed("open", source))?);
        }
        Ok(())
    }

    fn change(
        &mut self,
        disk: &dyn Disk,
        action: &'static str,
        change: impl FnOnce(&File) -> io::Result<()>,
    ) -> Result<(), StorageError> {
        self.ensure_open(disk)?;
        // also what has failed may have changed something
        self.dirty = true;
        let Some(file) = &self.file else { return Ok(()) };
        change(file).map_err(|source| self.failed(action, source))
    }

    /// Writes all of `bytes` at position `at`.
    pub(super) fn write_at(&mut self, disk: &dyn Disk, bytes: &[u8], at: u64) -> Result<(), StorageError> {
        self.change(disk, "write", |file| disk.write_at(file, bytes, at))
    }

    /// Cuts the file to `len` bytes.
    pub(super) fn truncate(&mut self, disk: &dyn Disk, len: u64) -> Result<(), StorageError> {
        self.change(disk, "truncate", |file| disk.truncate(file, len))
    }

    /// Makes the changes durable, if there were any, and closes the file; `true` when the disk was waited for. That of a detached
    /// file too: until it is gone a crash may bring its segment back.
    pub(super) fn sync(&mut self, disk: &dyn Disk) -> Result<bool, StorageError> {
        let changed = self.file.as_ref().filter(|_| self.dirty);
        let waited = changed.is_some();
        if let Some(file) = changed {
            disk.sync(file).map_err(|source| self.failed("flush", source))?;
        }
        self.dirty = false;
        self.release();
        Ok(waited)
    }

    /// Removes the file.
    pub(super) fn remove(&mut self, disk: &dyn Disk) -> Result<(), StorageError> {
        disk.remove(&self.path).map_err(|source| self.failed("delete", source))?;
        (self.file, self.dirty) = (None, false);
        Ok(())
    }

    /// Closes the file, unless there are changes to sync or readers will find it no more.
    pub(super) fn release(&mut self) {
        if !self.dirty && !self.detached {
            self.file = None;
        }
    }

    /// The file as it is, for reading.
    pub(super) fn reader(&self) -> io::Result<Reader<'_>> {
        match &self.file {
            Some(file) => Ok(Reader::Open(file)),
            None if self.detached => Err(io::ErrorKind::NotFound.into()),
            None => Ok(Reader::Own(File::open(&self.path)?)),
        }
    }

    pub(super) fn is_detached(&self) -> bool {
        self.detached
    }

    /// The file is about to be removed or replaced: the path is not used any more.
    pub(super) fn detach(&mut self) {
        self.detached = true;
    }

    /// As [`detach`](Self::detach), for a segment that someone may be reading still: the file is opened for them, and closed
    /// with the segment.
    pub(super) fn detach_open(&mut self) {
        if self.file.is_none() && !self.detached {
            // without it they walk over the segment
            self.file = File::open(&self.path).ok();
        }
        self.detached = true;
    }
}
