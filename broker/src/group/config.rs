//! The limits and times of the coordinator; `configs/broker.yaml` explains each.

use super::Assignor;

/// The coordinator's settings. Times in milliseconds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct GroupConfig {
    /// The shortest session that a member may ask for.
    pub(crate) min_session_timeout_ms: i32,
    /// The longest session that a member may ask for.
    pub(crate) max_session_timeout_ms: i32,
    /// How long an empty group waits for more members after the first has joined.
    pub(crate) initial_rebalance_delay_ms: i32,
    /// The most members of one group.
    pub(crate) max_members: usize,
    /// The most groups.
    pub(crate) max_groups: usize,
    /// How long a group without members keeps its offsets.
    pub(crate) offsets_retention_ms: i64,
    /// The most bytes of text that a client may commit with an offset.
    pub(crate) offset_metadata_max_bytes: usize,
    /// Groups of the newer protocol.
    pub(crate) consumer: ConsumerConfig,
}

/// The settings of groups of the newer protocol. Times in milliseconds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ConsumerConfig {
    /// A member is removed that has not been heard of for so long.
    pub(crate) session_timeout_ms: i32,
    /// How often members are asked to send heartbeats.
    pub(crate) heartbeat_interval_ms: i32,
    /// The most members of one group.
    pub(crate) max_members: usize,
    /// The assignors that members may ask for, the default first.
    pub(crate) assignors: Vec<Assignor>,
}

impl Default for ConsumerConfig {
    fn default() -> Self {
        ConsumerConfig {
            session_timeout_ms: 45_000,
            heartbeat_interval_ms: 5_000,
            max_members: 1_000,
            assignors: vec![Assignor::Uniform, Assignor::Range],
        }
    }
}
