//! SyncGroup's and Heartbeat's parts of the state machine.

use tokio::sync::oneshot;
use tracing::info;
use wire::ErrorCode;
use wire::message::heartbeat::HeartbeatRequest;
use wire::message::sync_group::{SyncGroupRequest, SyncGroupResponse};

use super::join::Answer;
use super::member::Waiter;
use super::state::{Group, Phase};

/// A refusal to sync.
pub(super) fn refused(error: ErrorCode) -> SyncGroupResponse {
    SyncGroupResponse { error_code: error.code(), ..Default::default() }
}

impl Group {
    /// Serves SyncGroup: the leader brings the assignment, the others wait for theirs.
    pub(super) fn sync(&mut self, request: SyncGroupRequest, now_ms: i64) -> Answer<SyncGroupResponse> {
        if let Err(error) = self.may_sync(&request, now_ms) {
            return Answer::Now(refused(error));
        }
        match self.phase {
            Phase::Empty => Answer::Now(refused(ErrorCode::UnknownMemberId)),
            Phase::PreparingRebalance { .. } => Answer::Now(refused(ErrorCode::RebalanceInProgress)),
            Phase::Stable => {
                let assignment = self.member(&request.member_id).map(|member| member.assignment.clone());
                Answer::Now(self.sync_answer(assignment.unwrap_or_default()))
            }
            Phase::CompletingRebalance { .. } => {
                let leads = self.leader.as_ref() == Some(&request.member_id);
                let (sender, receiver) = oneshot::channel();
                if let Some(member) = self.member(&request.member_id) {
                    member.synced = true;
                    member.fail(ErrorCode::RebalanceInProgress);
                    member.waiter = Waiter::Sync(sender);
                }
                if leads {
                    self.assign(request, now_ms);
                }
                Answer::Later(receiver)
            }
        }
    }

    fn may_sync(&mut self, request: &SyncGroupRequest, now_ms: i64) -> Result<(), ErrorCode> {
        let instance = request.group_instance_id.as_deref();
        self.known_member(&request.member_id, instance)?.touch(now_ms);
        if request.generation_id != self.generation {
            return Err(ErrorCode::IllegalGeneration);
        }
        let agrees =
            |said: &Option<String>, ours: &Option<String>| said.is_none() || ours.is_none() || said == ours;
        let same = agrees(&request.protocol_type, &self.protocol_type)
            && agrees(&request.protocol_name, &self.protocol);
        if same { Ok(()) } else { Err(ErrorCode::InconsistentGroupProtocol) }
    }

    /// Hands the leader's assignment to everyone. A member that the leader has left out has nothing to read.
    fn assign(&mut self, request: SyncGroupRequest, now_ms: i64) {
        for member in &mut self.members {
            let given = request.assignments.iter().find(|given| given.member_id == member.id);
            member.assignment = given.map(|given| given.assignment.clone()).unwrap_or_default();
            member.touch(now_ms);
        }
        self.phase = Phase::Stable;
        self.dirty = true;
        info!(group = %self.id, generation = self.generation, members = self.members.len(), "group is stable");
        let answers: Vec<_> =
            self.members.iter().map(|member| self.sync_answer(member.assignment.clone())).collect();
        for (member, answer) in self.members.iter_mut().zip(answers) {
            if let Waiter::Sync(sender) = std::mem::take(&mut member.waiter) {
                let _ = sender.send(answer);
            }
        }
    }

    /// Serves Heartbeat: the member lives, and hears of a rebalance.
    pub(super) fn heartbeat(&mut self, request: &HeartbeatRequest, now_ms: i64) -> Result<(), ErrorCode> {
        let instance = request.group_instance_id.as_deref();
        let generation = self.generation;
        let phase = self.phase;
        let member = self.known_member(&request.member_id, instance)?;
        if request.generation_id != generation {
            return Err(ErrorCode::IllegalGeneration);
        }
        member.touch(now_ms);
        match phase {
            Phase::Empty => Err(ErrorCode::UnknownMemberId),
            Phase::PreparingRebalance { .. } => Err(ErrorCode::RebalanceInProgress),
            Phase::CompletingRebalance { .. } | Phase::Stable => Ok(()),
        }
    }
}
