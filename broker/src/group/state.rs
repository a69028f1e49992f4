//! One group as a state machine, after Kafka's (GroupMetadata and GroupCoordinator of 0.9 to 3.9).
//!
//! ```text
//!            join                    all have joined, or time is up          leader has synced
//!  Empty ───────────> PreparingRebalance ─────────────────────> CompletingRebalance ──────────> Stable
//!    ^                    ^   │ nobody is left                        │ join, leave, time-out      │
//!    └────────────────────┼───┘                                       │                            │
//!                         └───────────────────────────────────────────┴────────────────────────────┘
//! ```

use std::collections::HashMap;

use bytes::Bytes;
use tracing::info;
use wire::ErrorCode;
use wire::message::join_group::{JoinGroupResponse, JoinGroupResponseMember};
use wire::message::sync_group::SyncGroupResponse;

use super::consumer::ConsumerGroup;
use super::member::{Member, Waiter};
use super::offsets::Offsets;

/// Where the group stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// No members; it may have committed offsets.
    Empty,
    /// Members are joining; it ends when all have, or at the time given, milliseconds since 1970.
    PreparingRebalance {
        /// When the group goes on without those that have not come.
        until_ms: i64,
        /// A new group waits until that time for more members, even if all that are known have joined.
        initial: bool,
    },
    /// Waiting for the leader's assignment; who has not synced by then is removed.
    CompletingRebalance {
        /// The end of patience, milliseconds since 1970.
        until_ms: i64,
    },
    /// Everyone knows what to read.
    Stable,
}

impl Phase {
    /// Kafka's name of the state.
    pub(super) fn name(self) -> &'static str {
        match self {
            Phase::Empty => "Empty",
            Phase::PreparingRebalance { .. } => "PreparingRebalance",
            Phase::CompletingRebalance { .. } => "CompletingRebalance",
            Phase::Stable => "Stable",
        }
    }
}

/// A group.
#[derive(Debug)]
pub(super) struct Group {
    /// Its name.
    pub(super) id: String,
    /// Where it stands.
    pub(super) phase: Phase,
    /// Counts the rebalances; every member proves with it that it has taken part in the last one.
    pub(super) generation: i32,
    /// What kind of members it has, usually `consumer`.
    pub(super) protocol_type: Option<String>,
    /// The way of assigning that all members know and most prefer.
    pub(super) protocol: Option<String>,
    /// The member that assigns.
    pub(super) leader: Option<String>,
    /// The members, in the order in which they came.
    pub(super) members: Vec<Member>,
    /// Member ids that were handed out and have not come back yet, and until when they may, milliseconds since 1970.
    pub(super) pending: HashMap<String, i64>,
    /// How far the group has read.
    pub(super) offsets: Offsets,
    /// Since when it has had no members, milliseconds since 1970.
    pub(super) empty_since_ms: i64,
    /// The generation or the members have changed and should be written to the log.
    pub(super) dirty: bool,
    /// Its state by the newer protocol (KIP-848), if it is of that; the state by the classic one is then that of an empty
    /// group, but for the offsets.
    pub(super) consumer: Option<Box<ConsumerGroup>>,
}

impl Group {
    pub(super) fn new(id: &str) -> Self {
        Group {
            id: id.to_owned(),
            phase: Phase::Empty,
            generation: 0,
            protocol_type: None,
            protocol: None,
            leader: None,
            members: Vec::new(),
            pending: HashMap::new(),
            offsets: Offsets::default(),
            empty_since_ms: 0,
            dirty: false,
            consumer: None,
        }
    }

    pub(super) fn member(&mut self, id: &str) -> Option<&mut Member> {
        self.members.iter_mut().find(|member| member.id == id)
    }

    /// The member that a request speaks for. A static member whose id has been given to a successor is fenced.
    pub(super) fn known_member(
        &mut self,
        id: &str,
        instance: Option<&str>,
    ) -> Result<&mut Member, ErrorCode> {
        if let Some(instance) = instance {
            let holder = self.members.iter().find(|member| member.instance_id.as_deref() == Some(instance));
            match holder {
                None => return Err(ErrorCode::UnknownMemberId),
                Some(holder) if holder.id != id => return Err(ErrorCode::FencedInstanceId),
                Some(_) => {}
            }
        }
        self.member(id).ok_or(ErrorCode::UnknownMemberId)
    }

