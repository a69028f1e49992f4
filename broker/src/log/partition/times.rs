//! Offsets by timestamp, as ListOffsets asks for them.

use std::os::unix::fs::FileExt;
use std::time::UNIX_EPOCH;

use wire::record::{BatchHeader, batch};

use super::{Partition, RECORDS_BYTES_MAX};
use crate::log::error::{ReadError, StorageError};
use crate::log::segment::Segment;

/// A record's place in the log and in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimestampOffset {
    /// The record's offset.
    pub offset: i64,
    /// Its timestamp, milliseconds.
    pub timestamp: i64,
}

impl Partition {
    /// The first record that is not older than `timestamp`; `None` when there is none.
    pub fn offset_for_timestamp(&self, timestamp: i64) -> Result<Option<TimestampOffset>, ReadError> {
        self.check_open()?;
        let start = self.log_start_offset();
        for segment in self.segments() {
            if segment.newest().timestamp < timestamp {
                continue;
            }
            for found in segment.headers_from(segment.position_of_time(timestamp)) {
                let (position, header) = found?;
                if header.max_timestamp < timestamp || header.last_offset() < start {
                    continue;
                }
                let matches = |found: TimestampOffset| found.timestamp >= timestamp && found.offset >= start;
                if let Some(found) = first_record(&segment, position, &header, matches)? {
                    return Ok(Some(found));
                }
            }
        }
        Ok(None)
    }

    /// Where segments begin, oldest first, each with the time of its last change, and where the log ends, now; that is
    /// left out when the last segment is empty, so that it would be there twice. Milliseconds.
    pub fn segment_offsets(&self) -> Result<Vec<TimestampOffset>, ReadError> {
        self.check_open()?;
        let (start, end) = (self.log_start_offset(), self.log_end_offset());
        let mut found = Vec::new();
        for segment in self.segments() {
            let changed = segment.file().metadata().and_then(|metadata| metadata.modified());
            let changed = changed.map_err(|source| StorageError::io("read", segment.path(), source))?;
            let since = changed.duration_since(UNIX_EPOCH).unwrap_or_default();
            let timestamp = i64::try_from(since.as_millis()).unwrap_or(i64::MAX);
            found.push(TimestampOffset { offset: segment.base_offset().max(start), timestamp });
        }
        if found.last().is_some_and(|last| last.offset < end) {
            found.push(TimestampOffset { offset: end, timestamp: self.now_ms() });
        }
        Ok(found)
    }

    /// The first record with the largest timestamp of the log; `None` when there are no records.
    pub fn max_timestamp(&self) -> Result<Option<TimestampOffset>, ReadError> {
        self.check_open()?;
        let segments = self.segments();
        let newest =
            segments.iter().filter(|segment| segment.newest().timestamp >= 0).reduce(|best, segment| {
                if segment.newest().timestamp > best.newest().timestamp { segment } else { best }
            });
        let Some(segment) = newest else { return Ok(None) };
        let newest = segment.newest();
        let Some((position, header)) = segment.find(newest.offset)? else { return Ok(None) };
        first_record(segment, position, &header, |record| record.timestamp >= newest.timestamp)
    }
}

/// The first record of a batch that `matches`. The batch's header is believed when its records cannot be read.
fn first_record(
    segment: &Segment,
    position: u32,
    header: &BatchHeader,
    matches: impl Fn(TimestampOffset) -> bool,
) -> Result<Option<TimestampOffset>, ReadError> {
    let mut bytes = vec![0; header.size()];
    let read = segment.file().read_exact_at(&mut bytes, u64::from(position));
    read.map_err(|source| StorageError::io("read", segment.path(), source))?;
    let Ok(records) = batch::records(&bytes, RECORDS_BYTES_MAX) else {
        let whole = TimestampOffset { offset: header.base_offset, timestamp: header.max_timestamp };
        return Ok(matches(whole).then_some(whole));
    };
    let records = records.iter().map_while(Result::ok);
    let mut found =
        records.map(|record| TimestampOffset { offset: record.offset, timestamp: record.timestamp });
    Ok(found.find(|record| matches(*record)))
}
