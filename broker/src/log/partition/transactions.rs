//! Transactions in a partition: markers, the last stable offset, and reading what is committed.
//!
//! The last stable offset is the first unstable one (see [`producer`](crate::log::producer)), or the high watermark when
//! no transaction is open. Consumers of committed records are given nothing from there on, and are told which of the
//! transactions before it were aborted: their records stay in the log, and the consumer leaves them out.
//!
//! Readers take no lock. An append publishes in this order: the aborted transaction in the index, the first unstable
//! offset, the log's end, the bytes. So who sees a transaction's bytes sees that it is open, and who sees that it is
//! not open any more finds it in the index if it was aborted.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use wire::record::{BatchHeader, EndMarker};

use super::{Appended, Partition, ReadSlice, Writer};
use crate::log::error::{AppendError, ReadError, StorageError};
use crate::log::producer::{AppendOrigin, Verification};
use crate::log::segment::Segment;
use crate::log::segment::txn_index::AbortedTxn;

/// The first unstable offset while no transaction is open.
pub(super) const STABLE: i64 = i64::MAX;

impl Partition {
    /// The offset before which every transaction has ended.
    pub fn last_stable_offset(&self) -> i64 {
        // in this order: a transaction that is open before `end` is then seen too
        let end = self.high_watermark();
        self.stable_before(end)
    }

    fn stable_before(&self, end: i64) -> i64 {
        let first_unstable = self.first_unstable.load(Ordering::Acquire);
        // its beginning may have been deleted
        first_unstable.max(self.log_start_offset()).min(end)
    }

    /// What the coordinator has to be asked before the producer's transactional batch may be appended with its
    /// answer; `None` when its transaction is open here already.
    pub fn unverified(&self, producer_id: i64) -> Option<Verification> {
        self.writer.lock().producers.unverified(producer_id)
    }

    /// As [`append`](Self::append), for a batch that the transaction coordinator was asked about.
    pub fn append_verified(
        &self,
        records: &mut [u8],
        verification: Option<Verification>,
    ) -> Result<Appended, AppendError> {
        self.append_from(records, AppendOrigin::Client(verification))
    }

    /// Appends what a coordinator of this broker writes in a client's transaction.
    pub fn append_as_coordinator(
        &self,
        records: &mut [u8],
        verification: Option<Verification>,
    ) -> Result<Appended, AppendError> {
        self.append_from(records, AppendOrigin::Coordinator(verification))
    }

    /// Ends the producer's transaction here. Without one it has no effect but that older epochs are fenced, so it may be
    /// repeated.
    pub fn append_marker(
        &self,
        producer_id: i64,
        producer_epoch: i16,
        marker: EndMarker,
    ) -> Result<Appended, AppendError> {
        let mut batch = Vec::from(marker.batch(producer_id, producer_epoch, self.now_ms())?);
        self.append_from(&mut batch, AppendOrigin::Marker(marker))
    }

    /// Puts the transaction that `batch` aborts into the index of the active segment.
    pub(super) fn index_aborted(
        &self,
        writer: &Writer,
        batch: Option<&BatchHeader>,
        marker: Option<EndMarker>,
    ) -> Result<bool, StorageError> {
        let (Some(batch), Some(EndMarker { committed: false, .. })) = (batch, marker) else {
            return Ok(false);
        };
        let Some(aborted) = writer.producers.aborted_by(batch.producer_id, batch.base_offset) else {
            return Ok(false);
        };
        if writer.active.txns().push(self.disk(), &aborted)? {
            self.flusher.directory_changed();
        }
        Ok(true)
    }

    /// As [`read`](Self::read), but nothing from the last stable offset on; with that offset, and the aborted
    /// transactions among what is read, by ascending marker.
    pub fn read_committed(
        &self,
        offset: i64,
        max_bytes: u32,
        min_one_message: bool,
    ) -> Result<(ReadSlice, i64, Vec<AbortedTxn>), ReadError> {
        let mut slice = self.read(offset, max_bytes, min_one_message)?;
        let last_stable = self.stable_before(slice.high_watermark);
        let segment = self.segment_at(slice.base_offset)?;
        // compaction may have replaced the segment meanwhile: then nothing is given this time
        let is_same = Arc::ptr_eq(&slice.file, segment.file());
        if last_stable < slice.high_watermark && !(is_same && cut(&mut slice, &segment, last_stable)?) {
            slice.len = 0;
        }
        if slice.len == 0 {
            return Ok((slice, last_stable, Vec::new()));
        }
        let end = if is_same { end_of(&slice, &segment)? } else { None };
        let aborted = self.aborted_in(offset, end.unwrap_or(last_stable).min(last_stable))?;
        Ok((slice, last_stable, aborted))
    }

    /// The aborted transactions that overlap the offsets from `start` to before `end`.
    pub(crate) fn aborted_in(&self, start: i64, end: i64) -> Result<Vec<AbortedTxn>, ReadError> {
        let mut found = Vec::new();
        let indexed: Vec<Arc<Segment>> = {
            let segments = self.segments.read();
            let first = segments.range(..=start).next_back().map_or(start, |(base, _)| *base);
            let behind = segments.range(first..).map(|(_, segment)| segment);
            behind.filter(|segment| !segment.txns().is_empty()).cloned().collect()
        };
        for segment in indexed {
            if segment.txns().collect(start, end, &mut found)? {
                break;
            }
        }
        Ok(found)
    }
}

/// Leaves of the slice what is before `last_stable`; `false` when that is nothing.
fn cut(slice: &mut ReadSlice, segment: &Segment, last_stable: i64) -> Result<bool, ReadError> {
    if slice.len == 0 || slice.base_offset >= last_stable {
        return Ok(false);
    }
    if let Some((position, _)) = segment.find(last_stable)? {
        let before = u64::from(position).saturating_sub(slice.position);
        slice.len = slice.len.min(u32::try_from(before).unwrap_or(u32::MAX));
    }
    Ok(true)
}

/// The offset of the batch behind the slice; `None` when the segment ends there.
fn end_of(slice: &ReadSlice, segment: &Segment) -> Result<Option<i64>, ReadError> {
    let position = slice.position.saturating_add(u64::from(slice.len));
    let position = u32::try_from(position).unwrap_or(u32::MAX);
    if segment.txns().is_empty() || position >= segment.size() {
        return Ok(None);
    }
    // a first batch that is cut off by the limits ends in its middle: the caller drops it
    if slice.len < slice.first_batch_len {
        return Ok(None);
    }
    let next = segment.headers_from(position).next().transpose()?;
    Ok(next.map(|(_, header)| header.base_offset))
}
