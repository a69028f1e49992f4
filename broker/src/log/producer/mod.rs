//! What a partition remembers of idempotent producers, so that a batch that is sent again is recognised and one
//! that is missing is noticed; and which of their transactions are open, see [`transactions`].
//!
//! Of each producer id it keeps the epoch and the last [`BATCHES`] batches. Kafka's rules, which clients rely on:
//! - a batch with the epoch and the sequence range of one of these is a **duplicate**: answered with the offsets
//!   it got at first;
//! - an **older epoch** is refused, a newer one must begin with sequence 0;
//! - within an epoch each batch continues the sequence of the last one (after `i32::MAX` comes 0), anything else
//!   is **out of order**;
//! - a producer id that is not known may begin anywhere: it has expired here, or its batches were deleted.
//!
//! A producer of which only a marker is known begins with sequence 0.
//!
//! The memory is bounded: a producer that is silent for `producer_id_expiration_ms` is forgotten, and above
//! `producer_ids_max` the ones that are silent longest. Kafka counts the silence from the record's timestamp, so
//! a log of old lines would be forgotten at once; here it counts from the append. One with an open transaction is not
//! forgotten: the transaction coordinator bounds how many these are.

use std::collections::{BTreeMap, HashMap, VecDeque};

use wire::record::BatchHeader;

use super::error::AppendError;

pub(crate) mod entries;
pub(crate) mod snapshot;
#[cfg(test)]
mod tests;
mod transactions;

pub(crate) use transactions::AppendOrigin;
pub use transactions::Verification;

/// Batches kept of each producer: as many as a client may have in flight.
pub(crate) const BATCHES: usize = 5;

/// One batch of an idempotent producer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ProducerBatch {
    pub(crate) base_sequence: i32,
    pub(crate) last_sequence: i32,
    pub(crate) base_offset: i64,
    pub(crate) last_offset: i64,
    /// The batch's largest record timestamp, milliseconds.
    pub(crate) timestamp: i64,
}

/// One producer id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Producer {
    pub(crate) epoch: i16,
    /// Oldest first, at most [`BATCHES`]; none of this epoch if all that is known is a marker.
    pub(crate) batches: VecDeque<ProducerBatch>,
    /// Of the coordinator that wrote the last marker, -1 if there was none.
    pub(crate) coordinator_epoch: i32,
    /// Where its open transaction begins.
    pub(crate) txn_first_offset: Option<i64>,
    /// The offset of its last marker, as far as this process has seen it; else -1.
    last_marker: i64,
    /// When it last appended, milliseconds.
    pub(crate) seen_ms: i64,
}

/// What is told of a producer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KnownProducer {
    pub(crate) id: i64,
    pub(crate) epoch: i16,
    pub(crate) last_sequence: i32,
    /// The largest record timestamp of its last batch, milliseconds.
    pub(crate) last_timestamp: i64,
    /// The epoch of the coordinator that wrote its last marker; -1 for none.
    pub(crate) coordinator_epoch: i32,
    /// Where its open transaction begins.
    pub(crate) txn_first_offset: Option<i64>,
}

/// All producers of a partition.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Producers {
    known: HashMap<i64, Producer>,
    /// The open transactions: whose by first offset.
    open: BTreeMap<i64, i64>,
}

/// What to do with a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is the next one, or not of an idempotent producer.
    Append,
    /// It is in the log already.
    Duplicate(ProducerBatch),
}

impl ProducerBatch {
    fn of(batch: &BatchHeader) -> Self {
        ProducerBatch {
            base_sequence: batch.base_sequence,
            last_sequence: batch.last_sequence(),
            base_offset: batch.base_offset,
            last_offset: batch.last_offset(),
            timestamp: batch.max_timestamp,
        }
    }
}

impl Producers {
    /// Judges a batch that wants to be appended.
    pub(crate) fn judge(&self, batch: &BatchHeader, origin: AppendOrigin) -> Result<Verdict, AppendError> {
        let producer = self.known.get(&batch.producer_id);
        match origin {
            AppendOrigin::Marker(marker) => self.check_marker(batch, marker)?,
            AppendOrigin::Coordinator(verification) => {
                self.check_transaction(batch, verification)?;
                producer.map_or(Ok(()), |producer| producer.check_epoch(batch))?;
            }
            AppendOrigin::Client(verification) => {
                if let Some(original) = producer.and_then(|producer| producer.duplicate_of(batch)) {
                    return Ok(Verdict::Duplicate(original));
                }
                self.check_transaction(batch, verification)?;
                producer.map_or(Ok(()), |producer| producer.check_next(batch))?;
            }
        }
        Ok(Verdict::Append)
    }

