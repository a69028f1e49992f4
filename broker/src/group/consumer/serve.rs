//! ConsumerGroupHeartbeat, the members whose time is up, and how an empty group goes from one protocol to the other.

use tracing::{info, warn};
use uuid::Uuid;
use wire::ErrorCode;
use wire::codec::EncodeError;
use wire::message::consumer_group_heartbeat::{
    ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse,
};

use super::change::Change;
use super::check::check;
use super::heartbeat::Beat;
use super::leave::{Departure, unknown_group};
use super::member::{JOIN, LEAVE};
use super::partitions::from_wire;
use super::records::record;
use super::state::ConsumerGroup;
use super::topics::Topics;
use crate::error::Failure;
use crate::group::records::{Record, group_tombstone};
use crate::group::state::Group;
use crate::group::store::Pending;
use crate::group::{Caller, Coordinator};

/// How long a member stays that should be removed while the disk refuses it.
const RETRY_MS: i64 = 1000;

/// An answer, and the records that must be on the disk before it is given.
type Begun = (ConsumerGroupHeartbeatResponse, Option<Pending>);

impl Coordinator {
    /// Serves ConsumerGroupHeartbeat; returns when what it says is durable.
    pub(crate) async fn consumer_heartbeat(
        &self,
        caller: &Caller,
        request: ConsumerGroupHeartbeatRequest,
        topics: &dyn Topics,
    ) -> ConsumerGroupHeartbeatResponse {
        let (answer, saved) = match self.begin_consumer_heartbeat(caller, &request, topics) {
            Ok(begun) => begun,
            Err(failure) => return refused(failure),
        };
        let stored = match saved {
            Some(saved) => saved.durable().await,
            None => Ok(()),
        };
        stored.map_or_else(|error| refused(failed(error)), |()| answer)
    }

    fn begin_consumer_heartbeat(
        &self,
        caller: &Caller,
        request: &ConsumerGroupHeartbeatRequest,
        topics: &dyn Topics,
    ) -> Result<Begun, Failure> {
        check(request, caller.version, &self.config.consumer)?;
        let id = request.group_id.as_str();
        let group = match self.find(id) {
            Some(group) => group,
            None if request.member_epoch == JOIN => self.find_or_create(id).map_err(failed)?,
            None => return Err(unknown_group(id)),
        };
        let mut group = group.lock();
        if request.member_epoch <= LEAVE {
            return self.leave_consumer_group(&mut group, request);
        }
        let new_id;
        let member_id = if request.member_id.is_empty() {
            new_id = Uuid::new_v4().to_string();
            new_id.as_str()
        } else {
            request.member_id.as_str()
        };
        let owned = request.topic_partitions.as_deref().map(from_wire);
        let beat = Beat {
            group: id,
            request,
            member_id,
            owned: owned.as_ref(),
            caller,
            config: &self.config.consumer,
            topics,
            now_ms: self.clock.now_ms(),
        };
        self.beat(&mut group, &beat)
    }

    fn beat(&self, group: &mut Group, beat: &Beat<'_>) -> Result<Begun, Failure> {
        if group.consumer.is_none() && (beat.request.member_epoch != JOIN || group.has_members()) {
            let message = format!("Group {} is not a consumer group.", group.id);
            return Err(Failure::new(ErrorCode::GroupIdNotFound, message));
        }
        let outcome = match group.consumer.as_deref() {
            Some(consumer) => consumer.heartbeat(beat)?,
            None => ConsumerGroup::default().heartbeat(beat)?,
        };
        let mut records = Vec::new();
        if group.consumer.is_none() && group.was_classic() {
            records.push(group_tombstone(&group.id).map_err(unwritable)?);
        }
        records.extend(encode(&group.id, &outcome.changes)?);
        let saved = self.append_group(&group.id, &records).map_err(failed)?;
        let consumer = group.become_consumer();
        if saved.is_some() {
            consumer.saved = saved;
        }
        let saved = consumer.saved.clone();
        Ok((consumer.accept(outcome), saved))
    }

