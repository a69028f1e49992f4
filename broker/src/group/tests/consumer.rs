//! Groups of the newer protocol, as their members meet them.

use uuid::Uuid;
use wire::message::consumer_group_describe::DescribedGroup;
use wire::message::consumer_group_heartbeat::{
    ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse, TopicPartitions,
};
use wire::message::list_groups::ListGroupsRequest;

use super::*;

/// A fixture with the topic `t` of four partitions.
pub(super) fn with_topic() -> Fixture {
    let fixture = Fixture::new();
    fixture.logs.create_topic("t", 4, Default::default()).unwrap();
    fixture
}

pub(super) fn join_consumer(member: &str) -> ConsumerGroupHeartbeatRequest {
    ConsumerGroupHeartbeatRequest {
        group_id: "g".into(),
        member_id: member.into(),
        rebalance_timeout_ms: REBALANCE_MS,
        subscribed_topic_names: Some(vec!["t".into()]),
        topic_partitions: Some(Vec::new()),
        ..Default::default()
    }
}

impl Fixture {
    pub(super) async fn send(
        &self,
        request: ConsumerGroupHeartbeatRequest,
    ) -> ConsumerGroupHeartbeatResponse {
        self.send_as(1, request).await
    }

    pub(super) async fn send_as(
        &self,
        version: i16,
        request: ConsumerGroupHeartbeatRequest,
    ) -> ConsumerGroupHeartbeatResponse {
        let caller = Caller { version, ..caller(ApiKey::ConsumerGroupHeartbeat) };
        self.coordinator.consumer_heartbeat(&caller, request, &self.logs).await
    }

    fn topic_id(&self) -> Uuid {
        self.logs.topic("t").unwrap().id()
    }

    /// A heartbeat that says what the member owns.
    fn owning(&self, member: &str, epoch: i32, owned: &[i32]) -> ConsumerGroupHeartbeatRequest {
        let owned = TopicPartitions { topic_id: self.topic_id(), partitions: owned.to_vec() };
        ConsumerGroupHeartbeatRequest { topic_partitions: Some(vec![owned]), ..plain(member, epoch) }
    }

    pub(super) fn described(&self) -> DescribedGroup {
        self.coordinator.describe_consumer_group("g", &self.logs)
    }

    /// The member `a` with two partitions and the member `b` with the two others, all in epoch 2.
    pub(super) async fn shared() -> Self {
        let fixture = with_topic();
        assert_eq!(told(&fixture.send(join_consumer("a")).await), (1, Some(vec![0, 1, 2, 3])));
        assert_eq!(told(&fixture.send(join_consumer("b")).await), (2, Some(vec![])));
        let revoking = fixture.send(fixture.owning("a", 1, &[0, 1, 2, 3])).await;
        assert_eq!(told(&revoking), (1, Some(vec![0, 1])));
        assert_eq!(told(&fixture.send(plain("b", 2)).await), (2, None), "a has not given them up");
        assert_eq!(told(&fixture.send(fixture.owning("a", 1, &[0, 1])).await), (2, None));
        assert_eq!(told(&fixture.send(plain("b", 2)).await), (2, Some(vec![2, 3])));
        fixture
    }
}

/// A heartbeat that says that nothing has changed.
pub(super) fn plain(member: &str, epoch: i32) -> ConsumerGroupHeartbeatRequest {
    ConsumerGroupHeartbeatRequest {
        group_id: "g".into(),
        member_id: member.into(),
        member_epoch: epoch,
        ..Default::default()
    }
}

/// The epoch and the partitions that an answer tells.
pub(super) fn told(response: &ConsumerGroupHeartbeatResponse) -> (i32, Option<Vec<i32>>) {
    assert_eq!(response.error_code, 0, "{:?}", response.error_message);
    let all = response.assignment.as_ref().map(|assignment| {
        assignment.topic_partitions.iter().flat_map(|topic| topic.partitions.iter().copied()).collect()
    });
    (response.member_epoch, all)
}

pub(super) fn error(response: &ConsumerGroupHeartbeatResponse) -> ErrorCode {
    ErrorCode::from_code(response.error_code)
}

