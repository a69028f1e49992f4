//! A member of a group: what it says of itself, and where it stands.

use std::collections::BTreeSet;

use super::partitions::Partitions;

/// The epoch with which a member joins.
pub(in crate::group) const JOIN: i32 = 0;
/// The epoch with which a member leaves.
pub(in crate::group) const LEAVE: i32 = -1;
/// The epoch with which a static member leaves that will be back, and which it has until then.
pub(in crate::group) const AWAY: i32 = -2;

/// What a member says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::group) struct Profile {
    /// The name that its operator gave it, if it is a static member.
    pub(in crate::group) instance_id: Option<String>,
    /// The rack of its client.
    pub(in crate::group) rack_id: Option<String>,
    /// The name of its client.
    pub(in crate::group) client_id: String,
    /// The address of its client.
    pub(in crate::group) client_host: String,
    /// The names of the topics that it wants to read.
    pub(in crate::group) topics: BTreeSet<String>,
    /// The regular expression of more topics that it wants to read.
    pub(in crate::group) expression: Option<String>,
    /// How long the group waits for it to give partitions up, milliseconds.
    pub(in crate::group) rebalance_timeout_ms: i32,
    /// The assignor that it prefers.
    pub(in crate::group) assignor: Option<String>,
}

impl Profile {
    /// Whether it asks for the same topics, in the same words.
    pub(in crate::group) fn subscribes_as(&self, other: &Profile) -> bool {
        self.topics == other.topics && self.expression == other.expression
    }
}

/// Where a member stands on its way to its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::group) enum Step {
    /// It has what it shall have.
    Stable,
    /// It has to give up partitions first.
    Unrevoked,
    /// It is in the target's epoch and waits for partitions that others have not given up.
    Unreleased,
    /// Something that a later version of Kafka has written.
    Unknown(i8),
}

impl Step {
    /// Kafka's number.
    pub(in crate::group) fn code(self) -> i8 {
        match self {
            Step::Stable => 0,
            Step::Unrevoked => 1,
            Step::Unreleased => 2,
            Step::Unknown(code) => code,
        }
    }

    /// The step of a number.
    pub(in crate::group) fn from_code(code: i8) -> Self {
        match code {
            0 => Step::Stable,
            1 => Step::Unrevoked,
            2 => Step::Unreleased,
            unknown => Step::Unknown(unknown),
        }
    }
}

/// What a member has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::group) struct Current {
    /// The epoch that is expected in its next request.
    pub(in crate::group) epoch: i32,
    /// The epoch before: a member may not have heard of the last one.
    pub(in crate::group) previous_epoch: i32,
    /// Where it stands.
    pub(in crate::group) step: Step,
    /// What it may read.
    pub(in crate::group) assigned: Partitions,
    /// What it has to give up, and holds until it says that it has.
    pub(in crate::group) revoking: Partitions,
}

impl Default for Current {
    fn default() -> Self {
        Current {
            epoch: JOIN,
            previous_epoch: -1,
            step: Step::Stable,
            assigned: Partitions::new(),
            revoking: Partitions::new(),
        }
    }
}

impl Current {
    /// Whether it has all that the target of that epoch gives it.
    pub(in crate::group) fn is_reconciled_to(&self, target_epoch: i32) -> bool {
        self.step == Step::Stable && self.epoch == target_epoch
    }
}

/// One consumer in a group.
#[derive(Debug, Default)]
pub(in crate::group) struct Member {
    /// What it says of itself; missing only while a group is loaded.
    pub(in crate::group) profile: Option<Profile>,
    /// What it has.
    pub(in crate::group) current: Current,
    /// When its session ends unless it is heard of, milliseconds since 1970.
    pub(in crate::group) session_deadline_ms: i64,
    /// Until when it has to give partitions up, milliseconds since 1970.
    pub(in crate::group) rebalance_deadline_ms: Option<i64>,
}
