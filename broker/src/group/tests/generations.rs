//! Generations: who joins, leaves, falls silent, and what the others hear of it.

use wire::message::join_group::JoinGroupRequestProtocol;
use wire::message::leave_group::{LeaveGroupRequest, MemberIdentity};
use wire::message::list_groups::ListGroupsRequest;

use super::*;

/// Two members in a stable group: (leader's id, follower's id, generation).
async fn pair(fixture: &Fixture) -> (String, String, i32) {
    let (first, _) = fixture.stable("g").await;
    let id = fixture.coordinator.join(&caller(ApiKey::JoinGroup), join("g", "")).await.member_id;
    let second = fixture.joining(join("g", &id));
    settle().await;
    let first = fixture.joining(join("g", &first)).await.unwrap();
    let second = second.await.unwrap();
    assert_eq!(first.generation_id, second.generation_id);
    assert_eq!((first.members.len(), second.members.len()), (2, 0), "only the leader hears of all");
    let coordinator = fixture.coordinator.clone();
    let waiting = follow(&second, "g");
    let waiting = tokio::spawn(async move { coordinator.sync(waiting).await });
    settle().await;
    let led = lead(&first, "g", &[(&first.member_id, b"a"), (&second.member_id, b"b")]);
    assert_eq!(share(&fixture.coordinator.sync(led).await), b"a");
    assert_eq!(share(&waiting.await.unwrap()), b"b");
    (first.member_id, second.member_id, first.generation_id)
}

#[tokio::test]
async fn a_member_alone_is_leader_and_gets_what_it_assigns() {
    let fixture = Fixture::new();
    let (member, generation) = fixture.stable("g").await;
    assert_eq!(generation, 1);
    assert_eq!(fixture.beat("g", &member, generation), 0);
    let described = fixture.coordinator.describe("g");
    assert_eq!((described.group_state.as_str(), described.protocol_data.as_str()), ("Stable", "range"));
    assert_eq!(described.members.len(), 1);
}

#[tokio::test]
async fn two_members_share_and_the_old_generation_is_refused() {
    let fixture = Fixture::new();
    let (leader, follower, generation) = pair(&fixture).await;
    assert_eq!(generation, 2);
    assert_eq!(fixture.beat("g", &leader, 1), ErrorCode::IllegalGeneration.code());
    assert_eq!(fixture.beat("g", &follower, 2), 0);
    assert_eq!(fixture.beat("g", "nobody", 2), ErrorCode::UnknownMemberId.code());
}

#[tokio::test]
async fn whoever_leaves_makes_the_others_meet_again() {
    let fixture = Fixture::new();
    let (leader, follower, generation) = pair(&fixture).await;
    let members = vec![
        MemberIdentity { member_id: follower, ..Default::default() },
        MemberIdentity { member_id: "nobody".into(), ..Default::default() },
    ];
    let request = LeaveGroupRequest { group_id: "g".into(), members, ..Default::default() };
    let response = fixture.coordinator.leave(&caller(ApiKey::LeaveGroup), request);
    let codes: Vec<i16> = response.members.iter().map(|member| member.error_code).collect();
    assert_eq!(codes, [0, ErrorCode::UnknownMemberId.code()]);
    assert_eq!(fixture.beat("g", &leader, generation), ErrorCode::RebalanceInProgress.code());
    let joined = fixture.joining(join("g", &leader)).await.unwrap();
    assert_eq!((joined.generation_id, joined.members.len()), (generation + 1, 1));
}

#[tokio::test]
async fn a_silent_member_loses_its_place_and_a_beating_one_keeps_it() {
    let fixture = Fixture::new();
    let (leader, follower, generation) = pair(&fixture).await;
    fixture.pass(SESSION_MS - 1);
    assert_eq!(fixture.beat("g", &leader, generation), 0);
    fixture.pass(1);
    assert_eq!(fixture.beat("g", &follower, generation), ErrorCode::UnknownMemberId.code());
    assert_eq!(fixture.beat("g", &leader, generation), ErrorCode::RebalanceInProgress.code());
}

#[tokio::test]
async fn a_rebalance_does_not_wait_for_ever_for_those_that_do_not_come() {
    let fixture = Fixture::new();
    let (leader, follower, generation) = pair(&fixture).await;
    let third = fixture.coordinator.join(&caller(ApiKey::JoinGroup), join("g", "")).await.member_id;
    let third = fixture.joining(join("g", &third));
    let first = fixture.joining(join("g", &leader));
    settle().await;
    // The follower beats but never joins again.
    for _ in 0..REBALANCE_MS / SESSION_MS * 2 {
        fixture.pass(SESSION_MS / 2);
        fixture.beat("g", &follower, generation);
        settle().await;
    }
    let (first, third) = (first.await.unwrap(), third.await.unwrap());
    assert_eq!((first.error_code, third.error_code), (0, 0));
    assert_eq!(first.members.len(), 2);
    assert_eq!(fixture.beat("g", &follower, generation), ErrorCode::UnknownMemberId.code());
}

