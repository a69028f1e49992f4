//! Committed offsets: who may commit, what is kept, and for how long.

use wire::message::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use wire::message::offset_fetch::{
    OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchRequestTopic, OffsetFetchRequestTopics,
};

use super::*;

fn commit(group: &str, member: &str, generation: i32, offset: i64, text: &str) -> OffsetCommitRequest {
    let partition = |index| OffsetCommitRequestPartition {
        partition_index: index,
        committed_offset: offset,
        committed_metadata: Some(text.into()),
        ..Default::default()
    };
    OffsetCommitRequest {
        group_id: group.into(),
        generation_id_or_member_epoch: generation,
        member_id: member.into(),
        topics: vec![OffsetCommitRequestTopic {
            name: "t".into(),
            partitions: vec![partition(0), partition(7)],
        }],
        ..Default::default()
    }
}

/// Partition 0 exists, no other.
async fn codes(fixture: &Fixture, request: OffsetCommitRequest) -> Vec<i16> {
    let response = fixture.coordinator.commit(8, request, |_, partition| partition == 0).await;
    response.topics.iter().flat_map(|topic| &topic.partitions).map(|partition| partition.error_code).collect()
}

fn fetched(fixture: &Fixture, group: &str) -> i64 {
    let topics = Some(vec![OffsetFetchRequestTopic { name: "t".into(), partition_indexes: vec![0] }]);
    let request = OffsetFetchRequest { group_id: group.into(), topics, ..Default::default() };
    fixture.coordinator.fetch_offsets(request, 7).topics[0].partitions[0].committed_offset
}

const MISSING: i16 = ErrorCode::UnknownTopicOrPartition.code();

#[tokio::test]
async fn a_member_commits_and_all_forms_of_fetch_see_it() {
    let fixture = Fixture::new();
    let (member, generation) = fixture.stable("g").await;
    assert_eq!(fetched(&fixture, "g"), -1);
    assert_eq!(codes(&fixture, commit("g", &member, generation, 5, "note")).await, [0, MISSING]);
    assert_eq!(fetched(&fixture, "g"), 5);

    let all = OffsetFetchRequest { group_id: "g".into(), topics: None, ..Default::default() };
    let all = fixture.coordinator.fetch_offsets(all, 5);
    assert_eq!(all.topics[0].partitions[0].metadata.as_deref(), Some("note"));

    let topics = Some(vec![OffsetFetchRequestTopics { name: "t".into(), partition_indexes: vec![0, 1] }]);
    let group = OffsetFetchRequestGroup { group_id: "g".into(), topics, ..Default::default() };
    let many = OffsetFetchRequest { groups: vec![group], ..Default::default() };
    let many = fixture.coordinator.fetch_offsets(many, 8);
    let offsets: Vec<_> = many.groups[0].topics[0].partitions.iter().map(|p| p.committed_offset).collect();
    assert_eq!(offsets, [5, -1]);
}

#[tokio::test]
async fn only_this_generation_s_members_commit_while_there_are_members() {
    let fixture = Fixture::new();
    let (member, generation) = fixture.stable("g").await;
    let refused = |error: ErrorCode| vec![error.code(); 2];
    let illegal = codes(&fixture, commit("g", &member, generation + 1, 5, "")).await;
    assert_eq!(illegal, refused(ErrorCode::IllegalGeneration));
    let stranger = codes(&fixture, commit("g", "stranger", generation, 5, "")).await;
    assert_eq!(stranger, refused(ErrorCode::UnknownMemberId));
    let outsider = codes(&fixture, commit("g", "", -1, 5, "")).await;
    assert_eq!(outsider, refused(ErrorCode::UnknownMemberId));
    assert_eq!(codes(&fixture, commit("", "", -1, 5, "")).await, refused(ErrorCode::InvalidGroupId));
    assert_eq!(codes(&fixture, commit("new", "m", 3, 5, "")).await, refused(ErrorCode::IllegalGeneration));
    assert_eq!(fetched(&fixture, "g"), -1);
}

#[tokio::test]
async fn a_client_without_members_keeps_its_offsets_in_a_group() {
    let fixture = Fixture::new();
    assert_eq!(codes(&fixture, commit("simple", "", -1, 42, "")).await, [0, MISSING]);
    assert_eq!(fetched(&fixture, "simple"), 42);
    let long = codes(&fixture, commit("simple", "", -1, 43, "more than sixteen bytes")).await;
    assert_eq!(long, [ErrorCode::OffsetMetadataTooLarge.code(), MISSING]);
    assert_eq!(fetched(&fixture, "simple"), 42);
}

#[tokio::test]
async fn offsets_survive_a_kill_and_a_deleted_topic_takes_them_along() {
    let fixture = Fixture::new();
    for offset in [1, 2, 3] {
        codes(&fixture, commit("g", "", -1, offset, "")).await;
    }
    let fixture = fixture.restarted();
    assert_eq!(fetched(&fixture, "g"), 3);
    fixture.coordinator.forget_topic("t");
    assert_eq!(fetched(&fixture, "g"), -1);
    let fixture = fixture.restarted();
    assert_eq!(fetched(&fixture, "g"), -1);
    assert_eq!(fixture.coordinator.describe("g").group_state, "Dead");
}

#[tokio::test]
async fn offsets_expire_once_a_group_has_had_no_members_for_long() {
    let fixture = Fixture::new();
    let (member, generation) = fixture.stable("alive").await;
    codes(&fixture, commit("alive", &member, generation, 1, "")).await;
    codes(&fixture, commit("simple", "", -1, 2, "")).await;
    for _ in 0..61 {
        fixture.pass(1_000);
        assert_eq!(fixture.beat("alive", &member, generation), 0);
    }
    fixture.coordinator.expire_offsets();
    assert_eq!(
        (fetched(&fixture, "alive"), fetched(&fixture, "simple")),
        (1, -1),
        "members keep their offsets"
    );
    // Its last member falls silent: from now on the time runs, not from the last commit.
    fixture.pass(SESSION_MS);
    fixture.coordinator.expire_offsets();
    assert_eq!(fetched(&fixture, "alive"), 1);
    fixture.pass(61_000);
    fixture.coordinator.expire_offsets();
    assert_eq!(fetched(&fixture, "alive"), -1);
}
