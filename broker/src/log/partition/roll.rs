//! Rolling: closing the active segment and beginning the next, as Kafka does it on an append.

use std::sync::Arc;

use wire::record::BatchHeader;

use super::{Partition, Writer};
use crate::log::config::LogConfig;
use crate::log::error::StorageError;
use crate::log::producer::snapshot;
use crate::log::segment::Segment;

/// Bytes of the larger kind of index entry.
const INDEX_ENTRY: u64 = 12;

impl Partition {
    /// Rolls when the batches that are about to be appended would not fit in the active segment.
    pub(super) fn roll_if_due(
        &self,
        writer: &mut Writer,
        batches: &[BatchHeader],
        bytes: usize,
        config: &LogConfig,
    ) -> Result<(), StorageError> {
        if writer.must_roll {
            return self.roll(writer);
        }
        let active = &writer.active;
        let size = active.size() as usize;
        if size == 0 {
            return Ok(());
        }
        let (Some(first), Some(last)) = (batches.first(), batches.last()) else { return Ok(()) };
        let waited_ms = match writer.first_timestamp {
            Some(first_ms) if first_ms >= 0 => first.max_timestamp.saturating_sub(first_ms),
            _ => self.now_ms().saturating_sub(writer.active_since_ms),
        };
        let due = size + bytes > config.segment_bytes as usize
            || waited_ms > config.roll_ms()
            || active.index_bytes() + INDEX_ENTRY * batches.len() as u64
                > u64::from(config.segment_index_bytes)
            || last.last_offset() - active.base_offset() > i64::from(i32::MAX);
        if due { self.roll(writer) } else { Ok(()) }
    }

    /// Closes the active segment and begins one at the log's end. When that fails the old one stays active, and the next
    /// append tries again: appended to the old one, it would be taken for damage by a recovery that finds the files of
    /// the new one.
    pub(super) fn roll(&self, writer: &mut Writer) -> Result<(), StorageError> {
        let (disk, base_offset) = (self.disk(), self.log_end_offset());
        if writer.active.base_offset() == base_offset {
            return Ok(());
        }
        if self.config().cleanup_policy.compact {
            // offsets may be missing there: after a loss of power nothing would tell that the old segment's end is
            self.flush_to(base_offset)?;
        }
        writer.must_roll = true;
        writer.active.close(disk)?;
        self.sync_aborted(&writer.active)?;
        snapshot::write(disk, &self.dir, base_offset, &writer.producers)?;
        let active = Arc::new(Segment::create(disk, &self.dir, base_offset)?);
        self.flusher.directory_changed();
        self.segments.write().insert(base_offset, Arc::clone(&active));
        writer.active = active;
        writer.must_roll = false;
        writer.first_timestamp = None;
        writer.active_since_ms = self.now_ms();
        Ok(())
    }

    /// Makes the index of aborted transactions durable, which unlike the others is not built anew where a segment is trusted.
    /// As in a flush, no second attempt would write what a failed one has dropped.
    fn sync_aborted(&self, segment: &Segment) -> Result<(), StorageError> {
        segment.txns().sync(self.disk()).map(drop).inspect_err(|error| self.go_offline(error))
    }
}
