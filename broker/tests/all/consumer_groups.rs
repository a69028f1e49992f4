//! Groups of the newer protocol (KIP-848) over the wire.

use std::sync::Arc;
use std::time::Duration;

use broker::log::RealDisk;
use uuid::Uuid;
use wire::ErrorCode;
use wire::message::api_versions::ApiVersionsRequest;
use wire::message::consumer_group_describe::{ConsumerGroupDescribeRequest, DescribedGroup};
use wire::message::consumer_group_heartbeat::{
    ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse, TopicPartitions,
};
use wire::message::describe_groups::DescribeGroupsRequest;
use wire::message::list_groups::ListGroupsRequest;
use wire::message::metadata::{MetadataRequest, MetadataRequestTopic};
use wire::message::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};

use super::support::{Client, TestBroker};

/// How long a member waits that has nothing else to do.
const PAUSE: Duration = Duration::from_millis(50);

/// A consumer that takes over at once what it is told.
struct Member {
    client: Client,
    topic_id: Uuid,
    id: String,
    instance_id: Option<String>,
    epoch: i32,
    owned: Vec<i32>,
}

impl Member {
    /// A member of group `g` that reads the topic `t`.
    async fn join(broker: &TestBroker, instance: Option<&str>) -> Self {
        let mut client = broker.client().await;
        let topic_id = topic_id(&mut client).await;
        let instance_id = instance.map(str::to_owned);
        let mut member =
            Member { client, topic_id, id: String::new(), instance_id, epoch: 0, owned: Vec::new() };
        member.beat().await;
        member
    }

    /// The request by which it joins with epoch 0, and says later that it lives and what it owns.
    fn request(&self) -> ConsumerGroupHeartbeatRequest {
        let joins = self.epoch == 0;
        let owned = TopicPartitions { topic_id: self.topic_id, partitions: self.owned.clone() };
        ConsumerGroupHeartbeatRequest {
            group_id: "g".to_owned(),
            member_id: self.id.clone(),
            member_epoch: self.epoch,
            instance_id: self.instance_id.clone(),
            rebalance_timeout_ms: if joins { 60_000 } else { -1 },
            subscribed_topic_names: joins.then(|| vec!["t".to_owned()]),
            topic_partitions: Some(if joins { Vec::new() } else { vec![owned] }),
            ..Default::default()
        }
    }

    async fn send(&mut self, request: &ConsumerGroupHeartbeatRequest) -> ConsumerGroupHeartbeatResponse {
        self.client.call(0, request).await
    }

    async fn beat(&mut self) {
        let request = self.request();
        let response = self.send(&request).await;
        assert_eq!(response.error_code, 0, "{:?}", response.error_message);
        self.epoch = response.member_epoch;
        self.id = response.member_id.unwrap();
        if let Some(assignment) = response.assignment {
            let topics = assignment.topic_partitions.into_iter();
            self.owned = topics.flat_map(|topic| topic.partitions).collect();
        }
    }

    /// What is answered to a heartbeat with this epoch.
    async fn error_at(&mut self, epoch: i32) -> ErrorCode {
        let request = ConsumerGroupHeartbeatRequest { member_epoch: epoch, ..self.request() };
        ErrorCode::from_code(self.send(&request).await.error_code)
    }
}

async fn topic_id(client: &mut Client) -> Uuid {
    let topic = MetadataRequestTopic { name: Some("t".to_owned()), ..Default::default() };
    let request = MetadataRequest { topics: Some(vec![topic]), ..Default::default() };
    client.call(12, &request).await.topics[0].topic_id
}

async fn describe(client: &mut Client) -> DescribedGroup {
    let request = ConsumerGroupDescribeRequest { group_ids: vec!["g".to_owned()], ..Default::default() };
    client.call(0, &request).await.groups.remove(0)
}

/// Two members with two of four partitions each.
async fn shared(broker: &TestBroker) -> (Member, Member) {
    broker.client().await.create("t", 4).await;
    let mut first = Member::join(broker, None).await;
    assert_eq!(first.owned, [0, 1, 2, 3]);
    let mut second = Member::join(broker, None).await;
    assert!(second.owned.is_empty(), "the first has not given anything up");
    for _ in 0..2 {
        first.beat().await;
    }
    second.beat().await;
    assert_eq!((&first.owned[..], &second.owned[..]), (&[0, 1][..], &[2, 3][..]));
    assert_eq!((first.epoch, second.epoch), (2, 2));
    (first, second)
}

