//! The APIs of groups of the newer protocol (KIP-848).

use super::golden;
use crate::message::*;

#[test]
fn consumer_group_heartbeat_joins_and_may_carry_an_assignment() {
    let request = ConsumerGroupHeartbeatRequest {
        group_id: "g".into(),
        rebalance_timeout_ms: 45_000,
        subscribed_topic_names: Some(vec!["t".into()]),
        topic_partitions: Some(Vec::new()),
        ..Default::default()
    };
    golden(0, r#"02 "g" 01 00000000 00 00 0000afc8 02 02 "t" 00 01 00"#, &request);
    // nothing has changed
    let request = ConsumerGroupHeartbeatRequest {
        group_id: "g".into(),
        member_id: "m".into(),
        member_epoch: 3,
        ..Default::default()
    };
    golden(0, r#"02 "g" 02 "m" 00000003 00 00 ffffffff 00 00 00 00"#, &request);
    golden(1, r#"02 "g" 02 "m" 00000003 00 00 ffffffff 00 00 00 00 00"#, &request);
    // the expression stands behind the names
    let request = ConsumerGroupHeartbeatRequest {
        rebalance_timeout_ms: 45_000,
        subscribed_topic_names: Some(Vec::new()),
        subscribed_topic_regex: Some("a.*".into()),
        server_assignor: Some("range".into()),
        ..request
    };
    golden(1, r#"02 "g" 02 "m" 00000003 00 00 0000afc8 01 04 "a.*" 06 "range" 00 00"#, &request);
    let response = ConsumerGroupHeartbeatResponse {
        member_id: Some("m".into()),
        member_epoch: 3,
        heartbeat_interval_ms: 5000,
        ..Default::default()
    };
    golden(0, r#"00000000 0000 00 02 "m" 00000003 00001388 ff 00"#, &response);
    golden(1, r#"00000000 0000 00 02 "m" 00000003 00001388 ff 00"#, &response);
    let partitions =
        consumer_group_heartbeat::TopicPartitions { topic_id: uuid::Uuid::from_u128(7), partitions: vec![1] };
    let assignment = consumer_group_heartbeat::Assignment { topic_partitions: vec![partitions] };
    let response = ConsumerGroupHeartbeatResponse { assignment: Some(assignment), ..response };
    golden(
        0,
        r#"
        00000000 0000 00 02 "m" 00000003 00001388
        01 02                                         # a byte before what may be null, one topic
        0000000000000000 0000000000000007 02 00000001 00
        00 00
        "#,
        &response,
    );
}

#[test]
fn consumer_group_describe_tells_epochs_and_both_assignments() {
    golden(
        0,
        r#"02 02 "g" 01 00"#,
        &ConsumerGroupDescribeRequest { group_ids: vec!["g".into()], include_authorized_operations: true },
    );
    golden(
        1,
        r#"02 02 "g" 00 00"#,
        &ConsumerGroupDescribeRequest { group_ids: vec!["g".into()], ..Default::default() },
    );
    let partitions = consumer_group_describe::TopicPartitions {
        topic_id: uuid::Uuid::from_u128(7),
        topic_name: "t".into(),
        partitions: vec![1],
    };
    let member = consumer_group_describe::Member {
        member_id: "m".into(),
        member_epoch: 3,
        client_id: "c".into(),
        client_host: "/h".into(),
        subscribed_topic_names: vec!["t".into()],
        assignment: consumer_group_describe::Assignment { topic_partitions: vec![partitions] },
        ..Default::default()
    };
    let mut group = consumer_group_describe::DescribedGroup {
        group_id: "g".into(),
        group_state: "Stable".into(),
        group_epoch: 3,
        assignment_epoch: 3,
        assignor_name: "uniform".into(),
        members: vec![member],
        ..Default::default()
    };
    golden(
        0,
        r#"
        00000000 02
        0000 00 02 "g" 07 "Stable" 00000003 00000003 08 "uniform" 02
        02 "m" 00 00 00000003 02 "c" 03 "/h" 02 02 "t" 00
        02 0000000000000000 0000000000000007 02 "t" 02 00000001 00 00   # the assignment
        01 00                                                           # the target: nothing
        00
        80000000 00
        00
        "#,
        &ConsumerGroupDescribeResponse { groups: vec![group.clone()], ..Default::default() },
    );
    group.members[0].subscribed_topic_regex = Some("a.*".into());
    group.members[0].member_type = 1;
    golden(
        1,
        r#"
        00000000 02
        0000 00 02 "g" 07 "Stable" 00000003 00000003 08 "uniform" 02
        02 "m" 00 00 00000003 02 "c" 03 "/h" 02 02 "t" 04 "a.*"
        02 0000000000000000 0000000000000007 02 "t" 02 00000001 00 00
        01 00
        01 00                                                           # a member of the newer protocol
        80000000 00
        00
        "#,
        &ConsumerGroupDescribeResponse { groups: vec![group], ..Default::default() },
    );
}
