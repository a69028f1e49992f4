//! ListGroups (16): the groups that a broker coordinates.
//!
//! | version | adds |
//! |---|---|
//! | 1 | throttle time |
//! | 3 | flexible |
//! | 4 | filter by state; the state |
//! | 5 | filter by type; the type |

use crate::codec::message;

message! {
    /// Asks for the groups.
    pub struct ListGroupsRequest {
        /// The states to list; empty for all.
        states_filter: Vec<String>, 4..;
        /// The types to list; empty for all.
        types_filter: Vec<String>, 5..;
    }

    /// Lists the groups.
    pub struct ListGroupsResponse {
        /// How long the broker held back or wants the client to wait for a quota, in milliseconds.
        throttle_time_ms: i32, 1.., ignorable;
        /// See [`ErrorCode`](crate::ErrorCode); 0 for none.
        error_code: i16, 0..;
        /// The groups.
        groups: Vec<ListedGroup>, 0..;
    }

    /// One group.
    pub struct ListedGroup {
        /// The name of the group.
        group_id: String, 0..;
        /// The kind of the group's protocol; `consumer` for consumers.
        protocol_type: String, 0..;
        /// The state of the group, as Kafka names it: `Stable`, `Empty` …
        group_state: String, 4.., ignorable;
        /// The type of the group: `classic` or `consumer`.
        group_type: String, 5.., ignorable;
    }
}
