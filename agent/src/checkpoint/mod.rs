//! The checkpoint: which ranges of which files were sent with which sequence, and which are acknowledged.
//!
//! It is a log of small entries (`entry`) in two slots (`slot`): a snapshot followed by what happened since. A batch's
//! intent is written before the batch is sent; its acknowledgement is written together with the next intent at the
//! latest, so that never more batches are open than were in flight.
//!
//! What it survives:
//! - `kill -9` at any moment: the page cache keeps what was written. A half-written last entry is cut off; nothing was
//!   done on the strength of it.
//! - A lost page cache (power): the log may end early, so positions may be old and sequences unknown. The boot id in
//!   [`Producer`] tells, and the lines sent again have the identities they had.
//! - A damaged entry: what follows is not trusted. The producer is forgotten, positions may be old.
//! - A damaged slot in force: the other one is used, marked as out of date, as above. Both: a fresh start.
//! - A full disk: each slot has its space reserved, and an entry that cannot be written is an error before the batch
//!   is sent.

mod entry;
pub(crate) mod fuzzing;
mod log;
mod ranges;
mod slot;
mod state;
#[cfg(test)]
mod tests;

use std::fs::{DirBuilder, File, TryLockError};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::sync::Arc;

use parking_lot::Mutex;
use tracing::warn;

pub use ranges::Ranges;
pub use state::{FileState, Head, Place, State, Unsent};

use crate::model::{FileKey, FileRef, Intent, LaneId, Producer};
use entry::Entry;
use log::Log;
use slot::{DiskSlot, Slot};

/// Why the checkpoint cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The data directory cannot be read or written. Worth trying again: nothing was changed.
    #[error("cannot use the checkpoint in {dir}: {source}")]
    Io {
        /// The data directory.
        dir: String,
        /// What the system said.
        source: io::Error,
    },
    /// Another agent has it open.
    #[error("the checkpoint in {dir} is in use by another agent; give each agent its own data_dir")]
    InUse {
        /// The data directory.
        dir: String,
    },
}

/// The open checkpoint; shared by tails and lanes.
#[derive(Debug)]
pub struct Checkpoint {
    dir: String,
    inner: Mutex<Inner>,
    /// Held locked as long as the checkpoint is open.
    _lock: Option<File>,
}

#[derive(Debug)]
struct Inner {
    state: State,
    log: Log,
}

impl Checkpoint {
    /// Opens or creates the checkpoint in `dir`, which is created when missing.
    pub fn open(dir: &Path) -> Result<(Self, State), CheckpointError> {
        let name = dir.display().to_string();
        let failed = |source| CheckpointError::Io { dir: name.clone(), source };
        DirBuilder::new().recursive(true).mode(0o750).create(dir).map_err(failed)?;
        let lock = File::create(dir.join("checkpoint.lock")).map_err(failed)?;
        match daemon::lock_exclusively(&lock) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(CheckpointError::InUse { dir: name }),
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        let slot = |file: &str| DiskSlot::open(&dir.join(file)).map_err(failed);
        let slots: [Box<dyn Slot>; 2] = [Box::new(slot("checkpoint.a")?), Box::new(slot("checkpoint.b")?)];
        // the slots' names must be as durable as what is written to them
        File::open(dir).and_then(|dir| dir.sync_all()).map_err(failed)?;
        Self::with_slots(name.clone(), slots, Some(lock)).map_err(failed)
    }

    fn with_slots(dir: String, slots: [Box<dyn Slot>; 2], lock: Option<File>) -> io::Result<(Self, State)> {
        let (log, state) = Log::open(slots)?;
        let inner = Mutex::new(Inner { state: state.clone(), log });
        Ok((Self { dir, inner, _lock: lock }, state))
    }

    /// Takes a new producer: the lanes' sequences begin at 0, open intents become unsent ranges (a range that is sent
    /// again gets a new intent).
    pub fn set_producer(&self, producer: Producer) -> Result<(), CheckpointError> {
        self.write(Entry::Producer(producer))
    }

    /// Records a batch BEFORE it is sent. An open intent of the same lane and base sequence is replaced. The lane's next
    /// sequence becomes `base_sequence + count` (wrapping as Kafka does: after `i32::MAX` comes 0).
    pub fn intend(&self, intent: &Intent) -> Result<(), CheckpointError> {
        self.write(Entry::Intent(intent.clone()))
    }

