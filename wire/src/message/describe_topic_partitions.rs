//! DescribeTopicPartitions (75): the partitions of topics, page by page. There is version 0 only, and it is flexible.
//!
//! The cursor is a struct that may be null: an int8 stands before it, below zero for null and 1 otherwise.

use uuid::Uuid;

use crate::codec::{DecodeError, EncodeError, Field, Nullable, Reader, Version, Writer, message};

message! {
    /// Asks for partitions of topics.
    pub struct DescribeTopicPartitionsRequest {
        /// The topics; empty for all.
        topics: Vec<TopicRequest>, 0..;
        /// How many partitions the answer may have.
        response_partition_limit: i32 = 2000, 0..;
        /// Where to go on; null to begin.
        cursor: Option<Cursor>, 0..;
    }

    /// A topic by name.
    pub struct TopicRequest {
        /// The name of the topic.
        name: String, 0..;
    }

    /// A place in the list of all partitions, ordered by topic.
    pub struct Cursor {
        /// The name of the first topic.
        topic_name: String, 0..;
        /// The first partition of that topic.
        partition_index: i32, 0..;
    }

    /// Describes partitions of topics.
    pub struct DescribeTopicPartitionsResponse {
        /// How long the broker held back or wants the client to wait for a quota, in milliseconds.
        throttle_time_ms: i32, 0.., ignorable;
        /// The topics.
        topics: Vec<DescribeTopicPartitionsResponseTopic>, 0..;
        /// Where to go on; null when nothing is left.
        next_cursor: Option<Cursor>, 0..;
    }

    /// One topic, or the part of it that fits.
    pub struct DescribeTopicPartitionsResponseTopic {
        /// See [`ErrorCode`](crate::ErrorCode); 0 for none.
        error_code: i16, 0..;
        /// The name of the topic.
        name: Option<String>, 0..;
        /// The id of the topic; zero for none.
        topic_id: Uuid, 0.., ignorable;
        /// Whether the broker keeps its own data in it.
        is_internal: bool, 0.., ignorable;
        /// The partitions.
        partitions: Vec<DescribeTopicPartitionsResponsePartition>, 0..;
        /// What the client may do to the topic, a bit for each operation; the minimum if not told.
        topic_authorized_operations: i32 = i32::MIN, 0..;
    }

    /// One partition.
    pub struct DescribeTopicPartitionsResponsePartition {
        /// See [`ErrorCode`](crate::ErrorCode); 0 for none.
        error_code: i16, 0..;
        /// The partition.
        partition_index: i32, 0..;
        /// The id of the leader; −1 for none.
        leader_id: i32, 0..;
        /// The leader epoch; −1 if not known.
        leader_epoch: i32 = -1, 0.., ignorable;
        /// The brokers that hold a replica.
        replica_nodes: Vec<i32>, 0..;
        /// The brokers whose replica is in sync.
        isr_nodes: Vec<i32>, 0..;
        /// The brokers that may lead although they are not in sync; null if not known.
        eligible_leader_replicas: Option<Vec<i32>>, 0..;
        /// The last of these that were known; null if not known.
        last_known_elr: Option<Vec<i32>>, 0..;
        /// The brokers whose replica is offline.
        offline_replicas: Vec<i32>, 0.., ignorable;
    }
}

impl Nullable for Cursor {
    fn read_nullable(r: &mut Reader, v: Version) -> Result<Option<Self>, DecodeError> {
        if r.i8()? < 0 { Ok(None) } else { Self::read(r, v).map(Some) }
    }

    fn write_nullable(value: Option<&Self>, w: &mut Writer, v: Version) -> Result<(), EncodeError> {
        match value {
            None => {
                w.i8(-1);
                Ok(())
            }
            Some(cursor) => {
                w.i8(1);
                cursor.write(w, v)
            }
        }
    }
}
