//! OffsetFetch (9): how far a consumer group has come.
//!
//! | version | adds |
//! |---|---|
//! | 0 | offsets from ZooKeeper, in Kafka; the coordinator answers from 1 on |
//! | 2 | null asks for all topics; an error for the whole group |
//! | 3 | throttle time |
//! | 5 | leader epoch |
//! | 6 | flexible |
//! | 7 | whether to wait for open transactions |
//! | 8 | several groups at once |
//! | 9 | member and member epoch of the newer group protocol |

use crate::codec::message;

message! {
    /// Asks for committed offsets.
    pub struct OffsetFetchRequest {
        /// The name of the group, until version 7.
        group_id: String, 0..=7;
        /// The topics asked for, until version 7; null for all.
        topics: Option<Vec<OffsetFetchRequestTopic>> = Some(Vec::new()), 0..=7, nullable 2..=7;
        /// The groups.
        groups: Vec<OffsetFetchRequestGroup>, 8..;
        /// Whether offsets of open transactions are answered with a retriable error.
        require_stable: bool, 7..;
    }

    /// One topic asked for, until version 7.
    pub struct OffsetFetchRequestTopic {
        /// The name of the topic.
        name: String, 0..=7;
        /// The partitions asked for.
        partition_indexes: Vec<i32>, 0..=7;
    }

    /// One group asked for, since version 8.
    pub struct OffsetFetchRequestGroup {
        /// The name of the group.
        group_id: String, 8..;
        /// The member's id.
        member_id: Option<String>, 9.., ignorable;
        /// The member epoch of the newer group protocol; −1 for none.
        member_epoch: i32 = -1, 9.., ignorable;
        /// The topics asked for; null for all.
        topics: Option<Vec<OffsetFetchRequestTopics>>, 8..;
    }

    /// One topic of a group, since version 8.
    pub struct OffsetFetchRequestTopics {
        /// The name of the topic.
        name: String, 8..;
        /// The partitions asked for.
        partition_indexes: Vec<i32>, 8..;
    }

    /// Carries committed offsets.
    pub struct OffsetFetchResponse {
        /// How long the broker held back or wants the client to wait for a quota, in milliseconds.
        throttle_time_ms: i32, 3.., ignorable;
        /// The topics, until version 7.
        topics: Vec<OffsetFetchResponseTopic>, 0..=7;
        /// The error of the whole group, until version 7; see [`ErrorCode`](crate::ErrorCode).
        error_code: i16, 2..=7, ignorable;
        /// The groups.
        groups: Vec<OffsetFetchResponseGroup>, 8..;
    }

    /// The offsets of one topic, until version 7.
    pub struct OffsetFetchResponseTopic {
        /// The name of the topic.
        name: String, 0..=7;
        /// The partitions.
        partitions: Vec<OffsetFetchResponsePartition>, 0..=7;
    }

    /// The offset of one partition, until version 7.
    pub struct OffsetFetchResponsePartition {
        /// The partition.
        partition_index: i32, 0..=7;
        /// The offset of the next record to read; −1 if none is kept.
        committed_offset: i64, 0..=7;
        /// The leader epoch of the last record read; −1 if not known.
        committed_leader_epoch: i32 = -1, 5..=7, ignorable;
        /// The note which the client left.
        metadata: Option<String>, 0..=7;
        /// See [`ErrorCode`](crate::ErrorCode); 0 for none.
        error_code: i16, 0..=7;
    }

    /// The offsets of one group, since version 8.
    pub struct OffsetFetchResponseGroup {
        /// The name of the group.
        group_id: String, 8..;
        /// The topics.
        topics: Vec<OffsetFetchResponseTopics>, 8..;
        /// See [`ErrorCode`](crate::ErrorCode); 0 for none.
        error_code: i16, 8..;
    }

    /// The offsets of one topic, since version 8.
    pub struct OffsetFetchResponseTopics {
        /// The name of the topic.
        name: String, 8..;
        /// The partitions.
        partitions: Vec<OffsetFetchResponsePartitions>, 8..;
    }

    /// The offset of one partition, since version 8.
    pub struct OffsetFetchResponsePartitions {
        /// The partition.
        partition_index: i32, 8..;
        /// The offset of the next record to read; −1 if none is kept.
        committed_offset: i64, 8..;
        /// The leader epoch of the last record read; −1 if not known.
        committed_leader_epoch: i32 = -1, 8.., ignorable;
        /// The note which the client left.
        metadata: Option<String>, 8..;
        /// See [`ErrorCode`](crate::ErrorCode); 0 for none.
        error_code: i16, 8..;
    }
}
