//! What a member's leaving changes, whether it says so or is removed.

use wire::ErrorCode;
use wire::message::consumer_group_heartbeat::ConsumerGroupHeartbeatRequest;

use super::change::Change;
use super::heartbeat::{fenced_instance, unknown_instance, unknown_member};
use super::member::{AWAY, Current};
use super::partitions::Partitions;
use super::state::ConsumerGroup;
use super::topics::TopicSizes;
use crate::error::Failure;

/// How a member goes.
#[derive(Debug)]
pub(in crate::group) enum Departure {
    /// For good.
    ForGood(String),
    /// A static member will be back, and keeps its share until its session ends.
    ForAWhile(String, Current),
}

impl ConsumerGroup {
    /// How the sender of a request goes, which says that it leaves.
    pub(in crate::group) fn leave(
        &self,
        request: &ConsumerGroupHeartbeatRequest,
    ) -> Result<Departure, Failure> {
        let id = &request.member_id;
        let Some(instance) = request.instance_id.as_deref() else {
            let is_known = self.members.contains_key(id);
            let left = is_known.then(|| Departure::ForGood(id.clone()));
            return left.ok_or_else(|| unknown_member(id, &request.group_id));
        };
        match self.static_member(instance) {
            None => Err(unknown_instance(instance)),
            Some((holder, _)) if holder != id => Err(fenced_instance(instance)),
            Some((_, member)) if request.member_epoch == AWAY => {
                // what it had to give up it no longer reads
                let current = Current { epoch: AWAY, revoking: Partitions::new(), ..member.current.clone() };
                Ok(Departure::ForAWhile(id.clone(), current))
            }
            Some(_) => Ok(Departure::ForGood(id.clone())),
        }
    }

    /// What removes a member and asks for another assignment.
    pub(in crate::group) fn removal(&self, id: &str) -> Vec<Change> {
        let mut changes = vec![
            Change::Current(id.to_owned(), None),
            Change::Target(id.to_owned(), None),
            Change::Profile(id.to_owned(), None),
        ];
        let subscriptions = self.subscriptions(&[id]);
        let kept = self.topics.iter().filter(|(name, _)| subscriptions.contains(name));
        let topics: TopicSizes = kept.map(|(name, size)| (name.clone(), *size)).collect();
        if topics != self.topics {
            changes.push(Change::Topics(Some(topics)));
        }
        changes.push(Change::Epoch(Some(self.epoch.saturating_add(1))));
        changes
    }
}

/// There is no such group of the newer protocol.
pub(in crate::group) fn unknown_group(id: &str) -> Failure {
    Failure::new(ErrorCode::GroupIdNotFound, format!("Consumer group {id} not found."))
}
