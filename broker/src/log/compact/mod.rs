//! Log compaction, for topics with `cleanup.policy=compact`: of each key only the newest record is kept, and a
//! tombstone (a record without a value) no longer than `delete.retention.ms` after its timestamp.
//!
//! Two passes over the closed segments. The first notes the newest offset of each key in the part that compaction
//! has not seen, until the key map's memory is used up. The second rewrites all segments up to there, leaving out
//! what is superseded, and puts small neighbours together. Offsets never change; gaps appear, and the log's end
//! is not touched. The active segment is never compacted, nor is what is younger than `min.compaction.lag.ms`; what
//! waits longer than `max.compaction.lag.ms` is compacted whatever its share of the log.
//!
//! It has the partition's right of maintenance all the while, and gives way to who asks for that: what it is writing then is
//! removed, what it has replaced before stays, and the next round begins anew.
//!
//! Transactions: see [`transactions`].

use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use wire::record::{BatchHeader, Record, RecordError, batch, control};

use self::key_map::KeyMap;
use self::output::Output;
use self::rewrite::Rewritten;
use self::transactions::OpenTransactions;
use super::config::LogConfig;
use super::error::{ReadError, StorageError};
use super::partition::{Partition, RECORDS_BYTES_MAX};
use super::segment::Segment;

mod key_map;
mod output;
mod replace;
mod rewrite;
pub(crate) mod swap;
#[cfg(test)]
mod tests;
mod transactions;

/// What one compaction did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Compacted {
    pub(crate) bytes_before: u64,
    pub(crate) bytes_after: u64,
}

/// The first pass's result: what is superseded by what.
struct Plan {
    keys: KeyMap,
    /// The keys of all records before this offset are in the map or were compacted before.
    seen_up_to: i64,
    /// Tombstones with an earlier timestamp go, milliseconds.
    tombstones_before_ms: i64,
    now_ms: i64,
    /// A marker that has become idle now may go then, milliseconds.
    marker_horizon_ms: i64,
}

impl Plan {
    fn keeps(&self, record: &Record<'_>) -> bool {
        let Some(key) = record.key else { return false };
        let is_old_tombstone = record.value.is_none()
            && record.timestamp < self.tombstones_before_ms
            && record.offset < self.seen_up_to;
        !is_old_tombstone && !self.keys.is_superseded(key, record.offset)
    }
}

impl Partition {
    /// Compacts the closed segments if enough of them is new; `None` when there was nothing to do, or it gave way before all
    /// was done.
    pub(crate) fn compact_if_due(&self, now_ms: i64) -> Result<Option<Compacted>, ReadError> {
        let Some(_maintenance) = self.try_maintenance() else { return Ok(None) };
        // only now: the partition is not closed, nor its policy changed, while this goes on
        let config = self.config();
        if !config.cleanup_policy.compact {
            return Ok(None);
        }
        self.check_open()?;
        if self.has_retired() {
            // a crash may bring these back, and with them values whose tombstones would be gone
            return Ok(None);
        }
        let first_dirty = self.first_dirty();
        let segments = compactable(self.stable_segments(), &config, now_ms);
        let overdue = is_overdue(&segments, first_dirty, &config, now_ms)?;
        if !overdue && !is_due(&segments, first_dirty, &config) {
            return Ok(None);
        }
        let Some(plan) = self.plan(&segments, first_dirty, &config, now_ms)? else { return Ok(None) };
        let seen: Vec<_> =
            segments.into_iter().filter(|segment| segment.base_offset() < plan.seen_up_to).collect();
        let mut done = Compacted::default();
        let mut rest = seen.as_slice();
        let mut open = OpenTransactions::default();
        while !rest.is_empty() {
            let rewritten = self.rewrite_run(rest, &plan, &mut open, &config)?;
            let Some((run, bytes_after)) = rewritten else { return Ok(None) };
            let (replaced, behind) = rest.split_at(run);
            done.bytes_before += replaced.iter().map(|segment| u64::from(segment.size())).sum::<u64>();
            done.bytes_after += bytes_after;
            rest = behind;
        }
        self.set_first_dirty(plan.seen_up_to);
        Ok(Some(done))
    }

