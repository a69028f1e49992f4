//! DescribeGroups (15): state and members of consumer groups.
//!
//! | version | adds |
//! |---|---|
//! | 1 | throttle time |
//! | 3 | authorized operations |
//! | 4 | static members |
//! | 5 | flexible |

use bytes::Bytes;

use crate::codec::message;

message! {
    /// Asks for groups by name.
    pub struct DescribeGroupsRequest {
        /// The names of the groups.
        groups: Vec<String>, 0..;
        /// Whether to tell what the client may do to the groups.
        include_authorized_operations: bool, 3..;
    }

    /// Describes the groups.
    pub struct DescribeGroupsResponse {
        /// How long the broker held back or wants the client to wait for a quota, in milliseconds.
        throttle_time_ms: i32, 1.., ignorable;
        /// The groups.
        groups: Vec<DescribedGroup>, 0..;
    }

    /// One group.
    pub struct DescribedGroup {
        /// See [`ErrorCode`](crate::ErrorCode); 0 for none.
        error_code: i16, 0..;
        /// The name of the group.
        group_id: String, 0..;
        /// The state of the group, as Kafka names it: `Stable`, `Empty` …
        group_state: String, 0..;
        /// The kind of the group's protocol; `consumer` for consumers.
        protocol_type: String, 0..;
        /// The assignment protocol in use.
        protocol_data: String, 0..;
        /// The members.
        members: Vec<DescribedGroupMember>, 0..;
        /// What the client may do to the group, a bit for each operation; the minimum if not asked for.
        authorized_operations: i32 = i32::MIN, 3..;
    }

    /// One member of a group.
    pub struct DescribedGroupMember {
        /// The member's id.
        member_id: String, 0..;
        /// The static id by which a member is known again after a restart; null for none.
        group_instance_id: Option<String>, 4.., ignorable;
        /// The client id of the member.
        client_id: String, 0..;
        /// The host of the member.
        client_host: String, 0..;
        /// What the member joined with, in the protocol's own form.
        member_metadata: Bytes, 0..;
        /// What the member was assigned, in the protocol's own form.
        member_assignment: Bytes, 0..;
    }
}
