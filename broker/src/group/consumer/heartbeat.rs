//! What a member's heartbeat changes, after Kafka's GroupMetadataManager.consumerGroupHeartbeat:
//!
//! 1. who it is: a member, a new one, or a static one that is back;
//! 2. what it says of itself, and whether the group needs a new epoch for that or for what has become of the topics;
//! 3. the target assignment, if the group's epoch is ahead of it;
//! 4. the member's next step.
//!
//! Nothing is changed here: what is to be changed is the outcome.

use tracing::info;
use uuid::Uuid;
use wire::ErrorCode;
use wire::message::consumer_group_heartbeat::{
    Assignment, ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse,
};

use super::change::Change;
use super::check::OWN_ID_FROM;
use super::member::{AWAY, Current, JOIN, Member, Profile, Step};
use super::partitions::{Partitions, contains, each, to_wire};
use super::reconcile::{Goal, reconcile};
use super::state::ConsumerGroup;
use super::subscription::Subscriptions;
use super::target::Draft;
use super::topics::{TopicSizes, Topics};
use crate::error::Failure;
use crate::group::Caller;
use crate::group::config::ConsumerConfig;

/// A heartbeat and what surrounds it.
pub(in crate::group) struct Beat<'a> {
    /// The group's name, for the log.
    pub(in crate::group) group: &'a str,
    /// The request, which has passed [`check`](super::check::check).
    pub(in crate::group) request: &'a ConsumerGroupHeartbeatRequest,
    /// The member's id, or the one that it will have.
    pub(in crate::group) member_id: &'a str,
    /// What the member says that it owns, if it says so.
    pub(in crate::group) owned: Option<&'a Partitions>,
    /// Who sends it.
    pub(in crate::group) caller: &'a Caller,
    /// The settings.
    pub(in crate::group) config: &'a ConsumerConfig,
    /// The topics.
    pub(in crate::group) topics: &'a dyn Topics,
    /// The time, milliseconds since 1970.
    pub(in crate::group) now_ms: i64,
}

impl Beat<'_> {
    fn joins(&self) -> bool {
        self.request.member_epoch == JOIN
    }
}

/// What comes of a heartbeat.
#[derive(Debug)]
pub(in crate::group) struct Outcome {
    /// What changes, in the order in which it must be written.
    pub(in crate::group) changes: Vec<Change>,
    /// The answer.
    pub(in crate::group) answer: ConsumerGroupHeartbeatResponse,
    /// The version of all topics that was looked at.
    topics_version: u64,
    member_id: String,
    session_deadline_ms: i64,
    /// The new deadline for giving partitions up, if there is another one now.
    rebalance_deadline_ms: Option<Option<i64>>,
}

/// Who sends a heartbeat, as the group knows it.
pub(in crate::group) struct Sender {
    /// What it has said of itself.
    pub(in crate::group) profile: Profile,
    /// What it has.
    pub(in crate::group) current: Current,
    /// Whether it was no member, under any id.
    pub(in crate::group) is_new: bool,
    /// The id that a static member had before.
    pub(in crate::group) former_id: Option<String>,
}

impl Sender {
    fn known(member: &Member) -> Self {
        let profile = member.profile.clone().unwrap_or_default();
        Sender { profile, current: member.current.clone(), is_new: false, former_id: None }
    }

    fn new() -> Self {
        Sender { profile: Profile::default(), current: Current::default(), is_new: true, former_id: None }
    }
}

