//! The oldest version of everything that a consumer of Kafka 0.8 and 0.9 asks for beside records.

use bytes::Bytes;
use wire::ErrorCode;
use wire::message::describe_groups::DescribeGroupsRequest;
use wire::message::find_coordinator::FindCoordinatorRequest;
use wire::message::heartbeat::HeartbeatRequest;
use wire::message::join_group::{JoinGroupRequest, JoinGroupRequestProtocol, JoinGroupResponse};
use wire::message::leave_group::LeaveGroupRequest;
use wire::message::list_groups::ListGroupsRequest;
use wire::message::list_offsets::{
    ListOffsetsPartition, ListOffsetsPartitionResponse, ListOffsetsRequest, ListOffsetsTopic,
};
use wire::message::metadata::{MetadataRequest, MetadataRequestTopic};
use wire::message::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use wire::message::offset_fetch::{
    OffsetFetchRequest, OffsetFetchRequestTopic, OffsetFetchResponsePartition,
};
use wire::message::sync_group::{SyncGroupRequest, SyncGroupRequestAssignment};

use super::support::{Client, TestBroker, batch_of};

async fn list(client: &mut Client, topic: &str, timestamp: i64, max: i32) -> ListOffsetsPartitionResponse {
    let partition = ListOffsetsPartition { timestamp, max_num_offsets: max, ..Default::default() };
    let topic = ListOffsetsTopic { name: topic.to_owned(), partitions: vec![partition] };
    let request = ListOffsetsRequest { replica_id: -1, topics: vec![topic], ..Default::default() };
    client.call(0, &request).await.topics.remove(0).partitions.remove(0)
}

#[tokio::test]
async fn version_0_lists_where_segments_begin_and_the_log_ends() {
    let broker = TestBroker::start_with(&[("segment_bytes", "1024"), ("max_message_bytes", "1024")]).await;
    let mut client = broker.client().await;
    client.create("t", 1).await;
    let empty = list(&mut client, "t", -1, 10).await;
    assert_eq!(
        (empty.error_code, empty.old_style_offsets),
        (0, vec![0]),
        "an empty log ends where it begins"
    );
    for _ in 0..4 {
        client.produce("t", batch_of(&[&"x".repeat(400), &"x".repeat(400)])).await;
    }
    // timestamp asked for, most offsets asked for, offsets found
    let far = i64::MAX;
    let cases: [(i64, i32, &[i64]); 9] = [
        (-1, 1, &[8]),
        (-1, 3, &[8, 6, 4]),
        (-1, 100, &[8, 6, 4, 2, 0]),
        (-2, 1, &[0]),
        (-2, 100, &[0]),
        (far, 2, &[8, 6]),
        (0, 100, &[]),
        (-1, 0, &[]),
        (-1, -1, &[]),
    ];
    for (timestamp, max, offsets) in cases {
        let answer = list(&mut client, "t", timestamp, max).await;
        assert_eq!((answer.error_code, &answer.old_style_offsets[..]), (0, offsets), "{timestamp}, {max}");
    }
    let reserved = list(&mut client, "t", -3, 1).await;
    assert_eq!(ErrorCode::from_code(reserved.error_code), ErrorCode::UnsupportedVersion);
    let missing = list(&mut client, "u", -1, 1).await;
    assert_eq!(ErrorCode::from_code(missing.error_code), ErrorCode::UnknownTopicOrPartition);
}

#[tokio::test]
async fn the_oldest_metadata_names_the_leader_and_creates_topics() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    client.create("there", 2).await;
    let named = MetadataRequestTopic { name: Some("new".to_owned()), ..Default::default() };
    let request = MetadataRequest { topics: Some(vec![named]), ..Default::default() };
    let response = client.call(0, &request).await;
    assert_eq!(response.brokers[0].port, i32::from(broker.addr.port()));
    let topic = &response.topics[0];
    assert_eq!((topic.error_code, topic.partitions.len()), (0, 1));
    assert_eq!(topic.partitions[0].leader_id, response.brokers[0].node_id);
    // none named: all
    let all = client.call(0, &MetadataRequest { topics: Some(Vec::new()), ..Default::default() }).await;
    let names: Vec<&str> = all.topics.iter().filter_map(|topic| topic.name.as_deref()).collect();
    assert!(names.contains(&"there") && names.contains(&"new"), "{names:?}");
}

async fn join(client: &mut Client, member_id: &str) -> JoinGroupResponse {
    let protocol = JoinGroupRequestProtocol { name: "range".to_owned(), metadata: Bytes::from_static(b"m") };
    let request = JoinGroupRequest {
        group_id: "g".to_owned(),
        session_timeout_ms: 10_000,
        member_id: member_id.to_owned(),
        protocol_type: "consumer".to_owned(),
        protocols: vec![protocol],
        ..Default::default()
    };
    client.call(0, &request).await
}