#[tokio::test]
async fn two_members_share_until_one_leaves() {
    let broker = TestBroker::start().await;
    let (mut first, mut second) = shared(&broker).await;
    let mut client = broker.client().await;
    let group = describe(&mut client).await;
    assert_eq!((group.error_code, group.group_state.as_str()), (0, "Stable"));
    assert_eq!((group.group_epoch, group.assignment_epoch, group.members.len()), (2, 2, 2));
    assert_eq!(group.members[0].client_id, "test");
    let listed = client.call(5, &ListGroupsRequest::default()).await.groups.remove(0);
    assert_eq!((listed.group_type.as_str(), listed.protocol_type.as_str()), ("Consumer", "consumer"));
    let asked = DescribeGroupsRequest { groups: vec!["g".to_owned()], ..Default::default() };
    let classic = client.call(5, &asked).await.groups.remove(0);
    assert_eq!((classic.error_code, classic.group_state.as_str()), (0, "Dead"));

    assert_eq!(second.error_at(-1).await, ErrorCode::None);
    assert_eq!(second.error_at(2).await, ErrorCode::UnknownMemberId);
    first.beat().await;
    assert_eq!((first.epoch, &first.owned[..]), (3, &[0, 1, 2, 3][..]));
}

#[tokio::test]
async fn a_silent_member_loses_its_partitions() {
    let keys =
        [("group_consumer_session_timeout_ms", "3000"), ("group_consumer_heartbeat_interval_ms", "50")];
    let broker = TestBroker::start_with(&keys).await;
    let (mut first, mut second) = shared(&broker).await;
    while first.owned.len() < 4 {
        tokio::time::sleep(PAUSE).await;
        first.beat().await;
    }
    assert_eq!(second.error_at(2).await, ErrorCode::UnknownMemberId);
    // it comes back as a new member
    second.epoch = 0;
    second.owned.clear();
    second.beat().await;
    assert_eq!(second.epoch, 4);
}

#[tokio::test]
async fn a_member_of_another_epoch_is_fenced() {
    let broker = TestBroker::start().await;
    let (mut first, mut second) = shared(&broker).await;
    assert_eq!(first.error_at(3).await, ErrorCode::FencedMemberEpoch);
    assert_eq!(first.error_at(1).await, ErrorCode::None, "an answer may have been lost");
    second.owned = vec![0, 1];
    assert_eq!(second.error_at(1).await, ErrorCode::FencedMemberEpoch);
    assert_eq!(second.error_at(-4).await, ErrorCode::InvalidRequest);
}

#[tokio::test]
async fn a_restart_keeps_epochs_assignments_and_offsets() {
    let broker = TestBroker::start().await;
    let (mut first, mut second) = shared(&broker).await;
    let partition = OffsetCommitRequestPartition { committed_offset: 1, ..Default::default() };
    let mut commit = OffsetCommitRequest {
        group_id: "g".to_owned(),
        generation_id_or_member_epoch: 2,
        member_id: first.id.clone(),
        topics: vec![OffsetCommitRequestTopic { name: "t".to_owned(), partitions: vec![partition] }],
        ..Default::default()
    };
    let response = first.client.call(9, &commit).await;
    assert_eq!(response.topics[0].partitions[0].error_code, 0);
    let before = describe(&mut first.client).await;
    let dir = broker.stop().await;

    let broker = TestBroker::start_in(dir, &[], Arc::new(RealDisk)).await;
    for member in [&mut first, &mut second] {
        member.client = broker.client().await;
        let owned = member.owned.clone();
        member.beat().await;
        assert_eq!((member.epoch, &member.owned), (2, &owned));
    }
    assert_eq!(describe(&mut first.client).await, before);
    commit.generation_id_or_member_epoch = 1;
    let response = first.client.call(9, &commit).await;
    let error = ErrorCode::from_code(response.topics[0].partitions[0].error_code);
    assert_eq!(error, ErrorCode::StaleMemberEpoch);
}

#[tokio::test]
async fn a_static_member_comes_back_to_its_share() {
    let broker = TestBroker::start().await;
    broker.client().await.create("t", 4).await;
    let mut fixed = Member::join(&broker, Some("one")).await;
    let mut other = Member::join(&broker, None).await;
    for _ in 0..2 {
        fixed.beat().await;
    }
    other.beat().await;
    assert_eq!((fixed.owned.len(), other.owned.len()), (2, 2));

    assert_eq!(fixed.error_at(-2).await, ErrorCode::None);
    other.beat().await;
    assert_eq!(other.owned.len(), 2, "the share is kept");
    let back = Member::join(&broker, Some("one")).await;
    assert_ne!(back.id, fixed.id);
    assert_eq!((back.epoch, &back.owned), (2, &fixed.owned));
    assert_eq!(fixed.error_at(2).await, ErrorCode::FencedInstanceId);
    other.beat().await;
    assert_eq!(other.epoch, 2, "nobody else has noticed");
}

/// Clients with group.protocol=consumer look for these before they join.
#[tokio::test]
async fn the_protocol_is_announced() {
    let broker = TestBroker::start().await;
    let announced = broker.client().await.call(3, &ApiVersionsRequest::default()).await.api_keys;
    for key in [68, 69] {
        let api = announced.iter().find(|api| api.api_key == key).unwrap();
        assert_eq!((api.min_version, api.max_version), (0, 1), "librdkafka 2.12 and later need version 1");
    }
}
