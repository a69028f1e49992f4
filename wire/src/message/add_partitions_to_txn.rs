//! AddPartitionsToTxn (24): makes partitions part of a transaction, before anything is written to them in it.
//!
//! | version | adds |
//! |---|---|
//! | 3 | flexible |
//! | 4 | several transactions at once, and asking only whether the partitions belong to them; used between brokers |
//! | 1, 2, 5 | meaning only: error codes |

use crate::codec::message;

message! {
    /// Asks to add partitions to transactions.
    pub struct AddPartitionsToTxnRequest {
        /// The transactions, since version 4.
        transactions: Vec<AddPartitionsToTxnTransaction>, 4..;
        /// The transactional id, until version 3.
        v3_and_below_transactional_id: String, 0..=3;
        /// The producer id, until version 3.
        v3_and_below_producer_id: i64, 0..=3;
        /// The epoch of the producer id, until version 3.
        v3_and_below_producer_epoch: i16, 0..=3;
        /// The partitions, until version 3.
        v3_and_below_topics: Vec<AddPartitionsToTxnTopic>, 0..=3;
    }

    /// What to add to one transaction.
    pub struct AddPartitionsToTxnTransaction {
        /// The transactional id.
        transactional_id: String, 4..;
        /// The producer id that the transactional id has.
        producer_id: i64, 4..;
        /// The epoch of the producer id.
        producer_epoch: i16, 4..;
        /// Whether to say only if the partitions are part of the transaction.
        verify_only: bool, 4..;
        /// The partitions.
        topics: Vec<AddPartitionsToTxnTopic>, 4..;
    }

    /// Partitions of one topic.
    pub struct AddPartitionsToTxnTopic {
        /// The name of the topic.
        name: String, 0..;
        /// The partitions.
        partitions: Vec<i32>, 0..;
    }

    /// Says which partitions were added.
    pub struct AddPartitionsToTxnResponse {
        /// How long the broker held back or wants the client to wait for a quota, in milliseconds.
        throttle_time_ms: i32, 0..;
        /// The error of the whole request; see [`ErrorCode`](crate::ErrorCode).
        error_code: i16, 4.., ignorable;
        /// The results, since version 4.
        results_by_transaction: Vec<AddPartitionsToTxnResult>, 4..;
        /// The results, until version 3.
        results_by_topic_v3_and_below: Vec<AddPartitionsToTxnTopicResult>, 0..=3;
    }

    /// The results of one transaction.
    pub struct AddPartitionsToTxnResult {
        /// The transactional id.
        transactional_id: String, 4..;
        /// The results by topic.
        topic_results: Vec<AddPartitionsToTxnTopicResult>, 4..;
    }

    /// The results of one topic.
    pub struct AddPartitionsToTxnTopicResult {
        /// The name of the topic.
        name: String, 0..;
        /// The results by partition.
        results_by_partition: Vec<AddPartitionsToTxnPartitionResult>, 0..;
    }

    /// The result of one partition.
    pub struct AddPartitionsToTxnPartitionResult {
        /// The partition.
        partition_index: i32, 0..;
        /// See [`ErrorCode`](crate::ErrorCode); 0 for none.
        partition_error_code: i16, 0..;
    }
}
