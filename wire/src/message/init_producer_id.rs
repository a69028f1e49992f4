//! InitProducerId (22): gives an idempotent or transactional producer its id and epoch.
//!
//! | version | adds |
//! |---|---|
//! | 2 | flexible |
//! | 3 | the id and epoch which the producer has, to be raised |
//! | 1, 4, 5 | meaning only: error codes |

use crate::codec::message;

message! {
    /// Asks for a producer id.
    pub struct InitProducerIdRequest {
        /// The transactional id; null outside transactions.
        transactional_id: Option<String>, 0..;
        /// How long a transaction may stay idle before it is aborted, in milliseconds.
        transaction_timeout_ms: i32, 0..;
        /// The producer id; −1 for none.
        producer_id: i64 = -1, 3..;
        /// The epoch of the producer id; −1 for none.
        producer_epoch: i16 = -1, 3..;
    }

    /// Carries the producer id.
    pub struct InitProducerIdResponse {
        /// How long the broker held back or wants the client to wait for a quota, in milliseconds.
        throttle_time_ms: i32, 0..;
        /// See [`ErrorCode`](crate::ErrorCode); 0 for none.
        error_code: i16, 0..;
        /// The producer id; −1 for none.
        producer_id: i64 = -1, 0..;
        /// The epoch of the producer id.
        producer_epoch: i16, 0..;
    }
}
