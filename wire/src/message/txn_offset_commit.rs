//! TxnOffsetCommit (28): keeps how far a consumer group has come, if and when a transaction is committed.
//!
//! | version | adds |
//! |---|---|
//! | 2 | leader epoch |
//! | 3 | flexible; generation and member, which fence a member that has lost its partitions |
//! | 1, 4 | meaning only: error codes |

use crate::codec::message;

message! {
    /// Asks to keep offsets as part of a transaction.
    pub struct TxnOffsetCommitRequest {
        /// The transactional id.
        transactional_id: String, 0..;
        /// The name of the group.
        group_id: String, 0..;
        /// The producer id that the transactional id has.
        producer_id: i64, 0..;
        /// The epoch of the producer id.
        producer_epoch: i16, 0..;
        /// The generation of the group; −1 from outside the group.
        generation_id: i32 = -1, 3..;
        /// The member's id.
        member_id: String, 3..;
        /// The static id by which a member is known again after a restart; null for none.
        group_instance_id: Option<String>, 3..;
        /// The topics.
        topics: Vec<TxnOffsetCommitRequestTopic>, 0..;
    }

    /// The offsets of one topic.
    pub struct TxnOffsetCommitRequestTopic {
        /// The name of the topic.
        name: String, 0..;
        /// The partitions.
        partitions: Vec<TxnOffsetCommitRequestPartition>, 0..;
    }

    /// The offset of one partition.
    pub struct TxnOffsetCommitRequestPartition {
        /// The partition.
        partition_index: i32, 0..;
        /// The offset of the next record to read.
        committed_offset: i64, 0..;
        /// The leader epoch of the last record read; −1 if not known.
        committed_leader_epoch: i32 = -1, 2.., ignorable;
        /// A note of the client.
        committed_metadata: Option<String>, 0..;
    }

    /// Says which offsets were kept.
    pub struct TxnOffsetCommitResponse {
        /// How long the broker held back or wants the client to wait for a quota, in milliseconds.
        throttle_time_ms: i32, 0..;
        /// The topics.
        topics: Vec<TxnOffsetCommitResponseTopic>, 0..;
    }

    /// What became of one topic.
    pub struct TxnOffsetCommitResponseTopic {
        /// The name of the topic.
        name: String, 0..;
        /// The partitions.
        partitions: Vec<TxnOffsetCommitResponsePartition>, 0..;
    }

    /// What became of one partition.
    pub struct TxnOffsetCommitResponsePartition {
        /// The partition.
        partition_index: i32, 0..;
        /// See [`ErrorCode`](crate::ErrorCode); 0 for none.
        error_code: i16, 0..;
    }
}
