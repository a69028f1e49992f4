//! The transaction index: the aborted transactions whose marker stands in a segment. Kafka's `.txnindex`, version 0.
//!
//! A consumer that reads only committed records is told with every fetch which transactions in the range were aborted,
//! and leaves their records out. A transaction may have begun in an earlier segment. All integers are big-endian.
//!
//! | bytes | field | |
//! |---|---|---|
//! | 2 | version | 0 |
//! | 8 | producer id | |
//! | 8 | first offset | of the transaction |
//! | 8 | last offset | the marker's |
//! | 8 | last stable offset | after the marker: nothing before it is undecided |
//!
//! The file is there only if there is an entry. Write: an entry before its marker, cut off again when the marker cannot
//! be written; last offsets ascend. Read: from the file, the start by bisection; it is open while it is in use, see
//! [`SideFile`]. Recover: a file that is not whole entries, or whose last entry is not of this segment, and that of every
//! segment that is verified, is built anew from the markers.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use bytes::{Buf, BufMut};
use parking_lot::RwLock;
use serde::Serialize;

use super::side_file::SideFile;
use crate::log::disk::Disk;
use crate::log::error::StorageError;

/// Bytes of an entry.
pub(crate) const ENTRY: usize = 34;
/// Entries read at a time.
const CHUNK: usize = 128;
/// The only version there is.
pub(crate) const VERSION: i16 = 0;

/// An aborted transaction in a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AbortedTxn {
    /// Whose it was.
    pub producer_id: i64,
    /// Its first record's offset.
    pub first_offset: i64,
    /// The offset of its marker.
    pub last_offset: i64,
    /// The last stable offset once the marker was there.
    pub last_stable_offset: i64,
}

impl AbortedTxn {
    fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(ENTRY);
        out.put_i16(VERSION);
        out.put_i64(self.producer_id);
        out.put_i64(self.first_offset);
        out.put_i64(self.last_offset);
        out.put_i64(self.last_stable_offset);
        out
    }

    /// The transaction of an entry; `None` for a version that is not known.
    pub(crate) fn decode(mut bytes: &[u8]) -> Option<Self> {
        if bytes.len() < ENTRY || bytes.get_i16() != VERSION {
            return None;
        }
        Some(AbortedTxn {
            producer_id: bytes.get_i64(),
            first_offset: bytes.get_i64(),
            last_offset: bytes.get_i64(),
            last_stable_offset: bytes.get_i64(),
        })
    }
}

/// The transaction index of one segment.
#[derive(Debug)]
pub(crate) struct TxnIndex {
    inner: RwLock<Inner>,
}

#[derive(Debug)]
struct Inner {
    file: SideFile,
    exists: bool,
    /// Bytes of the file.
    len: u64,
}

impl Inner {
    fn entries(&self) -> usize {
        usize::try_from(self.len).unwrap_or(usize::MAX) / ENTRY
    }

    /// `count` entries from number `at` on, as far as they exist.
    fn read(&self, file: &File, at: usize, count: usize) -> io::Result<Vec<AbortedTxn>> {
        let count = count.min(self.entries().saturating_sub(at));
        let mut bytes = vec![0; count * ENTRY];
        file.read_exact_at(&mut bytes, (at * ENTRY) as u64)?;
        let unknown = || io::Error::new(io::ErrorKind::InvalidData, "an entry is of an unknown version");
        bytes.chunks_exact(ENTRY).map(|entry| AbortedTxn::decode(entry).ok_or_else(unknown)).collect()
    }

