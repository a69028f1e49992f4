//! DeleteRecords (21): deletes the records before an offset.
//!
//! | version | adds |
//! |---|---|
//! | 2 | flexible |
//! | 1 | meaning only: throttling |

use crate::codec::message;

message! {
    /// Asks to delete records.
    pub struct DeleteRecordsRequest {
        /// The topics.
        topics: Vec<DeleteRecordsTopic>, 0..;
        /// How long the broker may take, in milliseconds.
        timeout_ms: i32, 0..;
    }

    /// What to delete of one topic.
    pub struct DeleteRecordsTopic {
        /// The name of the topic.
        name: String, 0..;
        /// The partitions.
        partitions: Vec<DeleteRecordsPartition>, 0..;
    }

    /// What to delete of one partition.
    pub struct DeleteRecordsPartition {
        /// The partition.
        partition_index: i32, 0..;
        /// The first offset that stays; −1 for the high watermark.
        offset: i64, 0..;
    }

    /// Says what was deleted.
    pub struct DeleteRecordsResponse {
        /// How long the broker held back or wants the client to wait for a quota, in milliseconds.
        throttle_time_ms: i32, 0..;
        /// The topics.
        topics: Vec<DeleteRecordsTopicResult>, 0..;
    }

    /// What became of one topic.
    pub struct DeleteRecordsTopicResult {
        /// The name of the topic.
        name: String, 0..;
        /// The partitions.
        partitions: Vec<DeleteRecordsPartitionResult>, 0..;
    }

    /// What became of one partition.
    pub struct DeleteRecordsPartitionResult {
        /// The partition.
        partition_index: i32, 0..;
        /// The first offset that all replicas still have; −1 after an error.
        low_watermark: i64, 0..;
        /// See [`ErrorCode`](crate::ErrorCode); 0 for none.
        error_code: i16, 0..;
    }
}
