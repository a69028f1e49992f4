//! Reading: which range of which file holds an offset.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Partition;
use crate::log::error::{ReadError, StorageError};
use crate::log::segment::Segment;

/// A range of a segment file that begins with a batch: what a fetch sends.
#[derive(Debug, Clone)]
pub struct ReadSlice {
    /// The file, which stays readable when retention deletes it meanwhile.
    pub file: Arc<File>,
    /// The first byte of the range.
    pub position: u64,
    /// Bytes of the range; 0 when there is nothing (yet).
    pub len: u32,
    /// Bytes of the first batch. When `len` is less the batch is cut off, which only happens without
    /// `min_one_message`.
    pub first_batch_len: u32,
    /// The first batch's base offset, which may be before the offset asked for; that offset if there is nothing.
    pub base_offset: i64,
    /// The high watermark, not before the range's end.
    pub high_watermark: i64,
    /// The first offset of the log.
    pub log_start_offset: i64,
}

impl ReadSlice {
    /// Copies the range into memory, for those who do not send it.
    pub fn read_bytes(&self) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; self.len as usize];
        self.file.read_exact_at(&mut bytes, self.position)?;
        Ok(bytes)
    }
}

impl Partition {
    /// The batches from the one that holds `offset` on, up to about `max_bytes`: whole batches, unless the first
    /// one alone is larger. Then it comes whole with `min_one_message` and cut off without. Fewer bytes than
    /// there are may come: a range never spans two segments, and it ends where the index knows a batch to begin.
    pub fn read(&self, offset: i64, max_bytes: u32, min_one_message: bool) -> Result<ReadSlice, ReadError> {
        self.check_open()?;
        let (log_start_offset, log_end_offset) = (self.log_start_offset(), self.log_end_offset());
        if offset < log_start_offset || offset > log_end_offset {
            return Err(ReadError::OffsetOutOfRange { offset, log_start_offset, log_end_offset });
        }
        let mut segment = self.segment_at(offset)?;
        if offset < log_end_offset {
            loop {
                let end = segment.size();
                if let Some((position, first)) = segment.find(offset)? {
                    let first_batch_len = first.size() as u32;
                    let end = end.max(position.saturating_add(first_batch_len));
                    let max_bytes = if min_one_message { max_bytes.max(first_batch_len) } else { max_bytes };
                    let len = range_len(&segment, position, first_batch_len, end, max_bytes);
                    return Ok(self.slice(&segment, position, len, (first.base_offset, first_batch_len)));
                }
                // compaction has removed the end of this segment
                match self.segment_after(segment.base_offset()) {
                    Some(next) => segment = next,
                    None => break,
                }
            }
        }
        Ok(self.slice(&segment, segment.size(), 0, (offset, 0)))
    }

    fn slice(&self, segment: &Segment, position: u32, len: u32, first: (i64, u32)) -> ReadSlice {
        let (base_offset, first_batch_len) = first;
        ReadSlice {
            file: Arc::clone(segment.file()),
            position: u64::from(position),
            len,
            first_batch_len,
            base_offset,
            high_watermark: self.high_watermark(),
            log_start_offset: self.log_start_offset(),
        }
    }

    /// The segment whose range holds `offset`.
    pub(super) fn segment_at(&self, offset: i64) -> Result<Arc<Segment>, ReadError> {
        let segments = self.segments.read();
        let holding = segments.range(..=offset).next_back().or_else(|| segments.iter().next());
        match holding {
            Some((_, segment)) => Ok(Arc::clone(segment)),
            None => Err(StorageError::Closed(self.name.clone()).into()),
        }
    }

    /// The segment behind the one that begins at `base_offset`.
    pub(crate) fn segment_after(&self, base_offset: i64) -> Option<Arc<Segment>> {
        let segments = self.segments.read();
        segments.range(base_offset.saturating_add(1)..).next().map(|(_, segment)| Arc::clone(segment))
    }

    /// Moves the log's start forward to `offset`, as DeleteRecords asks; whole segments before it are deleted by
    /// the next tick. Returns the log's start, which is durable once [`LogManager`](crate::log::LogManager) has saved it.
    pub fn delete_records_before(&self, offset: i64) -> Result<i64, ReadError> {
        let mut writer = self.writer.lock();
        self.check_open()?;
        let (log_start_offset, log_end_offset) = (self.log_start_offset(), self.log_end_offset());
        if !(0..=log_end_offset).contains(&offset) {
            return Err(ReadError::OffsetOutOfRange { offset, log_start_offset, log_end_offset });
        }
        let start = self.log_start.fetch_max(offset, Ordering::AcqRel).max(offset);
        writer.epochs.truncate_before(start);
        Ok(start)
    }
}

/// The bytes from `position` on that are at most `max_bytes` and end with a batch if the index knows where one ends.
fn range_len(segment: &Segment, position: u32, first_batch_len: u32, end: u32, max_bytes: u32) -> u32 {
    let available = end - position;
    if available <= max_bytes {
        return available;
    }
    if first_batch_len >= max_bytes {
        return max_bytes;
    }
    let boundary = segment.boundary_before(position.saturating_add(max_bytes));
    boundary.saturating_sub(position).clamp(first_batch_len, max_bytes)
}
