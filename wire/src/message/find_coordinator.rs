//! FindCoordinator (10): which broker coordinates a group or a transactional id.
//!
//! | version | adds |
//! |---|---|
//! | 1 | kinds of keys, error message, throttle time |
//! | 3 | flexible |
//! | 4 | several keys at once |
//! | 2, 5, 6 | meaning only: error codes, share groups (6) |

use crate::codec::message;

message! {
    /// Asks for the coordinator of one or more keys.
    pub struct FindCoordinatorRequest {
        /// The group or transactional id, until version 3.
        key: String, 0..=3;
        /// What the keys are: 0 groups, 1 transactional ids, 2 share groups.
        key_type: i8, 1..;
        /// The groups or transactional ids, since version 4.
        coordinator_keys: Vec<String>, 4..;
    }

    /// Names the coordinators.
    pub struct FindCoordinatorResponse {
        /// How long the broker held back or wants the client to wait for a quota, in milliseconds.
        throttle_time_ms: i32, 1.., ignorable;
        /// See [`ErrorCode`](crate::ErrorCode); 0 for none.
        error_code: i16, 0..=3;
        /// What went wrong, in words.
        error_message: Option<String>, 1..=3, ignorable;
        /// The id of the broker.
        node_id: i32, 0..=3;
        /// The host name of the broker.
        host: String, 0..=3;
        /// The port of the broker.
        port: i32, 0..=3;
        /// The coordinators, since version 4.
        coordinators: Vec<Coordinator>, 4..;
    }

    /// The coordinator of one key.
    pub struct Coordinator {
        /// The group or transactional id.
        key: String, 4..;
        /// The id of the broker.
        node_id: i32, 4..;
        /// The host name of the broker.
        host: String, 4..;
        /// The port of the broker.
        port: i32, 4..;
        /// See [`ErrorCode`](crate::ErrorCode); 0 for none.
        error_code: i16, 4..;
        /// What went wrong, in words.
        error_message: Option<String>, 4.., ignorable;
    }
}
