//! Compaction of all partitions, beside the upkeep: it may take minutes for one of them, in which the others are to be flushed by
//! time and the checkpoints to be written. What keeps the two apart is in the partition's `maintenance`.

use std::sync::atomic::Ordering;

use super::LogManager;
use crate::log::error::{ReadError, StorageError};
use crate::log::partition::Partition;

/// What one round of compaction did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CleanReport {
    /// Bytes that compaction has saved.
    pub compacted_bytes: u64,
    /// Partitions for which it failed; it was logged.
    pub failures: usize,
}

impl LogManager {
    /// Compacts what is due. To be called every few seconds by one thread that may block, and not by the one that calls
    /// [`tick`](Self::tick). [`close`](Self::close) makes it end soon.
    pub fn clean(&self) -> CleanReport {
        let mut report = CleanReport::default();
        for partition in self.partitions() {
            if self.closing.load(Ordering::Acquire) {
                break;
            }
            match self.clean_partition(&partition) {
                Ok(saved) => report.compacted_bytes += saved,
                // its topic was deleted meanwhile
                Err(ReadError::Storage(StorageError::Closed(_))) => {}
                Err(error) => {
                    report.failures += 1;
                    // an offline partition was logged when it went offline
                    if !partition.is_offline() {
                        tracing::warn!(partition = partition.name(), %error, "cannot compact a partition");
                    }
                }
            }
        }
        report
    }

    /// Compacts one partition if that is due; returns the bytes saved.
    fn clean_partition(&self, partition: &Partition) -> Result<u64, ReadError> {
        let Some(done) = partition.compact_if_due(self.clock.now_ms())? else { return Ok(0) };
        tracing::info!(
            partition = partition.name(),
            before = done.bytes_before,
            after = done.bytes_after,
            "compacted"
        );
        Ok(done.bytes_before.saturating_sub(done.bytes_after))
    }
}
