//! What is done now and then.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tracing::{debug, warn};

use super::{Ending, Entry, Supervisor};
use crate::Ship;
use crate::checkpoint::Head;
use crate::identity::{self, Stat};
use crate::tail::{Tail, TailId};

impl<S: Ship> Supervisor<S> {
    /// Costs next to nothing for files to which nothing happens.
    pub(super) fn tick(&mut self) {
        if let Err(error) = self.shared.checkpoint.flush() {
            warn!(%error, "cannot write acknowledgements down, trying again");
        }
        for id in self.entries.keys().copied().collect::<Vec<_>>() {
            self.observe(id);
        }
        self.expire();
        self.close_idle();
        self.forget_ended();
        let lag = self.lag_bytes();
        self.shared.metrics.lag_bytes.set(lag);
        self.shared.metrics.files_open.set(self.open_files());
    }

    /// Looks at a file whose reader is behind, for the reader may wait for the broker while the file is truncated; and keeps
    /// the fingerprint growing.
    fn observe(&mut self, id: TailId) {
        let Some(entry) = self.entries.get_mut(&id) else {
            return;
        };
        let tail = entry.tail.clone();
        if entry.size != tail.size() {
            entry.size = tail.size();
            entry.active = Instant::now();
        }
        let Some(file) = tail.file().filter(|_| !tail.is_retired()) else {
            return;
        };
        let unread = tail.size() > tail.position().at;
        let head = tail.head();
        if unread {
            let size = Stat::of(&file).map_or(0, |stat| stat.size);
            if size < tail.size() || !self.is_unchanged(&tail) {
                return self.settle_changed(id);
            }
            tail.saw(size);
        }
        if (head.len as usize) < Head::BYTES && tail.size() > u64::from(head.len) {
            match identity::extend_head(&file, head) {
                Ok(Some(longer)) if longer != head => {
                    tail.set_head(longer);
                    self.note_place(&tail);
                }
                Ok(Some(_)) => {}
                Ok(None) => self.settle_changed(id),
                Err(error) => debug!(path = %tail.path, %error, "cannot look at a file's beginning"),
            }
        }
    }

    /// Lets go of files that were renamed away from the collected paths and went silent.
    fn expire(&mut self) {
        let expiry = Duration::from_millis(self.shared.config.rotated_expiry_ms);
        let expired = |entry: &&Entry| {
            entry.round < self.round
                && entry.wanted
                && entry.settled == entry.tail.size()
                && entry.active.elapsed() >= expiry
        };
        let expired: Vec<Arc<Tail>> =
            self.entries.values().filter(expired).map(|entry| entry.tail.clone()).collect();
        for tail in expired {
            debug!(path = %tail.location().display(), "a rotated file went silent, no longer following it");
            self.end(&tail);
        }
    }

    /// Closes the files that were silent longest, when too many are open.
    fn close_idle(&mut self) {
        let excess = (self.open_files() as usize).saturating_sub(self.shared.config.max_open_files);
        if excess == 0 {
            return;
        }
        // a file without a name could not be opened again
        let idle = |entry: &&Entry| {
            let tail = &entry.tail;
            tail.file().is_some() && !tail.is_gone() && entry.settled == tail.size()
        };
        let mut idle: Vec<&Entry> = self.entries.values().filter(idle).collect();
        idle.sort_by_key(|entry| entry.active);
        for entry in idle.into_iter().take(excess) {
            entry.tail.close();
        }
    }

    /// Forgets the positions of generations that ended and are wholly acknowledged.
    fn forget_ended(&mut self) {
        let checkpoint = &self.shared.checkpoint;
        self.endings.retain(|Ending { key, end }| {
            checkpoint.position(key) < *end
                || checkpoint.forget(key).inspect_err(|error| warn!(%error, "cannot forget a file")).is_err()
        });
    }

    /// Bytes that were found but are not acknowledged.
    fn lag_bytes(&mut self) -> i64 {
        let mut lag = 0;
        for entry in self.entries.values_mut() {
            let size = entry.tail.size();
            if size == entry.settled {
                continue;
            }
            let key = entry.tail.file_ref().map(|file| file.key());
            let done = key.map_or(0, |key| self.shared.checkpoint.done_bytes(&key));
            if done >= size {
                entry.settled = size;
            }
            lag += size.saturating_sub(done);
        }
        for Ending { key, end } in &self.endings {
            lag += end.saturating_sub(self.shared.checkpoint.position(key));
        }
        i64::try_from(lag).unwrap_or(i64::MAX)
    }
}