    /// Writes what is left of as many of the leading segments as fit into one, and puts it in their place; returns
    /// how many they were, and its bytes; `None` when it gave way.
    fn rewrite_run(
        &self,
        segments: &[Arc<Segment>],
        plan: &Plan,
        open: &mut OpenTransactions,
        config: &LogConfig,
    ) -> Result<Option<(usize, u64)>, ReadError> {
        let Some(first) = segments.first() else { return Ok(None) };
        let path = swap::cleaned_path(self.dir(), first.base_offset());
        let failed = |source| StorageError::io("write", &path, source);
        let file = self.disk().open(&path).map_err(failed)?;
        self.disk().truncate(&file, 0).map_err(failed)?;
        let mut out = Output::new(self.disk(), file);
        let mut run = 0;
        for segment in segments {
            if run > 0 && !fits_behind(out.len(), first, segment, config) {
                break;
            }
            run += 1;
            self.enter(open, segment)?;
            for found in segment.headers_from(0) {
                if self.must_give_way() {
                    return self.give_way(&path);
                }
                let (position, header) = found?;
                let bytes = read_batch(segment, position, &header)?;
                let kept = self.rewrite_batch(&bytes, &header, plan, open);
                let kept = kept.map_err(|error| corrupt(segment, position, &error))?;
                out.write(kept.as_deref().unwrap_or(&bytes)).map_err(failed)?;
            }
        }
        out.finish().map_err(failed)?;
        // to replace them takes time too: all is verified first
        if self.must_give_way() {
            return self.give_way(&path);
        }
        self.replace_segments(segments.get(..run).unwrap_or_default())?;
        Ok(Some((run, out.len())))
    }

    /// Leaves nothing of what was being written.
    fn give_way<T>(&self, path: &Path) -> Result<Option<T>, ReadError> {
        self.disk().remove(path).map_err(|source| StorageError::io("delete", path, source))?;
        tracing::debug!(partition = self.name(), "a compaction gave way");
        Ok(None)
    }

    /// Prepares for a segment's batches.
    fn enter(&self, open: &mut OpenTransactions, segment: &Segment) -> Result<(), ReadError> {
        let next = self.segment_after(segment.base_offset());
        let end = next.map_or_else(|| self.log_end_offset(), |next| next.base_offset());
        open.enter(self, segment.base_offset(), end)
    }

    /// What replaces a batch; `None` when it stays as it is.
    fn rewrite_batch(
        &self,
        bytes: &[u8],
        header: &BatchHeader,
        plan: &Plan,
        open: &mut OpenTransactions,
    ) -> Result<Option<Vec<u8>>, RecordError> {
        if header.is_control() {
            let is_idle = open.is_idle_marker(header);
            return if is_idle { self.rewrite_idle_marker(bytes, header, plan) } else { Ok(None) };
        }
        let is_aborted = open.is_aborted(header);
        if header.records_count == 0 && self.is_newest_of_producer(header) {
            return Ok(None);
        }
        match rewrite::retain(bytes, |record| !is_aborted && plan.keeps(record))? {
            Rewritten::Same => Ok(None),
            Rewritten::Shorter(batch) => Ok(Some(batch)),
            Rewritten::Empty => self.rewrite_empty(bytes, header).map(Some),
        }
    }

    /// A marker of a transaction that has no batches left goes in two steps, see [`transactions`].
    fn rewrite_idle_marker(
        &self,
        bytes: &[u8],
        header: &BatchHeader,
        plan: &Plan,
    ) -> Result<Option<Vec<u8>>, RecordError> {
        match header.delete_horizon_ms() {
            _ if header.records_count == 0 => {}
            Some(horizon_ms) if horizon_ms <= plan.now_ms => {}
            Some(_) => return Ok(None),
            None => {
                let delayed = control::with_delete_horizon(bytes, plan.marker_horizon_ms)?;
                return Ok(delayed.map(Vec::from));
            }
        }
        self.rewrite_empty(bytes, header).map(Some)
    }

    /// What is left of a batch without records: nothing, or what tells its producer's sequence and epoch.
    fn rewrite_empty(&self, bytes: &[u8], header: &BatchHeader) -> Result<Vec<u8>, RecordError> {
        if self.is_newest_of_producer(header) { rewrite::without_records(bytes) } else { Ok(Vec::new()) }
    }