    /// Takes note of a batch that was appended, or met in the log, at the time `now_ms`.
    pub(crate) fn note(&mut self, batch: &BatchHeader, now_ms: i64) {
        if batch.producer_id < 0 {
            return;
        }
        let producer = self.entry(batch.producer_id, batch.producer_epoch, now_ms);
        // what coordinators write has no sequence to recognise it by
        if batch.base_sequence >= 0 {
            producer.push(ProducerBatch::of(batch));
        }
        if batch.is_transactional() {
            self.begin(batch.producer_id, batch.base_offset);
        }
    }

    /// The producer, in this epoch.
    fn entry(&mut self, producer_id: i64, epoch: i16, now_ms: i64) -> &mut Producer {
        let producer = self.known.entry(producer_id).or_insert_with(|| Producer {
            epoch,
            batches: VecDeque::new(),
            coordinator_epoch: -1,
            txn_first_offset: None,
            last_marker: -1,
            seen_ms: now_ms,
        });
        if producer.epoch != epoch {
            producer.epoch = epoch;
            producer.batches.clear();
        }
        producer.seen_ms = now_ms;
        producer
    }

    /// Forgets the producers that have been silent for `expiration_ms`.
    pub(crate) fn expire(&mut self, now_ms: i64, expiration_ms: i64) {
        self.known.retain(|_, producer| {
            producer.txn_first_offset.is_some() || now_ms.saturating_sub(producer.seen_ms) < expiration_ms
        });
    }

    /// Keeps at most `max` producers. Above that a tenth is forgotten at once, so that the search for the ones
    /// that are silent longest is paid for rarely.
    pub(crate) fn limit(&mut self, max: usize) {
        if self.known.len() <= max {
            return;
        }
        let excess = (self.known.len() - max).max(max / 10);
        let idle = self.known.iter().filter(|(_, producer)| producer.txn_first_offset.is_none());
        let mut by_silence: Vec<(i64, i64)> = idle.map(|(id, p)| (p.seen_ms, *id)).collect();
        by_silence.sort_unstable();
        for (_, id) in by_silence.into_iter().take(excess) {
            self.known.remove(&id);
        }
    }

    /// Whether `batch` holds the newest sequence of its producer, or else the newest epoch; compaction keeps such a
    /// batch's header.
    pub(crate) fn is_newest_of_producer(&self, batch: &BatchHeader) -> bool {
        let Some(producer) = self.known.get(&batch.producer_id) else { return false };
        match producer.batches.back() {
            Some(newest) => newest.last_offset == batch.last_offset(),
            None => batch.is_control() && batch.producer_epoch == producer.epoch,
        }
    }

    /// The number of producers.
    pub(crate) fn len(&self) -> usize {
        self.known.len()
    }

    /// What is told of each producer, in no order.
    pub(crate) fn describe(&self) -> impl Iterator<Item = KnownProducer> {
        self.known.iter().map(|(id, producer)| {
            let last = producer.batches.back();
            KnownProducer {
                id: *id,
                epoch: producer.epoch,
                last_sequence: last.map_or(-1, |batch| batch.last_sequence),
                last_timestamp: last.map_or(-1, |batch| batch.timestamp),
                coordinator_epoch: producer.coordinator_epoch,
                txn_first_offset: producer.txn_first_offset,
            }
        })
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (i64, &Producer)> {
        self.known.iter().map(|(id, producer)| (*id, producer))
    }
}

impl Producer {
    fn duplicate_of(&self, batch: &BatchHeader) -> Option<ProducerBatch> {
        if batch.producer_epoch != self.epoch {
            return None;
        }
        let range = (batch.base_sequence, batch.last_sequence());
        self.batches.iter().find(|known| (known.base_sequence, known.last_sequence) == range).copied()
    }

    fn push(&mut self, batch: ProducerBatch) {
        if self.batches.len() == BATCHES {
            self.batches.pop_front();
        }
        self.batches.push_back(batch);
    }

    fn check_epoch(&self, batch: &BatchHeader) -> Result<(), AppendError> {
        if batch.producer_epoch < self.epoch {
            let (producer_id, current, found) = (batch.producer_id, self.epoch, batch.producer_epoch);
            return Err(AppendError::InvalidProducerEpoch { producer_id, current, found });
        }
        Ok(())
    }

    fn check_next(&self, batch: &BatchHeader) -> Result<(), AppendError> {
        self.check_epoch(batch)?;
        let (producer_id, found) = (batch.producer_id, batch.base_sequence);
        let expected = if batch.producer_epoch > self.epoch { 0 } else { self.next_sequence() };
        if found == expected {
            Ok(())
        } else {
            Err(AppendError::OutOfOrderSequence { producer_id, expected, found })
        }
    }

    fn next_sequence(&self) -> i32 {
        self.batches.back().map_or(0, |last| last.last_sequence.checked_add(1).unwrap_or(0))
    }
}
