//! ElectLeaders (43): has partitions elect their leaders.
//!
//! | version | adds |
//! |---|---|
//! | 1 | the type of election; an error code for the whole |
//! | 2 | flexible |

use crate::codec::message;

message! {
    /// Asks for elections.
    pub struct ElectLeadersRequest {
        /// Who is to be elected: 0 the preferred replica; 1 any, also one that is not in sync, where there is no leader.
        election_type: i8, 1..;
        /// The partitions; null for all.
        topic_partitions: Option<Vec<TopicPartitions>>, 0..;
        /// How long the broker may take, in milliseconds.
        timeout_ms: i32 = 60_000, 0..;
    }

    /// Partitions of one topic.
    pub struct TopicPartitions {
        /// The name of the topic.
        topic: String, 0..;
        /// The partitions.
        partitions: Vec<i32>, 0..;
    }

    /// Says what came of the elections.
    pub struct ElectLeadersResponse {
        /// How long the broker held back or wants the client to wait for a quota, in milliseconds.
        throttle_time_ms: i32, 0..;
        /// See [`ErrorCode`](crate::ErrorCode); 0 for none.
        error_code: i16, 1..;
        /// The topics.
        replica_election_results: Vec<ReplicaElectionResult>, 0..;
    }

    /// What came of the elections of one topic.
    pub struct ReplicaElectionResult {
        /// The name of the topic.
        topic: String, 0..;
        /// The partitions.
        partition_result: Vec<PartitionResult>, 0..;
    }

    /// What came of one election.
    pub struct PartitionResult {
        /// The partition.
        partition_id: i32, 0..;
        /// See [`ErrorCode`](crate::ErrorCode); 0 for none.
        error_code: i16, 0..;
        /// What went wrong, in words.
        error_message: Option<String>, 0..;
    }
}