    fn leave_consumer_group(
        &self,
        group: &mut Group,
        request: &ConsumerGroupHeartbeatRequest,
    ) -> Result<Begun, Failure> {
        let Some(consumer) = group.consumer.as_deref() else { return Err(unknown_group(&group.id)) };
        let answer = ConsumerGroupHeartbeatResponse {
            member_id: Some(request.member_id.clone()),
            member_epoch: request.member_epoch,
            ..Default::default()
        };
        let saved = match consumer.leave(request)? {
            Departure::ForGood(id) => self.remove_consumer(group, &id, "it has left")?,
            Departure::ForAWhile(id, current) => {
                let change = Change::Current(id.clone(), Some(current));
                let saved = self.append_changes(group, vec![change])?;
                let consumer = group.consumer.as_deref_mut();
                if let Some(member) = consumer.and_then(|consumer| consumer.members.get_mut(&id)) {
                    member.rebalance_deadline_ms = None;
                }
                info!(group = %group.id, member = %id, "a static member will be back");
                saved
            }
        };
        Ok((answer, saved))
    }

    /// Removes a member, and the group with its last one if it has no offsets.
    fn remove_consumer(&self, group: &mut Group, id: &str, reason: &str) -> Result<Option<Pending>, Failure> {
        let Some(consumer) = group.consumer.as_deref() else { return Ok(None) };
        let is_last = consumer.members.len() == 1 && group.offsets.is_empty();
        let saved = if is_last {
            let saved = self.append_group(&group.id, &encode(&group.id, &consumer.tombstones())?);
            let saved = saved.map_err(failed)?;
            group.consumer = None;
            saved
        } else {
            let changes = consumer.removal(id);
            self.append_changes(group, changes)?
        };
        info!(group = %group.id, member = id, reason, "member is gone");
        Ok(saved)
    }

    /// Writes changes of a group, then makes them true.
    fn append_changes(&self, group: &mut Group, changes: Vec<Change>) -> Result<Option<Pending>, Failure> {
        let saved = self.append_group(&group.id, &encode(&group.id, &changes)?).map_err(failed)?;
        if let Some(consumer) = group.consumer.as_deref_mut() {
            changes.into_iter().for_each(|change| consumer.apply(change));
            consumer.saved.clone_from(&saved);
        }
        Ok(saved)
    }

    fn append_group(&self, group: &str, records: &[Record]) -> Result<Option<Pending>, ErrorCode> {
        self.store.append_all(group, records, self.clock.now_ms())
    }

    /// Removes the members whose time is up. Blocks for writes.
    pub(in crate::group) fn expire_consumers(&self, group: &mut Group, now_ms: i64) {
        while let Some((id, reason)) = group.consumer.as_deref().and_then(|group| group.overdue(now_ms)) {
            let Err(failure) = self.remove_consumer(group, &id, reason) else { continue };
            warn!(group = %group.id, member = %id, error = %failure.message, "cannot remove a member");
            if let Some(consumer) = group.consumer.as_deref_mut() {
                consumer.put_off(&id, now_ms.saturating_add(RETRY_MS));
            }
        }
    }

    /// A member of the classic protocol joins: it may take over an empty group of the newer one.
    pub(in crate::group) fn become_classic(&self, group: &mut Group, is_new: bool) -> Result<(), ErrorCode> {
        let Some(consumer) = group.consumer.as_deref() else { return Ok(()) };
        if !consumer.members.is_empty() {
            return Err(ErrorCode::InconsistentGroupProtocol);
        }
        if !is_new {
            return Err(ErrorCode::UnknownMemberId);
        }
        let records = encode(&group.id, &consumer.tombstones()).map_err(|failure| failure.code)?;
        self.append_group(&group.id, &records)?;
        group.consumer = None;
        Ok(())
    }
}

fn encode(group: &str, changes: &[Change]) -> Result<Vec<Record>, Failure> {
    let records: Result<Vec<Record>, EncodeError> =
        changes.iter().map(|change| record(group, change)).collect();
    records.map_err(unwritable)
}

fn unwritable(error: EncodeError) -> Failure {
    warn!(%error, "cannot encode a consumer group");
    failed(ErrorCode::UnknownServerError)
}

fn failed(error: ErrorCode) -> Failure {
    Failure::new(error, error.message())
}

fn refused(failure: Failure) -> ConsumerGroupHeartbeatResponse {
    ConsumerGroupHeartbeatResponse {
        error_code: failure.code.code(),
        error_message: Some(failure.message),
        ..Default::default()
    }
}
