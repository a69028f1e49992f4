//! The right to remove or replace segments, which one thread has at a time: retention, compaction, whoever closes the partition,
//! deletes its topic or changes its cleanup policy.
//!
//! A compaction has it for as long as it lasts, which may be minutes, and nothing waits for that:
//!
//! | who | what it does about a compaction |
//! |---|---|
//! | retention | leaves the partition out; the next tick tries again |
//! | checkpoints | read the first dirty offset, which moves only after the segments before it were replaced durably |
//! | DeleteRecords | moves the log's start; the files are retention's |
//! | a clean stop, the deletion of a topic, a change of the policy | ask for the right; the compaction gives way at its next batch |
//! | another compaction | leaves the partition out |
//!
//! What goes on without the right while segments are replaced, and why it may:
//!
//! - Appends and rolls add behind the segments that were there; those that are compacted are followed by another one for good.
//! - Readers keep the segment they have found, whose `.log` is open, and whose indexes are opened for them before the files go.
//! - A flush syncs the files that it finds open. An index is opened under its lock, and by its name only until it is detached under
//!   the same lock, which is before its file goes: a flush neither misses the file nor brings it back. What takes a segment's place
//!   is durable before it is found.
//! - The rest of an idle partition touches the active segment, and syncs no file but one that is open.
//! - Expiry of producers is seen from one batch to the next: of one that is forgotten nothing has to stay.
//! - A failure that takes the partition offline makes a compaction give way, too. One that is just replacing segments goes on: the next
//!   start completes or undoes what it has not completed, from the files alone.
//!
//! Once the partition is closed or its topic deleted nobody has the right: each who gets it looks whether the partition is open before
//! touching a file. So a clean stop can be trusted, and nothing is removed or written in the directory of a new topic of the same name.

use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

use parking_lot::{Mutex, MutexGuard};

use super::Partition;

/// Who may remove or replace segments, and what compaction has seen.
#[derive(Debug)]
pub(super) struct Maintenance {
    right: Mutex<()>,
    /// How many wait for the right.
    wanted: AtomicUsize,
    /// The first offset that compaction has not seen. Changed by who has the right, read by anyone.
    first_dirty: AtomicI64,
}

impl Maintenance {
    pub(super) fn new(first_dirty: i64) -> Self {
        Maintenance {
            right: Mutex::new(()),
            wanted: AtomicUsize::new(0),
            first_dirty: AtomicI64::new(first_dirty),
        }
    }
}

impl Partition {
    /// The right to remove or replace segments. Waits for who has it; a compaction gives way.
    pub(crate) fn maintenance(&self) -> MutexGuard<'_, ()> {
        self.maintenance.wanted.fetch_add(1, Ordering::SeqCst);
        let right = self.maintenance.right.lock();
        self.maintenance.wanted.fetch_sub(1, Ordering::SeqCst);
        right
    }

    /// The right to remove or replace segments, unless someone has it.
    pub(crate) fn try_maintenance(&self) -> Option<MutexGuard<'_, ()>> {
        self.maintenance.right.try_lock()
    }

    /// Whether a compaction has to end before it is complete: someone asks for the right, or the partition is out of service.
    pub(crate) fn must_give_way(&self) -> bool {
        self.maintenance.wanted.load(Ordering::SeqCst) > 0 || self.check_open().is_err()
    }

    /// The first offset that compaction has not seen.
    pub(crate) fn first_dirty(&self) -> i64 {
        self.maintenance.first_dirty.load(Ordering::Acquire)
    }

    /// Notes that compaction has seen all before `offset`, once that is durable.
    pub(crate) fn set_first_dirty(&self, offset: i64) {
        self.maintenance.first_dirty.store(offset, Ordering::Release);
    }
}
