//! The open transactions of a partition: what may not be read yet by consumers of committed records, and what a client
//! may append to a transaction (KIP-890).
//!
//! A producer's transaction is open in the partition from its first transactional batch to the marker. The first offset
//! of the oldest open one is the *first unstable offset*. Whether a client may begin one is for the transaction
//! coordinator to say: it has to know that the partition is part of the transaction, or no marker would ever come. Its
//! word holds until the producer's next marker here, which [`Verification`] is for: between the question and the
//! append the transaction may have ended.

use wire::record::{BatchHeader, EndMarker};

use super::{Producer, Producers};
use crate::log::error::AppendError;
use crate::log::segment::txn_index::AbortedTxn;

/// The coordinator's word that a partition is part of a producer's transaction, as long as no marker comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verification {
    producer_id: i64,
    /// The offset of the producer's last marker in the partition, -1 if there was none.
    last_marker: i64,
}

/// Who appends, which decides what is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AppendOrigin {
    /// A client: its sequences must continue, its repetitions are recognised.
    Client(Option<Verification>),
    /// A coordinator of this broker writes a client's records into its own topic; they have no sequences.
    Coordinator(Option<Verification>),
    /// The transaction coordinator ends a transaction.
    Marker(EndMarker),
}

impl AppendOrigin {
    /// The marker, if it is one.
    pub(crate) fn marker(&self) -> Option<EndMarker> {
        match self {
            AppendOrigin::Marker(marker) => Some(*marker),
            AppendOrigin::Client(_) | AppendOrigin::Coordinator(_) => None,
        }
    }
}

impl Producers {
    /// The first offset of the oldest open transaction.
    pub(crate) fn first_unstable_offset(&self) -> Option<i64> {
        self.open.keys().next().copied()
    }

    /// What the coordinator's word will be for; `None` when the producer's transaction is open here already.
    pub(crate) fn unverified(&self, producer_id: i64) -> Option<Verification> {
        match self.known.get(&producer_id) {
            Some(Producer { txn_first_offset: Some(_), .. }) => None,
            Some(producer) => Some(Verification { producer_id, last_marker: producer.last_marker }),
            None => Some(Verification { producer_id, last_marker: -1 }),
        }
    }

    /// Transactional batches belong into transactions, and others do not.
    pub(super) fn check_transaction(
        &self,
        batch: &BatchHeader,
        verification: Option<Verification>,
    ) -> Result<(), AppendError> {
        let unverified = self.unverified(batch.producer_id);
        let refuse = |reason| Err(AppendError::InvalidTxnState { producer_id: batch.producer_id, reason });
        match (batch.is_transactional(), unverified) {
            (false, None) => refuse("it has an open transaction, and this batch is not part of it"),
            (true, Some(needed)) if verification != Some(needed) => {
                refuse("the partition is not part of an open transaction")
            }
            _ => Ok(()),
        }
    }

    /// A marker must not be of an older instance of the producer, nor of a coordinator that was replaced.
    pub(super) fn check_marker(&self, batch: &BatchHeader, marker: EndMarker) -> Result<(), AppendError> {
        let Some(producer) = self.known.get(&batch.producer_id) else { return Ok(()) };
        producer.check_epoch(batch)?;
        if marker.coordinator_epoch < producer.coordinator_epoch {
            let (current, found) = (producer.coordinator_epoch, marker.coordinator_epoch);
            return Err(AppendError::CoordinatorFenced { current, found });
        }
        Ok(())
    }

    /// What the index is told if the producer's transaction is aborted by a marker at `offset`; `None` when none is open.
    pub(crate) fn aborted_by(&self, producer_id: i64, offset: i64) -> Option<AbortedTxn> {
        let first_offset = self.known.get(&producer_id)?.txn_first_offset?;
        let others = self.open.iter().find(|(_, open)| **open != producer_id);
        let last_stable_offset = others.map_or(offset.saturating_add(1), |(first, _)| *first);
        Some(AbortedTxn { producer_id, first_offset, last_offset: offset, last_stable_offset })
    }

    /// Takes note of a marker that was appended, or met in the log: the producer's transaction is not open any more.
    pub(crate) fn end(&mut self, batch: &BatchHeader, marker: EndMarker, now_ms: i64) {
        let producer = self.entry(batch.producer_id, batch.producer_epoch, now_ms);
        producer.coordinator_epoch = marker.coordinator_epoch;
        producer.last_marker = batch.base_offset;
        if let Some(first) = producer.txn_first_offset.take() {
            self.open.remove(&first);
        }
    }

    /// The producer's transaction is open from `first_offset` on, if it was not before.
    pub(super) fn begin(&mut self, producer_id: i64, first_offset: i64) {
        if let Some(producer) = self.known.get_mut(&producer_id)
            && producer.txn_first_offset.is_none()
        {
            producer.txn_first_offset = Some(first_offset);
            self.open.insert(first_offset, producer_id);
        }
    }
}
