//! What compaction does about transactions (KIP-98, as Kafka's cleaner does it): records of aborted transactions go, at
//! once and whatever their key; a marker goes when its transaction has no batches left, and not before the time that
//! tombstones stay has passed, so that no consumer that is reading misses it. Only segments in which every transaction
//! has ended are compacted.

use std::collections::{BTreeSet, HashMap, HashSet};

use wire::record::BatchHeader;

use crate::log::error::ReadError;
use crate::log::partition::Partition;
use crate::log::segment::txn_index::AbortedTxn;

/// The transactions that are open at one place of a walk over the log. Its memory is bounded by those that overlap one
/// segment.
#[derive(Debug, Default)]
pub(super) struct OpenTransactions {
    /// Aborted ones that have not begun yet: first offset and producer.
    ahead: BTreeSet<(i64, i64)>,
    /// The aborted ones that have begun, by producer, and where.
    aborted: HashMap<i64, i64>,
    /// Producers with transactional batches since their last marker.
    with_batches: HashSet<i64>,
}

impl OpenTransactions {
    /// Prepares for the offsets from `start` to before `end`: a segment's.
    pub(super) fn enter(&mut self, partition: &Partition, start: i64, end: i64) -> Result<(), ReadError> {
        for AbortedTxn { producer_id, first_offset, .. } in partition.aborted_in(start, end)? {
            // one that has begun in an earlier segment is known
            if self.aborted.get(&producer_id) != Some(&first_offset) {
                self.ahead.insert((first_offset, producer_id));
            }
        }
        Ok(())
    }

    /// Takes note of a batch of records; `true` when its transaction was aborted.
    pub(super) fn is_aborted(&mut self, batch: &BatchHeader) -> bool {
        self.advance(batch.last_offset());
        if !batch.is_transactional() {
            return false;
        }
        self.with_batches.insert(batch.producer_id);
        self.aborted.contains_key(&batch.producer_id)
    }

    /// Takes note of a control batch; `true` when nothing is left of what it ends.
    pub(super) fn is_idle_marker(&mut self, batch: &BatchHeader) -> bool {
        self.advance(batch.last_offset());
        self.aborted.remove(&batch.producer_id);
        !self.with_batches.remove(&batch.producer_id)
    }

    fn advance(&mut self, offset: i64) {
        while let Some(&(first_offset, producer_id)) =
            self.ahead.first().filter(|(first, _)| *first <= offset)
        {
            self.ahead.pop_first();
            self.aborted.insert(producer_id, first_offset);
        }
    }
}

#[cfg(test)]
mod tests;
