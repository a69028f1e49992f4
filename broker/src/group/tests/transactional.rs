//! Offsets that are committed in transactions: pending until the marker, whatever happens in between.

use wire::message::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use wire::message::offset_fetch::{OffsetFetchRequest, OffsetFetchRequestTopic};
use wire::message::txn_offset_commit::{
    TxnOffsetCommitRequest, TxnOffsetCommitRequestPartition, TxnOffsetCommitRequestTopic,
};
use wire::record::EndMarker;

use super::*;

fn asks(producer_id: i64, offset: i64) -> TxnOffsetCommitRequest {
    let partition = TxnOffsetCommitRequestPartition {
        partition_index: 0,
        committed_offset: offset,
        committed_metadata: Some("note".into()),
        ..Default::default()
    };
    TxnOffsetCommitRequest {
        transactional_id: "tx".into(),
        group_id: "g".into(),
        producer_id,
        producer_epoch: 0,
        topics: vec![TxnOffsetCommitRequestTopic { name: "t".into(), partitions: vec![partition] }],
        ..Default::default()
    }
}

impl Fixture {
    /// Commits in a transaction that the coordinator knows; returns the error.
    async fn stage(&self, request: TxnOffsetCommitRequest) -> ErrorCode {
        let word = self.coordinator.unverified(&request.group_id, request.producer_id);
        let response = self.coordinator.commit_transactional(request, Ok(word), |_, _| true).await;
        ErrorCode::from_code(response.topics[0].partitions[0].error_code)
    }

    /// Ends the producer's transaction as the transaction coordinator does.
    fn end(&self, producer_id: i64, committed: bool) {
        let index = self.coordinator.partition_index("g");
        let partition = self.logs.partition(OFFSETS_TOPIC, index).unwrap();
        let marker = EndMarker { committed, coordinator_epoch: 0 };
        partition.append_marker(producer_id, 0, marker).unwrap();
        self.coordinator.end_transaction(index, producer_id, committed);
    }

    /// A commit outside of transactions.
    async fn commit_plainly(&self, offset: i64) {
        let partition = OffsetCommitRequestPartition { committed_offset: offset, ..Default::default() };
        let topics = vec![OffsetCommitRequestTopic { name: "t".into(), partitions: vec![partition] }];
        let request = OffsetCommitRequest { group_id: "g".into(), topics, ..Default::default() };
        let response = self.coordinator.commit(8, request, |_, _| true).await;
        assert_eq!(response.topics[0].partitions[0].error_code, 0);
    }

    /// The group's offset, and the error if it has to be stable.
    fn fetched(&self) -> (i64, i16) {
        let ask = |require_stable| {
            let topics = Some(vec![OffsetFetchRequestTopic { name: "t".into(), partition_indexes: vec![0] }]);
            let request =
                OffsetFetchRequest { group_id: "g".into(), topics, require_stable, ..Default::default() };
            self.coordinator.fetch_offsets(request, 7).topics.remove(0).partitions.remove(0)
        };
        let (any, stable) = (ask(false), ask(true));
        assert_eq!(any.error_code, 0);
        assert_eq!(stable.committed_offset, if stable.error_code == 0 { any.committed_offset } else { -1 });
        (any.committed_offset, stable.error_code)
    }
}

const UNSTABLE: i16 = ErrorCode::UnstableOffsetCommit.code();

#[tokio::test]
async fn offsets_count_when_the_transaction_is_committed_also_over_restarts() {
    let fixture = Fixture::new();
    assert_eq!(fixture.stage(asks(1, 5)).await, ErrorCode::None);
    assert_eq!(fixture.fetched(), (-1, UNSTABLE));
    let fixture = fixture.restarted();
    assert_eq!(fixture.fetched(), (-1, UNSTABLE));
    fixture.end(1, true);
    assert_eq!(fixture.fetched(), (5, 0));
    assert_eq!(fixture.stage(asks(1, 9)).await, ErrorCode::None);
    assert_eq!(fixture.fetched(), (5, UNSTABLE));
    fixture.end(1, false);
    assert_eq!(fixture.fetched(), (5, 0));
    assert_eq!(fixture.restarted().fetched(), (5, 0));
}

