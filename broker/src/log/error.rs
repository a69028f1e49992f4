//! What can go wrong in the log, by what the caller does next. Each error says which Kafka error code a client
//! is answered with; whether that is retriable is decided by [`ErrorCode::is_retriable`] alone.

use std::path::{Path, PathBuf};
use std::{fmt, io};

use thiserror::Error;
use wire::error_code::ErrorCode;
use wire::record::RecordError;

/// The disk failed, or the partition no longer uses it.
#[derive(Debug, Error)]
pub enum StorageError {
    /// A file operation failed. Nothing half-done is left behind unless the partition went offline.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// The verb: open, write, flush, …
        action: &'static str,
        /// The file or directory concerned.
        path: PathBuf,
        /// The kernel's answer.
        source: io::Error,
    },
    /// An earlier failure left it unknown what is on the disk: the partition answers nothing until a restart
    /// has verified its files.
    #[error("partition {0} is offline after a disk failure; restart the broker once the disk is sound")]
    Offline(String),
    /// The partition was closed or its topic deleted.
    #[error("partition {0} is closed")]
    Closed(String),
}

impl StorageError {
    pub(crate) fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        StorageError::Io { action, path: path.to_path_buf(), source }
    }

    /// The code a client is answered with.
    pub fn error_code(&self) -> ErrorCode {
        match self {
            StorageError::Io { .. } | StorageError::Offline(_) => ErrorCode::KafkaStorageError,
            StorageError::Closed(_) => ErrorCode::NotLeaderOrFollower,
        }
    }
}

/// Why batches were not appended. The log is unchanged in every case.
#[derive(Debug, Error)]
pub enum AppendError {
    /// The bytes are not a sequence of whole batches, or a CRC does not match.
    #[error("the records are corrupt: {0}")]
    Corrupt(#[from] RecordError),
    /// A batch's format is not the one that segments hold; older ones are converted before the log.
    #[error("record format {0} cannot be appended, only format 2")]
    UnsupportedFormat(i8),
    /// A batch is larger than `max.message.bytes`.
    #[error("a batch of {size} bytes is larger than max.message.bytes, {max}")]
    TooLarge {
        /// The batch's size in bytes.
        size: usize,
        /// The limit in bytes.
        max: usize,
    },
    /// All batches together do not fit into one segment.
    #[error("{size} bytes of batches are more than a segment holds, {max}")]
    LargerThanSegment {
        /// The batches' size in bytes.
        size: usize,
        /// `segment.bytes`.
        max: usize,
    },
    /// A batch contradicts itself or the topic's rules.
    #[error("invalid records: {0}")]
    Invalid(String),
    /// Records of a batch break the topic's rules. The batch would be appended without them.
    #[error("{0}")]
    InvalidRecords(RefusedRecords),
    /// The largest timestamp that a batch claims to have is too far from the broker's time, though none of its records is.
    #[error("the batch's largest {0}")]
    InvalidTimestamp(FarTimestamp),
    /// An idempotent producer left out a batch, or repeats one that is too old to be recognised.
    #[error("producer {producer_id} sent sequence {found}, expected {expected}")]
    OutOfOrderSequence {
        /// The producer's id.
        producer_id: i64,
        /// The sequence number that would have continued the log.
        expected: i32,
        /// The one that came.
        found: i32,
    },
    /// A newer instance of the producer has taken over.
    #[error("producer {producer_id} sent epoch {found}, the current one is {current}")]
    InvalidProducerEpoch {
        /// The producer's id.
        producer_id: i64,
        /// The epoch in force.
        current: i16,
        /// The one that came.
        found: i16,
    },
    /// A transactional batch outside of a transaction, or another one inside.
    #[error("the batch of producer {producer_id} is refused: {reason}")]
    InvalidTxnState {
        /// The producer's id.
        producer_id: i64,
        /// What is wrong.
        reason: &'static str,
    },
    /// A marker of a transaction coordinator that has been replaced.
    #[error("a marker of coordinator epoch {found} is refused, the current one is {current}")]
    CoordinatorFenced {
        /// The epoch in force.
        current: i32,
        /// The one that came.
        found: i32,
    },
    /// The disk failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl AppendError {
    /// The code a client is answered with.
    pub fn error_code(&self) -> ErrorCode {
        match self {
            AppendError::Corrupt(_) => ErrorCode::CorruptMessage,
            AppendError::UnsupportedFormat(_) => ErrorCode::UnsupportedForMessageFormat,
            AppendError::TooLarge { .. } => ErrorCode::MessageTooLarge,
            AppendError::LargerThanSegment { .. } => ErrorCode::RecordListTooLarge,
            AppendError::Invalid(_) => ErrorCode::InvalidRecord,
            AppendError::InvalidRecords(refused) => refused.error_code(),
            AppendError::InvalidTimestamp(_) => ErrorCode::InvalidTimestamp,
            AppendError::OutOfOrderSequence { .. } => ErrorCode::OutOfOrderSequenceNumber,
            AppendError::InvalidProducerEpoch { .. } => ErrorCode::InvalidProducerEpoch,
            AppendError::InvalidTxnState { .. } => ErrorCode::InvalidTxnState,
            AppendError::CoordinatorFenced { .. } => ErrorCode::TransactionCoordinatorFenced,
            AppendError::Storage(error) => error.error_code(),
        }
    }
}

/// The records of one batch that break the topic's rules.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct RefusedRecords {
    /// How many there are.
    pub count: usize,
    /// Which they are, in their order: all, or the first [`MAX`](Self::MAX).
    pub first: Vec<RefusedRecord>,
}

