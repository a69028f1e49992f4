//! The state of a group.

use std::collections::{BTreeMap, HashMap};

use uuid::Uuid;

use super::assign::Assignor;
use super::change::Change;
use super::member::{Current, Member, Step};
use super::partitions::{Partitions, each};
use super::subscription::Subscriptions;
use super::topics::TopicSizes;
use crate::group::config::ConsumerConfig;
use crate::group::store::Pending;

/// A group of the newer protocol, without its name and its offsets.
#[derive(Debug, Default)]
pub(in crate::group) struct ConsumerGroup {
    /// Counts what asks for another assignment.
    pub(in crate::group) epoch: i32,
    /// The group epoch for which the target assignment was made.
    pub(in crate::group) target_epoch: i32,
    /// The topics to which members subscribe, as far as they exist.
    pub(in crate::group) topics: TopicSizes,
    /// The version of all topics with which `topics` agrees.
    pub(in crate::group) topics_version: Option<u64>,
    /// The members, by id.
    pub(in crate::group) members: BTreeMap<String, Member>,
    /// What each member shall have.
    pub(in crate::group) targets: BTreeMap<String, Partitions>,
    /// Who holds a partition: it is assigned to him, or he has not yet given it up.
    pub(in crate::group) holders: HashMap<(Uuid, i32), String>,
    /// The last records of the group. A member hears of nothing that they say before they are on the disk.
    pub(in crate::group) saved: Option<Pending>,
}

impl ConsumerGroup {
    /// Kafka's name of where the group stands.
    pub(in crate::group) fn state_name(&self) -> &'static str {
        if self.members.is_empty() {
            "Empty"
        } else if self.epoch > self.target_epoch {
            "Assigning"
        } else if self.members.values().all(|member| member.current.is_reconciled_to(self.target_epoch)) {
            "Stable"
        } else {
            "Reconciling"
        }
    }

    /// The member that holds a static id.
    pub(in crate::group) fn static_member(&self, instance: &str) -> Option<(&String, &Member)> {
        self.members.iter().find(|(_, member)| {
            member.profile.as_ref().is_some_and(|profile| profile.instance_id.as_deref() == Some(instance))
        })
    }

    /// What the members subscribe to, but for those `without`.
    pub(in crate::group) fn subscriptions(&self, without: &[&str]) -> Subscriptions<'_> {
        let others = self.members.iter().filter(|(id, _)| !without.contains(&id.as_str()));
        Subscriptions::of(others.filter_map(|(_, member)| member.profile.as_ref()))
    }

    /// The assignor that most members prefer if `preferences` are theirs, the first configured one of several.
    pub(in crate::group) fn elect_assignor<'a>(
        preferences: impl Iterator<Item = &'a str>,
        config: &ConsumerConfig,
    ) -> Assignor {
        let mut votes: Vec<(Assignor, usize)> =
            config.assignors.iter().map(|assignor| (*assignor, 0)).collect();
        for name in preferences {
            if let Some((_, count)) = votes.iter_mut().find(|(assignor, _)| assignor.name() == name) {
                *count += 1;
            }
        }
        let winner = votes.iter().rev().max_by_key(|(_, count)| *count);
        winner.map_or(Assignor::Uniform, |(assignor, _)| *assignor)
    }

    /// The assignor of the group as it is.
    pub(in crate::group) fn assignor(&self, config: &ConsumerConfig) -> Assignor {
        let profiles = self.members.values().filter_map(|member| member.profile.as_ref());
        Self::elect_assignor(profiles.filter_map(|profile| profile.assignor.as_deref()), config)
    }

    /// All that a member holds is free.
    pub(in crate::group) fn release(&mut self, id: &str) {
        let Some(member) = self.members.get(id) else { return };
        for place in each(&member.current.assigned).chain(each(&member.current.revoking)) {
            if self.holders.get(&place).is_some_and(|holder| holder == id) {
                self.holders.remove(&place);
            }
        }
    }

    /// A member holds what it has.
    pub(in crate::group) fn hold(&mut self, id: &str, current: &Current) {
        for place in each(&current.assigned).chain(each(&current.revoking)) {
            self.holders.insert(place, id.to_owned());
        }
    }

    /// What removes the group.
    pub(in crate::group) fn tombstones(&self) -> Vec<Change> {
        let ids = || self.members.keys().cloned();
        let mut changes: Vec<Change> = ids().map(|id| Change::Current(id, None)).collect();
        changes.extend(ids().map(|id| Change::Target(id, None)));
        changes.push(Change::TargetEpoch(None));
        changes.extend(ids().map(|id| Change::Profile(id, None)));
        changes.push(Change::Topics(None));
        changes.push(Change::Epoch(None));
        changes
    }

    /// Forgets what was loaded of members that are gone: their profile was removed, and something of them was left.
    pub(in crate::group) fn drop_strays(&mut self) {
        let strays: Vec<String> =
            self.members.iter().filter(|(_, m)| m.profile.is_none()).map(|(id, _)| id.clone()).collect();
        for id in strays {
            self.apply(Change::Profile(id, None));
        }
        let members = &self.members;
        self.targets.retain(|id, _| members.contains_key(id));
    }

    /// After a restart all members' times begin anew.
    pub(in crate::group) fn restart_times(&mut self, now_ms: i64, session_timeout_ms: i32) {
        for member in self.members.values_mut() {
            member.session_deadline_ms = now_ms.saturating_add(i64::from(session_timeout_ms));
            let patience = member.profile.as_ref().map_or(0, |profile| profile.rebalance_timeout_ms);
            let deadline_ms = now_ms.saturating_add(i64::from(patience));
            let is_revoking = member.current.step == Step::Unrevoked;
            member.rebalance_deadline_ms = is_revoking.then_some(deadline_ms);
        }
    }

    /// A member whose time is up, and why.
    pub(in crate::group) fn overdue(&self, now_ms: i64) -> Option<(String, &'static str)> {
        self.members.iter().find_map(|(id, member)| {
            if member.session_deadline_ms <= now_ms {
                Some((id.clone(), "its session has ended"))
            } else if member.rebalance_deadline_ms.is_some_and(|deadline_ms| deadline_ms <= now_ms) {
                Some((id.clone(), "it has not given its partitions up in time"))
            } else {
                None
            }
        })
    }

    /// Lets a member be until `until_ms` that should be removed and cannot.
    pub(in crate::group) fn put_off(&mut self, id: &str, until_ms: i64) {
        if let Some(member) = self.members.get_mut(id) {
            member.session_deadline_ms = member.session_deadline_ms.max(until_ms);
            member.rebalance_deadline_ms = member.rebalance_deadline_ms.map(|old_ms| old_ms.max(until_ms));
        }
    }
}