    /// The number of the first entry whose marker stands at `offset` or behind it.
    fn first_from(&self, file: &File, offset: i64) -> io::Result<usize> {
        let (mut low, mut high) = (0, self.entries());
        while low < high {
            let middle = low + (high - low) / 2;
            let is_before =
                self.read(file, middle, 1)?.first().is_some_and(|entry| entry.last_offset < offset);
            if is_before {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(low)
    }
}

impl TxnIndex {
    /// The index in the file, if there is one.
    pub(crate) fn open(path: PathBuf) -> Result<Self, StorageError> {
        let len = match fs::metadata(&path) {
            Ok(metadata) => Some(metadata.len()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(source) => return Err(StorageError::io("open", &path, source)),
        };
        let inner =
            Inner { file: SideFile::closed(path), exists: len.is_some(), len: len.unwrap_or_default() };
        Ok(TxnIndex { inner: RwLock::new(inner) })
    }

    /// Whether the entries can be those of a segment with the offsets from `base` to before `end`.
    pub(crate) fn is_plausible(&self, base: i64, end: i64) -> bool {
        let inner = self.inner.read();
        if !inner.len.is_multiple_of(ENTRY as u64) {
            return false;
        }
        let Some(last) = inner.entries().checked_sub(1) else { return true };
        let Ok(file) = inner.file.reader() else { return false };
        let ends = [inner.read(&file, 0, 1), inner.read(&file, last, 1)];
        ends.iter().all(|entry| {
            let entry = entry.as_ref().ok().and_then(|entries| entries.first());
            entry.is_some_and(|entry| {
                (base..end).contains(&entry.last_offset) && entry.first_offset <= entry.last_offset
            })
        })
    }

    /// Whether there are no entries.
    pub(crate) fn is_empty(&self) -> bool {
        self.inner.read().len == 0
    }

    /// Adds an entry; `true` when it is the first, so that the file may be new.
    pub(crate) fn push(&self, disk: &dyn Disk, entry: &AbortedTxn) -> Result<bool, StorageError> {
        let mut inner = self.inner.write();
        let at = inner.len;
        inner.file.ensure_open(disk)?;
        inner.exists = true;
        if let Err(error) = inner.file.write_at(disk, &entry.encode(), at) {
            // a part of an entry would shift all behind it
            let _ = inner.file.truncate(disk, at);
            return Err(error);
        }
        inner.len += ENTRY as u64;
        Ok(at == 0)
    }

    /// Takes the last entry back: its marker could not be written.
    pub(crate) fn pop(&self, disk: &dyn Disk) -> Result<(), StorageError> {
        let mut inner = self.inner.write();
        inner.len = inner.len.saturating_sub(ENTRY as u64);
        let len = inner.len;
        if inner.exists { inner.file.truncate(disk, len) } else { Ok(()) }
    }

    /// Adds to `found` the transactions that overlap the offsets from `start` to before `end`; `true` when those in
    /// later segments do not.
    pub(crate) fn collect(
        &self,
        start: i64,
        end: i64,
        found: &mut Vec<AbortedTxn>,
    ) -> Result<bool, StorageError> {
        let inner = self.inner.read();
        if inner.len == 0 {
            return Ok(false);
        }
        let failed = |source| inner.file.failed("read", source);
        let file = inner.file.reader().map_err(failed)?;
        let mut at = inner.first_from(&file, start).map_err(failed)?;
        loop {
            let entries = inner.read(&file, at, CHUNK).map_err(failed)?;
            if entries.is_empty() {
                return Ok(false);
            }
            at += entries.len();
            for entry in entries {
                if entry.first_offset < end {
                    found.push(entry);
                }
                if entry.last_stable_offset >= end {
                    return Ok(true);
                }
            }
        }
    }

    /// Removes all entries, and the file with them.
    pub(crate) fn clear(&self, disk: &dyn Disk) -> Result<(), StorageError> {
        let mut inner = self.inner.write();
        if inner.exists {
            inner.file.remove(disk)?;
        }
        (inner.exists, inner.len) = (false, 0);
        Ok(())
    }

    /// Makes the entries durable; `true` when the disk was waited for.
    pub(crate) fn sync(&self, disk: &dyn Disk) -> Result<bool, StorageError> {
        self.inner.write().file.sync(disk)
    }

    /// See [`SideFile::detach`].
    pub(crate) fn detach(&self) {
        self.inner.write().file.detach();
    }

    /// See [`SideFile::detach_open`].
    pub(crate) fn detach_open(&self) {
        let mut inner = self.inner.write();
        if inner.exists { inner.file.detach_open() } else { inner.file.detach() }
    }
}