impl ConsumerGroup {
    /// What comes of a heartbeat; the group stays as it is.
    pub(in crate::group) fn heartbeat(&self, beat: &Beat<'_>) -> Result<Outcome, Failure> {
        let sender = self.identify(beat)?;
        self.refuse_if_full(beat, &sender)?;
        let mut changes = self.replace(&sender, beat);
        let profile = updated(&sender.profile, beat);
        if sender.is_new || profile != sender.profile {
            changes.push(Change::Profile(beat.member_id.to_owned(), Some(profile.clone())));
        }
        let topics_version = beat.topics.version();
        let own = sender.former_id.as_deref().unwrap_or(beat.member_id);
        let has_resubscribed = sender.is_new || !profile.subscribes_as(&sender.profile);
        let is_stale = has_resubscribed || self.topics_version != Some(topics_version);
        let mut subscriptions = Subscriptions::default();
        if is_stale || self.epoch > self.target_epoch {
            subscriptions = self.subscriptions(&[beat.member_id, own]);
            let added = subscriptions.add(&profile);
            if profile.expression != sender.profile.expression {
                added?;
            }
        }
        let (epoch, topics) = if is_stale {
            self.next_epoch(beat, &subscriptions, has_resubscribed)
        } else {
            (self.epoch, None)
        };
        if let Some(topics) = &topics {
            changes.push(Change::Topics(Some(topics.clone())));
        }
        if epoch != self.epoch {
            changes.push(Change::Epoch(Some(epoch)));
        }
        let (target_epoch, target) = if epoch > self.target_epoch {
            let topics = topics.as_ref().unwrap_or(&self.topics);
            let (sender, profile, subscriptions) = (&sender, &profile, &subscriptions);
            let draft = Draft { beat, sender, profile, subscriptions, topics, epoch };
            let target = self.assign(&draft, &mut changes);
            changes.push(Change::TargetEpoch(Some(epoch)));
            (epoch, target)
        } else {
            (self.target_epoch, self.targets.get(own).cloned().unwrap_or_default())
        };
        let is_held = |topic: Uuid, index: i32| self.holders.contains_key(&(topic, index));
        let goal = Goal { epoch: target_epoch, partitions: &target, owned: beat.owned, is_held: &is_held };
        let current = reconcile(&sender.current, &goal)?;
        let mut rebalance_deadline_ms = None;
        if current != sender.current {
            changes.push(Change::Current(beat.member_id.to_owned(), Some(current.clone())));
            let deadline_ms = beat.now_ms.saturating_add(i64::from(profile.rebalance_timeout_ms));
            rebalance_deadline_ms = Some((current.step == Step::Unrevoked).then_some(deadline_ms));
        }
        let session_ms = i64::from(beat.config.session_timeout_ms);
        Ok(Outcome {
            changes,
            answer: answer(beat, &sender.current, &current),
            topics_version,
            member_id: beat.member_id.to_owned(),
            session_deadline_ms: beat.now_ms.saturating_add(session_ms),
            rebalance_deadline_ms,
        })
    }

    /// Makes the outcome true.
    pub(in crate::group) fn accept(&mut self, outcome: Outcome) -> ConsumerGroupHeartbeatResponse {
        outcome.changes.into_iter().for_each(|change| self.apply(change));
        self.topics_version = Some(outcome.topics_version);
        if let Some(member) = self.members.get_mut(&outcome.member_id) {
            member.session_deadline_ms = outcome.session_deadline_ms;
            if let Some(deadline_ms) = outcome.rebalance_deadline_ms {
                member.rebalance_deadline_ms = deadline_ms;
            }
        }
        outcome.answer
    }

    fn identify(&self, beat: &Beat<'_>) -> Result<Sender, Failure> {
        let member = self.members.get(beat.member_id);
        let Some(instance) = beat.request.instance_id.as_deref() else {
            return match member {
                Some(member) => {
                    check_epoch(&member.current, beat)?;
                    Ok(Sender::known(member))
                }
                None if beat.joins() => Ok(Sender::new()),
                None => Err(unknown_member(beat.member_id, beat.group)),
            };
        };
        match self.static_member(instance) {
            None if beat.joins() => Ok(member.map_or_else(Sender::new, Sender::known)),
            None => Err(unknown_instance(instance)),
            Some((_, holder)) if beat.joins() && holder.current.epoch != AWAY => {
                let message = format!("The static id {instance} is still in use by another member.");
                Err(Failure::new(ErrorCode::UnreleasedInstanceId, message))
            }
            Some((id, holder)) if beat.joins() => {
                let mut sender = Sender::known(holder);
                sender.current.epoch = JOIN;
                sender.current.previous_epoch = JOIN;
                sender.former_id = (id != beat.member_id).then(|| id.clone());
                Ok(sender)
            }
            Some((id, _)) if id != beat.member_id => Err(fenced_instance(instance)),
            Some((_, holder)) => {
                check_epoch(&holder.current, beat)?;
                Ok(Sender::known(holder))
            }
        }
    }

    /// A static member that is back needs no room.
    fn refuse_if_full(&self, beat: &Beat<'_>, sender: &Sender) -> Result<(), Failure> {
        let most = beat.config.max_members;
        if !sender.is_new || self.members.len() < most {
            return Ok(());
        }
        let message = format!("The consumer group has reached its maximum capacity of {most} members.");
        Err(Failure::new(ErrorCode::GroupMaxSizeReached, message))
    }