#[tokio::test]
async fn of_several_commits_the_last_record_holds() {
    let fixture = Fixture::new();
    assert_eq!(fixture.stage(asks(1, 5)).await, ErrorCode::None);
    fixture.commit_plainly(7).await;
    assert_eq!(fixture.fetched(), (7, 0), "the transaction can no longer change it");
    fixture.end(1, true);
    assert_eq!(fixture.fetched(), (7, 0));
    assert_eq!(fixture.stage(asks(1, 20)).await, ErrorCode::None);
    assert_eq!(fixture.stage(asks(2, 30)).await, ErrorCode::None);
    fixture.end(2, true);
    assert_eq!(fixture.fetched(), (30, 0));
    fixture.end(1, true);
    assert_eq!(fixture.fetched(), (30, 0), "its record is older");
    assert_eq!(fixture.restarted().fetched(), (30, 0));
}

#[tokio::test]
async fn a_transaction_may_change_its_mind() {
    let fixture = Fixture::new();
    assert_eq!(fixture.stage(asks(1, 5)).await, ErrorCode::None);
    assert_eq!(fixture.stage(asks(1, 6)).await, ErrorCode::None);
    fixture.end(1, true);
    assert_eq!(fixture.fetched(), (6, 0));
    assert_eq!(fixture.restarted().fetched(), (6, 0));
}

#[tokio::test]
async fn a_member_that_has_lost_its_partitions_is_refused() {
    let fixture = Fixture::new();
    let (member, generation) = fixture.stable("g").await;
    let of = |member: &str, generation| TxnOffsetCommitRequest {
        member_id: member.into(),
        generation_id: generation,
        ..asks(1, 5)
    };
    assert_eq!(fixture.stage(of(&member, generation - 1)).await, ErrorCode::IllegalGeneration);
    assert_eq!(fixture.stage(of("stranger", generation)).await, ErrorCode::UnknownMemberId);
    let instance = Some("i".to_owned());
    let request = TxnOffsetCommitRequest { group_instance_id: instance, ..of(&member, generation) };
    assert_eq!(fixture.stage(request).await, ErrorCode::UnknownMemberId);
    assert_eq!(fixture.stage(of(&member, generation)).await, ErrorCode::None);
    assert_eq!(fixture.stage(of("", -1)).await, ErrorCode::None, "as clients before KIP-447");
    let elsewhere = TxnOffsetCommitRequest { group_id: "none".into(), ..of(&member, generation) };
    assert_eq!(fixture.stage(elsewhere).await, ErrorCode::UnknownMemberId);
    let nameless = TxnOffsetCommitRequest { group_id: String::new(), ..asks(1, 5) };
    assert_eq!(fixture.stage(nameless).await, ErrorCode::InvalidGroupId);
}

#[tokio::test]
async fn a_commit_behind_the_marker_is_refused() {
    let fixture = Fixture::new();
    let word = fixture.coordinator.unverified("g", 1);
    fixture.end(1, false);
    let response = fixture.coordinator.commit_transactional(asks(1, 5), Ok(word), |_, _| true).await;
    assert_eq!(response.topics[0].partitions[0].error_code, ErrorCode::InvalidTxnState.code());
    assert_eq!(fixture.fetched(), (-1, 0));
    let refused = Err(ErrorCode::InvalidProducerIdMapping);
    let response = fixture.coordinator.commit_transactional(asks(1, 5), refused, |_, _| true).await;
    assert_eq!(response.topics[0].partitions[0].error_code, ErrorCode::InvalidProducerIdMapping.code());
    let word = fixture.coordinator.unverified("g", 1);
    let missing = fixture.coordinator.commit_transactional(asks(1, 5), Ok(word), |_, _| false).await;
    assert_eq!(missing.topics[0].partitions[0].error_code, ErrorCode::UnknownTopicOrPartition.code());
}

#[tokio::test]
async fn a_deleted_topic_takes_pending_offsets_along() {
    let fixture = Fixture::new();
    assert_eq!(fixture.stage(asks(1, 5)).await, ErrorCode::None);
    fixture.coordinator.forget_topic("t");
    assert_eq!(fixture.fetched(), (-1, 0));
    fixture.end(1, true);
    assert_eq!(fixture.fetched(), (-1, 0));
    assert_eq!(fixture.restarted().fetched(), (-1, 0));
}
