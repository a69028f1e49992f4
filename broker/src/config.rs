//! The broker's settings: the keys of `configs/broker.yaml`, which describes each one.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use daemon::config::{Invalid, Section};
use serde::{Deserialize, Serialize};

use crate::group::{Assignor, ConsumerConfig, GroupConfig};
use crate::log::{CleanupPolicy, CompressionType, LogConfig, TimestampType};
use crate::txn::TxnConfig;

/// The settings of one broker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "configs/broker.yaml describes every key")]
pub struct Config {
    pub broker_id: i32,
    pub listen: SocketAddr,
    pub advertised_listener: String,
    pub data_dir: PathBuf,
    pub admin: Option<String>,
    pub storage_min_free_bytes: u64,

    pub num_partitions: i32,
    pub auto_create_topics_enable: bool,
    pub max_partitions: usize,

    pub segment_bytes: u32,
    pub segment_ms: i64,
    pub segment_index_bytes: u32,
    pub index_interval_bytes: u32,
    pub retention_ms: i64,
    pub retention_bytes: i64,
    pub max_message_bytes: u32,
    pub compression_type: CompressionType,
    pub message_timestamp_type: MessageTimestampType,
    pub message_timestamp_before_max_ms: i64,
    pub message_timestamp_after_max_ms: i64,
    pub flush_messages: i64,
    pub flush_ms: i64,
    pub min_insync_replicas: u32,
    pub delete_retention_ms: i64,
    pub min_compaction_lag_ms: i64,
    pub max_compaction_lag_ms: i64,
    pub min_cleanable_dirty_ratio: f64,
    pub dedupe_buffer_bytes: usize,
    pub producer_id_expiration_ms: i64,
    pub producer_ids_max: usize,
    pub num_recovery_threads_per_data_dir: usize,

    pub socket_request_max_bytes: usize,
    pub queued_max_request_bytes: usize,
    pub max_in_flight_requests_per_connection: usize,
    pub max_connections: usize,
    pub max_connections_per_ip: usize,
    pub connections_max_idle_ms: u64,
    pub fetch_max_bytes: i32,
    pub max_request_partitions: usize,
    pub max_fetch_sessions: usize,
    pub max_fetch_session_partitions: usize,
    pub shutdown_timeout_ms: u64,

    pub group_initial_rebalance_delay_ms: u64,
    pub group_min_session_timeout_ms: i32,
    pub group_max_session_timeout_ms: i32,
    pub group_max_size: usize,
    pub max_groups: usize,
    pub group_consumer_session_timeout_ms: i32,
    pub group_consumer_heartbeat_interval_ms: i32,
    pub group_consumer_max_size: usize,
    pub group_consumer_assignors: String,
    pub offsets_topic_num_partitions: i32,
    pub offsets_topic_segment_bytes: u32,
    pub offsets_retention_minutes: u64,
    pub offsets_retention_check_interval_ms: u64,
    pub offset_metadata_max_bytes: usize,

    pub transaction_max_timeout_ms: i32,
    pub transactional_id_expiration_ms: i64,
    pub transaction_abort_timed_out_transaction_cleanup_interval_ms: u64,
    pub transaction_remove_expired_transaction_cleanup_interval_ms: u64,
    pub transaction_state_log_num_partitions: i32,
    pub transaction_state_log_segment_bytes: u32,
    pub max_transactional_ids: usize,
    pub max_transaction_partitions: usize,
}

/// Whose clock a record's timestamp is, as the file spells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum MessageTimestampType {
    /// The producer's.
    CreateTime,
    /// The broker's.
    LogAppendTime,
}

impl Section for Config {
    const DEFAULTS: &'static str = include_str!("../../configs/broker.yaml");