    /// The broker has the batch: its range is done. It is written at the latest before the next intent.
    /// An unknown batch is ignored.
    pub fn acknowledge(&self, lane: &LaneId, base_sequence: i32) {
        let inner = &mut *self.inner.lock();
        if inner.state.is_open(lane, base_sequence) {
            let entry = Entry::Acknowledged { lane: lane.clone(), base_sequence };
            inner.log.defer(&entry);
            inner.state.apply(entry);
        }
    }

    /// Withdraws an open intent that the broker has certainly not taken; its sequence is free again (the lane's next
    /// sequence goes back to it) and its range is unsent.
    pub fn withdraw(&self, lane: &LaneId, base_sequence: i32) -> Result<(), CheckpointError> {
        self.write(Entry::Withdrawn { lane: lane.clone(), base_sequence })
    }

    /// Gives a range up for good (the caller counts and logs it): it will not be read again.
    pub fn abandon(&self, file: &FileRef, start: u64, end: u64) -> Result<(), CheckpointError> {
        self.write(Entry::Done { key: file.key(), start, end })
    }

    /// A generation has a position from now on, or lies elsewhere, or has grown a longer head.
    pub fn track(&self, file: &Arc<FileRef>, place: &Place, head: Head) -> Result<(), CheckpointError> {
        self.write(Entry::File { file: file.clone(), place: place.clone(), head })
    }

    /// A generation is gone and everything of it is done: its position is not needed any more.
    pub fn forget(&self, key: &FileKey) -> Result<(), CheckpointError> {
        self.write(Entry::Forgotten { key: key.clone() })
    }

    /// The file at `place` is truncated once more: its next generation must not have an id of one before.
    pub fn count_truncation(&self, place: &Place) -> Result<(), CheckpointError> {
        let count = self.truncations(place).saturating_add(1);
        let (device, inode, birth_ns) = (place.device, place.inode, place.birth_ns);
        self.write(Entry::Truncations { device, inode, birth_ns, count })
    }

    /// The file at `place` is gone, and with it the count of its truncations.
    pub fn forget_truncations(&self, place: &Place) -> Result<(), CheckpointError> {
        if self.truncations(place) == 0 {
            return Ok(());
        }
        let (device, inode, birth_ns) = (place.device, place.inode, place.birth_ns);
        self.write(Entry::Truncations { device, inode, birth_ns, count: 0 })
    }

    /// How often the file at `place` was truncated.
    pub fn truncations(&self, place: &Place) -> u32 {
        self.inner.lock().state.truncations(place)
    }

    /// Offset up to which everything of the file is acknowledged or abandoned.
    pub fn position(&self, key: &FileKey) -> u64 {
        self.inner.lock().state.files.get(key).map_or(0, |file| file.done.prefix())
    }

    /// Bytes of the file that are acknowledged or abandoned.
    pub fn done_bytes(&self, key: &FileKey) -> u64 {
        self.inner.lock().state.files.get(key).map_or(0, |file| file.done.bytes())
    }

    /// What is known of a generation.
    pub fn file(&self, key: &FileKey) -> Option<FileState> {
        self.inner.lock().state.files.get(key).cloned()
    }

    /// The batches that are open now.
    pub fn intents(&self) -> Vec<Intent> {
        self.inner.lock().state.intents.clone()
    }

    /// What is neither done nor in an open intent.
    pub fn unsent(&self, key: &FileKey) -> Unsent {
        self.inner.lock().state.unsent(key)
    }

    /// Writes acknowledgements that wait for an intent; to be called now and then.
    pub fn flush(&self) -> Result<(), CheckpointError> {
        self.inner.lock().log.flush().map_err(|source| self.failed(source))
    }

    /// Brings everything to the disk, for a clean stop.
    pub fn sync(&self) -> Result<(), CheckpointError> {
        self.inner.lock().log.sync().map_err(|source| self.failed(source))
    }

    fn write(&self, entry: Entry) -> Result<(), CheckpointError> {
        let inner = &mut *self.inner.lock();
        inner.log.append(&entry).map_err(|source| self.failed(source))?;
        inner.state.apply(entry);
        if inner.log.is_long()
            && let Err(error) = inner.log.compact(&inner.state)
        {
            warn!(dir = self.dir, %error, "cannot compact the checkpoint, trying again later");
            inner.log.postpone();
        }
        Ok(())
    }

    fn failed(&self, source: io::Error) -> CheckpointError {
        CheckpointError::Io { dir: self.dir.clone(), source }
    }
}
