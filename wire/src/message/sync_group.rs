//! SyncGroup (14): hands the leader's assignment to each member of a generation.
//!
//! | version | adds |
//! |---|---|
//! | 1 | throttle time |
//! | 3 | static members |
//! | 4 | flexible |
//! | 5 | the protocol's type and name |

use bytes::Bytes;

use crate::codec::message;

message! {
    /// Brings the leader's assignment, or asks for one's own.
    pub struct SyncGroupRequest {
        /// The name of the group.
        group_id: String, 0..;
        /// The generation of the group.
        generation_id: i32, 0..;
        /// The member's id.
        member_id: String, 0..;
        /// The static id by which a member is known again after a restart; null for none.
        group_instance_id: Option<String>, 3..;
        /// The kind of the group's protocol; `consumer` for consumers.
        protocol_type: Option<String>, 5.., ignorable;
        /// The assignment protocol chosen.
        protocol_name: Option<String>, 5.., ignorable;
        /// The assignment of each member; empty from all but the leader.
        assignments: Vec<SyncGroupRequestAssignment>, 0..;
    }

    /// The assignment of one member.
    pub struct SyncGroupRequestAssignment {
        /// The member's id.
        member_id: String, 0..;
        /// The assignment, in the protocol's own form.
        assignment: Bytes, 0..;
    }

    /// Carries a member's assignment.
    pub struct SyncGroupResponse {
        /// How long the broker held back or wants the client to wait for a quota, in milliseconds.
        throttle_time_ms: i32, 1.., ignorable;
        /// See [`ErrorCode`](crate::ErrorCode); 0 for none.
        error_code: i16, 0..;
        /// The kind of the group's protocol; `consumer` for consumers.
        protocol_type: Option<String>, 5.., ignorable;
        /// The assignment protocol chosen.
        protocol_name: Option<String>, 5.., ignorable;
        /// The assignment, in the protocol's own form.
        assignment: Bytes, 0..;
    }
}
