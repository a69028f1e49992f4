//! What can change in a group: a change for each kind of record of `__consumer_offsets`, which is how it is kept.
//!
//! After compaction only the last change of each kind and member is left, in the order in which these were made: what a
//! member has may come before what it says of itself. So any order must lead to the same group.

use super::member::{Current, Profile};
use super::partitions::Partitions;
use super::state::ConsumerGroup;
use super::topics::TopicSizes;

/// A change; `None` removes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::group) enum Change {
    /// The group epoch; without one there is no such group.
    Epoch(Option<i32>),
    /// The topics for which the group assigns.
    Topics(Option<TopicSizes>),
    /// What a member says of itself; without it there is no such member.
    Profile(String, Option<Profile>),
    /// The epoch of the target assignment.
    TargetEpoch(Option<i32>),
    /// What a member shall have.
    Target(String, Option<Partitions>),
    /// What a member has.
    Current(String, Option<Current>),
}

impl Change {
    /// Whether it removes.
    pub(in crate::group) fn removes(&self) -> bool {
        match self {
            Change::Epoch(epoch) | Change::TargetEpoch(epoch) => epoch.is_none(),
            Change::Topics(topics) => topics.is_none(),
            Change::Profile(_, profile) => profile.is_none(),
            Change::Target(_, partitions) => partitions.is_none(),
            Change::Current(_, current) => current.is_none(),
        }
    }
}

impl ConsumerGroup {
    /// Makes a change true.
    pub(in crate::group) fn apply(&mut self, change: Change) {
        match change {
            Change::Epoch(epoch) => self.epoch = epoch.unwrap_or_default(),
            Change::TargetEpoch(epoch) => self.target_epoch = epoch.unwrap_or_default(),
            Change::Topics(topics) => self.topics = topics.unwrap_or_default(),
            Change::Target(id, Some(partitions)) => {
                self.targets.insert(id, partitions);
            }
            Change::Target(id, None) => {
                self.targets.remove(&id);
            }
            Change::Profile(id, Some(profile)) => {
                self.members.entry(id).or_default().profile = Some(profile);
            }
            Change::Profile(id, None) => {
                self.release(&id);
                self.members.remove(&id);
            }
            Change::Current(id, Some(current)) => {
                self.release(&id);
                self.hold(&id, &current);
                self.members.entry(id).or_default().current = current;
            }
            Change::Current(id, None) => {
                self.release(&id);
                if let Some(member) = self.members.get_mut(&id) {
                    member.current = Current::default();
                }
            }
        }
    }
}
