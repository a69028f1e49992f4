//! Opening a partition's directory.
//!
//! After a clean stop every file is trusted: the last stretch of each segment is walked over, the producers come
//! from the snapshot that the stop wrote. After a crash the segments from the recovery point on (the last offset
//! that is known to be durable) are verified batch by batch; at the first bad batch the log ends, and segments
//! behind it are deleted, unless the next one goes on where the batches before the bad one end. Segments before the recovery
//! point are repaired one by one, and what follows them stays: it was durable, and offsets may have gaps.
//!
//! In both cases: an interrupted compaction is completed or undone, files without their `.log` are removed,
//! indexes that are not as they should be are rebuilt, and the producers are brought up to the log's end by
//! walking over the batches behind the newest sound snapshot. Where a segment with markers was verified the walk begins
//! before it, and finds the aborted transactions for its index.
//!
//! There are two steps, for the first takes the processor and the second waits for the disk: [`Partition::recover`] reads and
//! repairs, [`Recovered::sync`] makes durable what that found sound and may so far be in the page cache alone. That is the
//! `.log` of each segment that was verified, even an empty one, for an earlier process may have cut it and died before it could sync;
//! the indexes of those among them that grow no more; and the directory. What needs none: segments that were trusted, which
//! were durable and were not touched; of the segment that grows on the indexes, which the next crash has built anew, and a
//! clean stop makes durable.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, AtomicI64, AtomicU8};

use parking_lot::{Mutex, RwLock};
use tokio::sync::watch;

use super::flush::Flusher;
use super::maintenance::Maintenance;
use super::recover_producers::load_producers;
use super::traffic::Traffic;
use super::transactions::STABLE;
use super::{OPEN, Partition, Writer};
use crate::log::clock::Clock;
use crate::log::compact::swap;
use crate::log::config::LogConfig;
use crate::log::disk::{Disk, list_dir};
use crate::log::epochs::LeaderEpochs;
use crate::log::error::StorageError;
use crate::log::producer::Producers;
use crate::log::segment::open::{Opened, Place, open_reindexed, open_trusted, open_unsynced};
use crate::log::segment::scan::HeaderScan;
use crate::log::segment::{SUFFIXES, Segment, base_of, file_path};

/// Where a partition is and what the checkpoints say of it.
#[derive(Debug, Clone)]
pub(crate) struct Origin {
    /// `topic-0`.
    pub(crate) name: String,
    pub(crate) dir: PathBuf,
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) config: Arc<LogConfig>,
    /// Whether the broker stopped cleanly.
    pub(crate) clean: bool,
    /// Everything before it was durable.
    pub(crate) recovery_point: i64,
    pub(crate) log_start: i64,
    pub(crate) first_dirty: i64,
}

/// What opening a partition found and did; all zero after a clean stop.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecoveryReport {
    /// Bytes that were cut off segments, and bytes of segments that were deleted behind a cut.
    pub truncated_bytes: u64,
    /// Segments of which every batch's checksum was computed.
    pub segments_scanned: usize,
    /// Segments that were deleted because the log was cut before them.
    pub segments_deleted: usize,
    /// Segments whose indexes were written anew.
    pub indexes_rebuilt: usize,
    /// Why the log was cut: file, position and what is wrong there.
    pub reason: Option<String>,
}

impl RecoveryReport {
    /// Adds what was done for another partition.
    pub(crate) fn add(&mut self, other: &RecoveryReport) {
        self.truncated_bytes += other.truncated_bytes;
        self.segments_scanned += other.segments_scanned;
        self.segments_deleted += other.segments_deleted;
        self.indexes_rebuilt += other.indexes_rebuilt;
        self.reason = self.reason.take().or_else(|| other.reason.clone());
    }
}

/// A partition that was recovered, and what is not known to be durable of it yet.
#[derive(Debug)]
pub(crate) struct Recovered {
    partition: Partition,
    report: RecoveryReport,
    /// Segments that were verified or are new.
    unsynced: Vec<Arc<Segment>>,
}

impl Recovered {
    /// Makes durable what was recovered, which then may be used. Waits for the disk and for little else.
    pub(crate) fn sync(self) -> Result<(Partition, RecoveryReport), StorageError> {
        let Recovered { partition, report, unsynced } = self;
        if !unsynced.is_empty() {
            partition.sync_recovered(&unsynced)?;
        }
        Ok((partition, report))
    }
}

impl Partition {
    /// Opens the directory, which must exist, and repairs what a crash has left in it.
    pub(crate) fn open(origin: Origin) -> Result<(Partition, RecoveryReport), StorageError> {
        Partition::recover(origin)?.sync()
    }

