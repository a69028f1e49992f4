//! A segment: a run of a partition's batches in one `.log` file, with an offset index and a time index beside
//! it. The files are Kafka's, so that Kafka's own tools read them:
//!
//! ```text
//! 00000000000000000000.log        the record batches (magic 2) as they were produced, one after the other
//! 00000000000000000000.index      see [`index`]
//! 00000000000000000000.timeindex  see [`time_index`]
//! 00000000000000000000.txnindex   see [`txn_index`]; only if a transaction was aborted
//! ```
//!
//! The name is the base offset in 20 digits; no batch of the segment begins before it. The file has no header
//! and no padding: it ends with the last batch ([`ahead`] says what may be allocated behind it). Only the last segment of a partition, the active one, grows.
//! Offsets within a segment stay within 31 bits of its base and positions within 31 bits, as the indexes need.
//!
//! Write: the indexes make room first, then the batches go out in one write; if that fails the file is cut
//! back and synced, so a segment never ends in half a batch unless the process or the machine dies. Read: ranges of
//! the file, up to the size that was published after the last whole write. Recover: see [`open`]. The `.log` is open as long
//! as the segment is known, the other files while they are in use, see [`side_file`].

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use parking_lot::RwLock;
use wire::record::BatchHeader;

use self::ahead::Ahead;
use self::index::OffsetIndex;
use self::indexes::Indexes;
use self::scan::{HeaderScan, ScanError};
use self::time_index::{TimeEntry, TimeIndex};
use self::txn_index::TxnIndex;
use super::disk::Disk;
use super::error::{ReadError, StorageError};

mod ahead;
mod entries;
pub(crate) mod index;
mod indexes;
pub(crate) mod open;
pub(crate) mod scan;
mod side_file;
#[cfg(test)]
mod tests;
pub(crate) mod time_index;
pub(crate) mod txn_index;
mod window;

/// The file name endings of a segment, in the order in which they are removed: without a `.log` the others
/// are orphans, which the next start removes.
pub(crate) const SUFFIXES: [&str; 4] = ["log", "index", "timeindex", "txnindex"];

/// The path of one of a segment's files.
pub(crate) fn file_path(dir: &Path, base_offset: i64, suffix: &str) -> PathBuf {
    dir.join(format!("{base_offset:020}.{suffix}"))
}

/// The base offset in a path that [`file_path`] has made with this suffix.
pub(crate) fn base_of(path: &Path, suffix: &str) -> Option<i64> {
    let digits = path.file_name()?.to_str()?.strip_suffix(suffix)?.strip_suffix('.')?;
    (digits.len() == 20).then(|| digits.parse().ok())?.filter(|base| *base >= 0)
}

/// One segment. Appends come one at a time under the partition's lock; reads come at any time.
#[derive(Debug)]
pub(crate) struct Segment {
    base_offset: i64,
    dir: PathBuf,
    path: PathBuf,
    file: Arc<File>,
    /// Bytes that readers may see.
    size: AtomicU32,
    ahead: Ahead,
    indexes: RwLock<Indexes>,
    txns: TxnIndex,
}

/// A write that failed.
#[derive(Debug)]
pub(crate) struct FailedWrite {
    pub(crate) error: StorageError,
    /// Whether the file could not be cut back, or not durably, so that its end is unknown.
    pub(crate) torn: bool,
}

impl Segment {
    /// Creates an empty segment; files left over under its name are emptied.
    pub(crate) fn create(disk: &dyn Disk, dir: &Path, base_offset: i64) -> Result<Self, StorageError> {
        let segment = Segment::open_files(disk, dir, base_offset)?;
        if segment.size() > 0 {
            segment.cut(disk, 0)?;
        }
        segment.clear_indexes(disk)?;
        segment.release_indexes();
        Ok(segment)
    }

