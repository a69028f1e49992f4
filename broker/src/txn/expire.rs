//! What time does: transactions that take too long are aborted, ids that nobody uses are removed.

use std::time::Duration;

use tracing::{debug, info, warn};

use super::coordinator::Coordinator;

impl Coordinator {
    /// How often overdue transactions are to be aborted, and expired ids removed.
    pub(crate) fn intervals(&self) -> (Duration, Duration) {
        let interval = |ms: u64| Duration::from_millis(ms.max(1));
        (interval(self.config.abort_interval_ms), interval(self.config.expiration_interval_ms))
    }

    /// Aborts the transactions whose time is up, under a new epoch: their producers learn it from their next request.
    /// Blocks.
    pub(crate) fn abort_overdue(&self) {
        let now_ms = self.clock.now_ms();
        for (id, entry) in self.all() {
            // one that is being used is looked at again the next time
            let Some(_changing) = entry.changing.try_lock() else { continue };
            let Some(current) = entry.current().filter(|current| current.is_overdue(now_ms)) else {
                continue;
            };
            let aborted = current.fence(now_ms).and_then(|fenced| self.decide(&id, &entry, fenced));
            match aborted {
                Ok(()) => info!(transactional_id = id, "aborted a transaction whose time was up"),
                Err(error) => {
                    warn!(transactional_id = id, %error, "cannot abort a transaction whose time is up")
                }
            }
        }
    }

    /// Removes the ids that have not been used for the time that `transactional_id_expiration_ms` says. Blocks.
    pub(crate) fn remove_expired(&self) {
        let now_ms = self.clock.now_ms();
        let limit_ms = now_ms.saturating_sub(self.config.id_expiration_ms);
        let Some(store) = self.store_if_any() else { return };
        for (id, entry) in self.all() {
            let Some(_changing) = entry.changing.try_lock() else { continue };
            let is_expired = entry
                .current()
                .is_some_and(|current| current.state.is_idle() && current.updated_ms <= limit_ms);
            if is_expired && store.write_behind(&id, None, now_ms).is_ok() {
                debug!(transactional_id = id, "forgot a transactional id");
                self.put(&entry, None);
                self.remove(&id);
            }
        }
    }
}
