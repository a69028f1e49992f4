//! What the scripted broker keeps: partitions that judge producer ids and sequences as Kafka 3.9 does.
//!
//! This is the oracle of the tests: what is appended here is what consumers would see.

use std::collections::{HashMap, VecDeque};

use wire::error_code::ErrorCode;
use wire::record::batch::{self, increment_sequence};

/// A record as a consumer would see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) value: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) timestamp_ms: i64,
}

impl Line {
    pub(super) fn header(&self, key: &str) -> &str {
        let found = self.headers.iter().find(|(name, _)| name == key);
        found.map(|(_, value)| value.as_str()).unwrap_or_default()
    }

    /// The file and the offset in it, which no two lines share.
    pub(super) fn place(&self) -> (String, u64) {
        (self.header("file").to_owned(), self.header("offset").parse().unwrap())
    }
}

/// What a partition remembers of a producer.
#[derive(Debug, Default)]
struct Producer {
    epoch: i16,
    /// First and last sequence of the last five batches.
    batches: VecDeque<(i32, i32)>,
}

#[derive(Debug, Default)]
pub(super) struct Partition {
    pub(super) lines: Vec<Line>,
    /// Records in each appended batch.
    pub(super) batch_sizes: Vec<usize>,
    producers: HashMap<i64, Producer>,
}

impl Partition {
    /// Appends the batch, recognises it, or refuses it.
    pub(super) fn append(&mut self, bytes: &[u8]) -> ErrorCode {
        let header = batch::validate(bytes, 1 << 26).expect("the agent sends well-formed batches");
        assert!(header.producer_id >= 0, "batches are idempotent");
        let (first, last) = (header.base_sequence, header.last_sequence());
        let known = self.producers.entry(header.producer_id).or_default();
        if header.producer_epoch < known.epoch {
            return ErrorCode::InvalidProducerEpoch;
        }
        if known.batches.contains(&(first, last)) {
            return ErrorCode::None;
        }
        if known.batches.back().is_some_and(|&(_, end)| increment_sequence(end, 1) != first) {
            return ErrorCode::OutOfOrderSequenceNumber;
        }
        known.epoch = header.producer_epoch;
        known.batches.push_back((first, last));
        if known.batches.len() > 5 {
            known.batches.pop_front();
        }
        let records = batch::records(bytes, 1 << 26).unwrap();
        let before = self.lines.len();
        self.lines.extend(records.iter().map(|record| {
            let record = record.unwrap();
            let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
            let headers = record.headers.iter().map(|(key, value)| (text(key), text(value.unwrap())));
            Line {
                value: text(record.value.unwrap()),
                headers: headers.collect(),
                timestamp_ms: record.timestamp,
            }
        }));
        self.batch_sizes.push(self.lines.len() - before);
        ErrorCode::None
    }

    /// Loses what it knows of producers, as after an expiry.
    pub(super) fn forget_producers(&mut self) {
        self.producers.clear();
    }

    /// Pretends that the producers are one batch further than they are.
    pub(super) fn skip_sequences(&mut self) {
        for producer in self.producers.values_mut() {
            if let Some(&(_, last)) = producer.batches.back() {
                producer.batches.push_back((last + 1, last + 1000));
            }
        }
    }
}
