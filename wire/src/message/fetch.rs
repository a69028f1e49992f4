//! Fetch (1): reads record batches from partitions, as a consumer or as a following replica.
//!
//! | version | adds |
//! |---|---|
//! | 1 | throttle time |
//! | 3 | a limit of bytes for the whole answer |
//! | 4 | isolation level, last stable offset, aborted transactions |
//! | 5 | log start offset |
//! | 7 | fetch sessions |
//! | 9 | the leader epoch which the reader knows |
//! | 11 | the reader's rack, and the replica it should prefer |
//! | 12 | flexible; the epoch last fetched, tells a follower where its log diverges |
//! | 13 | topics by id instead of by name |
//! | 15 | a follower's state as a tagged field |
//! | 16 | addresses of new leaders |
//! | 17 | a follower's directory |
//! | 2, 6, 8, 10, 14 | meaning only: magic 1 (2), error codes, zstd (10), tiered storage (14) |

use uuid::Uuid;

use crate::codec::{Blob, message};

message! {
    /// Asks for records.
    pub struct FetchRequest {
        /// The id of the follower that asks; −1 from a consumer.
        replica_id: i32 = -1, 0..=14;
        /// How long to wait for `min_bytes`, in milliseconds.
        max_wait_ms: i32, 0..;
        /// How many bytes to wait for.
        min_bytes: i32, 0..;
        /// How many bytes to answer with at most; the first batch is given even if it is larger.
        max_bytes: i32 = i32::MAX, 3.., ignorable;
        /// 0 reads all records, 1 only those of committed transactions.
        isolation_level: i8, 4.., ignorable;
        /// The fetch session; 0 for none.
        session_id: i32, 7.., ignorable;
        /// Where the session stands: 0 opens one, −1 closes it or does without.
        session_epoch: i32 = -1, 7.., ignorable;
        /// The topics.
        topics: Vec<FetchTopic>, 0..;
        /// What to take out of the fetch session.
        forgotten_topics_data: Vec<ForgottenTopic>, 7..;
        /// The rack of the consumer; empty for none.
        rack_id: String, 11.., ignorable;
    } tagged {
        /// The cluster that the follower belongs to.
        0 => cluster_id: Option<String>, 12.., ignorable;
        /// The follower that asks, since version 15.
        1 => replica_state: ReplicaState, 15..;
    }

    /// The follower that fetches.
    pub struct ReplicaState {
        /// The id of the follower that asks; −1 from a consumer.
        replica_id: i32 = -1, 15..;
        /// The epoch of the follower's registration; −1 from a consumer.
        replica_epoch: i64 = -1, 15..;
    }

    /// What to fetch of one topic.
    pub struct FetchTopic {
        /// The name of the topic, until version 12.
        topic: String, 0..=12, ignorable;
        /// The id of the topic; zero for none.
        topic_id: Uuid, 13.., ignorable;
        /// The partitions.
        partitions: Vec<FetchPartition>, 0..;
    }

    /// What to fetch of one partition.
    pub struct FetchPartition {
        /// The partition.
        partition: i32, 0..;
        /// The leader epoch that the client knows, so that an old leader is found out; −1 if none.
        current_leader_epoch: i32 = -1, 9.., ignorable;
        /// The offset to read from.
        fetch_offset: i64, 0..;
        /// The leader epoch of the record before `fetch_offset`; −1 if not known.
        last_fetched_epoch: i32 = -1, 12..;
        /// The first offset of the follower's log; −1 from a consumer.
        log_start_offset: i64 = -1, 5.., ignorable;
        /// How many bytes of this partition to answer with at most.
        partition_max_bytes: i32, 0..;
    } tagged {
        /// The directory in which the follower keeps the partition.
        0 => replica_directory_id: Uuid, 17.., ignorable;
    }

    /// Partitions that leave the fetch session.
    pub struct ForgottenTopic {
        /// The name of the topic, until version 12.
        topic: String, 7..=12, ignorable;
        /// The id of the topic; zero for none.
        topic_id: Uuid, 13.., ignorable;
        /// The partitions.
        partitions: Vec<i32>, 7..;
    }

    /// Carries records.
    pub struct FetchResponse {
        /// How long the broker held back or wants the client to wait for a quota, in milliseconds.
        throttle_time_ms: i32, 1.., ignorable;
        /// See [`ErrorCode`](crate::ErrorCode); 0 for none.
        error_code: i16, 7.., ignorable;
        /// The fetch session; 0 for none.
        session_id: i32, 7..;
        /// The answers by topic.
        responses: Vec<FetchableTopicResponse>, 0..;
    } tagged {
        /// The addresses of the leaders named.
        0 => node_endpoints: Vec<NodeEndpoint>, 16..;
    }

    /// The records of one topic.
    pub struct FetchableTopicResponse {
        /// The name of the topic, until version 12.
        topic: String, 0..=12, ignorable;
        /// The id of the topic; zero for none.
        topic_id: Uuid, 13.., ignorable;
        /// The partitions.
        partitions: Vec<PartitionData>, 0..;
    }

    /// The records of one partition.
    pub struct PartitionData {
        /// The partition.
        partition_index: i32, 0..;
        /// See [`ErrorCode`](crate::ErrorCode); 0 for none.
        error_code: i16, 0..;
        /// The offset up to which all in-sync replicas have the records.
        high_watermark: i64, 0..;
        /// The offset up to which no transaction is open; −1 if not known.
        last_stable_offset: i64 = -1, 4.., ignorable;
        /// The first offset that the partition still holds; −1 if not known.
        log_start_offset: i64 = -1, 5.., ignorable;
        /// The transactions aborted in the range, for readers of committed records; null where not asked for.
        aborted_transactions: Option<Vec<AbortedTransaction>>, 4.., ignorable;
        /// The replica that the consumer should read from; −1 for this one.
        preferred_read_replica: i32 = -1, 11..;
        /// The record batches, from the one that holds the offset asked for; the last may be cut off.
        records: Option<Blob>, 0..;
    } tagged {
        /// Where the leader's log departs from the follower's.
        0 => diverging_epoch: EpochEndOffset, 12..;
        /// Who leads now, where the asked broker does not.
        1 => current_leader: LeaderIdAndEpoch, 12..;
        /// The snapshot to fetch instead, where the offset is before the log's start.
        2 => snapshot_id: SnapshotId, 12..;
    }

    /// Where an epoch ends in the leader's log.
    pub struct EpochEndOffset {
        /// The epoch; −1 for none.
        epoch: i32 = -1, 12..;
        /// The offset after its last record; −1 for none.
        end_offset: i64 = -1, 12..;
    }

    /// Who leads a partition now.
    pub struct LeaderIdAndEpoch {
        /// The leader; −1 if there is none or it is not known.
        leader_id: i32 = -1, 12..;
        /// The leader epoch; −1 if not known.
        leader_epoch: i32 = -1, 12..;
    }

    /// Names a snapshot.
    pub struct SnapshotId {
        /// The offset after its last record; −1 for none.
        end_offset: i64 = -1, 0..;
        /// The epoch; −1 for none.
        epoch: i32 = -1, 0..;
    }

    /// A transaction whose records a reader of committed records skips.
    pub struct AbortedTransaction {
        /// The producer id.
        producer_id: i64, 4..;
        /// The first offset of the transaction.
        first_offset: i64, 4..;
    }

    /// The address of a broker.
    pub struct NodeEndpoint {
        /// The id of the broker.
        node_id: i32, 16..;
        /// The host name of the broker.
        host: String, 16..;
        /// The port of the broker.
        port: i32, 16..;
        /// The rack of the broker.
        rack: Option<String>, 16..;
    }
}
