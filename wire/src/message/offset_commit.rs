//! OffsetCommit (8): keeps how far a consumer group has come.
//!
//! | version | adds |
//! |---|---|
//! | 1 | generation and member; a time for each partition, in this version only |
//! | 2 | retention time, until version 4 |
//! | 3 | throttle time |
//! | 6 | leader epoch |
//! | 7 | static members |
//! | 8 | flexible |
//! | 9 | meaning only: the generation may be a member epoch of the newer group protocol |

use crate::codec::message;

message! {
    /// Asks to keep offsets.
    pub struct OffsetCommitRequest {
        /// The name of the group.
        group_id: String, 0..;
        /// The generation of the group, or the member epoch; −1 from outside the group.
        generation_id_or_member_epoch: i32 = -1, 1.., ignorable;
        /// The member's id.
        member_id: String, 1.., ignorable;
        /// The static id by which a member is known again after a restart; null for none.
        group_instance_id: Option<String>, 7..;
        /// How long to keep the offsets, in milliseconds; −1 for the default.
        retention_time_ms: i64 = -1, 2..=4, ignorable;
        /// The topics.
        topics: Vec<OffsetCommitRequestTopic>, 0..;
    }

    /// The offsets of one topic.
    pub struct OffsetCommitRequestTopic {
        /// The name of the topic.
        name: String, 0..;
        /// The partitions.
        partitions: Vec<OffsetCommitRequestPartition>, 0..;
    }

    /// The offset of one partition.
    pub struct OffsetCommitRequestPartition {
        /// The partition.
        partition_index: i32, 0..;
        /// The offset of the next record to read.
        committed_offset: i64, 0..;
        /// The leader epoch of the last record read; −1 if not known.
        committed_leader_epoch: i32 = -1, 6.., ignorable;
        /// When the commit was made, in milliseconds since 1970; −1 for now.
        commit_timestamp: i64 = -1, 1..=1;
        /// A note of the client.
        committed_metadata: Option<String>, 0..;
    }

    /// Says which offsets were kept.
    pub struct OffsetCommitResponse {
        /// How long the broker held back or wants the client to wait for a quota, in milliseconds.
        throttle_time_ms: i32, 3.., ignorable;
        /// The topics.
        topics: Vec<OffsetCommitResponseTopic>, 0..;
    }

    /// What became of one topic.
    pub struct OffsetCommitResponseTopic {
        /// The name of the topic.
        name: String, 0..;
        /// The partitions.
        partitions: Vec<OffsetCommitResponsePartition>, 0..;
    }

    /// What became of one partition.
    pub struct OffsetCommitResponsePartition {
        /// The partition.
        partition_index: i32, 0..;
        /// See [`ErrorCode`](crate::ErrorCode); 0 for none.
        error_code: i16, 0..;
    }
}
