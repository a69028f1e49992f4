//! Owns the messages: one file for each API, named by it, and the table of all of them.
//!
//! Structs and fields have the names of Kafka's own message schemas (3.9; 4.0 for groups of the newer protocol). How a table
//! is read: see `codec::table`. To add an API: its file, a `pub mod` line and a row of the table below.

use std::fmt::Debug;

use crate::codec::{DecodeError, EncodeError, Reader, Writer};

pub mod add_offsets_to_txn;
pub mod add_partitions_to_txn;
pub mod alter_configs;
pub mod alter_partition_reassignments;
mod api;
pub mod api_versions;
pub mod consumer_group_describe;
pub mod consumer_group_heartbeat;
pub mod create_partitions;
pub mod create_topics;
pub mod delete_groups;
pub mod delete_records;
pub mod delete_topics;
pub mod describe_cluster;
pub mod describe_configs;
pub mod describe_groups;
pub mod describe_log_dirs;
pub mod describe_producers;
pub mod describe_topic_partitions;
pub mod describe_transactions;
pub mod elect_leaders;
pub mod end_txn;
pub mod fetch;
pub mod find_coordinator;
pub mod header;
pub mod heartbeat;
pub mod incremental_alter_configs;
pub mod init_producer_id;
pub mod join_group;
pub mod leave_group;
pub mod list_groups;
pub mod list_offsets;
pub mod list_partition_reassignments;
pub mod list_transactions;
pub mod metadata;
pub mod offset_commit;
pub mod offset_delete;
pub mod offset_fetch;
pub mod offset_for_leader_epoch;
pub mod produce;
pub mod sync_group;
pub mod txn_offset_commit;
pub mod write_txn_markers;

pub use header::RequestHeader;

/// A message of the protocol: a request or a response.
pub trait Message: Sized + Default + Clone + Debug + PartialEq {
    /// Reads the message in `version`. What follows it is left in the reader.
    fn decode(r: &mut Reader, version: i16) -> Result<Self, DecodeError>;

