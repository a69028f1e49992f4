//! OffsetForLeaderEpoch (23): where a leader's epoch ends in the log, so that a reader finds out what was cut off.
//!
//! | version | adds |
//! |---|---|
//! | 1 | the epoch in the answer |
//! | 2 | the leader epoch which the reader knows; throttle time |
//! | 3 | the replica that asks |
//! | 4 | flexible |

use crate::codec::message;

message! {
    /// Asks for ends of epochs.
    pub struct OffsetForLeaderEpochRequest {
        /// The id of the follower that asks; −1 from a consumer, −2 from a tool.
        replica_id: i32 = -2, 3.., ignorable;
        /// The topics.
        topics: Vec<OffsetForLeaderTopic>, 0..;
    }

    /// What to look up in one topic.
    pub struct OffsetForLeaderTopic {
        /// The name of the topic.
        topic: String, 0..;
        /// The partitions.
        partitions: Vec<OffsetForLeaderPartition>, 0..;
    }

    /// What to look up in one partition.
    pub struct OffsetForLeaderPartition {
        /// The partition.
        partition: i32, 0..;
        /// The leader epoch that the client knows, so that an old leader is found out; −1 if none.
        current_leader_epoch: i32 = -1, 2.., ignorable;
        /// The epoch whose end is wanted.
        leader_epoch: i32, 0..;
    }

    /// Tells ends of epochs.
    pub struct OffsetForLeaderEpochResponse {
        /// How long the broker held back or wants the client to wait for a quota, in milliseconds.
        throttle_time_ms: i32, 2.., ignorable;
        /// The topics.
        topics: Vec<OffsetForLeaderTopicResult>, 0..;
    }

    /// The ends in one topic.
    pub struct OffsetForLeaderTopicResult {
        /// The name of the topic.
        topic: String, 0..;
        /// The partitions.
        partitions: Vec<EpochEndOffset>, 0..;
    }

    /// Where an epoch ends in one partition.
    pub struct EpochEndOffset {
        /// See [`ErrorCode`](crate::ErrorCode); 0 for none.
        error_code: i16, 0..;
        /// The partition.
        partition: i32, 0..;
        /// The largest epoch that is not above the one asked for; −1 if there is none.
        leader_epoch: i32 = -1, 1.., ignorable;
        /// The offset after its last record; −1 if there is none.
        end_offset: i64 = -1, 0..;
    }
}