    /// All of [`open`](Self::open) but making durable what was found.
    pub(crate) fn recover(origin: Origin) -> Result<Recovered, StorageError> {
        let disk = origin.disk.as_ref();
        let bases = tidy(disk, &origin)?;
        let mut report = RecoveryReport::default();
        let mut recovery = Recovery {
            origin: &origin,
            report: &mut report,
            segments: BTreeMap::new(),
            verified: BTreeSet::new(),
            with_markers: BTreeSet::new(),
            next_offset: 0,
        };
        recovery.open_segments(&bases)?;
        let (with_markers, mut verified) = (recovery.with_markers, recovery.verified);
        let (mut segments, mut log_end) = (recovery.segments, recovery.next_offset);
        if segments.is_empty() || log_end < origin.log_start {
            // nothing is left of what the log had: it goes on where it ended, not at 0
            segments.values().try_for_each(|segment| segment.remove(disk))?;
            log_end = origin.log_start.max(log_end);
            segments = BTreeMap::from([(log_end, Arc::new(Segment::create(disk, &origin.dir, log_end)?))]);
            verified = BTreeSet::from([log_end]);
        }
        let unsynced = verified.iter().filter_map(|base| segments.get(base)).cloned().collect();
        let producers = load_producers(&origin, &segments, &with_markers, log_end)?;
        let partition = assemble(origin, segments, log_end, producers)?;
        Ok(Recovered { partition, report, unsynced })
    }

    /// Makes durable what recovery found sound.
    fn sync_recovered(&self, unsynced: &[Arc<Segment>]) -> Result<(), StorageError> {
        let active = self.segments.read().last_key_value().map(|(base, _)| *base);
        for segment in unsynced {
            let grows = active == Some(segment.base_offset());
            segment.sync(self.disk(), grows)?;
            if grows {
                // what was written of its indexes, if it is large: so that they need not stay open
                segment.settle_indexes(self.disk())?;
            }
        }
        self.disk().sync_dir(&self.dir).map_err(|source| StorageError::io("flush", &self.dir, source))
    }
}

pub(super) fn assemble(
    origin: Origin,
    segments: BTreeMap<i64, Arc<Segment>>,
    log_end: i64,
    producers: Producers,
) -> Result<Partition, StorageError> {
    let Some((first, active)) = segments.keys().next().copied().zip(segments.values().last().cloned()) else {
        return Err(StorageError::Closed(origin.name));
    };
    let now_ms = origin.clock.now_ms();
    let first_batch = HeaderScan::new(active.file(), 0, active.size()).next().and_then(Result::ok);
    let log_start = first.max(origin.log_start).min(log_end);
    let mut epochs = LeaderEpochs::load(origin.disk.as_ref(), &origin.dir, log_start, log_end)?;
    epochs.ensure_first(origin.disk.as_ref(), &origin.dir, log_start)?;
    Ok(Partition {
        name: origin.name,
        dir: origin.dir,
        disk: origin.disk,
        clock: origin.clock,
        config: RwLock::new(origin.config),
        segments: RwLock::new(segments),
        log_start: AtomicI64::new(log_start),
        log_end: AtomicI64::new(log_end),
        first_unstable: AtomicI64::new(producers.first_unstable_offset().unwrap_or(STABLE)),
        leader_epoch: AtomicI32::new(epochs.latest()),
        writer: Mutex::new(Writer {
            active,
            first_timestamp: first_batch.map(|(_, header)| header.max_timestamp),
            active_since_ms: now_ms,
            must_roll: false,
            producers,
            epochs,
        }),
        status: AtomicU8::new(OPEN),
        high_watermark: watch::Sender::new(log_end),
        flusher: Flusher::new(log_end, now_ms),
        maintenance: Maintenance::new(origin.first_dirty),
        retired: Mutex::default(),
        traffic: Traffic::default(),
    })
}

/// Completes or undoes what was interrupted, and lists the base offsets of the segments.
fn tidy(disk: &dyn Disk, origin: &Origin) -> Result<Vec<i64>, StorageError> {
    swap::finish(disk, &origin.dir)?;
    let paths = list_dir(&origin.dir)?;
    let mut bases: Vec<i64> = paths.iter().filter_map(|path| base_of(path, "log")).collect();
    bases.sort_unstable();
    remove_before_start(origin, &mut bases)?;
    for path in &paths {
        let orphan = ["index", "timeindex", "txnindex"].iter().find_map(|suffix| base_of(path, suffix));
        let is_orphan = orphan.is_some_and(|base| bases.binary_search(&base).is_err());
        let is_leftover =
            path.extension().is_some_and(|extension| extension == "tmp" || extension == "deleted");
        if is_orphan || is_leftover {
            disk.remove(path).map_err(|source| StorageError::io("delete", path, source))?;
        }
    }
    Ok(bases)
}

