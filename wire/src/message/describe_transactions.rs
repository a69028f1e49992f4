//! DescribeTransactions (65): where transactions stand and which partitions they have. Flexible from the start.

use crate::codec::message;

message! {
    /// Asks for transactions.
    pub struct DescribeTransactionsRequest {
        /// The transactional ids.
        transactional_ids: Vec<String>, 0..;
    }

    /// Describes the transactions.
    pub struct DescribeTransactionsResponse {
        /// How long the broker held back or wants the client to wait for a quota, in milliseconds.
        throttle_time_ms: i32, 0..;
        /// The transactions.
        transaction_states: Vec<TransactionState>, 0..;
    }

    /// One transactional id.
    pub struct TransactionState {
        /// See [`ErrorCode`](crate::ErrorCode); 0 for none.
        error_code: i16, 0..;
        /// The transactional id.
        transactional_id: String, 0..;
        /// The state, as Kafka names it: `Ongoing`, `CompleteCommit` …
        transaction_state: String, 0..;
        /// How long a transaction may stay open, in milliseconds.
        transaction_timeout_ms: i32, 0..;
        /// When the transaction was begun, in milliseconds since 1970; −1 if there is none.
        transaction_start_time_ms: i64, 0..;
        /// The producer id.
        producer_id: i64, 0..;
        /// The epoch of the producer id.
        producer_epoch: i16, 0..;
        /// The partitions of the transaction; while it ends, those without a marker.
        topics: Vec<TopicData>, 0..;
    }

    /// Partitions of one topic.
    pub struct TopicData {
        /// The name of the topic.
        topic: String, 0..;
        /// The partitions.
        partitions: Vec<i32>, 0..;
    }
}
