//! The settings of a log, under Kafka's topic-level names, and their overrides by text (`retention.ms=60000`)
//! as CreateTopics carries them. Defaults are Kafka's.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

use serde::de::value::{Error as NoName, StrDeserializer};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use wire::record::Compression;

/// The largest segment: positions in it are 32-bit signed in the index's format.
const SEGMENT_BYTES_MAX: u32 = i32::MAX as u32;

/// What happens to old segments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CleanupPolicy {
    /// Segments are removed by age and size.
    pub delete: bool,
    /// Of each key only the newest record is kept.
    pub compact: bool,
}

impl CleanupPolicy {
    /// Kafka's default, `delete`.
    pub const DELETE: CleanupPolicy = CleanupPolicy { delete: true, compact: false };
    /// `compact`, as the offsets topic has it.
    pub const COMPACT: CleanupPolicy = CleanupPolicy { delete: false, compact: true };
}

/// Whose clock a record's timestamp is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimestampType {
    /// The producer's, as it came.
    CreateTime,
    /// The broker's, at the append.
    LogAppendTime,
}

/// How the batches of a log are compressed, by Kafka's names for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CompressionType {
    /// As their producers compressed them.
    Producer,
    /// Not at all.
    Uncompressed,
    /// All by gzip.
    Gzip,
    /// All by Snappy.
    Snappy,
    /// All by LZ4.
    Lz4,
    /// All by Zstandard.
    Zstd,
}

impl CompressionType {
    /// The codec that every batch is to have; `None` where each keeps its own.
    pub fn codec(self) -> Option<Compression> {
        match self {
            CompressionType::Producer => None,
            CompressionType::Uncompressed => Some(Compression::None),
            CompressionType::Gzip => Some(Compression::Gzip),
            CompressionType::Snappy => Some(Compression::Snappy),
            CompressionType::Lz4 => Some(Compression::Lz4),
            CompressionType::Zstd => Some(Compression::Zstd),
        }
    }
}

/// The settings of one partition's log.
#[derive(Debug, Clone, PartialEq)]
pub struct LogConfig {
    /// A segment is rolled before it grows beyond this; bytes.
    pub segment_bytes: u32,
    /// A segment is rolled when a record is this much younger than its first one; milliseconds.
    pub segment_ms: i64,
    /// A segment is rolled when one of its indexes has this size; bytes.
    pub segment_index_bytes: u32,
    /// Segments whose newest record is older are deleted; milliseconds, -1 keeps for ever.
    pub retention_ms: i64,
    /// Old segments are deleted while the log is larger; bytes, -1 is unlimited.
    pub retention_bytes: i64,
    /// Bytes of log between two index entries.
    pub index_interval_bytes: u32,
    /// The largest record batch that is accepted, as it comes and as it is kept; bytes.
    pub max_message_bytes: u32,
    /// Which codec batches are kept in.
    pub compression_type: CompressionType,
    /// An append flushes the log when this many records are not yet durable; [`i64::MAX`] leaves it to others.
    pub flush_messages: i64,
    /// The log is flushed when a record has waited this long; milliseconds.
    pub flush_ms: i64,
    /// Delete, compact or both.
    pub cleanup_policy: CleanupPolicy,
    /// Create time or append time.
    pub message_timestamp_type: TimestampType,
    /// With create time: a record whose timestamp is further in the past is refused; milliseconds.
    pub message_timestamp_before_max_ms: i64,
    /// With create time: a record whose timestamp is further in the future is refused; milliseconds.
    pub message_timestamp_after_max_ms: i64,
    /// How long compaction keeps a tombstone after its timestamp; milliseconds.
    pub delete_retention_ms: i64,
    /// Compaction leaves segments alone whose newest record is younger; milliseconds.
    pub min_compaction_lag_ms: i64,
    /// A record waits at most this long for compaction, whatever the share below says; milliseconds.
    pub max_compaction_lag_ms: i64,
    /// Compaction starts when this share of the closed segments is not yet compacted; 0 to 1.
    pub min_cleanable_dirty_ratio: f64,
    /// Replicas that must have a record before `acks=all` is answered.
    pub min_insync_replicas: u32,
    /// Memory of one compaction's key map; bytes. Not a topic's setting.
    pub dedupe_buffer_bytes: usize,
    /// An idempotent producer that is silent for so long is forgotten; milliseconds. Not a topic's setting.
    pub producer_id_expiration_ms: i64,
    /// Idempotent producers remembered for one partition; the ones silent longest are forgotten first.
    /// Not a topic's setting.
    pub producer_ids_max: usize,
}