    /// Opens the files of a segment as they are; [`open`] says what is in them.
    fn open_files(disk: &dyn Disk, dir: &Path, base_offset: i64) -> Result<Self, StorageError> {
        let path = file_path(dir, base_offset, "log");
        let opened = disk.open(&path).and_then(|file| Ok((file.metadata()?, file)));
        let (found, file) = opened.map_err(|source| StorageError::io("open", &path, source))?;
        ahead::give_back_found(disk, &file, &found);
        let offsets = OffsetIndex::open(disk, &file_path(dir, base_offset, "index"), base_offset)?;
        let times = TimeIndex::open(disk, &file_path(dir, base_offset, "timeindex"), base_offset)?;
        Ok(Segment {
            base_offset,
            dir: dir.to_path_buf(),
            path,
            file: Arc::new(file),
            // what lies beyond can be no batch, since no position points there
            size: AtomicU32::new(u32::try_from(found.len()).unwrap_or(u32::MAX).min(i32::MAX as u32)),
            ahead: Ahead::default(),
            indexes: RwLock::new(Indexes::new(offsets, times, base_offset)),
            txns: TxnIndex::open(file_path(dir, base_offset, "txnindex"))?,
        })
    }

    /// The offset in the name.
    pub(crate) fn base_offset(&self) -> i64 {
        self.base_offset
    }

    /// Bytes of whole batches.
    pub(crate) fn size(&self) -> u32 {
        self.size.load(Ordering::Acquire)
    }

    /// The `.log` file, which stays readable after it was deleted.
    pub(crate) fn file(&self) -> &Arc<File> {
        &self.file
    }

    /// The path of the `.log` file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The largest timestamp and the last offset of the batch that has it; -1 when there is none.
    pub(crate) fn newest(&self) -> TimeEntry {
        self.indexes.read().newest()
    }

    /// Bytes of the larger index: at its limit the segment must be rolled.
    pub(crate) fn index_bytes(&self) -> u64 {
        self.indexes.read().size_bytes()
    }

    /// Writes batches behind the last one; readers see them after [`publish`](Self::publish).
    pub(crate) fn append(
        &self,
        disk: &dyn Disk,
        bytes: &[u8],
        batches: &[BatchHeader],
        index_interval_bytes: u32,
    ) -> Result<(), FailedWrite> {
        let mut indexes = self.indexes.write();
        indexes.reserve(disk).map_err(|error| FailedWrite { error, torn: false })?;
        let size = self.size();
        self.ahead.reserve(disk, &self.file, u64::from(size), bytes.len() as u64);
        if let Err(source) = disk.write_at(&self.file, bytes, u64::from(size)) {
            // durably: a later clean stop has nothing to flush, and a loss of power would bring back what was refused
            let cut = disk.truncate(&self.file, u64::from(size)).and_then(|()| disk.sync(&self.file));
            let torn = cut.is_err();
            self.ahead.forget();
            return Err(FailedWrite { error: StorageError::io("write", &self.path, source), torn });
        }
        let mut position = size;
        for header in batches {
            indexes.note(position, header, index_interval_bytes);
            position = position.saturating_add(header.size() as u32);
        }
        Ok(())
    }

    /// Lets readers see `bytes` more.
    pub(crate) fn publish(&self, bytes: u32) {
        self.size.store(self.size().saturating_add(bytes), Ordering::Release);
    }

    /// Completes the indexes; called when the segment stops growing and when the partition closes.
    pub(crate) fn close(&self, disk: &dyn Disk) -> Result<(), StorageError> {
        self.ahead.give_back(disk, &self.file, u64::from(self.size()));
        self.indexes.write().close(disk)
    }

    /// As [`close`](Self::close), for indexes that were built anew; see [`Indexes::complete`].
    pub(crate) fn complete(&self, disk: &dyn Disk) -> Result<(), StorageError> {
        self.indexes.write().complete(disk)
    }

    /// Makes the indexes durable, of a segment whose batches are.
    pub(crate) fn sync_indexes(&self, disk: &dyn Disk) -> Result<(), StorageError> {
        self.indexes.write().sync(disk)?;
        self.txns.sync(disk)?;
        Ok(())
    }

    /// Makes durable what was written of the indexes, which then are open no longer; what waits in memory goes on waiting.
    /// `true` when the disk was waited for.
    pub(crate) fn settle_indexes(&self, disk: &dyn Disk) -> Result<bool, StorageError> {
        let waited = self.indexes.write().settle(disk)?;
        Ok(self.txns.sync(disk)? || waited)
    }

    /// Closes the files of the indexes unless there is something to sync.
    fn release_indexes(&self) {
        self.indexes.write().release();
    }

    /// The directory is about to be removed: what its indexes were called is not used again.
    pub(crate) fn detach(&self) {
        self.indexes.write().detach();
        self.txns.detach();
    }

