//! LeaveGroup (13): leaves a consumer group at once instead of by its session's end.
//!
//! | version | adds |
//! |---|---|
//! | 1 | throttle time |
//! | 3 | several members, by static id too |
//! | 4 | flexible |
//! | 5 | the reason for leaving |

use crate::codec::message;

message! {
    /// Asks to remove members.
    pub struct LeaveGroupRequest {
        /// The name of the group.
        group_id: String, 0..;
        /// The member's id, until version 2.
        member_id: String, 0..=2;
        /// The members that leave, since version 3.
        members: Vec<MemberIdentity>, 3..;
    }

    /// A member that leaves.
    pub struct MemberIdentity {
        /// The member's id.
        member_id: String, 3..;
        /// The static id by which a member is known again after a restart; null for none.
        group_instance_id: Option<String>, 3..;
        /// Why, in words.
        reason: Option<String>, 5.., ignorable;
    }

    /// Says which members were removed.
    pub struct LeaveGroupResponse {
        /// How long the broker held back or wants the client to wait for a quota, in milliseconds.
        throttle_time_ms: i32, 1.., ignorable;
        /// See [`ErrorCode`](crate::ErrorCode); 0 for none.
        error_code: i16, 0..;
        /// What became of each member, since version 3.
        members: Vec<MemberResponse>, 3..;
    }

    /// What became of one member.
    pub struct MemberResponse {
        /// The member's id.
        member_id: String, 3..;
        /// The static id by which a member is known again after a restart; null for none.
        group_instance_id: Option<String>, 3..;
        /// See [`ErrorCode`](crate::ErrorCode); 0 for none.
        error_code: i16, 3..;
    }
}
