//! LeaveGroup's part of the state machine.

use wire::ErrorCode;
use wire::message::leave_group::{LeaveGroupRequest, LeaveGroupResponse, MemberIdentity, MemberResponse};

use super::state::Group;

impl Group {
    /// Serves LeaveGroup: one member up to version 2, any number from version 3 on.
    pub(super) fn leave(
        &mut self,
        request: LeaveGroupRequest,
        version: i16,
        now_ms: i64,
    ) -> LeaveGroupResponse {
        if version < 3 {
            let result = self.leave_one(&request.member_id, None, now_ms);
            return LeaveGroupResponse { error_code: code(result), ..Default::default() };
        }
        let leave = |identity: MemberIdentity| {
            let result = self.leave_one(&identity.member_id, identity.group_instance_id.as_deref(), now_ms);
            MemberResponse {
                member_id: identity.member_id,
                group_instance_id: identity.group_instance_id,
                error_code: code(result),
            }
        };
        LeaveGroupResponse { members: request.members.into_iter().map(leave).collect(), ..Default::default() }
    }

    fn leave_one(&mut self, id: &str, instance: Option<&str>, now_ms: i64) -> Result<(), ErrorCode> {
        if self.pending.remove(id).is_some() {
            self.try_complete_join(now_ms);
            return Ok(());
        }
        // An administrator may remove a static member by its instance alone.
        let id = match instance {
            Some(instance) if id.is_empty() => {
                let holder =
                    self.members.iter().find(|member| member.instance_id.as_deref() == Some(instance));
                holder.ok_or(ErrorCode::UnknownMemberId)?.id.clone()
            }
            _ => self.known_member(id, instance)?.id.clone(),
        };
        self.remove(&id, now_ms, "it has left");
        Ok(())
    }
}

fn code(result: Result<(), ErrorCode>) -> i16 {
    result.err().map_or(0, ErrorCode::code)
}