#[tokio::test]
async fn two_members_share_and_what_one_leaves_the_other_gets() {
    let fixture = Fixture::shared().await;
    let group = fixture.described();
    assert_eq!((group.group_state.as_str(), group.group_epoch, group.assignment_epoch), ("Stable", 2, 2));
    assert_eq!((group.assignor_name.as_str(), group.members.len()), ("uniform", 2));
    assert_eq!(group.members[0].assignment, group.members[0].target_assignment);
    assert_eq!(group.members[0].assignment.topic_partitions[0].topic_name, "t");

    let left = fixture.send(plain("b", -1)).await;
    assert_eq!((told(&left), left.member_id.as_deref()), ((-1, None), Some("b")));
    assert_eq!(told(&fixture.send(fixture.owning("a", 2, &[0, 1])).await), (3, Some(vec![0, 1, 2, 3])));
    assert_eq!(error(&fixture.send(plain("b", 2)).await), ErrorCode::UnknownMemberId);
}

#[tokio::test]
async fn a_member_without_id_is_given_one() {
    let fixture = with_topic();
    let joined = fixture.send_as(0, join_consumer("")).await;
    let id = joined.member_id.clone().unwrap();
    assert_eq!((told(&joined).0, joined.heartbeat_interval_ms), (1, 5000));
    assert_eq!(told(&fixture.send(plain(&id, 1)).await), (1, None));
}

#[tokio::test]
async fn a_silent_member_is_removed() {
    let fixture = Fixture::shared().await;
    fixture.pass(40_000);
    assert_eq!(told(&fixture.send(plain("a", 2)).await), (2, None));
    fixture.pass(5_000);
    assert_eq!(error(&fixture.send(plain("b", 2)).await), ErrorCode::UnknownMemberId);
    assert_eq!(told(&fixture.send(plain("a", 2)).await), (3, Some(vec![0, 1, 2, 3])));
    fixture.pass(45_000);
    assert_eq!(
        fixture.described().error_code,
        ErrorCode::GroupIdNotFound.code(),
        "nobody and nothing is left"
    );
}

#[tokio::test]
async fn a_member_that_does_not_give_up_in_time_is_removed() {
    let fixture = with_topic();
    fixture.send(join_consumer("a")).await;
    fixture.send(join_consumer("b")).await;
    assert_eq!(told(&fixture.send(fixture.owning("a", 1, &[0, 1, 2, 3])).await), (1, Some(vec![0, 1])));
    fixture.pass(REBALANCE_MS - 1);
    assert_eq!(told(&fixture.send(fixture.owning("a", 1, &[0, 1, 2, 3])).await), (1, None));
    fixture.pass(1);
    assert_eq!(error(&fixture.send(plain("a", 1)).await), ErrorCode::UnknownMemberId);
    assert_eq!(told(&fixture.send(plain("b", 2)).await), (3, Some(vec![0, 1, 2, 3])));
}

#[tokio::test]
async fn a_member_of_another_epoch_is_fenced_unless_it_has_only_missed_an_answer() {
    let fixture = Fixture::shared().await;
    let fenced = ErrorCode::FencedMemberEpoch;
    assert_eq!(error(&fixture.send(plain("a", 3)).await), fenced);
    assert_eq!(error(&fixture.send(plain("a", 1)).await), fenced, "it does not say what it owns");
    assert_eq!(error(&fixture.send(fixture.owning("a", 1, &[0, 1, 2])).await), fenced);
    assert_eq!(told(&fixture.send(fixture.owning("a", 1, &[0])).await), (2, None));
    assert_eq!(error(&fixture.send(plain("c", 2)).await), ErrorCode::UnknownMemberId);
    let elsewhere = ConsumerGroupHeartbeatRequest { group_id: "h".into(), ..plain("a", 2) };
    assert_eq!(error(&fixture.send(elsewhere).await), ErrorCode::GroupIdNotFound);
}

