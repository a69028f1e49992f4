//! The limits and times of the coordinator; `configs/broker.yaml` explains each.

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
}