    fn validate(&self) -> Result<(), Invalid> {
        const SEGMENT_MAX: u32 = i32::MAX as u32;
        let rules = [
            ("broker_id", self.broker_id >= 0, "must not be negative"),
            (
                "advertised_listener",
                self.advertised_listener.is_empty() || self.advertised().is_some(),
                "must be HOST:PORT or empty",
            ),
            ("data_dir", !self.data_dir.as_os_str().is_empty(), "must name a directory"),
            ("num_partitions", self.num_partitions >= 1, "must be at least 1"),
            ("max_partitions", self.max_partitions >= 1, "must be at least 1"),
            (
                "segment_bytes",
                (1024..=SEGMENT_MAX).contains(&self.segment_bytes),
                "must be from 1024 to 2147483647",
            ),
            ("segment_ms", self.segment_ms >= 1, "must be at least 1"),
            (
                "segment_index_bytes",
                (12..=SEGMENT_MAX).contains(&self.segment_index_bytes),
                "must be from 12 to 2147483647",
            ),
            ("index_interval_bytes", self.index_interval_bytes <= SEGMENT_MAX, "must be at most 2147483647"),
            ("retention_ms", self.retention_ms >= -1, "must be -1 or more"),
            ("retention_bytes", self.retention_bytes >= -1, "must be -1 or more"),
            (
                "max_message_bytes",
                (1024..=SEGMENT_MAX).contains(&self.max_message_bytes),
                "must be from 1024 to 2147483647",
            ),
            (
                "segment_bytes",
                self.segment_bytes >= self.max_message_bytes,
                "must not be less than max_message_bytes",
            ),
            (
                "message_timestamp_before_max_ms",
                self.message_timestamp_before_max_ms >= 0,
                "must not be negative",
            ),
            (
                "message_timestamp_after_max_ms",
                self.message_timestamp_after_max_ms >= 0,
                "must not be negative",
            ),
            ("flush_messages", self.flush_messages >= 1, "must be at least 1"),
            ("flush_ms", self.flush_ms >= 1, "must be at least 1"),
            ("min_insync_replicas", self.min_insync_replicas == 1, "must be 1, there is one replica"),
            ("delete_retention_ms", self.delete_retention_ms >= 0, "must not be negative"),
            ("min_compaction_lag_ms", self.min_compaction_lag_ms >= 0, "must not be negative"),
            (
                "max_compaction_lag_ms",
                self.max_compaction_lag_ms >= self.min_compaction_lag_ms.max(1),
                "must be at least 1 and min_compaction_lag_ms",
            ),
            (
                "min_cleanable_dirty_ratio",
                (0.0..=1.0).contains(&self.min_cleanable_dirty_ratio),
                "must be from 0 to 1",
            ),
            ("dedupe_buffer_bytes", self.dedupe_buffer_bytes >= 1 << 16, "must be at least 65536"),
            ("producer_id_expiration_ms", self.producer_id_expiration_ms >= 1, "must be at least 1"),
            ("producer_ids_max", self.producer_ids_max >= 1, "must be at least 1"),
            (
                "num_recovery_threads_per_data_dir",
                (1..=64).contains(&self.num_recovery_threads_per_data_dir),
                "must be from 1 to 64",
            ),
        ];
        check(&rules).and_then(|()| self.validate_service()).and_then(|()| self.validate_transactions())
    }
}

