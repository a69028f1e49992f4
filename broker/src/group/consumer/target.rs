//! The target assignment of a new epoch: the assignor's answer to what the members say of themselves.

use std::collections::{BTreeMap, BTreeSet};

use tracing::info;
use uuid::Uuid;

use super::assign::Subscriber;
use super::change::Change;
use super::heartbeat::{Beat, Sender};
use super::member::Profile;
use super::partitions::{NONE, Partitions};
use super::state::ConsumerGroup;
use super::subscription::Subscriptions;
use super::topics::TopicSizes;

/// What a target assignment is made of.
pub(in crate::group) struct Draft<'a> {
    /// The heartbeat that asks for it.
    pub(in crate::group) beat: &'a Beat<'a>,
    /// Who sent it.
    pub(in crate::group) sender: &'a Sender,
    /// What the sender says of itself now.
    pub(in crate::group) profile: &'a Profile,
    /// What all members subscribe to now.
    pub(in crate::group) subscriptions: &'a Subscriptions<'a>,
    /// The topics of the group.
    pub(in crate::group) topics: &'a TopicSizes,
    /// The new epoch.
    pub(in crate::group) epoch: i32,
}

impl ConsumerGroup {
    /// Makes the target assignment of a new epoch; returns the sender's part of it.
    pub(in crate::group) fn assign(&self, draft: &Draft<'_>, changes: &mut Vec<Change>) -> Partitions {
        let Draft { beat, sender, profile, subscriptions, topics, epoch } = *draft;
        let former = sender.former_id.as_deref().unwrap_or(beat.member_id);
        let others = self.members.iter().filter(|(id, _)| *id != former && *id != beat.member_id);
        let mut profiles: BTreeMap<&str, &Profile> =
            others.filter_map(|(id, member)| Some((id.as_str(), member.profile.as_ref()?))).collect();
        profiles.insert(beat.member_id, profile);
        let previous = |id: &str| self.targets.get(if id == beat.member_id { former } else { id });
        let matched = subscriptions.matched(topics);
        let subscribers: Vec<Subscriber<'_>> = profiles
            .iter()
            .map(|(&id, &profile)| Subscriber {
                id,
                instance_id: profile.instance_id.as_deref(),
                topics: ids(profile, topics, &matched),
                previous: previous(id).unwrap_or(&NONE),
            })
            .collect();
        let sizes: BTreeMap<Uuid, i32> = topics.values().map(|size| (size.id, size.partitions)).collect();
        let preferences = profiles.values().filter_map(|profile| profile.assignor.as_deref());
        let assignor = Self::elect_assignor(preferences, beat.config);
        let shares = assignor.assign(&subscribers, &sizes);
        info!(
            group = beat.group,
            epoch,
            members = subscribers.len(),
            assignor = assignor.name(),
            "new target assignment"
        );
        let mut own = Partitions::new();
        for (subscriber, share) in subscribers.iter().zip(shares) {
            if previous(subscriber.id) != Some(&share) {
                changes.push(Change::Target(subscriber.id.to_owned(), Some(share.clone())));
            }
            if subscriber.id == beat.member_id {
                own = share;
            }
        }
        own
    }
}

/// The ids of the topics to which a member subscribes, those that exist. `matched` says what expressions match.
fn ids(profile: &Profile, topics: &TopicSizes, matched: &BTreeMap<&str, BTreeSet<Uuid>>) -> BTreeSet<Uuid> {
    let named = profile.topics.iter().filter_map(|name| topics.get(name)).map(|size| size.id);
    let matching = profile.expression.as_deref().and_then(|expression| matched.get(expression));
    named.chain(matching.into_iter().flatten().copied()).collect()
}