#[tokio::test]
async fn a_restart_keeps_epochs_and_assignments() {
    let fixture = Fixture::shared().await;
    let before = fixture.described();
    let fixture = fixture.restarted();
    assert_eq!(fixture.described(), before);
    assert_eq!(told(&fixture.send(plain("a", 2)).await), (2, None));
    assert_eq!(told(&fixture.send(plain("b", 2)).await), (2, None));
    // a session begins anew
    fixture.pass(44_999);
    assert_eq!(fixture.described(), before);
    fixture.pass(1);
    assert_eq!(fixture.described().error_code, ErrorCode::GroupIdNotFound.code());
    assert_eq!(fixture.restarted().described().error_code, ErrorCode::GroupIdNotFound.code());
}

#[tokio::test]
async fn a_static_member_is_expected_back_and_has_its_share_under_a_new_id() {
    let fixture = with_topic();
    let fixed = |request: ConsumerGroupHeartbeatRequest| ConsumerGroupHeartbeatRequest {
        instance_id: Some("one".into()),
        ..request
    };
    assert_eq!(told(&fixture.send(fixed(join_consumer("a"))).await), (1, Some(vec![0, 1, 2, 3])));
    let taken = fixture.send(fixed(join_consumer("b"))).await;
    assert_eq!(error(&taken), ErrorCode::UnreleasedInstanceId);
    assert_eq!(error(&fixture.send(fixed(plain("b", 1))).await), ErrorCode::FencedInstanceId);

    assert_eq!(told(&fixture.send(fixed(plain("a", -2))).await), (-2, None));
    let fixture = fixture.restarted();
    assert_eq!(told(&fixture.send(fixed(join_consumer("b"))).await), (1, Some(vec![0, 1, 2, 3])));
    assert_eq!(fixture.described().group_epoch, 1, "nothing was assigned anew");
    assert_eq!(error(&fixture.send(fixed(plain("a", 1))).await), ErrorCode::FencedInstanceId);
    let fixture = fixture.restarted();
    assert_eq!(fixture.described().members.len(), 1);
    assert_eq!(told(&fixture.send(fixed(plain("b", 1))).await), (1, None));

    // and when it does not come back
    fixture.send(fixed(plain("b", -2))).await;
    fixture.pass(45_000);
    assert_eq!(fixture.described().error_code, ErrorCode::GroupIdNotFound.code());
}

#[tokio::test]
async fn topics_that_come_grow_and_go_are_assigned_anew() {
    let fixture = Fixture::new();
    assert_eq!(told(&fixture.send(join_consumer("a")).await), (1, Some(vec![])), "there is no topic yet");
    fixture.logs.create_topic("t", 1, Default::default()).unwrap();
    assert_eq!(told(&fixture.send(plain("a", 1)).await), (2, Some(vec![0])));
    fixture.logs.add_partitions("t", 3, false).unwrap();
    assert_eq!(told(&fixture.send(plain("a", 2)).await), (3, Some(vec![0, 1, 2])));
    fixture.logs.create_topic("other", 1, Default::default()).unwrap();
    assert_eq!(told(&fixture.send(plain("a", 3)).await), (3, None), "that is not its topic");
    let owned = fixture.owning("a", 3, &[0, 1, 2]);
    fixture.logs.delete_topic("t").unwrap();
    assert_eq!(told(&fixture.send(owned).await), (3, Some(vec![])));
    assert_eq!(
        told(
            &fixture
                .send(ConsumerGroupHeartbeatRequest { topic_partitions: Some(Vec::new()), ..plain("a", 3) })
                .await
        ),
        (4, None)
    );
}

