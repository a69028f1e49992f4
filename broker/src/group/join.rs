//! Joining a group: JoinGroup's part of the state machine.

use bytes::Bytes;
use tokio::sync::oneshot;
use uuid::Uuid;
use wire::ErrorCode;
use wire::message::join_group::{JoinGroupRequest, JoinGroupRequestProtocol, JoinGroupResponse};

use super::Caller;
use super::config::GroupConfig;
use super::delete::subscription;
use super::member::{Member, Waiter};
use super::state::{Group, Phase};

/// From this version on a new member is first told its id and joins with it (KIP-394), so that clients that go away
/// while joining leave nothing behind.
const MEMBER_ID_REQUIRED_FROM: i16 = 4;
/// From this version on a leader may be told that its assignment still stands.
const SKIP_ASSIGNMENT_FROM: i16 = 9;

/// An answer, or where it will arrive.
#[derive(Debug)]
pub(super) enum Answer<T> {
    /// Now.
    Now(T),
    /// When the others have come.
    Later(oneshot::Receiver<T>),
}

/// A refusal to join, which names the member id it concerns.
pub(super) fn refused(error: ErrorCode, member_id: &str) -> JoinGroupResponse {
    JoinGroupResponse { error_code: error.code(), member_id: member_id.to_owned(), ..Default::default() }
}

impl Group {
    /// Serves JoinGroup.
    pub(super) fn join(
        &mut self,
        caller: &Caller,
        request: JoinGroupRequest,
        config: &GroupConfig,
        now_ms: i64,
    ) -> Answer<JoinGroupResponse> {
        if let Err(error) = self.accepts(&request, config) {
            return Answer::Now(refused(error, &request.member_id));
        }
        let answer = if request.member_id.is_empty() {
            self.join_unknown(caller, request, config, now_ms)
        } else {
            self.join_known(caller, request, config, now_ms)
        };
        self.try_complete_join(now_ms);
        answer
    }

    /// Whether the group can have such a member.
    fn accepts(&self, request: &JoinGroupRequest, config: &GroupConfig) -> Result<(), ErrorCode> {
        if request.protocols.is_empty() || request.protocol_type.is_empty() {
            return Err(ErrorCode::InconsistentGroupProtocol);
        }
        let others = self.members.iter().filter(|member| member.id != request.member_id);
        let mut common = request.protocols.iter().filter(|offered| {
            others.clone().all(|member| member.protocols.iter().any(|known| known.name == offered.name))
        });
        let same_type =
            self.members.is_empty() || self.protocol_type.as_deref() == Some(&request.protocol_type);
        if !same_type || common.next().is_none() {
            return Err(ErrorCode::InconsistentGroupProtocol);
        }
        let known = self.members.iter().any(|member| member.id == request.member_id)
            || request.group_instance_id.is_some()
                && self.members.iter().any(|member| member.instance_id == request.group_instance_id);
        if !known && self.members.len() + self.pending.len() > config.max_members {
            return Err(ErrorCode::GroupMaxSizeReached);
        }
        Ok(())
    }

    fn join_unknown(
        &mut self,
        caller: &Caller,
        request: JoinGroupRequest,
        config: &GroupConfig,
        now_ms: i64,
    ) -> Answer<JoinGroupResponse> {
        let member_id =
            format!("{}-{}", request.group_instance_id.as_ref().unwrap_or(&caller.client_id), Uuid::new_v4());
        if let Some(instance) = &request.group_instance_id {
            if let Some(holder) = self.members.iter().position(|m| m.instance_id.as_ref() == Some(instance)) {
                return self.replace_static(holder, member_id, caller, request, now_ms);
            }
        } else if caller.version >= MEMBER_ID_REQUIRED_FROM {
            let until_ms = now_ms + i64::from(request.session_timeout_ms);
            self.pending.insert(member_id.clone(), until_ms);
            return Answer::Now(refused(ErrorCode::MemberIdRequired, &member_id));
        }
        self.admit(member_id, caller, request, config, now_ms)
    }

    fn join_known(
        &mut self,
        caller: &Caller,
        request: JoinGroupRequest,
        config: &GroupConfig,
        now_ms: i64,
    ) -> Answer<JoinGroupResponse> {
        let id = request.member_id.clone();
        if self.pending.remove(&id).is_some() {
            return self.admit(id, caller, request, config, now_ms);
        }
        let member = match self.known_member(&id, request.group_instance_id.as_deref()) {
            Ok(member) => member,
            Err(error) => return Answer::Now(refused(error, &id)),
        };
        let changed = member.protocols != request.protocols;
        let leads = self.leader.as_ref() == Some(&id);
        // A member that has missed the answer to its JoinGroup asks again and hears the same.
        let repeats = match self.phase {
            Phase::CompletingRebalance { .. } => !changed,
            Phase::Stable => !changed && !leads,
            Phase::Empty | Phase::PreparingRebalance { .. } => false,
        };
        if repeats {
            if let Some(member) = self.member(&id) {
                member.touch(now_ms);
            }
            return Answer::Now(self.join_answer(&id, false));
        }
        if !matches!(self.phase, Phase::PreparingRebalance { .. }) {
            self.prepare_rebalance(now_ms, config.initial_rebalance_delay_ms, "a member joins again");
        }
        self.wait_for_others(&id, request, now_ms)
    }

