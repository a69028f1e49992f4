//! The producers of a partition that is opened: from the newest snapshot that can be used and the batches behind it. On the way the
//! indexes of aborted transactions are completed where they are built anew.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::ops::RangeInclusive;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use wire::record::{BatchHeader, EndMarker};

use super::Origin;
use crate::log::error::StorageError;
use crate::log::producer::{Producers, snapshot};
use crate::log::segment::Segment;
use crate::log::segment::scan::HeaderScan;

/// The producers at the log's end; completes the indexes of aborted transactions of the segments in `with_markers`.
pub(super) fn load_producers(
    origin: &Origin,
    segments: &BTreeMap<i64, Arc<Segment>>,
    with_markers: &BTreeSet<i64>,
    log_end: i64,
) -> Result<Producers, StorageError> {
    let first = segments.keys().next().copied().unwrap_or(log_end);
    let (mut producers, from) = load_snapshot(origin, with_markers, first..=log_end)?;
    let now_ms = origin.clock.now_ms();
    for segment in segments.values().skip_while(|segment| segment_ends_before(segments, segment, from)) {
        // a damaged batch in the middle ends the walk over this segment only
        for (at, header) in HeaderScan::new(segment.file(), 0, segment.size()).map_while(Result::ok) {
            if header.base_offset < from {
                continue;
            }
            if !header.is_control() {
                producers.note(&header, now_ms);
                continue;
            }
            let Some(marker) = read_marker(segment.file(), at, &header) else { continue };
            let ended = producers.aborted_by(header.producer_id, header.base_offset);
            let is_due = !marker.committed && with_markers.contains(&segment.base_offset());
            if let Some(aborted) = ended.filter(|_| is_due) {
                segment.txns().push(origin.disk.as_ref(), &aborted)?;
            }
            producers.end(&header, marker, now_ms);
        }
    }
    // but for the last one, which grows on
    let active = segments.keys().next_back().copied().unwrap_or(first);
    for rebuilt in with_markers.range(..active).filter_map(|base| segments.get(base)) {
        rebuilt.complete(origin.disk.as_ref())?;
    }
    producers.limit(origin.config.producer_ids_max);
    Ok(producers)
}

/// The newest sound snapshot that is not behind what has to be walked over, and its offset. It must be of the offsets that
/// are there: one from before the first segment knows transactions as open whose markers were deleted since.
fn load_snapshot(
    origin: &Origin,
    with_markers: &BTreeSet<i64>,
    there: RangeInclusive<i64>,
) -> Result<(Producers, i64), StorageError> {
    let walk_from = with_markers.first().copied().unwrap_or(*there.end());
    for offset in snapshot::list(&origin.dir)? {
        let loaded = if there.contains(&offset) { snapshot::read(&origin.dir, offset) } else { None };
        match loaded {
            Some(loaded) if offset <= walk_from => return Ok((loaded, offset)),
            Some(_) => {}
            None => {
                let path = snapshot::path(&origin.dir, offset);
                origin.disk.remove(&path).map_err(|source| StorageError::io("delete", &path, source))?;
            }
        }
    }
    Ok((Producers::default(), 0))
}

/// The marker in the control batch at `position`; `None` when it holds none, or cannot be read.
fn read_marker(file: &File, position: u32, header: &BatchHeader) -> Option<EndMarker> {
    const MARKER_BYTES_MAX: usize = 1024;
    let mut bytes = vec![0; header.size().min(MARKER_BYTES_MAX)];
    file.read_exact_at(&mut bytes, u64::from(position)).ok()?;
    EndMarker::read(&bytes).ok().flatten()
}

fn segment_ends_before(segments: &BTreeMap<i64, Arc<Segment>>, segment: &Segment, offset: i64) -> bool {
    let next = segments.range(segment.base_offset().saturating_add(1)..).next();
    next.is_some_and(|(next_base, _)| *next_base <= offset)
}
