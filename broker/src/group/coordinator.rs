//! The table of groups, and what the APIs call.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use parking_lot::Mutex;
use tracing::warn;
use wire::ErrorCode;
use wire::message::heartbeat::{HeartbeatRequest, HeartbeatResponse};
use wire::message::join_group::{JoinGroupRequest, JoinGroupResponse};
use wire::message::leave_group::{LeaveGroupRequest, LeaveGroupResponse};
use wire::message::sync_group::{SyncGroupRequest, SyncGroupResponse};

use super::config::GroupConfig;
use super::join::{self, Answer};
use super::state::Group;
use super::store::{Pending, Store};
use super::{Caller, records, sync};
use crate::log::{Clock, Partition, StorageError};

/// All groups of this broker.
#[derive(Debug)]
pub(crate) struct Coordinator {
    pub(super) config: GroupConfig,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) store: Store,
    groups: Mutex<HashMap<String, Arc<Mutex<Group>>>>,
    /// The groups with offsets of open transactions, by producer id.
    pub(super) pending_groups: Mutex<HashMap<i64, HashSet<String>>>,
}

impl Coordinator {
    /// Loads the groups from the partitions of `__consumer_offsets`. Blocks.
    pub(crate) fn load(
        partitions: Vec<Arc<Partition>>,
        config: GroupConfig,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StorageError> {
        let store = Store::new(partitions);
        let mut groups = store.load(clock.now_ms())?;
        for consumer in groups.values_mut().filter_map(|group| group.consumer.as_mut()) {
            consumer.restart_times(clock.now_ms(), config.consumer.session_timeout_ms);
        }
        let mut pending: HashMap<i64, HashSet<String>> = HashMap::new();
        for (id, group) in &groups {
            for producer_id in group.offsets.producers() {
                pending.entry(producer_id).or_default().insert(id.clone());
            }
        }
        let groups = groups.into_iter().map(|(id, group)| (id, Arc::new(Mutex::new(group)))).collect();
        let pending_groups = Mutex::new(pending);
        Ok(Coordinator { config, clock, store, groups: Mutex::new(groups), pending_groups })
    }

    /// The group of that name, if there is one.
    pub(super) fn find(&self, id: &str) -> Option<Arc<Mutex<Group>>> {
        self.groups.lock().get(id).cloned()
    }

    /// The group of that name, made if there is none.
    pub(super) fn find_or_create(&self, id: &str) -> Result<Arc<Mutex<Group>>, ErrorCode> {
        let mut groups = self.groups.lock();
        if let Some(group) = groups.get(id) {
            return Ok(Arc::clone(group));
        }
        if groups.len() >= self.config.max_groups {
            warn!(groups = groups.len(), "max_groups is reached, a new group is refused");
            return Err(ErrorCode::GroupMaxSizeReached);
        }
        let group = Arc::new(Mutex::new(Group::new(id)));
        groups.insert(id.to_owned(), Arc::clone(&group));
        Ok(group)
    }

    /// All groups.
    pub(super) fn all(&self) -> Vec<Arc<Mutex<Group>>> {
        self.groups.lock().values().cloned().collect()
    }

    /// Serves JoinGroup; returns when the group has met.
    pub(crate) async fn join(&self, caller: &Caller, request: JoinGroupRequest) -> JoinGroupResponse {
        let member_id = request.member_id.clone();
        match self.begin_join(caller, request) {
            Ok(Answer::Now(response)) => response,
            Ok(Answer::Later(receiver)) => {
                receiver.await.unwrap_or_else(|_| join::refused(ErrorCode::UnknownMemberId, &member_id))
            }
            Err(error) => join::refused(error, &member_id),
        }
    }

    fn begin_join(
        &self,
        caller: &Caller,
        request: JoinGroupRequest,
    ) -> Result<Answer<JoinGroupResponse>, ErrorCode> {
        check_group_id(&request.group_id)?;
        let sessions = self.config.min_session_timeout_ms..=self.config.max_session_timeout_ms;
        if !sessions.contains(&request.session_timeout_ms) {
            return Err(ErrorCode::InvalidSessionTimeout);
        }
        let group = match self.find(&request.group_id) {
            Some(group) => group,
            // Only a group that someone founds is made; a member of an unknown one is told so.
            None if request.member_id.is_empty() => self.find_or_create(&request.group_id)?,
            None => return Err(ErrorCode::UnknownMemberId),
        };
        let mut group = group.lock();
        self.become_classic(&mut group, request.member_id.is_empty())?;
        let answer = group.join(caller, request, &self.config, self.clock.now_ms());
        self.save_if_dirty(&mut group);
        Ok(answer)
    }

    /// Serves SyncGroup; returns when the leader has assigned.
    pub(crate) async fn sync(&self, request: SyncGroupRequest) -> SyncGroupResponse {
        let Some(group) = self.find(&request.group_id) else {
            return sync::refused(ErrorCode::UnknownMemberId);
        };
        let (answer, saved) = {
            let mut group = group.lock();
            let answer = group.sync(request, self.clock.now_ms());
            (answer, self.save_if_dirty(&mut group))
        };
        // The generation must outlive a crash before its members begin to commit in it.
        if let Some(saved) = saved
            && let Err(error) = saved.durable().await
        {
            return sync::refused(error);
        }
        match answer {
            Answer::Now(response) => response,
            Answer::Later(receiver) => {
                receiver.await.unwrap_or_else(|_| sync::refused(ErrorCode::RebalanceInProgress))
            }
        }
    }

    /// Serves Heartbeat.
    pub(crate) fn heartbeat(&self, request: &HeartbeatRequest) -> HeartbeatResponse {
        let beat = |group: Arc<Mutex<Group>>| group.lock().heartbeat(request, self.clock.now_ms());
        let result = self.find(&request.group_id).map_or(Err(ErrorCode::UnknownMemberId), beat);
        HeartbeatResponse { error_code: result.err().map_or(0, ErrorCode::code), ..Default::default() }
    }

    /// Serves LeaveGroup.
    pub(crate) fn leave(&self, caller: &Caller, request: LeaveGroupRequest) -> LeaveGroupResponse {
        let Some(group) = self.find(&request.group_id) else {
            let error_code = ErrorCode::UnknownMemberId.code();
            return LeaveGroupResponse { error_code, ..Default::default() };
        };
        let mut group = group.lock();
        let response = group.leave(request, caller.version, self.clock.now_ms());
        self.save_if_dirty(&mut group);
        response
    }

    /// Lets time pass in all groups; call it about ten times a second. Blocks for writes of groups that changed.
    pub(crate) fn tick(&self) {
        let now_ms = self.clock.now_ms();
        for group in self.all() {
            let mut group = group.lock();
            group.tick(now_ms);
            self.save_if_dirty(&mut group);
            self.expire_consumers(&mut group, now_ms);
        }
        // A group that someone is about to use is held by more than the table.
        self.groups.lock().retain(|_, group| {
            Arc::strong_count(group) > 1 || group.try_lock().is_none_or(|group| !group.is_forgettable())
        });
    }

    /// Appends the group's record if it has changed. A failure is not the member's: the group goes on in memory, and
    /// after a restart its members join again.
    fn save_if_dirty(&self, group: &mut Group) -> Option<Pending> {
        if !std::mem::take(&mut group.dirty) {
            return None;
        }
        let now_ms = self.clock.now_ms();
        let record = records::group_record(group, now_ms)
            .inspect_err(|error| warn!(group = %group.id, %error, "cannot encode the group"))
            .ok()?;
        self.store.append(&group.id, &[record], now_ms).ok()
    }
}

/// A group needs a name.
pub(super) fn check_group_id(id: &str) -> Result<(), ErrorCode> {
    if id.is_empty() { Err(ErrorCode::InvalidGroupId) } else { Ok(()) }
}
