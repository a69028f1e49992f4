//! AddOffsetsToTxn (25): makes the offsets of a consumer group part of a transaction.
//!
//! | version | adds |
//! |---|---|
//! | 3 | flexible |
//! | 1, 2, 4 | meaning only: error codes |

use crate::codec::message;

message! {
    /// Asks to add a group's offsets to a transaction.
    pub struct AddOffsetsToTxnRequest {
        /// The transactional id.
        transactional_id: String, 0..;
        /// The producer id that the transactional id has.
        producer_id: i64, 0..;
        /// The epoch of the producer id.
        producer_epoch: i16, 0..;
        /// The name of the group.
        group_id: String, 0..;
    }

    /// Says whether they were added.
    pub struct AddOffsetsToTxnResponse {
        /// How long the broker held back or wants the client to wait for a quota, in milliseconds.
        throttle_time_ms: i32, 0..;
        /// See [`ErrorCode`](crate::ErrorCode); 0 for none.
        error_code: i16, 0..;
    }
}
