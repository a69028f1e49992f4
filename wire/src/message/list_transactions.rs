//! ListTransactions (66): the transactional ids that a broker coordinates. Flexible from the start.
//!
//! | version | adds |
//! |---|---|
//! | 1 | filter by duration |

use crate::codec::message;

message! {
    /// Asks for the transactional ids.
    pub struct ListTransactionsRequest {
        /// The states to list; empty for all.
        state_filters: Vec<String>, 0..;
        /// The producer ids to list; empty for all.
        producer_id_filters: Vec<i64>, 0..;
        /// Lists only transactions that have been open for longer, in milliseconds; below 0 for all.
        duration_filter: i64 = -1, 1..;
    }

    /// Lists the transactional ids.
    pub struct ListTransactionsResponse {
        /// How long the broker held back or wants the client to wait for a quota, in milliseconds.
        throttle_time_ms: i32, 0..;
        /// See [`ErrorCode`](crate::ErrorCode); 0 for none.
        error_code: i16, 0..;
        /// States asked for that do not exist.
        unknown_state_filters: Vec<String>, 0..;
        /// The transactional ids.
        transaction_states: Vec<ListedTransaction>, 0..;
    }

    /// One transactional id.
    pub struct ListedTransaction {
        /// The transactional id.
        transactional_id: String, 0..;
        /// The producer id.
        producer_id: i64, 0..;
        /// The state, as Kafka names it: `Ongoing`, `CompleteCommit` …
        transaction_state: String, 0..;
    }
}
