//! What went in and out since the start, for those who look at rates. Nothing depends on it, and nothing keeps it.

use std::sync::atomic::{AtomicU64, Ordering};

use super::Partition;

/// Bytes of record batches.
#[derive(Debug, Default)]
pub(super) struct Traffic {
    appended: AtomicU64,
    sent: AtomicU64,
}

impl Traffic {
    /// Counts what was appended. Only under the lock of appends, so that no addition is lost.
    pub(super) fn count_appended(&self, bytes: usize) {
        let before = self.appended.load(Ordering::Relaxed);
        self.appended.store(before.wrapping_add(bytes as u64), Ordering::Relaxed);
    }
}

impl Partition {
    /// Bytes of record batches that were appended since it was opened.
    pub fn bytes_appended(&self) -> u64 {
        self.traffic.appended.load(Ordering::Relaxed)
    }

    /// Bytes of record batches that were given to consumers since it was opened.
    pub fn bytes_sent(&self) -> u64 {
        self.traffic.sent.load(Ordering::Relaxed)
    }

    /// Counts what a consumer is given.
    pub(crate) fn count_sent(&self, bytes: usize) {
        self.traffic.sent.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}