/// Removes the segments before the log's start: they were deleted, and a crash may have undone that for some of them.
fn remove_before_start(origin: &Origin, bases: &mut Vec<i64>) -> Result<(), StorageError> {
    let first = bases.iter().rposition(|base| *base <= origin.log_start).unwrap_or(0);
    for base_offset in bases.drain(..first) {
        remove_files(origin, base_offset)?;
    }
    Ok(())
}

fn remove_files(origin: &Origin, base_offset: i64) -> Result<(), StorageError> {
    for suffix in SUFFIXES {
        let path = file_path(&origin.dir, base_offset, suffix);
        origin.disk.remove(&path).map_err(|source| StorageError::io("delete", &path, source))?;
    }
    Ok(())
}

struct Recovery<'a> {
    origin: &'a Origin,
    report: &'a mut RecoveryReport,
    segments: BTreeMap<i64, Arc<Segment>>,
    /// Segments that were not trusted.
    verified: BTreeSet<i64>,
    /// Segments whose index of aborted transactions is to be rebuilt.
    with_markers: BTreeSet<i64>,
    next_offset: i64,
}

impl Recovery<'_> {
    fn open_segments(&mut self, bases: &[i64]) -> Result<(), StorageError> {
        for (number, base_offset) in bases.iter().copied().enumerate() {
            let later = bases.get(number + 1..).unwrap_or_default();
            let end_offset = later.first().copied().unwrap_or(i64::MAX);
            // the log's last segment is where a crash leaves its traces, whatever the checkpoint says
            let was_durable = !later.is_empty() && end_offset <= self.origin.recovery_point;
            let mut opened = self.open_segment(base_offset, end_offset, was_durable)?;
            // a file that was cut where a batch ends looks whole
            let is_short = !later.is_empty() && self.is_gapless() && opened.next_offset < end_offset;
            // what stands behind its last record may be a write that failed, and whose being cut off was lost
            let is_whole = opened.next_offset == end_offset;
            let was_cut =
                !was_durable && !is_whole && (opened.truncated_bytes > 0 || is_short && !self.origin.clean);
            if was_cut {
                opened.reason.get_or_insert_with(|| format!("lacks what was before offset {end_offset}"));
            }
            self.next_offset = opened.next_offset;
            self.take(opened);
            if was_cut {
                return self.delete(later);
            }
        }
        Ok(())
    }

    fn open_segment(
        &self,
        base_offset: i64,
        end_offset: i64,
        was_durable: bool,
    ) -> Result<Opened, StorageError> {
        let place = Place {
            disk: self.origin.disk.as_ref(),
            dir: &self.origin.dir,
            base_offset,
            end_offset,
            gapless: self.is_gapless(),
            index_interval_bytes: self.origin.config.index_interval_bytes,
        };
        if self.origin.clean || end_offset < self.origin.recovery_point {
            open_trusted(place)
        } else if was_durable {
            // perhaps by a flush before the next one began, which leaves out the indexes of a segment that grows
            open_reindexed(place)
        } else {
            open_unsynced(place)
        }
    }

    /// Whether each batch begins where the one before it ends.
    fn is_gapless(&self) -> bool {
        !self.origin.config.cleanup_policy.compact
    }

    fn take(&mut self, opened: Opened) {
        let path = opened.segment.path().display().to_string();
        if let Some(reason) = opened.reason {
            tracing::warn!(path, truncated_bytes = opened.truncated_bytes, reason, "cut a segment");
            self.report.reason.get_or_insert(format!("{path} {reason}"));
        } else if opened.indexes_rebuilt && self.origin.clean {
            tracing::warn!(path, "rebuilt the indexes of a segment");
        }
        self.report.truncated_bytes += opened.truncated_bytes;
        self.report.segments_scanned += usize::from(opened.verified);
        self.report.indexes_rebuilt += usize::from(opened.indexes_rebuilt);
        if opened.verified {
            self.verified.insert(opened.segment.base_offset());
        }
        if opened.has_markers {
            self.with_markers.insert(opened.segment.base_offset());
        }
        self.segments.insert(opened.segment.base_offset(), Arc::new(opened.segment));
    }

    /// Deletes the segments behind a cut: between them and the cut, records are missing that nobody was promised.
    fn delete(&mut self, bases: &[i64]) -> Result<(), StorageError> {
        for base_offset in bases {
            let log = file_path(&self.origin.dir, *base_offset, "log");
            self.report.truncated_bytes += fs::metadata(&log).map_or(0, |metadata| metadata.len());
            self.report.segments_deleted += 1;
            remove_files(self.origin, *base_offset)?;
        }
        Ok(())
    }
}
