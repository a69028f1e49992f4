//! What goes on beside appends and reads: flushing by time, retention, forgetting silent producers, checkpoints; and the clean stop.
//! Nothing here waits for a compaction, which has a thread of its own, see `clean`.

use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::parallel::in_parallel;
use super::{LogManager, Topic};
use crate::log::checkpoint::{self, Offsets};
use crate::log::disk::replace_file;
use crate::log::error::StorageError;
use crate::log::partition::Partition;

/// The mark of a clean stop, as Kafka calls and writes it.
pub(super) const CLEAN_SHUTDOWN: &str = ".kafka_cleanshutdown";
const CLEAN_SHUTDOWN_CONTENT: &[u8] = b"{\"version\":0,\"brokerEpoch\":-1}";

/// How often the checkpoints are written, milliseconds: a crash has to verify what was flushed since.
const CHECKPOINT_INTERVAL_MS: i64 = 60_000;

/// Idle partitions whose indexes one tick syncs, so that they need not stay open: thousands that fall silent together shall not
/// keep those that wait for their `flush_ms`.
const RESTS_PER_TICK: usize = 64;

/// What was last written to the checkpoints.
#[derive(Debug, Default)]
pub(super) struct Checkpoints {
    written_at_ms: i64,
    recovery_points: Offsets,
    log_starts: Offsets,
    first_dirty: Offsets,
}

/// What one tick did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TickReport {
    /// Bytes of segments that retention has deleted.
    pub deleted_bytes: u64,
    /// Partitions for which something failed; it was logged.
    pub failures: usize,
}

impl LogManager {
    /// Does what is due but for compaction. To be called every few seconds, or more often, by one thread that may block.
    pub fn tick(&self) -> TickReport {
        let now_ms = self.clock.now_ms();
        let mut report = TickReport::default();
        let mut rests = RESTS_PER_TICK;
        for topic in self.topics() {
            for partition in topic.partitions() {
                let tended =
                    tend(partition, now_ms, &mut report).and_then(|()| rest(partition, now_ms, &mut rests));
                let Err(error) = tended else { continue };
                report.failures += 1;
                // an offline partition was logged when it went offline
                if !partition.is_offline() {
                    tracing::warn!(partition = partition.name(), %error, "cannot tend a partition");
                }
            }
        }
        let is_due = now_ms.saturating_sub(self.checkpoints.lock().written_at_ms) >= CHECKPOINT_INTERVAL_MS;
        if is_due && let Err(error) = self.write_checkpoints() {
            report.failures += 1;
            tracing::warn!(%error, "cannot write the checkpoints");
        }
        report
    }

    /// Stops cleanly: everything is flushed and the next start trusts it. Partitions that fail are logged; then
    /// the next start verifies all of them, and the first error is returned. A [`clean`](Self::clean) that is going on ends soon, and
    /// changes no file any more when this returns.
    pub fn close(&self) -> Result<(), StorageError> {
        self.closing.store(true, Ordering::Release);
        let close = |partition: &Arc<Partition>| -> Result<Option<StorageError>, Infallible> {
            let error = partition.close().err();
            if let Some(error) = &error {
                tracing::error!(partition = partition.name(), %error, "cannot close a partition cleanly");
            }
            Ok(error)
        };
        let Ok(errors) = in_parallel(&self.partitions(), self.waiting_threads, close);
        self.write_checkpoints()?;
        match errors.into_iter().flatten().next() {
            Some(error) => Err(error),
            None => {
                replace_file(self.disk.as_ref(), &self.data_dir.join(CLEAN_SHUTDOWN), CLEAN_SHUTDOWN_CONTENT)
            }
        }
    }

    /// Writes the checkpoints that have changed.
    pub(super) fn write_checkpoints(&self) -> Result<(), StorageError> {
        let mut written = self.checkpoints.lock();
        let recovery_points = self.offsets(|partition| Some(partition.flushed_offset()));
        let log_starts = self.offsets(|partition| Some(partition.log_start_offset()));
        let first_dirty = self
            .offsets(|partition| partition.config().cleanup_policy.compact.then(|| partition.first_dirty()));
        self.write_checkpoint(checkpoint::RECOVERY_POINTS, recovery_points, &mut written.recovery_points)?;
        self.write_checkpoint(checkpoint::LOG_STARTS, log_starts, &mut written.log_starts)?;
        self.write_checkpoint(checkpoint::CLEANER, first_dirty, &mut written.first_dirty)?;
        written.written_at_ms = self.clock.now_ms();
        Ok(())
    }

    /// Makes the logs' starts durable, after records were deleted by request.
    pub fn save_log_starts(&self) -> Result<(), StorageError> {
        let mut written = self.checkpoints.lock();
        let log_starts = self.offsets(|partition| Some(partition.log_start_offset()));
        self.write_checkpoint(checkpoint::LOG_STARTS, log_starts, &mut written.log_starts)
    }

    fn write_checkpoint(
        &self,
        name: &str,
        offsets: Offsets,
        written: &mut Offsets,
    ) -> Result<(), StorageError> {
        if offsets == *written {
            return Ok(());
        }
        let path: PathBuf = self.data_dir.join(name);
        checkpoint::write(self.disk.as_ref(), &path, &offsets)?;
        *written = offsets;
        Ok(())
    }

    fn offsets(&self, offset: impl Fn(&Partition) -> Option<i64>) -> Offsets {
        let topics = self.topics();
        let of_topic = |topic: &Arc<Topic>| -> Vec<((String, i32), i64)> {
            let numbered = (0..).zip(topic.partitions());
            numbered
                .filter_map(|(i, partition)| Some(((topic.name().to_owned(), i), offset(partition)?)))
                .collect()
        };
        topics.iter().flat_map(of_topic).collect()
    }

    pub(super) fn partitions(&self) -> Vec<Arc<Partition>> {
        self.topics().iter().flat_map(|topic| topic.partitions().to_vec()).collect()
    }
}

/// Lets an idle partition close its indexes, if the tick has time for that.
fn rest(partition: &Partition, now_ms: i64, left: &mut usize) -> Result<(), StorageError> {
    if *left > 0 && partition.rest(now_ms)? {
        *left -= 1;
    }
    Ok(())
}

fn tend(partition: &Partition, now_ms: i64, report: &mut TickReport) -> Result<(), StorageError> {
    partition.check_open()?;
    partition.flush_if_due(now_ms)?;
    partition.expire_producers(now_ms);
    report.deleted_bytes += partition.apply_retention(now_ms)?;
    Ok(())
}
