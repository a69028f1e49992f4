//! Room on the disk ahead of a segment's end.
//!
//! For a file that grows write by write the kernel finds, counts and notes each block when it is written; asked for beforehand, a
//! long run of them costs that once, which is a tenth of the CPU time of taking records in. What is asked for lies beyond the
//! file's length (`fallocate` with `FALLOC_FL_KEEP_SIZE`): the file still ends with the last batch, and no reader can tell.
//!
//! A segment gets as much ahead as it has, at most 64 MiB: a topic takes no more than twice the room of its records, and a
//! thousand small ones none. The rest is given back when the segment stops growing, and by the next start if the process was
//! killed. All this is a favour: where the file system cannot do it or is full, records are written all the same.

use std::fs::{File, Metadata};
use std::os::unix::fs::MetadataExt;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::log::disk::Disk;

/// The most that is asked for at once; bytes.
const STEP_MAX: u64 = 64 << 20;

/// Blocks beyond the end that a file may have without anybody having asked for them: the last one, and the map of the others. Bytes.
const SLACK: u64 = 1 << 20;

/// How far a file's room goes.
#[derive(Debug, Default)]
pub(super) struct Ahead {
    /// Bytes from the front for which there is room; 0 while none was asked for, the maximum when there is no use in asking.
    end: AtomicU64,
}

impl Ahead {
    /// Asks for more room if `bytes` behind `size` need it.
    pub(super) fn reserve(&self, disk: &dyn Disk, file: &File, size: u64, bytes: u64) {
        let (end, needed) = (self.end.load(Ordering::Relaxed), size + bytes);
        if needed <= end || needed < disk.allocates_from() {
            return;
        }
        let begin = end.max(size);
        let wanted = needed + needed.min(STEP_MAX);
        let end = match disk.allocate(file, begin, wanted - begin) {
            Ok(()) => wanted,
            Err(error) => {
                tracing::debug!(%error, "no room can be allocated ahead of a segment's end");
                u64::MAX
            }
        };
        self.end.store(end, Ordering::Relaxed);
    }

    /// Gives back what is left of the room behind `size`, which is the file's length.
    pub(super) fn give_back(&self, disk: &dyn Disk, file: &File, size: u64) {
        let end = self.end.swap(0, Ordering::Relaxed);
        if end > size && end < u64::MAX {
            cut_at_end(disk, file, size);
        }
    }

    /// The file was cut, and its room with it.
    pub(super) fn forget(&self) {
        self.end.store(0, Ordering::Relaxed);
    }
}

/// Gives back what a process that was killed has left of its room.
pub(super) fn give_back_found(disk: &dyn Disk, file: &File, found: &Metadata) {
    let allocated = found.blocks().saturating_mul(512);
    if allocated > found.len().saturating_add(SLACK) {
        cut_at_end(disk, file, found.len());
    }
}

/// Truncating a file to the length that it has releases what is allocated behind it.
fn cut_at_end(disk: &dyn Disk, file: &File, size: u64) {
    if let Err(error) = disk.truncate(file, size) {
        tracing::debug!(%error, "room allocated ahead of a segment's end stays taken until the next start");
    }
}
