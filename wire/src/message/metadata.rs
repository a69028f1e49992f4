//! Metadata (3): the brokers, and which of them leads each partition.
//!
//! | version | adds |
//! |---|---|
//! | 0 | an empty list asks for all topics |
//! | 1 | null asks for all topics, an empty list for none; controller, rack, internal topics |
//! | 2 | cluster id |
//! | 3 | throttle time |
//! | 4 | whether a missing topic may be created |
//! | 5 | offline replicas |
//! | 7 | leader epoch |
//! | 8 | authorized operations |
//! | 9 | flexible |
//! | 10 | topic ids |
//! | 11 | no longer the cluster's authorized operations |
//! | 12 | topics by id alone |

use uuid::Uuid;

use crate::codec::message;

message! {
    /// Asks where topics are.
    pub struct MetadataRequest {
        /// The topics asked for; null for all. In version 0 an empty list stands for all.
        topics: Option<Vec<MetadataRequestTopic>> = Some(Vec::new()), 0.., nullable 1..;
        /// Whether a topic that is missing may be created.
        allow_auto_topic_creation: bool = true, 4..;
        /// Whether to tell what the client may do to the cluster.
        include_cluster_authorized_operations: bool, 8..=10;
        /// Whether to tell what the client may do to the topics.
        include_topic_authorized_operations: bool, 8..;
    }

    /// One topic asked for.
    pub struct MetadataRequestTopic {
        /// The id of the topic; zero for none.
        topic_id: Uuid, 10.., ignorable;
        /// The name of the topic; null where it is asked for by its id.
        name: Option<String> = Some(String::new()), 0.., nullable 10..;
    }

    /// Tells where topics are.
    pub struct MetadataResponse {
        /// How long the broker held back or wants the client to wait for a quota, in milliseconds.
        throttle_time_ms: i32, 3.., ignorable;
        /// The brokers.
        brokers: Vec<MetadataResponseBroker>, 0..;
        /// The id of the cluster.
        cluster_id: Option<String>, 2.., ignorable;
        /// The id of the controller; −1 for none.
        controller_id: i32 = -1, 1.., ignorable;
        /// The topics.
        topics: Vec<MetadataResponseTopic>, 0..;
        /// What the client may do to the cluster, a bit for each operation; the minimum if not asked for.
        cluster_authorized_operations: i32 = i32::MIN, 8..=10;
    }

    /// One broker.
    pub struct MetadataResponseBroker {
        /// The id of the broker.
        node_id: i32, 0..;
        /// The host name of the broker.
        host: String, 0..;
        /// The port of the broker.
        port: i32, 0..;
        /// The rack of the broker.
        rack: Option<String>, 1.., ignorable;
    }

    /// One topic.
    pub struct MetadataResponseTopic {
        /// See [`ErrorCode`](crate::ErrorCode); 0 for none.
        error_code: i16, 0..;
        /// The name of the topic; null where it was asked for by an id that is not known.
        name: Option<String> = Some(String::new()), 0.., nullable 12..;
        /// The id of the topic; zero for none.
        topic_id: Uuid, 10.., ignorable;
        /// Whether the topic is the brokers' own.
        is_internal: bool, 1.., ignorable;
        /// The partitions.
        partitions: Vec<MetadataResponsePartition>, 0..;
        /// What the client may do to the topic, a bit for each operation; the minimum if not asked for.
        topic_authorized_operations: i32 = i32::MIN, 8..;
    }

    /// One partition.
    pub struct MetadataResponsePartition {
        /// See [`ErrorCode`](crate::ErrorCode); 0 for none.
        error_code: i16, 0..;
        /// The partition.
        partition_index: i32, 0..;
        /// The leader; −1 if there is none or it is not known.
        leader_id: i32, 0..;
        /// The leader epoch; −1 if not known.
        leader_epoch: i32 = -1, 7.., ignorable;
        /// The brokers that hold a replica.
        replica_nodes: Vec<i32>, 0..;
        /// The brokers whose replica is in sync.
        isr_nodes: Vec<i32>, 0..;
        /// The brokers whose replica is offline.
        offline_replicas: Vec<i32>, 5.., ignorable;
    }
}