    /// Whether nothing is left that is worth keeping.
    pub(super) fn is_forgettable(&self) -> bool {
        !self.has_members() && self.pending.is_empty() && self.offsets.is_empty()
    }

    /// Whether anyone is in the group, by either protocol.
    pub(super) fn has_members(&self) -> bool {
        !self.members.is_empty()
            || self.consumer.as_ref().is_some_and(|consumer| !consumer.members.is_empty())
    }

    /// Whether the log may have a record of it as a group of the classic protocol.
    pub(super) fn was_classic(&self) -> bool {
        self.generation > 0 || self.protocol_type.is_some()
    }

    /// The group by the newer protocol. Of the classic one nothing stays but the offsets.
    pub(super) fn become_consumer(&mut self) -> &mut ConsumerGroup {
        if self.consumer.is_none() {
            let offsets = std::mem::take(&mut self.offsets);
            *self = Group { offsets, ..Group::new(&self.id) };
        }
        self.consumer.get_or_insert_default()
    }

    /// The protocols that every member knows.
    pub(super) fn common_protocols(&self) -> Vec<&str> {
        let Some(first) = self.members.first() else { return Vec::new() };
        let known_to_all =
            |name: &str| self.members.iter().all(|m| m.protocols.iter().any(|p| p.name == name));
        first
            .protocols
            .iter()
            .map(|protocol| protocol.name.as_str())
            .filter(|name| known_to_all(name))
            .collect()
    }

    /// Each member votes for the first protocol on its list that all know; the first with most votes wins.
    fn elect_protocol(&self) -> Option<String> {
        let candidates = self.common_protocols();
        let votes = |candidate: &str| {
            let vote = |member: &&Member| {
                let first = member.protocols.iter().find(|p| candidates.contains(&p.name.as_str()));
                first.is_some_and(|protocol| protocol.name == candidate)
            };
            self.members.iter().filter(vote).count()
        };
        candidates.iter().rev().max_by_key(|candidate| votes(candidate)).map(|&name| name.to_owned())
    }

    /// Begins a rebalance: all members have to join again.
    pub(super) fn prepare_rebalance(&mut self, now_ms: i64, initial_delay_ms: i32, reason: &str) {
        for member in &mut self.members {
            if matches!(member.waiter, Waiter::Sync(_)) {
                member.fail(ErrorCode::RebalanceInProgress);
            }
        }
        let initial = self.phase == Phase::Empty;
        let patience = if initial { initial_delay_ms } else { self.rebalance_timeout_ms() };
        self.phase = Phase::PreparingRebalance { until_ms: now_ms + i64::from(patience), initial };
        info!(group = %self.id, generation = self.generation, members = self.members.len(), reason, "rebalance begins");
    }

    /// The longest time that any member asks the others to wait.
    fn rebalance_timeout_ms(&self) -> i32 {
        self.members.iter().map(|member| member.rebalance_timeout_ms).max().unwrap_or(0)
    }

    /// Ends the joining phase when it can end.
    pub(super) fn try_complete_join(&mut self, now_ms: i64) {
        let Phase::PreparingRebalance { until_ms, initial } = self.phase else { return };
        let time_is_up = now_ms >= until_ms;
        let all_here = self.pending.is_empty() && self.members.iter().all(Member::is_joining);
        if !time_is_up && (initial || !all_here) {
            return;
        }
        // Static members may be away for a while without losing their place.
        self.members.retain(|member| member.is_joining() || member.instance_id.is_some());
        self.dirty = true;
        if !self.members.iter().any(Member::is_joining) {
            self.become_empty_or_wait(now_ms);
            return;
        }
        self.complete_join(now_ms);
    }

    fn become_empty_or_wait(&mut self, now_ms: i64) {
        if self.members.is_empty() {
            self.generation = self.generation.wrapping_add(1).max(1);
            self.phase = Phase::Empty;
            self.empty_since_ms = now_ms;
            self.protocol = None;
            self.leader = None;
            info!(group = %self.id, generation = self.generation, "group is empty");
        } else {
            let until_ms = now_ms + i64::from(self.rebalance_timeout_ms());
            self.phase = Phase::PreparingRebalance { until_ms, initial: false };
        }
    }