    /// Writes the message in `version`. After an error the writer holds part of the message.
    fn encode(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError>;
}

/// A request and what belongs to it.
pub trait Request: Message {
    /// The API.
    const KEY: ApiKey;
    /// What it is answered with.
    type Response: Message;
}

/// Something to be done with the message types of an API that is known only at run time; see [`ApiKey::visit`].
pub trait ApiVisitor {
    /// What comes of it.
    type Output;
    /// Does it.
    fn visit<R: Request>(self) -> Self::Output;
}

/// The table of all APIs: key, versions, the first flexible version (`i16::MAX` for none), the file and the messages. It is
/// handed to the macro `$rows`, so that tests can go through it too.
macro_rules! for_each_api {
    ($rows:ident) => { $rows! {
        Produce = 0, 0..=11, flexible 9, produce: ProduceRequest => ProduceResponse;
        Fetch = 1, 0..=17, flexible 12, fetch: FetchRequest => FetchResponse;
        ListOffsets = 2, 0..=9, flexible 6, list_offsets: ListOffsetsRequest => ListOffsetsResponse;
        Metadata = 3, 0..=12, flexible 9, metadata: MetadataRequest => MetadataResponse;
        OffsetCommit = 8, 0..=9, flexible 8, offset_commit: OffsetCommitRequest => OffsetCommitResponse;
        OffsetFetch = 9, 0..=9, flexible 6, offset_fetch: OffsetFetchRequest => OffsetFetchResponse;
        FindCoordinator = 10, 0..=6, flexible 3, find_coordinator: FindCoordinatorRequest => FindCoordinatorResponse;
        JoinGroup = 11, 0..=9, flexible 6, join_group: JoinGroupRequest => JoinGroupResponse;
        Heartbeat = 12, 0..=4, flexible 4, heartbeat: HeartbeatRequest => HeartbeatResponse;
        LeaveGroup = 13, 0..=5, flexible 4, leave_group: LeaveGroupRequest => LeaveGroupResponse;
        SyncGroup = 14, 0..=5, flexible 4, sync_group: SyncGroupRequest => SyncGroupResponse;
        DescribeGroups = 15, 0..=5, flexible 5, describe_groups: DescribeGroupsRequest => DescribeGroupsResponse;
        ListGroups = 16, 0..=5, flexible 3, list_groups: ListGroupsRequest => ListGroupsResponse;
        ApiVersions = 18, 0..=4, flexible 3, api_versions: ApiVersionsRequest => ApiVersionsResponse;
        CreateTopics = 19, 0..=7, flexible 5, create_topics: CreateTopicsRequest => CreateTopicsResponse;
        DeleteTopics = 20, 0..=6, flexible 4, delete_topics: DeleteTopicsRequest => DeleteTopicsResponse;
        DeleteRecords = 21, 0..=2, flexible 2, delete_records: DeleteRecordsRequest => DeleteRecordsResponse;
        InitProducerId = 22, 0..=5, flexible 2, init_producer_id: InitProducerIdRequest => InitProducerIdResponse;
        OffsetForLeaderEpoch = 23, 0..=4, flexible 4, offset_for_leader_epoch: OffsetForLeaderEpochRequest => OffsetForLeaderEpochResponse;
        AddPartitionsToTxn = 24, 0..=5, flexible 3, add_partitions_to_txn: AddPartitionsToTxnRequest => AddPartitionsToTxnResponse;
        AddOffsetsToTxn = 25, 0..=4, flexible 3, add_offsets_to_txn: AddOffsetsToTxnRequest => AddOffsetsToTxnResponse;
        EndTxn = 26, 0..=4, flexible 3, end_txn: EndTxnRequest => EndTxnResponse;
        WriteTxnMarkers = 27, 0..=1, flexible 1, write_txn_markers: WriteTxnMarkersRequest => WriteTxnMarkersResponse;
        TxnOffsetCommit = 28, 0..=4, flexible 3, txn_offset_commit: TxnOffsetCommitRequest => TxnOffsetCommitResponse;
        DescribeConfigs = 32, 0..=4, flexible 4, describe_configs: DescribeConfigsRequest => DescribeConfigsResponse;
        AlterConfigs = 33, 0..=2, flexible 2, alter_configs: AlterConfigsRequest => AlterConfigsResponse;
        DescribeLogDirs = 35, 0..=4, flexible 2, describe_log_dirs: DescribeLogDirsRequest => DescribeLogDirsResponse;
        CreatePartitions = 37, 0..=3, flexible 2, create_partitions: CreatePartitionsRequest => CreatePartitionsResponse;
        DeleteGroups = 42, 0..=2, flexible 2, delete_groups: DeleteGroupsRequest => DeleteGroupsResponse;
        ElectLeaders = 43, 0..=2, flexible 2, elect_leaders: ElectLeadersRequest => ElectLeadersResponse;
        IncrementalAlterConfigs = 44, 0..=1, flexible 1, incremental_alter_configs: IncrementalAlterConfigsRequest => IncrementalAlterConfigsResponse;
        AlterPartitionReassignments = 45, 0..=0, flexible 0, alter_partition_reassignments: AlterPartitionReassignmentsRequest => AlterPartitionReassignmentsResponse;
        ListPartitionReassignments = 46, 0..=0, flexible 0, list_partition_reassignments: ListPartitionReassignmentsRequest => ListPartitionReassignmentsResponse;
        OffsetDelete = 47, 0..=0, flexible i16::MAX, offset_delete: OffsetDeleteRequest => OffsetDeleteResponse;
        DescribeCluster = 60, 0..=1, flexible 0, describe_cluster: DescribeClusterRequest => DescribeClusterResponse;
        DescribeProducers = 61, 0..=0, flexible 0, describe_producers: DescribeProducersRequest => DescribeProducersResponse;
        DescribeTransactions = 65, 0..=0, flexible 0, describe_transactions: DescribeTransactionsRequest => DescribeTransactionsResponse;
        ListTransactions = 66, 0..=1, flexible 0, list_transactions: ListTransactionsRequest => ListTransactionsResponse;
        ConsumerGroupHeartbeat = 68, 0..=1, flexible 0, consumer_group_heartbeat: ConsumerGroupHeartbeatRequest => ConsumerGroupHeartbeatResponse;
        ConsumerGroupDescribe = 69, 0..=1, flexible 0, consumer_group_describe: ConsumerGroupDescribeRequest => ConsumerGroupDescribeResponse;
        DescribeTopicPartitions = 75, 0..=0, flexible 0, describe_topic_partitions: DescribeTopicPartitionsRequest => DescribeTopicPartitionsResponse;
    }};
}

use api::apis;

for_each_api!(apis);

#[cfg(test)]
mod tests;