    /// Takes a new member in.
    fn admit(
        &mut self,
        id: String,
        caller: &Caller,
        request: JoinGroupRequest,
        config: &GroupConfig,
        now_ms: i64,
    ) -> Answer<JoinGroupResponse> {
        self.protocol_type = Some(request.protocol_type.clone());
        self.members.push(Member {
            id: id.clone(),
            instance_id: request.group_instance_id.clone(),
            client_id: caller.client_id.clone(),
            client_host: caller.client_host.clone(),
            session_timeout_ms: request.session_timeout_ms,
            rebalance_timeout_ms: 0,
            protocols: Vec::new(),
            assignment: bytes::Bytes::new(),
            deadline_ms: 0,
            synced: false,
            waiter: Waiter::None,
        });
        if !matches!(self.phase, Phase::PreparingRebalance { .. }) {
            self.prepare_rebalance(now_ms, config.initial_rebalance_delay_ms, "a new member");
        }
        self.wait_for_others(&id, request, now_ms)
    }

    /// Records what the member offers and lets it wait for the end of the joining phase.
    fn wait_for_others(
        &mut self,
        id: &str,
        request: JoinGroupRequest,
        now_ms: i64,
    ) -> Answer<JoinGroupResponse> {
        let (sender, receiver) = oneshot::channel();
        let Some(member) = self.member(id) else {
            return Answer::Now(refused(ErrorCode::UnknownMemberId, id));
        };
        // A second JoinGroup takes the place of the first, whose client no longer listens.
        member.fail(ErrorCode::UnknownMemberId);
        member.session_timeout_ms = request.session_timeout_ms;
        // Version 0 has no time of its own for rebalances.
        member.rebalance_timeout_ms = if request.rebalance_timeout_ms < 0 {
            request.session_timeout_ms
        } else {
            request.rebalance_timeout_ms
        };
        member.protocols = request.protocols;
        member.touch(now_ms);
        member.waiter = Waiter::Join(sender);
        Answer::Later(receiver)
    }

    /// A static member has come back under a new member id: the old one is fenced, its assignment stays if it offers
    /// the same as before.
    fn replace_static(
        &mut self,
        at: usize,
        new_id: String,
        caller: &Caller,
        request: JoinGroupRequest,
        now_ms: i64,
    ) -> Answer<JoinGroupResponse> {
        let Some(member) = self.members.get_mut(at) else {
            return Answer::Now(refused(ErrorCode::UnknownMemberId, &request.member_id));
        };
        member.fail(ErrorCode::FencedInstanceId);
        let led = self.leader.as_ref() == Some(&member.id);
        let unchanged = offers_the_same(&member.protocols, &request.protocols);
        if unchanged {
            member.protocols.clone_from(&request.protocols);
        }
        member.id.clone_from(&new_id);
        member.client_id.clone_from(&caller.client_id);
        member.client_host.clone_from(&caller.client_host);
        member.touch(now_ms);
        if led {
            self.leader = Some(new_id.clone());
        }
        self.dirty = true;
        if self.phase == Phase::Stable && unchanged {
            // A leader that cannot be told to skip the assignment would assign again: let it follow instead.
            let skip = led && caller.version >= SKIP_ASSIGNMENT_FROM;
            let mut answer = self.join_answer(&new_id, skip);
            if led && !skip {
                answer.leader = String::new();
                answer.members.clear();
            }
            return Answer::Now(answer);
        }
        if !matches!(self.phase, Phase::PreparingRebalance { .. }) {
            self.prepare_rebalance(now_ms, 0, "a static member came back and offers something else");
        }
        self.wait_for_others(&new_id, request, now_ms)
    }
}

/// Whether a static member that is back offers what it did: the same protocols, and of a consumer's subscription the same
/// topics. The rest of that says what the member owned, which it has forgotten. (Kafka compares the protocols alone.)
fn offers_the_same(before: &[JoinGroupRequestProtocol], now: &[JoinGroupRequestProtocol]) -> bool {
    let topics = |metadata: &Bytes| subscription(metadata.clone()).ok();
    let is_same = |(before, now): (&JoinGroupRequestProtocol, &JoinGroupRequestProtocol)| {
        let has_same_topics =
            || topics(&before.metadata).is_some_and(|had| topics(&now.metadata) == Some(had));
        before.name == now.name && (before.metadata == now.metadata || has_same_topics())
    };
    before.len() == now.len() && before.iter().zip(now).all(is_same)
}
