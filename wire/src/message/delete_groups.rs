//! DeleteGroups (42): deletes consumer groups with their offsets.
//!
//! | version | adds |
//! |---|---|
//! | 2 | flexible |
//! | 1 | meaning only: throttling |

use crate::codec::message;

message! {
    /// Asks to delete groups.
    pub struct DeleteGroupsRequest {
        /// The names of the groups.
        groups_names: Vec<String>, 0..;
    }

    /// Says which groups were deleted.
    pub struct DeleteGroupsResponse {
        /// How long the broker held back or wants the client to wait for a quota, in milliseconds.
        throttle_time_ms: i32, 0..;
        /// The groups.
        results: Vec<DeletableGroupResult>, 0..;
    }

    /// What became of one group.
    pub struct DeletableGroupResult {
        /// The name of the group.
        group_id: String, 0..;
        /// See [`ErrorCode`](crate::ErrorCode); 0 for none.
        error_code: i16, 0..;
    }
}
