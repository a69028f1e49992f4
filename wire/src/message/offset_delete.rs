//! OffsetDelete (47): forgets committed offsets of a group. There is version 0 only, and it is not flexible.

use crate::codec::message;

message! {
    /// Asks to forget offsets.
    pub struct OffsetDeleteRequest {
        /// The name of the group.
        group_id: String, 0..;
        /// The topics.
        topics: Vec<OffsetDeleteRequestTopic>, 0..;
    }

    /// Partitions of one topic.
    pub struct OffsetDeleteRequestTopic {
        /// The name of the topic.
        name: String, 0..;
        /// The partitions.
        partitions: Vec<OffsetDeleteRequestPartition>, 0..;
    }

    /// One partition.
    pub struct OffsetDeleteRequestPartition {
        /// The partition.
        partition_index: i32, 0..;
    }

    /// Says which offsets were forgotten.
    pub struct OffsetDeleteResponse {
        /// See [`ErrorCode`](crate::ErrorCode); 0 for none.
        error_code: i16, 0..;
        /// How long the broker held back or wants the client to wait for a quota, in milliseconds.
        throttle_time_ms: i32, 0.., ignorable;
        /// The topics.
        topics: Vec<OffsetDeleteResponseTopic>, 0..;
    }

    /// What became of one topic.
    pub struct OffsetDeleteResponseTopic {
        /// The name of the topic.
        name: String, 0..;
        /// The partitions.
        partitions: Vec<OffsetDeleteResponsePartition>, 0..;
    }

    /// What became of one partition.
    pub struct OffsetDeleteResponsePartition {
        /// The partition.
        partition_index: i32, 0..;
        /// See [`ErrorCode`](crate::ErrorCode); 0 for none.
        error_code: i16, 0..;
    }
}