impl Config {
    fn validate_service(&self) -> Result<(), Invalid> {
        let rules = [
            (
                "socket_request_max_bytes",
                (1024..=i32::MAX as usize).contains(&self.socket_request_max_bytes),
                "must be from 1024 to 2147483647",
            ),
            (
                "queued_max_request_bytes",
                self.queued_max_request_bytes >= 1 << 20,
                "must be at least 1048576",
            ),
            (
                "max_in_flight_requests_per_connection",
                self.max_in_flight_requests_per_connection >= 1,
                AT_LEAST_1,
            ),
            ("max_connections", self.max_connections >= 1, AT_LEAST_1),
            ("max_connections_per_ip", self.max_connections_per_ip >= 1, AT_LEAST_1),
            ("connections_max_idle_ms", self.connections_max_idle_ms >= 1000, "must be at least 1000"),
            ("fetch_max_bytes", self.fetch_max_bytes >= 1024, "must be at least 1024"),
            ("max_request_partitions", self.max_request_partitions >= 1, AT_LEAST_1),
            ("group_min_session_timeout_ms", self.group_min_session_timeout_ms >= 1, AT_LEAST_1),
            (
                "group_max_session_timeout_ms",
                self.group_max_session_timeout_ms >= self.group_min_session_timeout_ms,
                "must be at least group_min_session_timeout_ms",
            ),
            ("group_max_size", self.group_max_size >= 1, AT_LEAST_1),
            ("max_groups", self.max_groups >= 1, AT_LEAST_1),
            ("group_consumer_session_timeout_ms", self.group_consumer_session_timeout_ms >= 1, AT_LEAST_1),
            (
                "group_consumer_heartbeat_interval_ms",
                (1..self.group_consumer_session_timeout_ms)
                    .contains(&self.group_consumer_heartbeat_interval_ms),
                "must be at least 1 and less than group_consumer_session_timeout_ms",
            ),
            ("group_consumer_max_size", self.group_consumer_max_size >= 1, AT_LEAST_1),
            (
                "group_consumer_assignors",
                Assignor::parse_list(&self.group_consumer_assignors).is_some(),
                "must be one or both of uniform and range, separated by a comma",
            ),
            ("offsets_topic_num_partitions", self.offsets_topic_num_partitions >= 1, AT_LEAST_1),
            (
                "offsets_topic_segment_bytes",
                (1 << 20..=i32::MAX as u32).contains(&self.offsets_topic_segment_bytes),
                "must be from 1048576 to 2147483647",
            ),
            ("offsets_retention_minutes", self.offsets_retention_minutes >= 1, AT_LEAST_1),
            (
                "offsets_retention_check_interval_ms",
                self.offsets_retention_check_interval_ms >= 1,
                AT_LEAST_1,
            ),
        ];
        check(&rules)
    }

    fn validate_transactions(&self) -> Result<(), Invalid> {
        let rules = [
            ("transaction_max_timeout_ms", self.transaction_max_timeout_ms >= 1, AT_LEAST_1),
            ("transactional_id_expiration_ms", self.transactional_id_expiration_ms >= 1, AT_LEAST_1),
            (
                "transaction_abort_timed_out_transaction_cleanup_interval_ms",
                self.transaction_abort_timed_out_transaction_cleanup_interval_ms >= 1,
                AT_LEAST_1,
            ),
            (
                "transaction_remove_expired_transaction_cleanup_interval_ms",
                self.transaction_remove_expired_transaction_cleanup_interval_ms >= 1,
                AT_LEAST_1,
            ),
            (
                "transaction_state_log_num_partitions",
                self.transaction_state_log_num_partitions >= 1,
                AT_LEAST_1,
            ),
            (
                "transaction_state_log_segment_bytes",
                (1 << 20..=i32::MAX as u32).contains(&self.transaction_state_log_segment_bytes),
                "must be from 1048576 to 2147483647",
            ),
            ("max_transactional_ids", self.max_transactional_ids >= 1, AT_LEAST_1),
            ("max_transaction_partitions", self.max_transaction_partitions >= 1, AT_LEAST_1),
        ];
        check(&rules)
    }

    /// The advertised host and port, if one is configured and well-formed.
    pub fn advertised(&self) -> Option<(String, u16)> {
        let (host, port) = self.advertised_listener.rsplit_once(':')?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() {
            return None;
        }
        Some((host.to_owned(), port.parse().ok()?))
    }

