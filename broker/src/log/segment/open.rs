//! Opening a segment that is on the disk, and which faults of its files are survived:
//!
//! | file | fault | what happens |
//! |---|---|---|
//! | `.log` | ends in half a batch, in garbage, in zeros | cut after the last sound batch |
//! | `.log` | a flipped bit in what was not yet known to be durable | cut before the batch; offsets are checked to have no gaps if the topic is not compacted |
//! | `.log` | a flipped bit in what was durable | found when it is read (consumers check the CRC) |
//! | `.index`, `.timeindex` | missing, cut off, lagging behind, implausible | rebuilt from the `.log`; what a segment that grows on lacks is in memory |
//! | `.index` | wrong entries in the middle | look-ups notice and walk from the front |
//! | `.txnindex` | cut off, entries of elsewhere | rebuilt from the markers by the partition's recovery |

use std::path::Path;

use super::Segment;
use super::scan::{Bounds, HeaderScan, Look, ScanError, verify};
use super::time_index::NO_TIMESTAMP;
use crate::log::disk::Disk;
use crate::log::error::StorageError;

/// Where to find a segment and what it may contain.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) disk: &'a dyn Disk,
    pub(crate) dir: &'a Path,
    pub(crate) base_offset: i64,
    /// The offset at which the next segment begins; `i64::MAX` for the last one.
    pub(crate) end_offset: i64,
    /// Whether offsets follow each other without gaps: compaction has never been there.
    pub(crate) gapless: bool,
    pub(crate) index_interval_bytes: u32,
}

/// A segment and what opening it did.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) segment: Segment,
    /// The offset after the last batch's.
    pub(crate) next_offset: i64,
    /// Bytes that were cut off, and why.
    pub(crate) truncated_bytes: u64,
    pub(crate) reason: Option<String>,
    /// Whether every batch's checksum was computed.
    pub(crate) verified: bool,
    pub(crate) indexes_rebuilt: bool,
    /// Whether there are markers from which the partition has to rebuild the index of aborted transactions. Only then may
    /// the segment be closed: with its other indexes written it could be trusted without that one.
    pub(crate) has_markers: bool,
}

/// Opens a segment that was closed or flushed properly. Its batches are trusted; its last stretch is walked over,
/// and when that or the indexes are not as they should be the segment is verified after all.
pub(crate) fn open_trusted(place: Place<'_>) -> Result<Opened, StorageError> {
    let segment = Segment::open_files(place.disk, place.dir, place.base_offset)?;
    match walk_tail(&segment, place) {
        Some(next_offset) => {
            segment.release_indexes();
            Ok(Opened {
                segment,
                next_offset,
                truncated_bytes: 0,
                reason: None,
                verified: false,
                indexes_rebuilt: false,
                has_markers: false,
            })
        }
        None => {
            // should this be interrupted, the next start trusts what it finds
            segment.indexes.write().distrust(place.disk)?;
            verify_segment(segment, place, Look::Whole)
        }
    }
}

/// Opens a segment whose batches were flushed while it grew. Its indexes were not, and what a loss of power has left of
/// them may look sound: they are built anew from the headers.
pub(crate) fn open_reindexed(place: Place<'_>) -> Result<Opened, StorageError> {
    verify_segment(Segment::open_files(place.disk, place.dir, place.base_offset)?, place, Look::Header)
}

/// Opens a segment of which nothing is trusted: verifies every batch, cuts the file before the first bad one and
/// rebuilds the indexes.
pub(crate) fn open_verified(place: Place<'_>) -> Result<Opened, StorageError> {
    verify_segment(Segment::open_files(place.disk, place.dir, place.base_offset)?, place, Look::Whole)
}

