//! CreatePartitions (37): gives topics more partitions.
//!
//! | version | adds |
//! |---|---|
//! | 2 | flexible |
//! | 1, 3 | meaning only: throttling (1), an error code (3) |

use crate::codec::message;

message! {
    /// Asks for more partitions.
    pub struct CreatePartitionsRequest {
        /// The topics.
        topics: Vec<CreatePartitionsTopic>, 0..;
        /// How long the broker may take, in milliseconds.
        timeout_ms: i32, 0..;
        /// Whether to check only, and create nothing.
        validate_only: bool, 0..;
    }

    /// A topic that is to have more partitions.
    pub struct CreatePartitionsTopic {
        /// The name of the topic.
        name: String, 0..;
        /// The number of partitions that it shall have, those that it has included.
        count: i32, 0..;
        /// Where to put the new partitions, in their order; null for the broker to decide.
        assignments: Option<Vec<CreatePartitionsAssignment>>, 0..;
    }

    /// Where to put one new partition.
    pub struct CreatePartitionsAssignment {
        /// The brokers, the preferred leader first.
        broker_ids: Vec<i32>, 0..;
    }

    /// Says which topics got their partitions.
    pub struct CreatePartitionsResponse {
        /// How long the broker held back or wants the client to wait for a quota, in milliseconds.
        throttle_time_ms: i32, 0..;
        /// The topics.
        results: Vec<CreatePartitionsTopicResult>, 0..;
    }

    /// What became of one topic.
    pub struct CreatePartitionsTopicResult {
        /// The name of the topic.
        name: String, 0..;
        /// See [`ErrorCode`](crate::ErrorCode); 0 for none.
        error_code: i16, 0..;
        /// What went wrong, in words.
        error_message: Option<String>, 0..;
    }
}
