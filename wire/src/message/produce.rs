//! Produce (0): appends record batches to partitions.
//!
//! | version | adds |
//! |---|---|
//! | 0 | message sets of magic 0; no answer where `acks` is 0 |
//! | 1 | throttle time |
//! | 2 | message sets of magic 1; log append time |
//! | 3 | record batches of magic 2; transactional id |
//! | 5 | log start offset |
//! | 8 | errors of single records |
//! | 9 | flexible |
//! | 10 | the new leader, if the asked one no longer leads |
//! | 4, 6, 7, 11 | meaning only: error codes, compression by zstd (7), transactions verified by the server (11) |

use crate::codec::{Blob, message};

message! {
    /// Asks to append records.
    pub struct ProduceRequest {
        /// The transactional id; null outside transactions.
        transactional_id: Option<String>, 3..;
        /// When to answer: 0 never, 1 when the leader has the records, −1 when all in-sync replicas have them.
        acks: i16, 0..;
        /// How long the broker may take, in milliseconds.
        timeout_ms: i32, 0..;
        /// The records by topic.
        topic_data: Vec<TopicProduceData>, 0..;
    }

    /// The records for one topic.
    pub struct TopicProduceData {
        /// The name of the topic.
        name: String, 0..;
        /// The records by partition.
        partition_data: Vec<PartitionProduceData>, 0..;
    }

    /// The records for one partition.
    pub struct PartitionProduceData {
        /// The partition.
        index: i32, 0..;
        /// The record batches, or message sets in versions before 3.
        records: Option<Blob>, 0..;
    }

    /// Says where the records were appended.
    pub struct ProduceResponse {
        /// The answers by topic.
        responses: Vec<TopicProduceResponse>, 0..;
        /// How long the broker held back or wants the client to wait for a quota, in milliseconds.
        throttle_time_ms: i32, 1.., ignorable;
    } tagged {
        /// The addresses of the leaders named.
        0 => node_endpoints: Vec<NodeEndpoint>, 10..;
    }

    /// What became of one topic.
    pub struct TopicProduceResponse {
        /// The name of the topic.
        name: String, 0..;
        /// The answers by partition.
        partition_responses: Vec<PartitionProduceResponse>, 0..;
    }

    /// What became of one partition.
    pub struct PartitionProduceResponse {
        /// The partition.
        index: i32, 0..;
        /// See [`ErrorCode`](crate::ErrorCode); 0 for none.
        error_code: i16, 0..;
        /// The offset of the first record appended.
        base_offset: i64, 0..;
        /// When the broker appended the records, in milliseconds since 1970; −1 if the records keep their own time.
        log_append_time_ms: i64 = -1, 2.., ignorable;
        /// The first offset that the partition still holds; −1 if not known.
        log_start_offset: i64 = -1, 5.., ignorable;
        /// Which records the batch was refused for.
        record_errors: Vec<BatchIndexAndErrorMessage>, 8.., ignorable;
        /// What went wrong, in words.
        error_message: Option<String>, 8.., ignorable;
    } tagged {
        /// Who leads now, where the asked broker does not.
        0 => current_leader: LeaderIdAndEpoch, 10..;
    }

    /// Why one record was refused.
    pub struct BatchIndexAndErrorMessage {
        /// The index of the record in its batch.
        batch_index: i32, 8..;
        /// What is wrong with the record.
        batch_index_error_message: Option<String>, 8..;
    }

    /// Who leads a partition now.
    pub struct LeaderIdAndEpoch {
        /// The leader; −1 if there is none or it is not known.
        leader_id: i32 = -1, 10..;
        /// The leader epoch; −1 if not known.
        leader_epoch: i32 = -1, 10..;
    }

    /// The address of a broker.
    pub struct NodeEndpoint {
        /// The id of the broker.
        node_id: i32, 10..;
        /// The host name of the broker.
        host: String, 10..;
        /// The port of the broker.
        port: i32, 10..;
        /// The rack of the broker.
        rack: Option<String>, 10..;
    }
}
