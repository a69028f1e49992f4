//! AlterPartitionReassignments (45): gives partitions other replicas. There is version 0 only, and it is flexible.

use crate::codec::message;

message! {
    /// Asks for other replicas.
    pub struct AlterPartitionReassignmentsRequest {
        /// How long the broker may take, in milliseconds.
        timeout_ms: i32 = 60_000, 0..;
        /// The topics.
        topics: Vec<ReassignableTopic>, 0..;
    }

    /// Partitions of one topic.
    pub struct ReassignableTopic {
        /// The name of the topic.
        name: String, 0..;
        /// The partitions.
        partitions: Vec<ReassignablePartition>, 0..;
    }

    /// Where one partition is to be.
    pub struct ReassignablePartition {
        /// The partition.
        partition_index: i32, 0..;
        /// The brokers, the preferred leader first; null to cancel the reassignment that is in progress.
        replicas: Option<Vec<i32>>, 0..;
    }

    /// Says which reassignments have begun or were cancelled.
    pub struct AlterPartitionReassignmentsResponse {
        /// How long the broker held back or wants the client to wait for a quota, in milliseconds.
        throttle_time_ms: i32, 0..;
        /// See [`ErrorCode`](crate::ErrorCode); 0 for none.
        error_code: i16, 0..;
        /// What went wrong with the whole, in words.
        error_message: Option<String>, 0..;
        /// The topics.
        responses: Vec<ReassignableTopicResponse>, 0..;
    }

    /// What became of one topic.
    pub struct ReassignableTopicResponse {
        /// The name of the topic.
        name: String, 0..;
        /// The partitions.
        partitions: Vec<ReassignablePartitionResponse>, 0..;
    }

    /// What became of one partition.
    pub struct ReassignablePartitionResponse {
        /// The partition.
        partition_index: i32, 0..;
        /// See [`ErrorCode`](crate::ErrorCode); 0 for none.
        error_code: i16, 0..;
        /// What went wrong, in words.
        error_message: Option<String>, 0..;
    }
}
