//! ListOffsets (2): the offset that belongs to a time, to the beginning or to the end of a partition.
//!
//! | version | adds |
//! |---|---|
//! | 0 | answers with a list of segment boundaries |
//! | 1 | answers with one offset and its timestamp |
//! | 2 | isolation level, throttle time |
//! | 4 | leader epochs |
//! | 6 | flexible |
//! | 3, 5, 7, 8, 9 | meaning only: new values of the timestamp (−3 in 7, −4 in 8, −5 in 9) |

use crate::codec::message;

message! {
    /// Asks for offsets by time.
    pub struct ListOffsetsRequest {
        /// The id of the follower that asks; −1 from a consumer.
        replica_id: i32, 0..;
        /// 0 reads all records, 1 only those of committed transactions.
        isolation_level: i8, 2..;
        /// The topics.
        topics: Vec<ListOffsetsTopic>, 0..;
    }

    /// What to look up in one topic.
    pub struct ListOffsetsTopic {
        /// The name of the topic.
        name: String, 0..;
        /// The partitions.
        partitions: Vec<ListOffsetsPartition>, 0..;
    }

    /// What to look up in one partition.
    pub struct ListOffsetsPartition {
        /// The partition.
        partition_index: i32, 0..;
        /// The leader epoch that the client knows, so that an old leader is found out; −1 if none.
        current_leader_epoch: i32 = -1, 4.., ignorable;
        /// The time to look for, in milliseconds since 1970; −1 for the end, −2 for the beginning,
        /// −3 for the record of the largest time.
        timestamp: i64, 0..;
        /// How many offsets to list, in version 0.
        max_num_offsets: i32 = 1, 0..=0;
    }

    /// Carries the offsets found.
    pub struct ListOffsetsResponse {
        /// How long the broker held back or wants the client to wait for a quota, in milliseconds.
        throttle_time_ms: i32, 2.., ignorable;
        /// The topics.
        topics: Vec<ListOffsetsTopicResponse>, 0..;
    }

    /// What was found in one topic.
    pub struct ListOffsetsTopicResponse {
        /// The name of the topic.
        name: String, 0..;
        /// The partitions.
        partitions: Vec<ListOffsetsPartitionResponse>, 0..;
    }

    /// What was found in one partition.
    pub struct ListOffsetsPartitionResponse {
        /// The partition.
        partition_index: i32, 0..;
        /// See [`ErrorCode`](crate::ErrorCode); 0 for none.
        error_code: i16, 0..;
        /// Offsets in descending order, in version 0.
        old_style_offsets: Vec<i64>, 0..=0;
        /// The time of the record found, in milliseconds since 1970; −1 for none.
        timestamp: i64 = -1, 1..;
        /// The offset found; −1 for none.
        offset: i64 = -1, 1..;
        /// The leader epoch of the record found; −1 if not known.
        leader_epoch: i32 = -1, 4..;
    }
}