async fn commit(client: &mut Client, version: i16, generation: i32, member: &str, offset: i64) -> ErrorCode {
    let partition = OffsetCommitRequestPartition {
        committed_offset: offset,
        committed_metadata: Some("text".to_owned()),
        ..Default::default()
    };
    let topic = OffsetCommitRequestTopic { name: "t".to_owned(), partitions: vec![partition] };
    let request = OffsetCommitRequest {
        group_id: "g".to_owned(),
        generation_id_or_member_epoch: generation,
        member_id: member.to_owned(),
        topics: vec![topic],
        ..Default::default()
    };
    let response = client.call(version, &request).await;
    ErrorCode::from_code(response.topics[0].partitions[0].error_code)
}

async fn committed(client: &mut Client, version: i16) -> OffsetFetchResponsePartition {
    let topic = OffsetFetchRequestTopic { name: "t".to_owned(), partition_indexes: vec![0] };
    let request =
        OffsetFetchRequest { group_id: "g".to_owned(), topics: Some(vec![topic]), ..Default::default() };
    client.call(version, &request).await.topics.remove(0).partitions.remove(0)
}

/// Kafka keeps the offsets of version 0 in ZooKeeper. Here there is one place for those of all versions, so a consumer
/// that is updated goes on where it was.
#[tokio::test]
async fn offsets_of_the_oldest_version_are_those_of_the_others() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    client.create("t", 1).await;
    let none = committed(&mut client, 0).await;
    let error = ErrorCode::from_code(none.error_code);
    assert_eq!((none.committed_offset, error), (-1, ErrorCode::UnknownTopicOrPartition));
    let none = committed(&mut client, 1).await;
    assert_eq!((none.committed_offset, none.error_code), (-1, 0));
    for (version, offset) in [(0, 5), (1, 6), (2, 7)] {
        assert_eq!(commit(&mut client, version, -1, "", offset).await, ErrorCode::None);
        for version in 0..=7 {
            let found = committed(&mut client, version).await;
            assert_eq!(
                (found.committed_offset, found.metadata.as_deref(), found.error_code),
                (offset, Some("text"), 0),
                "version {version}"
            );
        }
    }
}

#[tokio::test]
async fn a_group_lives_by_the_oldest_versions_alone() {
    let keys = [("group_initial_rebalance_delay_ms", "0")];
    let broker = TestBroker::start_with(&keys).await;
    let mut client = broker.client().await;
    client.create("t", 1).await;
    let request = FindCoordinatorRequest { key: "g".to_owned(), ..Default::default() };
    let coordinator = client.call(0, &request).await;
    assert_eq!((coordinator.error_code, coordinator.port), (0, i32::from(broker.addr.port())));

    let joined = join(&mut client, "").await;
    assert_eq!(joined.error_code, 0, "no member id is asked for");
    assert_eq!(joined.leader, joined.member_id);
    assert_eq!((joined.protocol_name.as_deref(), joined.members.len()), (Some("range"), 1));
    let (generation_id, member_id) = (joined.generation_id, joined.member_id);

    let assignment = SyncGroupRequestAssignment {
        member_id: member_id.clone(),
        assignment: Bytes::from_static(b"assigned"),
    };
    let request = SyncGroupRequest {
        group_id: "g".to_owned(),
        generation_id,
        member_id: member_id.clone(),
        assignments: vec![assignment],
        ..Default::default()
    };
    let synced = client.call(0, &request).await;
    assert_eq!((synced.error_code, &synced.assignment[..]), (0, &b"assigned"[..]));

    let beat = HeartbeatRequest {
        group_id: "g".to_owned(),
        generation_id,
        member_id: member_id.clone(),
        ..Default::default()
    };
    assert_eq!(client.call(0, &beat).await.error_code, 0);
    assert_eq!(commit(&mut client, 1, generation_id, &member_id, 3).await, ErrorCode::None);
    assert_eq!(commit(&mut client, 1, generation_id + 1, &member_id, 4).await, ErrorCode::IllegalGeneration);
    assert_eq!(committed(&mut client, 1).await.committed_offset, 3);

    let described =
        client.call(0, &DescribeGroupsRequest { groups: vec!["g".to_owned()], ..Default::default() }).await;
    let group = &described.groups[0];
    assert_eq!((group.error_code, group.group_state.as_str()), (0, "Stable"));
    assert_eq!(group.members[0].member_id, member_id);
    let listed = client.call(0, &ListGroupsRequest::default()).await;
    assert!(listed.groups.iter().any(|group| group.group_id == "g" && group.protocol_type == "consumer"));

    let leave =
        LeaveGroupRequest { group_id: "g".to_owned(), member_id: member_id.clone(), ..Default::default() };
    assert_eq!(client.call(0, &leave).await.error_code, 0);
    let gone = client.call(0, &beat).await;
    assert_eq!(ErrorCode::from_code(gone.error_code), ErrorCode::UnknownMemberId);
}
