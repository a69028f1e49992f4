//! The APIs of consumer groups.

use bytes::Bytes;

use super::golden;
use crate::message::*;

#[test]
fn find_coordinator_of_one_key_and_of_several() {
    golden(0, r#"0001 "g""#, &FindCoordinatorRequest { key: "g".into(), ..Default::default() });
    golden(
        4,
        r#"00 03 02 "g" 02 "h" 00"#,
        &FindCoordinatorRequest { coordinator_keys: vec!["g".into(), "h".into()], ..Default::default() },
    );
    golden(
        0,
        r#"0000 00000001 0001 "h" 00002384"#,
        &FindCoordinatorResponse { node_id: 1, host: "h".into(), port: 9092, ..Default::default() },
    );
    let coordinator = find_coordinator::Coordinator {
        key: "g".into(),
        node_id: -1,
        port: -1,
        error_code: 15,
        ..Default::default()
    };
    golden(
        4,
        r#"00000000 02 02 "g" ffffffff 01 ffffffff 000f 00 00 00"#,
        &FindCoordinatorResponse { coordinators: vec![coordinator], ..Default::default() },
    );
}

fn join_request() -> JoinGroupRequest {
    JoinGroupRequest {
        group_id: "g".into(),
        session_timeout_ms: 45_000,
        protocol_type: "consumer".into(),
        protocols: vec![join_group::JoinGroupRequestProtocol {
            name: "range".into(),
            metadata: Bytes::from_static(b"meta"),
        }],
        ..Default::default()
    }
}

#[test]
fn join_group_0_and_6() {
    golden(
        0,
        r#"0001 "g" 0000afc8 0000 0008 "consumer" 00000001 0005 "range" 00000004 "meta""#,
        &join_request(),
    );
    golden(
        6,
        r#"
        02 "g" 0000afc8 000493e0
        01 07 "static"              # no member id yet; the static id
        09 "consumer" 02 06 "range" 05 "meta" 00
        00
        "#,
        &JoinGroupRequest {
            rebalance_timeout_ms: 300_000,
            group_instance_id: Some("static".into()),
            ..join_request()
        },
    );
}

#[test]
fn join_group_response_names_a_null_protocol_since_7() {
    let joined = JoinGroupResponse {
        generation_id: 1,
        protocol_name: Some("range".into()),
        leader: "m".into(),
        member_id: "m".into(),
        members: vec![join_group::JoinGroupResponseMember {
            member_id: "m".into(),
            metadata: Bytes::from_static(b"meta"),
            ..Default::default()
        }],
        ..Default::default()
    };
    golden(0, r#"0000 00000001 0005 "range" 0001 "m" 0001 "m" 00000001 0001 "m" 00000004 "meta""#, &joined);
    golden(
        7,
        r#"00000000 004f ffffffff 00 00 01 02 "m" 01 00   # error 79: join again as m"#,
        &JoinGroupResponse {
            error_code: 79,
            protocol_name: None,
            member_id: "m".into(),
            ..Default::default()
        },
    );
}

#[test]
fn sync_group_0_and_5() {
    let request = SyncGroupRequest {
        group_id: "g".into(),
        generation_id: 1,
        member_id: "m".into(),
        assignments: vec![sync_group::SyncGroupRequestAssignment {
            member_id: "m".into(),
            assignment: Bytes::from_static(b"mine"),
        }],
        ..Default::default()
    };
    golden(0, r#"0001 "g" 00000001 0001 "m" 00000001 0001 "m" 00000004 "mine""#, &request);
    golden(
        5,
        r#"02 "g" 00000001 02 "m" 00 09 "consumer" 06 "range" 02 02 "m" 05 "mine" 00 00"#,
        &SyncGroupRequest {
            protocol_type: Some("consumer".into()),
            protocol_name: Some("range".into()),
            ..request
        },
    );
    golden(
        5,
        r#"00000000 0000 00 00 05 "mine" 00"#,
        &SyncGroupResponse { assignment: Bytes::from_static(b"mine"), ..Default::default() },
    );
}

#[test]
fn heartbeat_0_and_4() {
    let request = HeartbeatRequest {
        group_id: "g".into(),
        generation_id: 2,
        member_id: "m".into(),
        ..Default::default()
    };
    golden(0, r#"0001 "g" 00000002 0001 "m""#, &request);
    golden(4, r#"02 "g" 00000002 02 "m" 00 00"#, &request);
    golden(0, "001b", &HeartbeatResponse { error_code: 27, ..Default::default() });
    golden(4, "00000000 001b 00", &HeartbeatResponse { error_code: 27, ..Default::default() });
}

#[test]
fn leave_group_of_one_member_and_of_several() {
    golden(
        1,
        r#"0001 "g" 0001 "m""#,
        &LeaveGroupRequest { group_id: "g".into(), member_id: "m".into(), ..Default::default() },
    );
    let members = vec![leave_group::MemberIdentity {
        member_id: "m".into(),
        reason: Some("bye".into()),
        ..Default::default()
    }];
    golden(
        5,
        r#"02 "g" 02 02 "m" 00 04 "bye" 00 00"#,
        &LeaveGroupRequest { group_id: "g".into(), members, ..Default::default() },
    );
}

fn commit(partition: offset_commit::OffsetCommitRequestPartition) -> OffsetCommitRequest {
    OffsetCommitRequest {
        group_id: "g".into(),
        topics: vec![offset_commit::OffsetCommitRequestTopic {
            name: "t".into(),
            partitions: vec![partition],
        }],
        ..Default::default()
    }
}

#[test]
fn offset_commit_0_1_and_8() {
    let partition = offset_commit::OffsetCommitRequestPartition { committed_offset: 5, ..Default::default() };
    golden(
        0,
        r#"0001 "g" 00000001 0001 "t" 00000001 00000000 0000000000000005 ffff"#,
        &commit(partition.clone()),
    );
    golden(
        1,
        r#"
        0001 "g" ffffffff 0000
        00000001 0001 "t" 00000001 00000000 0000000000000005
        00000000000003e8            # a time, in this version only
        0004 "note"
        "#,
        &commit(offset_commit::OffsetCommitRequestPartition {
            commit_timestamp: 1000,
            committed_metadata: Some("note".into()),
            ..partition.clone()
        }),
    );
    golden(
        8,
        r#"
        02 "g" 00000002 02 "m" 00
        02 02 "t" 02 00000000 0000000000000005 00000003 00 00 00
        00
        "#,
        &OffsetCommitRequest {
            generation_id_or_member_epoch: 2,
            member_id: "m".into(),
            ..commit(offset_commit::OffsetCommitRequestPartition { committed_leader_epoch: 3, ..partition })
        },
    );
}

#[test]
fn offset_fetch_of_one_group_and_of_several() {
    golden(
        2,
        r#"0001 "g" ffffffff   # all topics"#,
        &OffsetFetchRequest { group_id: "g".into(), topics: None, ..Default::default() },
    );
    let groups = vec![offset_fetch::OffsetFetchRequestGroup {
        group_id: "g".into(),
        topics: Some(vec![offset_fetch::OffsetFetchRequestTopics {
            name: "t".into(),
            partition_indexes: vec![0, 1],
        }]),
        ..Default::default()
    }];
    golden(
        8,
        r#"02 02 "g" 02 02 "t" 03 00000000 00000001 00 00 01 00   # stable offsets only"#,
        &OffsetFetchRequest { groups, require_stable: true, ..Default::default() },
    );
    let topics = vec![offset_fetch::OffsetFetchResponseTopic {
        name: "t".into(),
        partitions: vec![offset_fetch::OffsetFetchResponsePartition {
            committed_offset: -1,
            metadata: Some(String::new()),
            ..Default::default()
        }],
    }];
    golden(
        1,
        r#"00000001 0001 "t" 00000001 00000000 ffffffffffffffff 0000 0000"#,
        &OffsetFetchResponse { topics, ..Default::default() },
    );
}

#[test]
fn list_groups_and_describe_groups() {
    golden(
        4,
        r#"02 07 "Stable" 00"#,
        &ListGroupsRequest { states_filter: vec!["Stable".into()], ..Default::default() },
    );
    let listed = list_groups::ListedGroup {
        group_id: "g".into(),
        protocol_type: "consumer".into(),
        group_state: "Empty".into(),
        group_type: "classic".into(),
    };
    golden(
        5,
        r#"00000000 0000 02 02 "g" 09 "consumer" 06 "Empty" 08 "classic" 00 00"#,
        &ListGroupsResponse { groups: vec![listed], ..Default::default() },
    );
    golden(
        3,
        r#"00000001 0001 "g" 01"#,
        &DescribeGroupsRequest { groups: vec!["g".into()], include_authorized_operations: true },
    );
    let group = describe_groups::DescribedGroup {
        group_id: "g".into(),
        group_state: "Dead".into(),
        ..Default::default()
    };
    golden(
        0,
        r#"00000001 0000 0001 "g" 0004 "Dead" 0000 0000 00000000"#,
        &DescribeGroupsResponse { groups: vec![group], ..Default::default() },
    );
}
