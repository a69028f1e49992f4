//! DescribeProducers (61): the idempotent and transactional producers that partitions know. There is version 0 only, and
//! it is flexible.

use crate::codec::message;

message! {
    /// Asks for producers.
    pub struct DescribeProducersRequest {
        /// The topics.
        topics: Vec<TopicRequest>, 0..;
    }

    /// Partitions of one topic.
    pub struct TopicRequest {
        /// The name of the topic.
        name: String, 0..;
        /// The partitions.
        partition_indexes: Vec<i32>, 0..;
    }

    /// Describes producers.
    pub struct DescribeProducersResponse {
        /// How long the broker held back or wants the client to wait for a quota, in milliseconds.
        throttle_time_ms: i32, 0..;
        /// The topics.
        topics: Vec<TopicResponse>, 0..;
    }

    /// The producers of one topic.
    pub struct TopicResponse {
        /// The name of the topic.
        name: String, 0..;
        /// The partitions.
        partitions: Vec<PartitionResponse>, 0..;
    }

    /// The producers of one partition.
    pub struct PartitionResponse {
        /// The partition.
        partition_index: i32, 0..;
        /// See [`ErrorCode`](crate::ErrorCode); 0 for none.
        error_code: i16, 0..;
        /// What went wrong, in words.
        error_message: Option<String>, 0..;
        /// The producers.
        active_producers: Vec<ProducerState>, 0..;
    }

    /// One producer.
    pub struct ProducerState {
        /// The id of the producer.
        producer_id: i64, 0..;
        /// The epoch of the producer.
        producer_epoch: i32, 0..;
        /// The sequence number of its last record; −1 for none.
        last_sequence: i32 = -1, 0..;
        /// The timestamp of its last batch, in milliseconds; −1 for none.
        last_timestamp: i64 = -1, 0..;
        /// The epoch of the transaction coordinator that last wrote a marker; −1 for none.
        coordinator_epoch: i32, 0..;
        /// The first offset of its open transaction; −1 for none.
        current_txn_start_offset: i64 = -1, 0..;
    }
}
