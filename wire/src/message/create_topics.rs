//! CreateTopics (19): creates topics.
//!
//! | version | adds |
//! |---|---|
//! | 1 | a dry run; error messages |
//! | 2 | throttle time |
//! | 4 | −1 for the broker's default of partitions and replicas |
//! | 5 | flexible; the topic's settings in the answer |
//! | 7 | topic ids |
//! | 3, 6 | meaning only: error codes |

use uuid::Uuid;

use crate::codec::message;

message! {
    /// Asks to create topics.
    pub struct CreateTopicsRequest {
        /// The topics to create.
        topics: Vec<CreatableTopic>, 0..;
        /// How long the broker may take, in milliseconds.
        timeout_ms: i32 = 60000, 0..;
        /// Whether to check only, and create nothing.
        validate_only: bool, 1..;
    }

    /// A topic to create.
    pub struct CreatableTopic {
        /// The name of the topic.
        name: String, 0..;
        /// The number of partitions; −1 for the default, or if they are assigned.
        num_partitions: i32, 0..;
        /// The number of replicas of each partition; −1 for the default, or if they are assigned.
        replication_factor: i16, 0..;
        /// Where to put the partitions; empty for the broker to decide.
        assignments: Vec<CreatableReplicaAssignment>, 0..;
        /// The settings that differ from the defaults.
        configs: Vec<CreatableTopicConfig>, 0..;
    }

    /// Where to put one partition.
    pub struct CreatableReplicaAssignment {
        /// The partition.
        partition_index: i32, 0..;
        /// The brokers, the preferred leader first.
        broker_ids: Vec<i32>, 0..;
    }

    /// A setting of the topic.
    pub struct CreatableTopicConfig {
        /// The name of the setting.
        name: String, 0..;
        /// The value of the setting.
        value: Option<String>, 0..;
    }

    /// Says which topics were created.
    pub struct CreateTopicsResponse {
        /// How long the broker held back or wants the client to wait for a quota, in milliseconds.
        throttle_time_ms: i32, 2.., ignorable;
        /// The topics.
        topics: Vec<CreatableTopicResult>, 0..;
    }

    /// What became of one topic.
    pub struct CreatableTopicResult {
        /// The name of the topic.
        name: String, 0..;
        /// The id of the topic; zero for none.
        topic_id: Uuid, 7.., ignorable;
        /// See [`ErrorCode`](crate::ErrorCode); 0 for none.
        error_code: i16, 0..;
        /// What went wrong, in words.
        error_message: Option<String>, 1.., ignorable;
        /// The number of partitions; −1 if not told.
        num_partitions: i32 = -1, 5.., ignorable;
        /// The number of replicas of each partition; −1 if not told.
        replication_factor: i16 = -1, 5.., ignorable;
        /// The settings; null if not told.
        configs: Option<Vec<CreatableTopicConfigs>>, 5.., ignorable;
    } tagged {
        /// Why the settings are not told; 0 if they are.
        0 => topic_config_error_code: i16, 5.., ignorable;
    }

    /// A setting of the created topic.
    pub struct CreatableTopicConfigs {
        /// The name of the setting.
        name: String, 5..;
        /// The value of the setting.
        value: Option<String>, 5..;
        /// Whether the setting cannot be changed.
        read_only: bool, 5..;
        /// Where the value comes from; −1 if not known.
        config_source: i8 = -1, 5.., ignorable;
        /// Whether the value is secret, and thus not told.
        is_sensitive: bool, 5..;
    }
}