#[tokio::test]
async fn what_makes_no_sense_is_refused() {
    let fixture = with_topic();
    let refused = [
        ConsumerGroupHeartbeatRequest { group_id: String::new(), ..join_consumer("a") },
        ConsumerGroupHeartbeatRequest { instance_id: Some(String::new()), ..join_consumer("a") },
        ConsumerGroupHeartbeatRequest { rack_id: Some(String::new()), ..join_consumer("a") },
        ConsumerGroupHeartbeatRequest { rebalance_timeout_ms: -1, ..join_consumer("a") },
        ConsumerGroupHeartbeatRequest { topic_partitions: None, ..join_consumer("a") },
        ConsumerGroupHeartbeatRequest { subscribed_topic_names: None, ..join_consumer("a") },
        ConsumerGroupHeartbeatRequest { subscribed_topic_names: Some(Vec::new()), ..join_consumer("a") },
        ConsumerGroupHeartbeatRequest { member_id: "m".repeat(1 << 15), ..join_consumer("a") },
        ConsumerGroupHeartbeatRequest {
            subscribed_topic_names: Some(vec!["t".repeat(1 << 20)]),
            ..join_consumer("a")
        },
        plain("", 1),
        plain("", -1),
        plain("a", -2),
        plain("a", -3),
    ];
    for (number, request) in refused.into_iter().enumerate() {
        let response = fixture.send_as(0, request).await;
        assert_eq!(error(&response), ErrorCode::InvalidRequest, "request {number}");
    }
    let sticky =
        ConsumerGroupHeartbeatRequest { server_assignor: Some("sticky".into()), ..join_consumer("a") };
    let response = fixture.send(sticky).await;
    assert_eq!(error(&response), ErrorCode::UnsupportedAssignor);
    assert!(response.error_message.unwrap().contains("uniform, range"));
}

#[tokio::test]
async fn members_choose_the_assignor_by_majority() {
    let fixture = with_topic();
    let ranged = |id: &str| ConsumerGroupHeartbeatRequest {
        server_assignor: Some("range".into()),
        ..join_consumer(id)
    };
    fixture.send(ranged("a")).await;
    assert_eq!(fixture.described().assignor_name, "range");
    assert_eq!(told(&fixture.send(ranged("b")).await), (2, Some(vec![])));
    fixture.send(join_consumer("c")).await;
    assert_eq!(fixture.described().assignor_name, "range", "c does not mind");
}

#[tokio::test]
async fn the_two_protocols_do_not_mix_but_an_empty_group_goes_over() {
    let fixture = with_topic();
    let (member, generation) = fixture.stable("g").await;
    assert_eq!(error(&fixture.send(join_consumer("a")).await), ErrorCode::GroupIdNotFound);
    assert_eq!(error(&fixture.send(plain("a", 1)).await), ErrorCode::GroupIdNotFound);
    assert_eq!(fixture.described().error_code, ErrorCode::GroupIdNotFound.code());
    assert_eq!(fixture.beat("g", &member, generation), 0);

    // the classic member goes, an offset stays
    assert_eq!(fixture.commit_as(8, &member, generation, 5).await, ErrorCode::None);
    fixture.pass(SESSION_MS);
    assert_eq!(told(&fixture.send(join_consumer("a")).await).0, 1);
    assert_eq!(fixture.offset(), 5);
    let refused = fixture.coordinator.join(&caller(ApiKey::JoinGroup), join("g", "")).await;
    assert_eq!(ErrorCode::from_code(refused.error_code), ErrorCode::InconsistentGroupProtocol);
    assert_eq!(fixture.beat("g", "a", 1), ErrorCode::UnknownMemberId.code());
    let listed = fixture.coordinator.list(&ListGroupsRequest::default()).groups;
    let listed = (listed[0].group_type.as_str(), listed[0].group_state.as_str());
    assert_eq!(listed, ("Consumer", "Stable"));
    assert_eq!(
        fixture.coordinator.describe("g").group_state,
        "Dead",
        "for those who ask for a classic group"
    );
    let fixture = fixture.restarted();
    assert_eq!(fixture.described().members.len(), 1);

    // and back
    fixture.send(plain("a", -1)).await;
    assert_eq!(fixture.described().group_state, "Empty");
    let joined = fixture.join_alone("g").await;
    assert_eq!(joined.error_code, 0);
    let synced = fixture.coordinator.sync(lead(&joined, "g", &[(&joined.member_id, b"all")])).await;
    assert_eq!(share(&synced), b"all");
    assert_eq!(fixture.described().error_code, ErrorCode::GroupIdNotFound.code());
    let fixture = fixture.restarted();
    assert_eq!(fixture.coordinator.describe("g").group_state, "Stable");
    assert_eq!(fixture.offset(), 5);
}
