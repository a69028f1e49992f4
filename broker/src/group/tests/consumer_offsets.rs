//! Offsets of groups of the newer protocol: who may commit, fetch and delete them.

use wire::message::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use wire::message::offset_delete::{
    OffsetDeleteRequest, OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};
use wire::message::offset_fetch::{
    OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchRequestTopics, OffsetFetchResponseGroup,
};
use wire::message::txn_offset_commit::{
    TxnOffsetCommitRequest, TxnOffsetCommitRequestPartition, TxnOffsetCommitRequestTopic,
};

use super::consumer::{join_consumer, plain, with_topic};
use super::*;

impl Fixture {
    /// Commits an offset of partition 0 in group `g`.
    pub(super) async fn commit_as(&self, version: i16, member: &str, epoch: i32, offset: i64) -> ErrorCode {
        let partition = OffsetCommitRequestPartition { committed_offset: offset, ..Default::default() };
        let request = OffsetCommitRequest {
            group_id: "g".into(),
            generation_id_or_member_epoch: epoch,
            member_id: member.into(),
            topics: vec![OffsetCommitRequestTopic { name: "t".into(), partitions: vec![partition] }],
            ..Default::default()
        };
        let response = self.coordinator.commit(version, request, |_, _| true).await;
        ErrorCode::from_code(response.topics[0].partitions[0].error_code)
    }

    async fn commit_in_transaction(&self, member: &str, epoch: i32) -> ErrorCode {
        let partition = TxnOffsetCommitRequestPartition { committed_offset: 9, ..Default::default() };
        let request = TxnOffsetCommitRequest {
            transactional_id: "tx".into(),
            group_id: "g".into(),
            producer_id: 1,
            generation_id: epoch,
            member_id: member.into(),
            topics: vec![TxnOffsetCommitRequestTopic { name: "t".into(), partitions: vec![partition] }],
            ..Default::default()
        };
        let word = self.coordinator.unverified("g", 1);
        let response = self.coordinator.commit_transactional(request, Ok(word), |_, _| true).await;
        ErrorCode::from_code(response.topics[0].partitions[0].error_code)
    }

    fn fetch_as(&self, member_id: Option<&str>, member_epoch: i32) -> OffsetFetchResponseGroup {
        let topic = OffsetFetchRequestTopics { name: "t".into(), partition_indexes: vec![0] };
        let group = OffsetFetchRequestGroup {
            group_id: "g".into(),
            member_id: member_id.map(str::to_owned),
            member_epoch,
            topics: Some(vec![topic]),
        };
        let request = OffsetFetchRequest { groups: vec![group], ..Default::default() };
        self.coordinator.fetch_offsets(request, 9).groups.remove(0)
    }

    /// The offset of partition 0 in group `g`.
    pub(super) fn offset(&self) -> i64 {
        self.fetch_as(None, -1).topics[0].partitions[0].committed_offset
    }
}

#[tokio::test]
async fn only_members_of_the_right_epoch_commit_while_there_are_members() {
    let fixture = with_topic();
    assert_eq!(fixture.commit_as(9, "a", 1, 5).await, ErrorCode::GroupIdNotFound);
    assert_eq!(fixture.commit_as(8, "a", 1, 5).await, ErrorCode::IllegalGeneration);
    fixture.send(join_consumer("a")).await;
    assert_eq!(fixture.commit_as(9, "a", 1, 5).await, ErrorCode::None);
    assert_eq!(fixture.commit_as(9, "a", 0, 6).await, ErrorCode::StaleMemberEpoch);
    assert_eq!(fixture.commit_as(9, "b", 1, 6).await, ErrorCode::UnknownMemberId);
    assert_eq!(fixture.commit_as(9, "", -1, 6).await, ErrorCode::UnknownMemberId);
    assert_eq!(fixture.commit_as(8, "a", 1, 6).await, ErrorCode::UnsupportedVersion);
    assert_eq!(fixture.commit_in_transaction("a", 0).await, ErrorCode::IllegalGeneration);
    assert_eq!(fixture.commit_in_transaction("b", 1).await, ErrorCode::UnknownMemberId);
    assert_eq!(fixture.offset(), 5);

    fixture.send(plain("a", -1)).await;
    assert_eq!(fixture.commit_as(9, "a", 1, 6).await, ErrorCode::UnknownMemberId);
    assert_eq!(fixture.commit_as(2, "", -1, 7).await, ErrorCode::None, "anyone may while it is empty");
    assert_eq!(fixture.restarted().offset(), 7);
}

#[tokio::test]
async fn a_fetching_member_must_know_its_epoch_if_it_says_one() {
    let fixture = with_topic();
    fixture.send(join_consumer("a")).await;
    fixture.commit_as(9, "a", 1, 5).await;
    for (member, epoch, expected) in [
        (None, -1, ErrorCode::None),
        (Some("a"), 1, ErrorCode::None),
        (Some("a"), 2, ErrorCode::StaleMemberEpoch),
        (Some("b"), 1, ErrorCode::UnknownMemberId),
    ] {
        let group = fixture.fetch_as(member, epoch);
        assert_eq!(ErrorCode::from_code(group.error_code), expected, "{member:?} {epoch}");
        assert_eq!(group.topics.len(), usize::from(expected == ErrorCode::None));
    }
}

#[tokio::test]
async fn a_group_is_deleted_when_it_is_empty_and_its_topics_are_not_while_they_are_read() {
    let fixture = with_topic();
    fixture.send(join_consumer("a")).await;
    fixture.commit_as(9, "a", 1, 5).await;
    let delete = || async { fixture.coordinator.delete_groups(vec!["g".into()]).await[0].error_code };
    assert_eq!(delete().await, ErrorCode::NonEmptyGroup.code());
    let partition = OffsetDeleteRequestPartition { partition_index: 0 };
    let topic = OffsetDeleteRequestTopic { name: "t".into(), partitions: vec![partition] };
    let request = OffsetDeleteRequest { group_id: "g".into(), topics: vec![topic] };
    let response = fixture.coordinator.delete_offsets(request, |_, _| true).await;
    let verdict = response.topics[0].partitions[0].error_code;
    assert_eq!((response.error_code, verdict), (0, ErrorCode::GroupSubscribedToTopic.code()));

    fixture.send(plain("a", -1)).await;
    assert_eq!(delete().await, 0);
    assert_eq!(delete().await, ErrorCode::GroupIdNotFound.code());
    let fixture = fixture.restarted();
    assert_eq!(fixture.offset(), -1);
    assert!(fixture.coordinator.find("g").is_none());
}

#[tokio::test]
async fn old_offsets_of_topics_that_nobody_reads_any_more_are_forgotten() {
    let fixture = with_topic();
    fixture.send(join_consumer("a")).await;
    fixture.commit_as(9, "a", 1, 5).await;
    fixture.clock.advance(60_001);
    fixture.coordinator.expire_offsets();
    assert_eq!(fixture.offset(), 5, "it is subscribed to");
    fixture.send(plain("a", -1)).await;
    fixture.coordinator.expire_offsets();
    assert!(fixture.restarted().coordinator.find("g").is_none());
}
