//! Version 1 of the newer protocol's heartbeat over the wire: ids of the clients' making, topics by regular expression.

use wire::ErrorCode;
use wire::message::consumer_group_describe::{ConsumerGroupDescribeRequest, DescribedGroup};
use wire::message::consumer_group_heartbeat::{
    ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse,
};

use super::support::{Client, TestBroker};

/// Joins group `g` for the topics that an expression matches.
fn join(member: &str, expression: &str) -> ConsumerGroupHeartbeatRequest {
    ConsumerGroupHeartbeatRequest {
        group_id: "g".to_owned(),
        member_id: member.to_owned(),
        rebalance_timeout_ms: 60_000,
        subscribed_topic_names: Some(Vec::new()),
        subscribed_topic_regex: Some(expression.to_owned()),
        topic_partitions: Some(Vec::new()),
        ..Default::default()
    }
}

/// Says that the member lives.
fn beat(member: &str, epoch: i32) -> ConsumerGroupHeartbeatRequest {
    ConsumerGroupHeartbeatRequest {
        group_id: "g".to_owned(),
        member_id: member.to_owned(),
        member_epoch: epoch,
        ..Default::default()
    }
}

/// The epoch, and how many partitions are assigned if that is told.
fn told(response: &ConsumerGroupHeartbeatResponse) -> (i32, Option<usize>) {
    assert_eq!(response.error_code, 0, "{:?}", response.error_message);
    let topics = response.assignment.as_ref().map(|assignment| &assignment.topic_partitions);
    let count = topics.map(|topics| topics.iter().map(|topic| topic.partitions.len()).sum());
    (response.member_epoch, count)
}

async fn describe(client: &mut Client, version: i16) -> DescribedGroup {
    let request = ConsumerGroupDescribeRequest { group_ids: vec!["g".to_owned()], ..Default::default() };
    client.call(version, &request).await.groups.remove(0)
}

#[tokio::test]
async fn a_member_keeps_the_id_that_it_joins_with_and_may_join_again() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    client.create("web", 3).await;
    let joined = client.call(1, &join("mine", "web")).await;
    assert_eq!((joined.member_id.as_deref(), told(&joined)), (Some("mine"), (1, Some(3))));
    // the answer was lost, as the connection was
    let mut client = broker.client().await;
    assert_eq!(told(&client.call(1, &join("mine", "web")).await), (1, Some(3)));
    assert_eq!(describe(&mut client, 1).await.members.len(), 1);
    assert_eq!(told(&client.call(1, &beat("mine", 1)).await), (1, None));

    let nameless = client.call(1, &join("", "web")).await;
    assert_eq!(ErrorCode::from_code(nameless.error_code), ErrorCode::InvalidRequest);
    assert_eq!(nameless.error_message.as_deref(), Some("MemberId can't be empty."));
}

#[tokio::test]
async fn a_topic_that_matches_is_assigned_when_it_appears() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    client.create("web-1", 2).await;
    client.create("my-web-1", 1).await;
    assert_eq!(told(&client.call(1, &join("mine", "^web-.*")).await), (1, Some(2)));
    client.create("web-2", 1).await;
    assert_eq!(told(&client.call(1, &beat("mine", 1)).await), (2, Some(3)));

    let member = describe(&mut client, 1).await.members.remove(0);
    assert_eq!((member.subscribed_topic_regex.as_deref(), member.member_type), (Some("^web-.*"), 1));
    let mut names: Vec<String> =
        member.assignment.topic_partitions.into_iter().map(|topic| topic.topic_name).collect();
    names.sort();
    assert_eq!(names, ["web-1", "web-2"]);
    let member = describe(&mut client, 0).await.members.remove(0);
    assert_eq!((member.subscribed_topic_regex.as_deref(), member.member_type), (Some("^web-.*"), -1));
}

#[tokio::test]
async fn an_invalid_expression_is_error_128_and_the_connection_goes_on() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    let refused = client.call(1, &join("mine", "web-(")).await;
    assert_eq!(refused.error_code, 128);
    let words = "SubscribedTopicRegex `web-(` is not a valid regular expression: unclosed group.";
    assert_eq!(refused.error_message.as_deref(), Some(words));
    assert_eq!(describe(&mut client, 1).await.error_code, ErrorCode::GroupIdNotFound.code());
    assert_eq!(told(&client.call(1, &join("mine", "web-.*")).await), (1, Some(0)));
}