impl Default for LogConfig {
    fn default() -> Self {
        const DAY_MS: i64 = 24 * 60 * 60 * 1000;
        LogConfig {
            segment_bytes: 1 << 30,
            segment_ms: 7 * DAY_MS,
            segment_index_bytes: 10 << 20,
            retention_ms: 7 * DAY_MS,
            retention_bytes: -1,
            index_interval_bytes: 4096,
            max_message_bytes: 1_048_588,
            compression_type: CompressionType::Producer,
            flush_messages: i64::MAX,
            flush_ms: i64::MAX,
            cleanup_policy: CleanupPolicy::DELETE,
            message_timestamp_type: TimestampType::CreateTime,
            message_timestamp_before_max_ms: i64::MAX,
            message_timestamp_after_max_ms: i64::MAX,
            delete_retention_ms: DAY_MS,
            min_compaction_lag_ms: 0,
            max_compaction_lag_ms: i64::MAX,
            min_cleanable_dirty_ratio: 0.5,
            min_insync_replicas: 1,
            dedupe_buffer_bytes: 16 << 20,
            producer_id_expiration_ms: DAY_MS,
            producer_ids_max: 100_000,
        }
    }
}

/// Why a topic's setting was refused; answered to the client as INVALID_CONFIG.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LogConfigError {
    /// No such setting, or none that this broker acts on.
    #[error("unknown topic setting {0}")]
    Unknown(String),
    /// The text is not a value of the setting.
    #[error("{name} cannot be {value:?}: {reason}")]
    Invalid {
        /// The setting, as Kafka names it.
        name: String,
        /// The text that came.
        value: String,
        /// What it should have been.
        reason: String,
    },
}

impl LogConfig {
    /// The `flush_messages` of a topic that wants no flush by count, not even by the broker's setting.
    const NO_FLUSH_BY_COUNT: i64 = i64::MAX - 1;

    /// Whether the topic has a `flush.messages` of its own.
    pub(crate) fn flushes_by_own_count(&self) -> bool {
        self.flush_messages <= LogConfig::NO_FLUSH_BY_COUNT
    }

    /// A copy with one setting replaced, given by Kafka's dotted name and the text of its value.
    pub fn with_override(&self, name: &str, value: &str) -> Result<LogConfig, LogConfigError> {
        let mut config = self.clone();
        let setting = Setting { name, value };
        match name {
            "segment.bytes" => config.segment_bytes = setting.within(14..=SEGMENT_BYTES_MAX)?,
            "segment.ms" => config.segment_ms = setting.within(1..=i64::MAX)?,
            "segment.index.bytes" => config.segment_index_bytes = setting.within(12..=SEGMENT_BYTES_MAX)?,
            "retention.ms" => config.retention_ms = setting.within(-1..=i64::MAX)?,
            "retention.bytes" => config.retention_bytes = setting.within(-1..=i64::MAX)?,
            "index.interval.bytes" => config.index_interval_bytes = setting.within(0..=SEGMENT_BYTES_MAX)?,
            "max.message.bytes" => config.max_message_bytes = setting.within(0..=SEGMENT_BYTES_MAX)?,
            // a topic that asks for no flushes at all differs from one that leaves them to the broker's setting
            "flush.messages" => {
                config.flush_messages = setting.within(1..=i64::MAX)?.min(LogConfig::NO_FLUSH_BY_COUNT);
            }
            "flush.ms" => config.flush_ms = setting.within(0..=i64::MAX)?,
            "cleanup.policy" => config.cleanup_policy = setting.cleanup_policy()?,
            "message.timestamp.type" => config.message_timestamp_type = setting.timestamp_type()?,
            "message.timestamp.before.max.ms" => {
                config.message_timestamp_before_max_ms = setting.within(0..=i64::MAX)?;
            }
            "message.timestamp.after.max.ms" => {
                config.message_timestamp_after_max_ms = setting.within(0..=i64::MAX)?;
            }
            "min.compaction.lag.ms" => config.min_compaction_lag_ms = setting.within(0..=i64::MAX)?,
            "max.compaction.lag.ms" => config.max_compaction_lag_ms = setting.within(1..=i64::MAX)?,
            "delete.retention.ms" => config.delete_retention_ms = setting.within(0..=i64::MAX)?,
            "min.cleanable.dirty.ratio" => config.min_cleanable_dirty_ratio = setting.within(0.0..=1.0)?,
            "min.insync.replicas" => config.min_insync_replicas = setting.within(1..=SEGMENT_BYTES_MAX)?,
            "compression.type" => config.compression_type = setting.compression_type()?,
            // topics are defined with these elsewhere; they have nothing to change here, but their values are checked:
            // whoever reads a deleted segment has it open, so its files go at once
            "file.delete.delay.ms" => setting.within(0..=i64::MAX).map(drop)?,
            // segments have one format, as Kafka's since 3.0
            "message.format.version" => setting.version()?,
            // room is always allocated ahead, a step at a time
            "preallocate" => setting.boolean()?,
            // the one replica is the leader: there is nobody unclean to elect
            "unclean.leader.election.enable" => setting.boolean()?,
            unknown => return Err(LogConfigError::Unknown(unknown.to_owned())),
        }
        Ok(config)
    }

