//! Heartbeat (12): a member of a consumer group is alive, and hears of a rebalance.
//!
//! | version | adds |
//! |---|---|
//! | 1 | throttle time |
//! | 3 | static members |
//! | 4 | flexible |

use crate::codec::message;

message! {
    /// Says that a member is alive.
    pub struct HeartbeatRequest {
        /// The name of the group.
        group_id: String, 0..;
        /// The generation of the group.
        generation_id: i32, 0..;
        /// The member's id.
        member_id: String, 0..;
        /// The static id by which a member is known again after a restart; null for none.
        group_instance_id: Option<String>, 3..;
    }

    /// Says whether the member's generation still holds.
    pub struct HeartbeatResponse {
        /// How long the broker held back or wants the client to wait for a quota, in milliseconds.
        throttle_time_ms: i32, 1.., ignorable;
        /// See [`ErrorCode`](crate::ErrorCode); 0 for none.
        error_code: i16, 0..;
    }
}
