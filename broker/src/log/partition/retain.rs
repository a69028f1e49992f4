//! Retention: whole segments are deleted from the front, by age, by the log's size, or because they lie before
//! the log's start.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::UNIX_EPOCH;

use super::{Partition, Writer};
use crate::log::config::LogConfig;
use crate::log::error::StorageError;
use crate::log::producer::snapshot;
use crate::log::segment::Segment;

impl Partition {
    /// Deletes what the settings no longer keep; returns the number of bytes. The active segment is deleted only
    /// when its age says so or nothing in it is left to read, after a new one was begun. While the partition is being compacted
    /// nothing is deleted: the next tick will find it.
    pub(crate) fn apply_retention(&self, now_ms: i64) -> Result<u64, StorageError> {
        let Some(_maintenance) = self.try_maintenance() else { return Ok(0) };
        let config = self.config();
        {
            let mut writer = self.writer.lock();
            self.check_open()?;
            let doomed = self.doomed(&config, now_ms);
            if doomed.last().is_some_and(|last| last.base_offset() == writer.active.base_offset()) {
                self.roll(&mut writer)?;
            }
            self.flush_doomed(&doomed)?;
            self.forget(&mut writer, &doomed);
            self.retired.lock().extend(doomed);
        }
        self.remove_retired()
    }

    /// Removes the files of segments that are no longer part of the log, oldest first. Before each removal the directory is made
    /// durable: the removal before it, for if a loss of power brought back the first of two and not the second, recovery would
    /// take the hole for damage and delete what follows it; and the segment that follows, for without any the log would begin
    /// at an old start again. What fails is tried again by the next tick, before anything younger is removed.
    fn remove_retired(&self) -> Result<u64, StorageError> {
        let mut retired = self.retired.lock();
        let mut deleted_bytes = 0;
        while let Some(segment) = retired.front() {
            self.disk().sync_dir(&self.dir).map_err(|source| StorageError::io("flush", &self.dir, source))?;
            segment.remove(self.disk())?;
            let snapshot = snapshot::path(&self.dir, segment.base_offset());
            self.disk().remove(&snapshot).map_err(|source| StorageError::io("delete", &snapshot, source))?;
            deleted_bytes += u64::from(segment.size());
            tracing::info!(partition = %self.name, base_offset = segment.base_offset(), "deleted an old segment");
            retired.pop_front();
        }
        Ok(deleted_bytes)
    }

    /// Whether files of deleted segments could not be removed yet.
    pub(crate) fn has_retired(&self) -> bool {
        !self.retired.lock().is_empty()
    }

    /// The leading segments that are to be deleted.
    fn doomed(&self, config: &LogConfig, now_ms: i64) -> Vec<Arc<Segment>> {
        let segments = self.segments();
        let log_start = self.log_start_offset();
        let mut excess = match u64::try_from(config.retention_bytes) {
            Ok(kept) if config.cleanup_policy.delete => self.size_bytes().saturating_sub(kept),
            _ => 0,
        };
        let mut doomed = Vec::new();
        for (number, segment) in segments.iter().enumerate() {
            let size = u64::from(segment.size());
            let next_base = segments.get(number + 1).map(|next| next.base_offset());
            let end = next_base.unwrap_or_else(|| self.log_end_offset());
            let is_before_start = end <= log_start && (size > 0 || next_base.is_some());
            let is_excess = next_base.is_some() && size > 0 && excess >= size;
            let is_old = size > 0 && config.cleanup_policy.delete && is_expired(segment, config, now_ms);
            if !(is_before_start || is_excess || is_old) {
                break;
            }
            excess = excess.saturating_sub(size);
            doomed.push(Arc::clone(segment));
        }
        doomed
    }

    /// Makes durable what is about to be deleted, which it is but for an active segment. A removal that fails, or that
    /// a crash undoes, would else leave half a segment, and recovery deletes what follows such a one.
    fn flush_doomed(&self, doomed: &[Arc<Segment>]) -> Result<(), StorageError> {
        let Some(last) = doomed.last() else { return Ok(()) };
        let next = self.segment_after(last.base_offset());
        self.flush_to(next.map_or_else(|| self.log_end_offset(), |next| next.base_offset()))
    }

    /// Takes segments out of the list, so that nobody finds them any more.
    fn forget(&self, writer: &mut Writer, doomed: &[Arc<Segment>]) {
        if doomed.is_empty() {
            return;
        }
        let mut segments = self.segments.write();
        for segment in doomed {
            segments.remove(&segment.base_offset());
        }
        let first = segments.keys().next().copied().unwrap_or_else(|| self.log_end_offset());
        drop(segments);
        let before = self.log_start.fetch_max(first, Ordering::AcqRel);
        writer.epochs.truncate_before(before.max(first));
    }
}

/// Whether the youngest record is too old. Without timestamps the file's age counts.
fn is_expired(segment: &Segment, config: &LogConfig, now_ms: i64) -> bool {
    if config.retention_ms < 0 {
        return false;
    }
    let newest = segment.newest().timestamp;
    let newest = if newest >= 0 { newest } else { modified_ms(segment).unwrap_or(now_ms) };
    now_ms.saturating_sub(newest) > config.retention_ms
}

fn modified_ms(segment: &Segment) -> Option<i64> {
    let modified = segment.file().metadata().ok()?.modified().ok()?;
    i64::try_from(modified.duration_since(UNIX_EPOCH).ok()?.as_millis()).ok()
}
