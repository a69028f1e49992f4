//! Flushing: group commit. Whoever needs an offset durable asks for it; the first to ask does one fdatasync for
//! all, and those who ask meanwhile are served by the next one.
//!
//! A flush takes the log's end, syncs the segments that were written since the last flush (with their indexes if
//! they no longer grow) and the directory if files were added, and then moves the durable offset. When a sync
//! fails, the kernel may have dropped the pages and a repeated sync would lie: the partition goes offline and
//! every waiter learns it.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use parking_lot::{Condvar, Mutex};
use tokio::sync::watch;

use super::{OFFLINE, Partition};
use crate::log::error::StorageError;

/// How long after its last flush a log is idle, milliseconds.
const IDLE_MS: i64 = 60_000;

/// How far the log is safe from a loss of power.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Durable {
    /// All records before this offset are on the disk.
    pub offset: i64,
    /// Nothing more will ever be: the partition is offline or its topic was deleted.
    pub failed: bool,
}

/// The state of the group commit.
#[derive(Debug)]
pub(super) struct Flusher {
    requests: Mutex<Requests>,
    flushed: Condvar,
    durable: watch::Sender<Durable>,
}

#[derive(Debug)]
struct Requests {
    /// Someone is flushing and will go on until `up_to` is durable.
    flushing: bool,
    up_to: i64,
    /// Files were added to the directory since the last flush.
    directory_changed: bool,
    /// When the last flush was done, milliseconds.
    flushed_at_ms: i64,
}

impl Flusher {
    pub(super) fn new(durable_offset: i64, now_ms: i64) -> Self {
        // the process before may have created the active segment's files without syncing the directory
        let directory_changed = true;
        let requests =
            Requests { flushing: false, up_to: durable_offset, directory_changed, flushed_at_ms: now_ms };
        Flusher {
            requests: Mutex::new(requests),
            flushed: Condvar::new(),
            durable: watch::Sender::new(Durable { offset: durable_offset, failed: false }),
        }
    }

    pub(super) fn directory_changed(&self) {
        self.requests.lock().directory_changed = true;
    }

    /// How long ago the last flush was done.
    fn since_ms(&self, now_ms: i64) -> i64 {
        now_ms.saturating_sub(self.requests.lock().flushed_at_ms)
    }

    fn durable(&self) -> Durable {
        *self.durable.borrow()
    }

    /// Tells all waiters that there will be no more flushes.
    pub(super) fn fail(&self) {
        self.durable.send_modify(|durable| durable.failed = true);
        let _requests = self.requests.lock();
        self.flushed.notify_all();
    }
}

impl Partition {
    /// All records before this offset are on the disk.
    pub fn flushed_offset(&self) -> i64 {
        self.flusher.durable().offset
    }

    /// The durable offset as it grows.
    pub fn watch_durable(&self) -> watch::Receiver<Durable> {
        self.flusher.durable.subscribe()
    }

    /// Asks for everything before `offset` (at most the log's end) to be made durable. `true` says that nobody is
    /// flushing: then the caller must call [`run_flushes`](Self::run_flushes) on a thread that may block.
    #[must_use = "when it is true the caller has to run the flushes"]
    pub fn request_flush(&self, offset: i64) -> bool {
        let mut requests = self.flusher.requests.lock();
        requests.up_to = requests.up_to.max(offset.min(self.log_end_offset()));
        let durable = self.flusher.durable();
        let must_run = !requests.flushing && !durable.failed && durable.offset < requests.up_to;
        requests.flushing |= must_run;
        must_run
    }

    /// Flushes until everything that was asked for is durable or the partition has failed. Blocks.
    pub fn run_flushes(&self) {
        loop {
            let target = self.log_end_offset();
            let result = self.sync_up_to(target);
            if let Err(error) = &result {
                self.go_offline(error);
            }
            let mut requests = self.flusher.requests.lock();
            if result.is_ok() {
                requests.flushed_at_ms = self.now_ms();
                self.flusher.durable.send_modify(|durable| durable.offset = durable.offset.max(target));
            }
            self.flusher.flushed.notify_all();
            let durable = self.flusher.durable();
            if durable.failed || durable.offset >= requests.up_to {
                requests.flushing = false;
                return;
            }
        }
    }