#[tokio::test]
async fn a_leader_that_dies_before_assigning_is_replaced() {
    let fixture = Fixture::new();
    let (first, _) = fixture.stable("g").await;
    let id = fixture.coordinator.join(&caller(ApiKey::JoinGroup), join("g", "")).await.member_id;
    let second = fixture.joining(join("g", &id));
    settle().await;
    let led = fixture.joining(join("g", &first)).await.unwrap();
    assert_eq!(led.leader, first);
    let second = second.await.unwrap();
    let coordinator = fixture.coordinator.clone();
    let request = follow(&second, "g");
    let waiting = tokio::spawn(async move { coordinator.sync(request).await });
    settle().await;
    fixture.pass(SESSION_MS);
    assert_eq!(waiting.await.unwrap().error_code, ErrorCode::RebalanceInProgress.code());
    let joined = fixture.joining(join("g", &id)).await.unwrap();
    assert_eq!((joined.leader, joined.members.len()), (id, 1));
}

#[tokio::test]
async fn protocols_that_not_all_know_are_refused() {
    let fixture = Fixture::new();
    fixture.stable("g").await;
    let alien = JoinGroupRequestProtocol { name: "sticky".into(), metadata: Bytes::new() };
    let request = JoinGroupRequest { protocols: vec![alien], ..join("g", "") };
    let refused = fixture.coordinator.join(&caller(ApiKey::JoinGroup), request).await;
    assert_eq!(refused.error_code, ErrorCode::InconsistentGroupProtocol.code());
    let request = JoinGroupRequest { protocol_type: "connect".into(), ..join("g", "") };
    let refused = fixture.coordinator.join(&caller(ApiKey::JoinGroup), request).await;
    assert_eq!(refused.error_code, ErrorCode::InconsistentGroupProtocol.code());
}

#[tokio::test]
async fn limits_on_names_sessions_members_and_groups_hold() {
    let fixture = Fixture::new();
    let refusal =
        async |request| fixture.coordinator.join(&caller(ApiKey::JoinGroup), request).await.error_code;
    assert_eq!(refusal(join("", "")).await, ErrorCode::InvalidGroupId.code());
    let hasty = JoinGroupRequest { session_timeout_ms: 10, ..join("g", "") };
    assert_eq!(refusal(hasty).await, ErrorCode::InvalidSessionTimeout.code());
    assert_eq!(refusal(join("g", "never given")).await, ErrorCode::UnknownMemberId.code());
    for _ in 0..=config().max_members {
        assert_eq!(refusal(join("g", "")).await, ErrorCode::MemberIdRequired.code());
    }
    assert_eq!(refusal(join("g", "")).await, ErrorCode::GroupMaxSizeReached.code());
    for other in 1..config().max_groups {
        assert_eq!(refusal(join(&format!("g{other}"), "")).await, ErrorCode::MemberIdRequired.code());
    }
    assert_eq!(refusal(join("one too many", "")).await, ErrorCode::GroupMaxSizeReached.code());
    // Those that were only announced are forgotten, and with them their groups.
    fixture.pass(SESSION_MS);
    assert_eq!(refusal(join("one too many", "")).await, ErrorCode::MemberIdRequired.code());
}

#[tokio::test]
async fn groups_are_listed_with_their_states() {
    let fixture = Fixture::new();
    fixture.stable("stable").await;
    fixture.join_alone("assigning").await;
    let all = fixture.coordinator.list(&ListGroupsRequest::default()).groups;
    let seen: Vec<_> =
        all.iter().map(|group| (group.group_id.as_str(), group.group_state.as_str())).collect();
    assert_eq!(seen, [("assigning", "CompletingRebalance"), ("stable", "Stable")]);
    let filter = ListGroupsRequest { states_filter: vec!["stable".into()], ..Default::default() };
    assert_eq!(fixture.coordinator.list(&filter).groups.len(), 1);
    assert_eq!(fixture.coordinator.describe("none").group_state, "Dead");
}

#[tokio::test]
async fn members_go_on_after_the_broker_was_killed() {
    let fixture = Fixture::new();
    let (member, generation) = fixture.stable("g").await;
    let fixture = fixture.restarted();
    assert_eq!(fixture.beat("g", &member, generation), 0);
    fixture.pass(SESSION_MS);
    assert_eq!(fixture.beat("g", &member, generation), ErrorCode::UnknownMemberId.code());
}
