//! ListPartitionReassignments (46): which partitions are on their way to other replicas. There is version 0 only, and it
//! is flexible.

use crate::codec::message;

message! {
    /// Asks for reassignments.
    pub struct ListPartitionReassignmentsRequest {
        /// How long the broker may take, in milliseconds.
        timeout_ms: i32 = 60_000, 0..;
        /// The partitions; null for all.
        topics: Option<Vec<ListPartitionReassignmentsTopics>>, 0..;
    }

    /// Partitions of one topic.
    pub struct ListPartitionReassignmentsTopics {
        /// The name of the topic.
        name: String, 0..;
        /// The partitions.
        partition_indexes: Vec<i32>, 0..;
    }

    /// Lists what is being reassigned.
    pub struct ListPartitionReassignmentsResponse {
        /// How long the broker held back or wants the client to wait for a quota, in milliseconds.
        throttle_time_ms: i32, 0..;
        /// See [`ErrorCode`](crate::ErrorCode); 0 for none.
        error_code: i16, 0..;
        /// What went wrong, in words.
        error_message: Option<String>, 0..;
        /// The topics with partitions that are being reassigned.
        topics: Vec<OngoingTopicReassignment>, 0..;
    }

    /// One topic.
    pub struct OngoingTopicReassignment {
        /// The name of the topic.
        name: String, 0..;
        /// The partitions that are being reassigned.
        partitions: Vec<OngoingPartitionReassignment>, 0..;
    }

    /// One partition on its way.
    pub struct OngoingPartitionReassignment {
        /// The partition.
        partition_index: i32, 0..;
        /// The brokers that have it.
        replicas: Vec<i32>, 0..;
        /// Those of them that get it anew.
        adding_replicas: Vec<i32>, 0..;
        /// Those of them that will lose it.
        removing_replicas: Vec<i32>, 0..;
    }
}