/// A record that breaks a rule of the topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefusedRecord {
    /// The record's place in its batch.
    pub batch_index: i32,
    /// What is wrong with it.
    pub rule: BrokenRule,
}

/// What is wrong with a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BrokenRule {
    /// It would never be compacted.
    #[error("a record of a compacted topic needs a key")]
    NoKey,
    /// Its timestamp is too far from the broker's time.
    #[error("{0}")]
    Timestamp(FarTimestamp),
}

/// A timestamp that is further from the broker's time than the topic allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "timestamp {timestamp} is more than message.timestamp.{side}.max.ms, {max_ms} ms, from the broker's {now_ms}"
)]
pub struct FarTimestamp {
    /// The timestamp, milliseconds.
    pub timestamp: i64,
    /// The broker's time, milliseconds.
    pub now_ms: i64,
    /// `before` or `after`.
    pub side: &'static str,
    /// The limit.
    pub max_ms: i64,
}

impl RefusedRecords {
    /// A small batch may decompress to millions of records. librdkafka sends 10,000 at once if it is not told otherwise.
    pub const MAX: usize = 10_000;

    pub(crate) fn add(&mut self, batch_index: i32, rule: BrokenRule) {
        self.count += 1;
        if self.first.len() < Self::MAX {
            self.first.push(RefusedRecord { batch_index, rule });
        }
    }

    /// The code for the whole batch: one timestamp among them decides, as in Kafka.
    fn error_code(&self) -> ErrorCode {
        let is_of_time = |record: &RefusedRecord| matches!(record.rule, BrokenRule::Timestamp(_));
        if self.first.iter().any(is_of_time) { ErrorCode::InvalidTimestamp } else { ErrorCode::InvalidRecord }
    }
}

impl fmt::Display for RefusedRecords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "records of the batch that break the topic's rules: {}", self.count)?;
        match self.first.first() {
            Some(RefusedRecord { batch_index, rule }) => {
                write!(f, ", the first at index {batch_index}: {rule}")
            }
            None => Ok(()),
        }
    }
}

/// Why nothing could be read.
#[derive(Debug, Error)]
pub enum ReadError {
    /// The offset was never written, or retention has deleted it.
    #[error("offset {offset} is outside of {log_start_offset}..={log_end_offset}")]
    OffsetOutOfRange {
        /// The offset asked for.
        offset: i64,
        /// The first offset there is.
        log_start_offset: i64,
        /// The offset that the next record will get.
        log_end_offset: i64,
    },
    /// The segment holds something that is not a batch; recovery cuts or repairs it at the next start.
    #[error("{} is corrupt at byte {position}", path.display())]
    Corrupt {
        /// The segment's file.
        path: PathBuf,
        /// Where the bad batch begins.
        position: u64,
    },
    /// The disk failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl ReadError {
    /// The code a client is answered with.
    pub fn error_code(&self) -> ErrorCode {
        match self {
            ReadError::OffsetOutOfRange { .. } => ErrorCode::OffsetOutOfRange,
            ReadError::Corrupt { .. } => ErrorCode::CorruptMessage,
            ReadError::Storage(error) => error.error_code(),
        }
    }
}