    /// A copy with several settings replaced.
    pub fn with_overrides<'a>(
        &self,
        overrides: impl IntoIterator<Item = (&'a String, &'a String)>,
    ) -> Result<LogConfig, LogConfigError> {
        let config = overrides
            .into_iter()
            .try_fold(self.clone(), |config, (name, value)| config.with_override(name, value))?;
        if config.min_compaction_lag_ms > config.max_compaction_lag_ms {
            return Err(LogConfigError::Invalid {
                name: "min.compaction.lag.ms".to_owned(),
                value: config.min_compaction_lag_ms.to_string(),
                reason: format!("max.compaction.lag.ms is {}", config.max_compaction_lag_ms),
            });
        }
        Ok(config)
    }

    /// How old a segment may grow, milliseconds: only a closed one is compacted.
    pub(crate) fn roll_ms(&self) -> i64 {
        if self.cleanup_policy.compact {
            self.segment_ms.min(self.max_compaction_lag_ms)
        } else {
            self.segment_ms
        }
    }
}

/// One override as it came.
struct Setting<'a> {
    name: &'a str,
    value: &'a str,
}

impl Setting<'_> {
    fn within<T: FromStr + PartialOrd + Display>(
        &self,
        range: RangeInclusive<T>,
    ) -> Result<T, LogConfigError> {
        match self.value.trim().parse::<T>() {
            Ok(value) if range.contains(&value) => Ok(value),
            _ => Err(self.invalid(&format!("expected a number from {} to {}", range.start(), range.end()))),
        }
    }

    fn cleanup_policy(&self) -> Result<CleanupPolicy, LogConfigError> {
        let mut policy = CleanupPolicy { delete: false, compact: false };
        for word in self.value.split(',') {
            match word.trim() {
                "delete" => policy.delete = true,
                "compact" => policy.compact = true,
                _ => return Err(self.invalid("expected delete, compact or both with a comma")),
            }
        }
        Ok(policy)
    }

    fn timestamp_type(&self) -> Result<TimestampType, LogConfigError> {
        match self.value {
            "CreateTime" => Ok(TimestampType::CreateTime),
            "LogAppendTime" => Ok(TimestampType::LogAppendTime),
            _ => Err(self.invalid("expected CreateTime or LogAppendTime")),
        }
    }

    fn compression_type(&self) -> Result<CompressionType, LogConfigError> {
        // by the names that it has in broker.yaml
        let text = StrDeserializer::<NoName>::new(self.value);
        CompressionType::deserialize(text)
            .map_err(|_| self.invalid("expected producer, uncompressed, gzip, snappy, lz4 or zstd"))
    }

    /// Checks that it is a version as Kafka writes them: numbers with dots between them, and perhaps that of a change on the way
    /// to it (`-IV1`).
    fn version(&self) -> Result<(), LogConfigError> {
        let is_number = |digits: &str| digits.parse::<u8>().is_ok();
        let (version, change) = self.value.split_once("-IV").unwrap_or((self.value, "0"));
        let numbers: Vec<&str> = version.split('.').collect();
        if (2..=4).contains(&numbers.len()) && numbers.into_iter().all(is_number) && is_number(change) {
            return Ok(());
        }
        Err(self.invalid("expected a version of Kafka, such as 3.0 or 0.10.2-IV0"))
    }

    fn boolean(&self) -> Result<(), LogConfigError> {
        match self.value {
            "true" | "false" => Ok(()),
            _ => Err(self.invalid("expected true or false")),
        }
    }

    fn invalid(&self, reason: &str) -> LogConfigError {
        LogConfigError::Invalid {
            name: self.name.to_owned(),
            value: self.value.to_owned(),
            reason: reason.to_owned(),
        }
    }
}