    /// The settings of a topic that has none of its own.
    pub fn log(&self) -> LogConfig {
        LogConfig {
            segment_bytes: self.segment_bytes,
            segment_ms: self.segment_ms,
            segment_index_bytes: self.segment_index_bytes,
            retention_ms: self.retention_ms,
            retention_bytes: self.retention_bytes,
            index_interval_bytes: self.index_interval_bytes,
            max_message_bytes: self.max_message_bytes,
            compression_type: self.compression_type,
            // counted by the server, which flushes without holding up the client, see Broker::flush_by_count
            flush_messages: i64::MAX,
            flush_ms: self.flush_ms,
            cleanup_policy: CleanupPolicy::DELETE,
            message_timestamp_type: match self.message_timestamp_type {
                MessageTimestampType::CreateTime => TimestampType::CreateTime,
                MessageTimestampType::LogAppendTime => TimestampType::LogAppendTime,
            },
            message_timestamp_before_max_ms: self.message_timestamp_before_max_ms,
            message_timestamp_after_max_ms: self.message_timestamp_after_max_ms,
            delete_retention_ms: self.delete_retention_ms,
            min_compaction_lag_ms: self.min_compaction_lag_ms,
            max_compaction_lag_ms: self.max_compaction_lag_ms,
            min_cleanable_dirty_ratio: self.min_cleanable_dirty_ratio,
            min_insync_replicas: self.min_insync_replicas,
            dedupe_buffer_bytes: self.dedupe_buffer_bytes,
            producer_id_expiration_ms: self.producer_id_expiration_ms,
            producer_ids_max: self.producer_ids_max,
        }
    }

    /// The settings of the topic in which offsets are kept.
    pub(crate) fn offsets_topic(&self) -> BTreeMap<String, String> {
        internal_topic("producer", self.offsets_topic_segment_bytes)
    }

    /// The limits of consumer groups.
    pub(crate) fn groups(&self) -> GroupConfig {
        const MINUTE_MS: u64 = 60_000;
        GroupConfig {
            min_session_timeout_ms: self.group_min_session_timeout_ms,
            max_session_timeout_ms: self.group_max_session_timeout_ms,
            initial_rebalance_delay_ms: i32::try_from(self.group_initial_rebalance_delay_ms)
                .unwrap_or(i32::MAX),
            max_members: self.group_max_size,
            max_groups: self.max_groups,
            offsets_retention_ms: i64::try_from(self.offsets_retention_minutes.saturating_mul(MINUTE_MS))
                .unwrap_or(i64::MAX),
            offset_metadata_max_bytes: self.offset_metadata_max_bytes,
            consumer: ConsumerConfig {
                session_timeout_ms: self.group_consumer_session_timeout_ms,
                heartbeat_interval_ms: self.group_consumer_heartbeat_interval_ms,
                max_members: self.group_consumer_max_size,
                assignors: Assignor::parse_list(&self.group_consumer_assignors).unwrap_or_default(),
            },
        }
    }

    /// The limits of transactions, and the settings of their topic.
    pub(crate) fn transactions(&self) -> TxnConfig {
        TxnConfig {
            max_timeout_ms: self.transaction_max_timeout_ms,
            id_expiration_ms: self.transactional_id_expiration_ms,
            abort_interval_ms: self.transaction_abort_timed_out_transaction_cleanup_interval_ms,
            expiration_interval_ms: self.transaction_remove_expired_transaction_cleanup_interval_ms,
            max_ids: self.max_transactional_ids,
            max_partitions: self.max_transaction_partitions,
            log_partitions: self.transaction_state_log_num_partitions,
            log: internal_topic("uncompressed", self.transaction_state_log_segment_bytes),
        }
    }

    /// How long a connection may be silent.
    pub(crate) fn connections_max_idle(&self) -> Duration {
        Duration::from_millis(self.connections_max_idle_ms)
    }

    /// How long a stop waits for what is in progress.
    pub(crate) fn shutdown_timeout(&self) -> Duration {
        Duration::from_millis(self.shutdown_timeout_ms)
    }
}

/// The settings of a topic of the broker's own. As Kafka's, it has a `compression.type` of its own, so that the broker's,
/// which is meant for what clients send, does not reach it.
fn internal_topic(compression_type: &str, segment_bytes: u32) -> BTreeMap<String, String> {
    let segment_bytes = segment_bytes.to_string();
    let settings = [
        ("cleanup.policy", "compact"),
        ("compression.type", compression_type),
        ("segment.bytes", segment_bytes.as_str()),
    ];
    settings.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

const AT_LEAST_1: &str = "must be at least 1";

/// The first rule that does not hold.
fn check(rules: &[(&'static str, bool, &'static str)]) -> Result<(), Invalid> {
    match rules.iter().find(|(_, holds, _)| !holds) {
        Some((key, _, rule)) => Err(Invalid::new(*key, *rule)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