    /// Returns when everything before `offset` (at most the log's end) is durable. Blocks.
    pub fn flush_to(&self, offset: i64) -> Result<(), StorageError> {
        let offset = offset.min(self.log_end_offset());
        if self.request_flush(offset) {
            self.run_flushes();
        }
        let mut requests = self.flusher.requests.lock();
        loop {
            let durable = self.flusher.durable();
            if durable.offset >= offset {
                return Ok(());
            }
            if durable.failed {
                return Err(self.failure());
            }
            self.flusher.flushed.wait(&mut requests);
        }
    }

    /// The asynchronous [`flush_to`](Self::flush_to), for the server: the flush runs on the runtime's blocking
    /// threads, one at a time for a partition however many wait.
    pub async fn flushed_to(self: &Arc<Self>, offset: i64) -> Result<(), StorageError> {
        let offset = offset.min(self.log_end_offset());
        let mut durable = self.watch_durable();
        if self.request_flush(offset) {
            let partition = Arc::clone(self);
            tokio::task::spawn_blocking(move || partition.run_flushes());
        }
        match durable.wait_for(|durable| durable.failed || durable.offset >= offset).await {
            Ok(durable) if durable.offset >= offset => Ok(()),
            _ => Err(self.failure()),
        }
    }

    /// Flushes what `flush_ms` says has waited long enough, and what rolling has left behind.
    pub(crate) fn flush_if_due(&self, now_ms: i64) -> Result<(), StorageError> {
        let (end, durable) = (self.log_end_offset(), self.flushed_offset());
        let since_ms = self.flusher.since_ms(now_ms);
        if durable < end && since_ms >= self.config().flush_ms {
            return self.flush_to(end);
        }
        let rolled = self.segments.read().last_key_value().map_or(0, |(active_base, _)| *active_base);
        if durable < rolled { self.flush_to(rolled) } else { Ok(()) }
    }

    /// Closes what is open of the active segment's indexes when all was flushed and nothing came since: what was written of them
    /// is made durable for that, see the segment's `side_file`. `true` when the disk was waited for.
    pub(crate) fn rest(&self, now_ms: i64) -> Result<bool, StorageError> {
        let since_ms = self.flusher.since_ms(now_ms);
        let is_idle = since_ms >= IDLE_MS && self.flushed_offset() >= self.log_end_offset();
        if !is_idle || self.check_open().is_err() {
            return Ok(false);
        }
        let active = self.segments.read().last_key_value().map(|(_, active)| Arc::clone(active));
        let Some(active) = active else { return Ok(false) };
        // as in a flush, a second attempt would lie
        active.settle_indexes(self.disk()).inspect_err(|error| self.go_offline(error))
    }

    fn sync_up_to(&self, target: i64) -> Result<(), StorageError> {
        let durable = self.flushed_offset();
        let directory_changed = std::mem::take(&mut self.flusher.requests.lock().directory_changed);
        let dirty: Vec<_> = {
            let segments = self.segments.read();
            // one that ends with what is durable was growing when that was flushed: its indexes are still to be
            let first = segments.range(..durable).next_back().map_or(durable, |(base, _)| *base);
            segments.range(first..).filter(|(base, _)| **base <= target).map(|(_, s)| Arc::clone(s)).collect()
        };
        let active = dirty.len().saturating_sub(1);
        for (number, segment) in dirty.iter().enumerate() {
            segment.sync(self.disk(), number == active)?;
        }
        if directory_changed {
            self.disk().sync_dir(&self.dir).map_err(|source| StorageError::io("flush", &self.dir, source))?;
        }
        Ok(())
    }

    fn failure(&self) -> StorageError {
        match self.status.load(Ordering::Acquire) {
            OFFLINE => StorageError::Offline(self.name.clone()),
            _ => StorageError::Closed(self.name.clone()),
        }
    }
}