    fn complete_join(&mut self, now_ms: i64) {
        self.generation = self.generation.wrapping_add(1).max(1);
        self.protocol = self.elect_protocol();
        let leader_stays = self.members.iter().any(|m| Some(&m.id) == self.leader.as_ref() && m.is_joining());
        if !leader_stays {
            self.leader =
                self.members.iter().find(|member| member.is_joining()).map(|member| member.id.clone());
        }
        let until_ms = now_ms + i64::from(self.rebalance_timeout_ms());
        self.phase = Phase::CompletingRebalance { until_ms };
        info!(group = %self.id, generation = self.generation, members = self.members.len(), "members have joined");
        let answers: Vec<_> = self.members.iter().map(|member| self.join_answer(&member.id, false)).collect();
        for (member, answer) in self.members.iter_mut().zip(answers) {
            member.touch(now_ms);
            member.synced = false;
            if let Waiter::Join(sender) = std::mem::take(&mut member.waiter) {
                let _ = sender.send(answer);
            }
        }
    }

    /// What a member is told at the end of the joining phase: the leader hears of all members.
    pub(super) fn join_answer(&self, member_id: &str, skip_assignment: bool) -> JoinGroupResponse {
        let protocol = self.protocol.clone().unwrap_or_default();
        let describe = |member: &Member| JoinGroupResponseMember {
            member_id: member.id.clone(),
            group_instance_id: member.instance_id.clone(),
            metadata: member.metadata(&protocol),
        };
        let leads = self.leader.as_deref() == Some(member_id);
        JoinGroupResponse {
            generation_id: self.generation,
            protocol_type: self.protocol_type.clone(),
            protocol_name: Some(protocol.clone()),
            leader: self.leader.clone().unwrap_or_default(),
            skip_assignment,
            member_id: member_id.to_owned(),
            members: if leads { self.members.iter().map(describe).collect() } else { Vec::new() },
            ..Default::default()
        }
    }

    /// What a member is told when it syncs.
    pub(super) fn sync_answer(&self, assignment: Bytes) -> SyncGroupResponse {
        SyncGroupResponse {
            protocol_type: self.protocol_type.clone(),
            protocol_name: self.protocol.clone(),
            assignment,
            ..Default::default()
        }
    }

    /// Removes a member, and begins a rebalance if the others were counting on it.
    pub(super) fn remove(&mut self, id: &str, now_ms: i64, reason: &str) {
        let Some(at) = self.members.iter().position(|member| member.id == id) else { return };
        let mut member = self.members.remove(at);
        member.fail(ErrorCode::UnknownMemberId);
        info!(group = %self.id, member = %member.id, reason, "member is gone");
        self.dirty = true;
        match self.phase {
            Phase::Stable | Phase::CompletingRebalance { .. } => self.prepare_rebalance(now_ms, 0, reason),
            Phase::Empty | Phase::PreparingRebalance { .. } => {}
        }
        self.try_complete_join(now_ms);
    }

    /// Lets time pass: ends sessions, ends the joining phase, and removes those that do not sync.
    pub(super) fn tick(&mut self, now_ms: i64) {
        self.pending.retain(|_, until_ms| *until_ms > now_ms);
        let sync_over = matches!(self.phase, Phase::CompletingRebalance { until_ms } if now_ms >= until_ms);
        let leader_synced = |group: &Group| {
            group.members.iter().any(|member| member.synced && Some(&member.id) == group.leader.as_ref())
        };
        let late = sync_over && !leader_synced(self);
        let is_gone = |member: &&Member| {
            (member.deadline_ms <= now_ms && !member.is_waiting())
                || (late && !member.synced && !member.is_waiting())
        };
        let gone: Vec<String> = self.members.iter().filter(is_gone).map(|member| member.id.clone()).collect();
        for id in gone {
            self.remove(&id, now_ms, "its session has ended");
        }
        self.try_complete_join(now_ms);
    }
}