    /// The files are about to be removed or replaced, and someone may be reading the segment, who goes on with them.
    pub(crate) fn detach_open(&self) {
        self.indexes.write().detach_open();
        self.txns.detach_open();
    }

    /// Makes the batches durable, and the indexes too when the segment no longer grows: those of a growing one
    /// are rebuilt after a crash.
    pub(crate) fn sync(&self, disk: &dyn Disk, grows: bool) -> Result<(), StorageError> {
        disk.sync(&self.file).map_err(|source| StorageError::io("flush", &self.path, source))?;
        if grows {
            return Ok(());
        }
        self.sync_indexes(disk)
    }

    /// The aborted transactions whose marker is here.
    pub(crate) fn txns(&self) -> &TxnIndex {
        &self.txns
    }

    /// The first batch that ends at or after `offset`, and its position.
    pub(crate) fn find(&self, offset: i64) -> Result<Option<(u32, BatchHeader)>, ReadError> {
        let end = self.size();
        // a look-up that fails costs a walk from the front, no more
        let hint = self.indexes.read().lookup(offset).ok().flatten();
        if let Some(hint) = hint.filter(|hint| hint.position < end) {
            let mut scan = HeaderScan::new(&self.file, hint.position, end);
            match scan.next() {
                Some(Ok((position, header))) if header.last_offset() == hint.last_offset => {
                    return self.first_until(std::iter::once(Ok((position, header))).chain(scan), offset);
                }
                _ => {
                    tracing::warn!(path = %self.path.display(), offset, "offset index disagrees with its segment")
                }
            }
        }
        self.first_until(HeaderScan::new(&self.file, 0, end), offset)
    }

    fn first_until(
        &self,
        scan: impl Iterator<Item = Result<(u32, BatchHeader), ScanError>>,
        offset: i64,
    ) -> Result<Option<(u32, BatchHeader)>, ReadError> {
        for batch in scan {
            let (position, header) = batch.map_err(|error| self.read_error(error))?;
            if header.last_offset() >= offset {
                return Ok(Some((position, header)));
            }
        }
        Ok(None)
    }

    /// The headers from the batch at `position` on.
    pub(crate) fn headers_from(
        &self,
        position: u32,
    ) -> impl Iterator<Item = Result<(u32, BatchHeader), ReadError>> + '_ {
        HeaderScan::new(&self.file, position, self.size())
            .map(|batch| batch.map_err(|error| self.read_error(error)))
    }

    /// The greatest known beginning of a batch at or before `position`.
    pub(crate) fn boundary_before(&self, position: u32) -> u32 {
        self.indexes.read().boundary_before(position).unwrap_or(0)
    }

    /// A position before every batch that holds a record of `timestamp` or younger.
    pub(crate) fn position_of_time(&self, timestamp: i64) -> u32 {
        self.indexes.read().position_of_time(timestamp).unwrap_or(0)
    }

    pub(crate) fn read_error(&self, error: ScanError) -> ReadError {
        match error {
            ScanError::Corrupt { position, reason } => {
                tracing::warn!(path = %self.path.display(), position, %reason, "corrupt batch met while reading");
                ReadError::Corrupt { path: self.path.clone(), position: u64::from(position) }
            }
            ScanError::Io(source) => StorageError::io("read", &self.path, source).into(),
        }
    }

    /// Removes the files. Readers that hold the segment or its `.log` file may go on.
    pub(crate) fn remove(&self, disk: &dyn Disk) -> Result<(), StorageError> {
        self.detach_open();
        for suffix in SUFFIXES {
            let path = file_path(&self.dir, self.base_offset, suffix);
            disk.remove(&path).map_err(|source| StorageError::io("delete", &path, source))?;
        }
        Ok(())
    }

    fn cut(&self, disk: &dyn Disk, size: u32) -> Result<(), StorageError> {
        disk.truncate(&self.file, u64::from(size))
            .map_err(|source| StorageError::io("truncate", &self.path, source))?;
        self.size.store(size, Ordering::Release);
        self.ahead.forget();
        Ok(())
    }

    fn clear_indexes(&self, disk: &dyn Disk) -> Result<(), StorageError> {
        self.indexes.write().clear(disk)?;
        self.txns.clear(disk)
    }
}
