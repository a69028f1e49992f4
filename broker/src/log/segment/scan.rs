//! Walking over the batches of a segment: over headers alone, for look-ups, and over whole batches with their
//! checksums, for recovery.

use std::fs::File;
use std::io;
use std::ops::Range;

use wire::record::{BatchHeader, RecordError};

use super::window::Window;

/// Bytes read at a time to find a batch: a look-up starts at most an index interval before it.
const LOOKUP_BYTES: usize = 4096;
/// Bytes read at a time to verify a segment.
const VERIFY_BYTES: usize = 256 * 1024;
/// Where the bytes under a batch's checksum begin.
const CHECKED_FROM: u64 = 21;

/// Why a walk ended before the end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ScanError {
    /// What stands at this position is not a batch.
    #[error("at byte {position}: {reason}")]
    Corrupt {
        /// The bad batch's first byte.
        position: u32,
        /// What is wrong with it.
        reason: RecordError,
    },
    /// The file could not be read.
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// The headers of the batches in a range of a segment, each with its position. Ends after the first error.
#[derive(Debug)]
pub(crate) struct HeaderScan<'a> {
    window: Window<'a>,
    at: u32,
    end: u32,
}

impl<'a> HeaderScan<'a> {
    /// Walks from the batch that begins at `from` to `end`.
    pub(crate) fn new(file: &'a File, from: u32, end: u32) -> Self {
        HeaderScan { window: Window::new(file, u64::from(end), LOOKUP_BYTES), at: from, end }
    }
}

impl Iterator for HeaderScan<'_> {
    type Item = Result<(u32, BatchHeader), ScanError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.at >= self.end {
            return None;
        }
        let position = self.at;
        let header = header_at(&mut self.window, position, self.end);
        self.at = match &header {
            Ok(header) => position.saturating_add(header.size() as u32),
            Err(_) => self.end,
        };
        Some(header.map(|header| (position, header)))
    }
}

/// The header at `position`, checked to be that of a whole batch before `end`.
fn header_at(window: &mut Window<'_>, position: u32, end: u32) -> Result<BatchHeader, ScanError> {
    let bytes = window.bytes_at(u64::from(position), BatchHeader::SIZE)?;
    let corrupt = |reason| ScanError::Corrupt { position, reason };
    let header = BatchHeader::parse(bytes).map_err(corrupt)?;
    let have = (end - position) as usize;
    if header.size() > have {
        return Err(corrupt(RecordError::Incomplete { needed: header.size(), have }));
    }
    if header.last_offset_delta < 0 || header.base_offset < 0 {
        return Err(corrupt(RecordError::BadLength(i64::from(header.last_offset_delta))));
    }
    // also the offset after the last one must be a number: a base offset is not under the checksum
    if header.last_offset() < header.base_offset || header.last_offset() == i64::MAX {
        return Err(corrupt(RecordError::BadRecord("its offsets are beyond all numbers")));
    }
    Ok(header)
}

/// What is sound at the front of a segment.
#[derive(Debug)]
pub(crate) struct Verified {
    /// Bytes of whole batches with right checksums and ascending offsets.
    pub(crate) valid_bytes: u32,
    /// Why the next bytes are none, when there are any.
    pub(crate) reason: Option<RecordError>,
}

/// The offsets that the batches of a segment may have. A base offset is not under its batch's checksum, so this is
/// all that tells a damaged one.
#[derive(Debug, Clone)]
pub(crate) struct Bounds {
    /// They ascend within this range.
    pub(crate) offsets: Range<i64>,
    /// They leave no gap, as long as compaction has not been there.
    pub(crate) gapless: bool,
}

/// What is looked at of each batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    /// All of it: its checksum must be right.
    Whole,
    /// Its header: the rest is known to be on the disk.
    Header,
}

/// Verifies the batches before `end`, whose offsets must be within `bounds`, and shows the sound ones to `visit`. The
/// memory used does not depend on what a damaged header claims.
pub(crate) fn verify(
    file: &File,
    end: u32,
    look: Look,
    mut bounds: Bounds,
    mut visit: impl FnMut(u32, &BatchHeader),
) -> io::Result<Verified> {
    let read_bytes = if look == Look::Whole { VERIFY_BYTES } else { LOOKUP_BYTES };
    let mut window = Window::new(file, u64::from(end), read_bytes);
    let mut at = 0;
    while at < end {
        match verify_batch(&mut window, at, end, look, &bounds) {
            Ok(header) => {
                visit(at, &header);
                bounds.offsets.start = header.last_offset().saturating_add(1);
                at += header.size() as u32;
            }
            Err(ScanError::Corrupt { reason, .. }) => {
                return Ok(Verified { valid_bytes: at, reason: Some(reason) });
            }
            Err(ScanError::Io(error)) => return Err(error),
        }
    }
    Ok(Verified { valid_bytes: at, reason: None })
}

fn verify_batch(
    window: &mut Window<'_>,
    position: u32,
    end: u32,
    look: Look,
    bounds: &Bounds,
) -> Result<BatchHeader, ScanError> {
    let header = header_at(window, position, end)?;
    let corrupt = |reason| Err(ScanError::Corrupt { position, reason });
    let Bounds { offsets, gapless } = bounds;
    let is_gap = *gapless && header.base_offset != offsets.start;
    if is_gap || header.base_offset < offsets.start || header.last_offset() >= offsets.end {
        return corrupt(RecordError::BadRecord("its offsets do not continue those before it"));
    }
    if look == Look::Header {
        return Ok(header);
    }
    let batch_end = u64::from(position) + header.size() as u64;
    let mut at = u64::from(position) + CHECKED_FROM;
    let mut computed = 0;
    while at < batch_end {
        let bytes = window.bytes_at(at, 1)?;
        let left = usize::try_from(batch_end - at).unwrap_or(usize::MAX);
        let piece = bytes.get(..left).unwrap_or(bytes);
        if piece.is_empty() {
            return corrupt(RecordError::Incomplete { needed: header.size(), have: 0 });
        }
        computed = wire::crc32c_append(computed, piece);
        at += piece.len() as u64;
    }
    if computed != header.crc {
        return corrupt(RecordError::BadCrc { stored: header.crc, computed });
    }
    Ok(header)
}