/// As [`open_verified`], for what an earlier process has left, a sync of which may have failed: what is found sound will
/// be called durable, so it must be what the disk has.
pub(crate) fn open_unsynced(place: Place<'_>) -> Result<Opened, StorageError> {
    let segment = Segment::open_files(place.disk, place.dir, place.base_offset)?;
    let reread = place.disk.reread(&segment.file);
    reread.map_err(|source| StorageError::io("read", &segment.path, source))?;
    verify_segment(segment, place, Look::Whole)
}

/// The offset after the last batch, by walking from the last index entry; `None` when anything is odd.
fn walk_tail(segment: &Segment, place: Place<'_>) -> Option<i64> {
    let mut indexes = segment.indexes.write();
    let size = segment.size();
    let file_len = segment.file.metadata().ok()?.len();
    if file_len != u64::from(size) || !indexes.offsets().is_plausible(size) {
        return None;
    }
    let start = indexes.offsets().last();
    let end_offset = place.bounds().offsets.end;
    let mut next_offset = segment.base_offset;
    for batch in HeaderScan::new(&segment.file, start.map_or(0, |entry| entry.position), size) {
        let (position, header) = batch.ok()?;
        let is_start = start.filter(|entry| entry.position == position);
        let as_indexed = is_start.is_none_or(|entry| entry.last_offset == header.last_offset());
        let ascending = header.base_offset >= next_offset && header.last_offset() < end_offset;
        if !as_indexed || !ascending || !indexes.note_indexed(position, &header, place.index_interval_bytes) {
            return None;
        }
        next_offset = header.last_offset().saturating_add(1);
    }
    // a segment that was closed has its largest timestamp as the last entry
    let last_time = indexes.times().last().map_or(NO_TIMESTAMP, |last| last.timestamp);
    let has_all_times = indexes.newest().timestamp <= last_time;
    let plausible = has_all_times
        && indexes.times().is_plausible(next_offset.saturating_sub(1))
        && segment.txns.is_plausible(segment.base_offset, next_offset);
    plausible.then_some(next_offset)
}

/// What it opens of the indexes stays open until the caller has synced them: they are opened by their names once only.
fn verify_segment(segment: Segment, place: Place<'_>, look: Look) -> Result<Opened, StorageError> {
    let disk = place.disk;
    let file_len =
        segment.file.metadata().map_err(|source| StorageError::io("read", &segment.path, source))?.len();
    segment.clear_indexes(disk)?;
    let mut next_offset = segment.base_offset;
    let mut indexes = segment.indexes.write();
    let mut failed = None;
    let mut has_markers = false;
    let verified = verify(&segment.file, segment.size(), look, place.bounds(), |position, header| {
        if let Err(error) = indexes.reserve_times(disk) {
            failed.get_or_insert(error);
        }
        indexes.note(position, header, place.index_interval_bytes);
        next_offset = header.last_offset().saturating_add(1);
        has_markers |= header.is_control();
    });
    let verified = verified.map_err(|source| StorageError::io("read", &segment.path, source))?;
    drop(indexes);
    failed.map_or(Ok(()), Err)?;
    let truncated_bytes = file_len.saturating_sub(u64::from(verified.valid_bytes));
    if truncated_bytes > 0 {
        segment.cut(disk, verified.valid_bytes)?;
    }
    // one that grows on needs no more in its files than any that grows: after a crash they are built anew
    if !has_markers && !place.grows() {
        segment.complete(disk)?;
    }
    let position = verified.valid_bytes;
    let reason = verified.reason.map(|reason| ScanError::Corrupt { position, reason }.to_string());
    Ok(Opened {
        segment,
        next_offset,
        truncated_bytes,
        reason,
        verified: true,
        indexes_rebuilt: true,
        has_markers,
    })
}

impl Place<'_> {
    /// Whether the segment is the last one.
    fn grows(&self) -> bool {
        self.end_offset == i64::MAX
    }

    /// The offsets that batches of the segment may have.
    fn bounds(&self) -> Bounds {
        let end = self.end_offset.min(self.base_offset.saturating_add(1 << 31));
        Bounds { offsets: self.base_offset..end, gapless: self.gapless }
    }
}
