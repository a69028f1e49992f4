//! The limits and times of the coordinator; `configs/broker.yaml` explains each.

use std::collections::BTreeMap;

/// The coordinator's settings. Times in milliseconds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TxnConfig {
    /// The longest time-out that a producer may ask for.
    pub(crate) max_timeout_ms: i32,
    /// How long a transactional id is kept that is not used.
    pub(crate) id_expiration_ms: i64,
    /// How often transactions are looked for whose time is up.
    pub(crate) abort_interval_ms: u64,
    /// How often transactional ids are looked for that are not used any more.
    pub(crate) expiration_interval_ms: u64,
    /// The most transactional ids.
    pub(crate) max_ids: usize,
    /// The most partitions of all open transactions together.
    pub(crate) max_partitions: usize,
    /// Partitions of `__transaction_state`, when it is made.
    pub(crate) log_partitions: i32,
    /// The settings of `__transaction_state`.
    pub(crate) log: BTreeMap<String, String>,
}