    /// Gives the place of a static member's former id to its new one.
    fn replace(&self, sender: &Sender, beat: &Beat<'_>) -> Vec<Change> {
        let Some(former) = &sender.former_id else { return Vec::new() };
        let (id, target) = (beat.member_id, self.targets.get(former).cloned().unwrap_or_default());
        info!(group = beat.group, member = id, %former, "a static member is back");
        vec![
            Change::Current(former.clone(), None),
            Change::Target(former.clone(), None),
            Change::Profile(former.clone(), None),
            Change::Profile(id.to_owned(), Some(sender.profile.clone())),
            Change::Target(id.to_owned(), Some(target)),
            Change::Current(id.to_owned(), Some(sender.current.clone())),
        ]
    }

    /// The group's epoch, and its topics if they are others than before.
    fn next_epoch(
        &self,
        beat: &Beat<'_>,
        subscriptions: &Subscriptions<'_>,
        has_resubscribed: bool,
    ) -> (i32, Option<TopicSizes>) {
        let topics = subscriptions.sizes(beat.topics);
        let have_changed = topics != self.topics;
        let is_due = has_resubscribed || have_changed;
        let epoch = if is_due { self.epoch.saturating_add(1) } else { self.epoch };
        (epoch, have_changed.then_some(topics))
    }
}

/// What the member says of itself now: what it leaves out has not changed.
fn updated(before: &Profile, beat: &Beat<'_>) -> Profile {
    let request = beat.request;
    let subscribed = request.subscribed_topic_names.as_ref();
    let expression = match request.subscribed_topic_regex.as_deref() {
        None => before.expression.clone(),
        Some(expression) => (!expression.is_empty()).then(|| expression.to_owned()),
    };
    let patience_ms = request.rebalance_timeout_ms;
    Profile {
        instance_id: request.instance_id.clone().or_else(|| before.instance_id.clone()),
        rack_id: request.rack_id.clone().or_else(|| before.rack_id.clone()),
        client_id: beat.caller.client_id.clone(),
        client_host: beat.caller.client_host.clone(),
        topics: subscribed.map_or_else(|| before.topics.clone(), |names| names.iter().cloned().collect()),
        expression,
        rebalance_timeout_ms: if patience_ms == -1 { before.rebalance_timeout_ms } else { patience_ms },
        assignor: request.server_assignor.clone().or_else(|| before.assignor.clone()),
    }
}

/// A member that does not know of its last change is fenced, unless it can only have missed the answer. One that joins again
/// with the id that it made itself has given up all it had, as KIP-848 asks of who is fenced: it goes on from where it was.
fn check_epoch(current: &Current, beat: &Beat<'_>) -> Result<(), Failure> {
    let (said, known) = (beat.request.member_epoch, current.epoch);
    let owns_no_more = || {
        beat.owned
            .is_some_and(|owned| each(owned).all(|(topic, index)| contains(&current.assigned, topic, index)))
    };
    let joins_again = beat.joins() && beat.caller.version >= OWN_ID_FROM;
    if joins_again || said == known || said < known && said == current.previous_epoch && owns_no_more() {
        return Ok(());
    }
    let than = if said > known { "greater" } else { "smaller" };
    let message = format!(
        "The consumer group member has a {than} member epoch ({said}) than the one known by the group coordinator \
         ({known}). The member must abandon all its partitions and rejoin."
    );
    Err(Failure::new(ErrorCode::FencedMemberEpoch, message))
}

/// The assignment is told to a member that tells all of itself, and when it has changed.
fn answer(beat: &Beat<'_>, before: &Current, after: &Current) -> ConsumerGroupHeartbeatResponse {
    let request = beat.request;
    let tells_all = request.rebalance_timeout_ms != -1
        && (request.subscribed_topic_names.is_some() || request.subscribed_topic_regex.is_some())
        && request.topic_partitions.is_some();
    let is_told = beat.joins() || tells_all || before.assigned != after.assigned;
    ConsumerGroupHeartbeatResponse {
        member_id: Some(beat.member_id.to_owned()),
        member_epoch: after.epoch,
        heartbeat_interval_ms: beat.config.heartbeat_interval_ms,
        assignment: is_told.then(|| Assignment { topic_partitions: to_wire(&after.assigned) }),
        ..Default::default()
    }
}

pub(in crate::group) fn unknown_member(id: &str, group: &str) -> Failure {
    Failure::new(ErrorCode::UnknownMemberId, format!("Member {id} is not a member of group {group}."))
}

pub(in crate::group) fn unknown_instance(instance: &str) -> Failure {
    Failure::new(ErrorCode::UnknownMemberId, format!("Instance id {instance} is unknown."))
}

pub(in crate::group) fn fenced_instance(instance: &str) -> Failure {
    let message = format!("The static id {instance} was taken over by another member.");
    Failure::new(ErrorCode::FencedInstanceId, message)
}
