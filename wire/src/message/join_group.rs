//! JoinGroup (11): enters a consumer group, and waits until its next generation begins.
//!
//! | version | adds |
//! |---|---|
//! | 1 | rebalance timeout |
//! | 2 | throttle time |
//! | 5 | static members |
//! | 6 | flexible |
//! | 7 | the protocol's type in the answer |
//! | 8 | the reason for joining |
//! | 9 | whether the leader may skip the assignment |
//! | 3, 4 | meaning only: a first join is answered with a member id and error 79 (4) |

use bytes::Bytes;

use crate::codec::message;

message! {
    /// Asks to become a member.
    pub struct JoinGroupRequest {
        /// The name of the group.
        group_id: String, 0..;
        /// How long a member may be silent before it is removed, in milliseconds.
        session_timeout_ms: i32, 0..;
        /// How long members have to join again in a rebalance, in milliseconds; −1 for the session timeout.
        rebalance_timeout_ms: i32 = -1, 1.., ignorable;
        /// The member's id; empty on the first join.
        member_id: String, 0..;
        /// The static id by which a member is known again after a restart; null for none.
        group_instance_id: Option<String>, 5..;
        /// The kind of the group's protocol; `consumer` for consumers.
        protocol_type: String, 0..;
        /// The assignment protocols, the preferred one first.
        protocols: Vec<JoinGroupRequestProtocol>, 0..;
        /// Why, in words.
        reason: Option<String>, 8.., ignorable;
    }

    /// One assignment protocol that the member supports.
    pub struct JoinGroupRequestProtocol {
        /// The name of the protocol.
        name: String, 0..;
        /// The protocol's own data, not known to the broker.
        metadata: Bytes, 0..;
    }

    /// Makes the asker a member of a generation.
    pub struct JoinGroupResponse {
        /// How long the broker held back or wants the client to wait for a quota, in milliseconds.
        throttle_time_ms: i32, 2.., ignorable;
        /// See [`ErrorCode`](crate::ErrorCode); 0 for none.
        error_code: i16, 0..;
        /// The generation of the group; −1 on errors.
        generation_id: i32 = -1, 0..;
        /// The kind of the group's protocol; `consumer` for consumers.
        protocol_type: Option<String>, 7.., ignorable;
        /// The assignment protocol chosen.
        protocol_name: Option<String> = Some(String::new()), 0.., nullable 7..;
        /// The member that makes the assignment.
        leader: String, 0..;
        /// Whether the leader must not make a new assignment.
        skip_assignment: bool, 9..;
        /// The member's id.
        member_id: String, 0..;
        /// All members, for the leader; empty for the others.
        members: Vec<JoinGroupResponseMember>, 0..;
    }

    /// One member, told to the leader only.
    pub struct JoinGroupResponseMember {
        /// The member's id.
        member_id: String, 0..;
        /// The static id by which a member is known again after a restart; null for none.
        group_instance_id: Option<String>, 5.., ignorable;
        /// The protocol's own data, not known to the broker.
        metadata: Bytes, 0..;
    }
}
