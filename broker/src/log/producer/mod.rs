//! What a partition remembers of idempotent producers, so that a batch that is sent again is recognised and one
//! that is missing is noticed.
//!
//! Of each producer id it keeps the epoch and the last [`BATCHES`] batches. Kafka's rules, which clients rely on:
//! - a batch with the epoch and the sequence range of one of these is a **duplicate**: answered with the offsets
//!   it got at first;
//! - an **older epoch** is refused, a newer one must begin with sequence 0;
//! - within an epoch each batch continues the sequence of the last one (after `i32::MAX` comes 0), anything else
//!   is **out of order**;
//! - a producer id that is not known may begin anywhere: it has expired here, or its batches were deleted.
//!
//! The memory is bounded: a producer that is silent for `producer_id_expiration_ms` is forgotten, and above
//! `producer_ids_max` the ones that are silent longest. Kafka counts the silence from the record's timestamp, so
//! a log of old lines would be forgotten at once; here it counts from the append.

use std::collections::{HashMap, VecDeque};

use wire::record::BatchHeader;

use super::error::AppendError;

pub(crate) mod entries;
pub(crate) mod snapshot;
#[cfg(test)]
mod tests;

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
    /// Oldest first, never empty, at most [`BATCHES`].
    pub(crate) batches: VecDeque<ProducerBatch>,
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
}

/// All producers of a partition.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Producers {
    known: HashMap<i64, Producer>,
}

/// What to do with a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is the next one, or not of an idempotent producer.
    Append,
    /// It is in the log already.
    Duplicate(ProducerBatch),
}

impl Producers {
    /// Judges a batch that wants to be appended.
    pub(crate) fn check(&self, batch: &BatchHeader) -> Result<Verdict, AppendError> {
        let Some(producer) = self.known.get(&batch.producer_id) else { return Ok(Verdict::Append) };
        if let Some(original) = producer.duplicate_of(batch) {
            return Ok(Verdict::Duplicate(original));
        }
        producer.check_next(batch)?;
        Ok(Verdict::Append)
    }

    /// Takes note of a batch that was appended, or met in the log, at the time `now_ms`.
    pub(crate) fn note(&mut self, batch: &BatchHeader, now_ms: i64) {
        if batch.producer_id < 0 || batch.base_sequence < 0 {
            return;
        }
        let appended = ProducerBatch {
            base_sequence: batch.base_sequence,
            last_sequence: batch.last_sequence(),
            base_offset: batch.base_offset,
            last_offset: batch.last_offset(),
            timestamp: batch.max_timestamp,
        };
        self.insert(batch.producer_id, batch.producer_epoch, appended, now_ms);
    }

    fn insert(&mut self, producer_id: i64, epoch: i16, batch: ProducerBatch, now_ms: i64) {
        let producer = self.known.entry(producer_id).or_insert_with(|| Producer {
            epoch,
            batches: VecDeque::with_capacity(BATCHES),
            seen_ms: now_ms,
        });
        if producer.epoch != epoch {
            producer.epoch = epoch;
            producer.batches.clear();
        }
        if producer.batches.len() == BATCHES {
            producer.batches.pop_front();
        }
        producer.batches.push_back(batch);
        producer.seen_ms = now_ms;
    }

    /// Forgets the producers that have been silent for `expiration_ms`.
    pub(crate) fn expire(&mut self, now_ms: i64, expiration_ms: i64) {
        self.known.retain(|_, producer| now_ms.saturating_sub(producer.seen_ms) < expiration_ms);
    }

    /// Keeps at most `max` producers. Above that a tenth is forgotten at once, so that the search for the ones
    /// that are silent longest is paid for rarely.
    pub(crate) fn limit(&mut self, max: usize) {
        if self.known.len() <= max {
            return;
        }
        let excess = (self.known.len() - max).max(max / 10);
        let mut by_silence: Vec<(i64, i64)> = self.known.iter().map(|(id, p)| (p.seen_ms, *id)).collect();
        by_silence.sort_unstable();
        for (_, id) in by_silence.into_iter().take(excess) {
            self.known.remove(&id);
        }
    }

    /// Whether `batch` holds the newest sequence of its producer; compaction keeps such a batch's header.
    pub(crate) fn is_newest_of_producer(&self, batch: &BatchHeader) -> bool {
        let newest = self.known.get(&batch.producer_id).and_then(|producer| producer.batches.back());
        newest.is_some_and(|newest| newest.last_offset == batch.last_offset())
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

    fn check_next(&self, batch: &BatchHeader) -> Result<(), AppendError> {
        let (producer_id, found) = (batch.producer_id, batch.base_sequence);
        if batch.producer_epoch < self.epoch {
            let (current, found) = (self.epoch, batch.producer_epoch);
            return Err(AppendError::InvalidProducerEpoch { producer_id, current, found });
        }
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
