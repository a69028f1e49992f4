//! EndTxn (26): commits or aborts a transaction.
//!
//! | version | adds |
//! |---|---|
//! | 3 | flexible |
//! | 1, 2, 4 | meaning only: error codes |

use crate::codec::message;

message! {
    /// Asks to end a transaction.
    pub struct EndTxnRequest {
        /// The transactional id.
        transactional_id: String, 0..;
        /// The producer id that the transactional id has.
        producer_id: i64, 0..;
        /// The epoch of the producer id.
        producer_epoch: i16, 0..;
        /// Whether to commit the transaction; else it is aborted.
        committed: bool, 0..;
    }

    /// Says whether it will end as asked.
    pub struct EndTxnResponse {
        /// How long the broker held back or wants the client to wait for a quota, in milliseconds.
        throttle_time_ms: i32, 0..;
        /// See [`ErrorCode`](crate::ErrorCode); 0 for none.
        error_code: i16, 0..;
    }
}