    /// The first pass; `None` when it gave way.
    fn plan(
        &self,
        segments: &[Arc<Segment>],
        first_dirty: i64,
        config: &LogConfig,
        now_ms: i64,
    ) -> Result<Option<Plan>, ReadError> {
        let mut plan = Plan {
            keys: KeyMap::new(config.dedupe_buffer_bytes),
            seen_up_to: first_dirty,
            tombstones_before_ms: now_ms.saturating_sub(config.delete_retention_ms),
            now_ms,
            marker_horizon_ms: now_ms.saturating_add(config.delete_retention_ms),
        };
        let mut open = OpenTransactions::default();
        for segment in segments {
            self.enter(&mut open, segment)?;
            for found in segment.headers_from(0) {
                if self.must_give_way() {
                    return Ok(None);
                }
                let (position, header) = found?;
                // what was aborted supersedes nothing
                let is_data = if header.is_control() {
                    open.is_idle_marker(&header);
                    false
                } else {
                    !open.is_aborted(&header)
                };
                if header.last_offset() < first_dirty {
                    continue;
                }
                if is_data && !note_keys(segment, position, &header, &mut plan)? {
                    return Ok(Some(plan));
                }
                plan.seen_up_to = header.last_offset().saturating_add(1);
            }
        }
        Ok(Some(plan))
    }
}

/// Notes the keys of a batch; `false` when there is no more room for them.
fn note_keys(
    segment: &Segment,
    position: u32,
    header: &BatchHeader,
    plan: &mut Plan,
) -> Result<bool, ReadError> {
    let bytes = read_batch(segment, position, header)?;
    let records = batch::records(&bytes, RECORDS_BYTES_MAX);
    for record in records.map_err(|error| corrupt(segment, position, &error))?.iter() {
        let record = record.map_err(|error| corrupt(segment, position, &error))?;
        if record.key.is_some_and(|key| !plan.keys.note(key, record.offset)) {
            plan.seen_up_to = record.offset;
            return Ok(false);
        }
    }
    Ok(true)
}

/// The closed segments before the first that is too young for `min.compaction.lag.ms`.
fn compactable(mut segments: Vec<Arc<Segment>>, config: &LogConfig, now_ms: i64) -> Vec<Arc<Segment>> {
    if config.min_compaction_lag_ms > 0 {
        let limit_ms = now_ms.saturating_sub(config.min_compaction_lag_ms);
        let old_enough = segments.iter().take_while(|segment| segment.newest().timestamp <= limit_ms).count();
        segments.truncate(old_enough);
    }
    segments
}

/// Whether a record waits for compaction longer than `max.compaction.lag.ms`; the first one that waits is looked at.
fn is_overdue(
    segments: &[Arc<Segment>],
    first_dirty: i64,
    config: &LogConfig,
    now_ms: i64,
) -> Result<bool, ReadError> {
    if config.max_compaction_lag_ms == i64::MAX {
        return Ok(false);
    }
    let dirty = segments.iter().find(|segment| segment.base_offset() >= first_dirty);
    let Some(first) = dirty.and_then(|segment| segment.headers_from(0).next()) else { return Ok(false) };
    let timestamp = first?.1.max_timestamp;
    Ok(timestamp >= 0 && now_ms.saturating_sub(timestamp) > config.max_compaction_lag_ms)
}

/// Whether the share of the closed segments that was not yet compacted is large enough.
fn is_due(segments: &[Arc<Segment>], first_dirty: i64, config: &LogConfig) -> bool {
    let bytes = |is_dirty: bool| -> u64 {
        let counted = segments.iter().filter(|segment| (segment.base_offset() >= first_dirty) == is_dirty);
        counted.map(|segment| u64::from(segment.size())).sum()
    };
    let (clean, dirty) = (bytes(false), bytes(true));
    dirty > 0 && dirty as f64 / (clean + dirty) as f64 >= config.min_cleanable_dirty_ratio
}

/// Whether what is left of `next` fits into a segment that begins with `first` and has `bytes` already.
fn fits_behind(bytes: u64, first: &Segment, next: &Segment, config: &LogConfig) -> bool {
    // the last offset of `next` is not known here; its base is near enough for a limit of 31 bits
    let is_near = next.base_offset() - first.base_offset() <= i64::from(i32::MAX / 2);
    is_near && bytes + u64::from(next.size()) <= u64::from(config.segment_bytes)
}

fn read_batch(segment: &Segment, position: u32, header: &BatchHeader) -> Result<Vec<u8>, ReadError> {
    let mut bytes = vec![0; header.size()];
    let read = segment.file().read_exact_at(&mut bytes, u64::from(position));
    read.map_err(|source| StorageError::io("read", segment.path(), source))?;
    batch::verify_crc(&bytes).map_err(|error| corrupt(segment, position, &error))?;
    Ok(bytes)
}

fn corrupt(segment: &Segment, position: u32, error: &RecordError) -> ReadError {
    tracing::warn!(path = %segment.path().display(), position, %error, "cannot compact a corrupt batch");
    ReadError::Corrupt { path: segment.path().to_path_buf(), position: u64::from(position) }
}
