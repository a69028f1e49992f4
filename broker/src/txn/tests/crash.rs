//! The broker dies at every step of a transaction's end: afterwards all of the transaction is seen, or nothing.

use wire::message::offset_fetch::{OffsetFetchRequest, OffsetFetchRequestTopic};
use wire::message::txn_offset_commit::{
    TxnOffsetCommitRequest, TxnOffsetCommitRequestPartition, TxnOffsetCommitRequestTopic,
};

use super::*;

/// A transaction over all partitions, with the offset of a group.
fn begin(fixture: &Fixture) -> (i64, i16) {
    let producer = fixture.init();
    for (number, place) in PLACES.into_iter().enumerate() {
        fixture.send(producer, place, 0, &number.to_string());
    }
    let index = fixture.groups.partition_index("g");
    fixture.add(producer, &[(OFFSETS_TOPIC, index)]).unwrap();
    commit_offset(fixture, producer).unwrap();
    producer
}

/// Commits an offset of a group in the producer's transaction, which the coordinator knows to include it.
pub(super) fn commit_offset(fixture: &Fixture, producer: (i64, i16)) -> Result<(), ErrorCode> {
    let partition = TxnOffsetCommitRequestPartition { committed_offset: 42, ..Default::default() };
    let request = TxnOffsetCommitRequest {
        group_id: "g".into(),
        producer_id: producer.0,
        producer_epoch: producer.1,
        topics: vec![TxnOffsetCommitRequestTopic { name: "a".into(), partitions: vec![partition] }],
        ..Default::default()
    };
    let word = fixture.groups.unverified("g", producer.0);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let committed = runtime.block_on(fixture.groups.commit_transactional(request, Ok(word), |_, _| true));
    match ErrorCode::from_code(committed.topics[0].partitions[0].error_code) {
        ErrorCode::None => Ok(()),
        error => Err(error),
    }
}

/// The group's offset, if no transaction may change it.
pub(super) fn stable_offset(fixture: &Fixture) -> Option<i64> {
    let topics = Some(vec![OffsetFetchRequestTopic { name: "a".into(), partition_indexes: vec![0] }]);
    let request =
        OffsetFetchRequest { group_id: "g".into(), topics, require_stable: true, ..Default::default() };
    let fetched = fixture.groups.fetch_offsets(request, 7).topics.remove(0).partitions.remove(0);
    (fetched.error_code == 0).then_some(fetched.committed_offset)
}

pub(super) const ALL: [&str; 4] = ["0", "1", "2", "3"];

#[test]
fn before_the_decision_nothing_is_seen_and_the_transaction_goes_on() {
    let fixture = Fixture::new();
    let producer = begin(&fixture);
    let fixture = fixture.restarted();
    assert_eq!((fixture.state(), fixture.seen().len(), stable_offset(&fixture)), ("Ongoing", 0, None));
    fixture.end(producer, true).unwrap();
    assert_eq!((fixture.seen(), stable_offset(&fixture)), (ALL.map(str::to_owned).to_vec(), Some(42)));
}

#[test]
fn after_the_decision_a_restart_completes_it_however_many_markers_were_written() {
    for is_commit in [true, false] {
        for markers in 0..=5 {
            let fixture = Fixture::new();
            let producer = begin(&fixture);
            fixture.left.store(markers, Ordering::SeqCst);
            fixture.end(producer, is_commit).unwrap();
            let prepared = if is_commit { "PrepareCommit" } else { "PrepareAbort" };
            assert_eq!(fixture.state() == prepared, markers < 5, "{markers} markers");
            let fixture = fixture.restarted();
            let completed = if is_commit { "CompleteCommit" } else { "CompleteAbort" };
            assert_eq!((fixture.state(), fixture.is_settled()), (completed, true), "{markers} markers");
            let wanted = if is_commit { ALL.map(str::to_owned).to_vec() } else { Vec::new() };
            assert_eq!(fixture.seen(), wanted, "{markers} markers");
            let offset = if is_commit { Some(42) } else { Some(-1) };
            assert_eq!(stable_offset(&fixture), offset, "{markers} markers");
            // and the producer goes on
            fixture.send(producer, ("a", 0), 1, "next");
            fixture.end(producer, true).unwrap();
            assert_eq!(fixture.seen().len(), wanted.len() + 1);
        }
    }
}

/// The markers are there, but that all are was not written: they are written again.
#[test]
fn markers_that_are_written_twice_change_nothing() {
    let fixture = Fixture::new();
    let producer = begin(&fixture);
    fixture.left.store(0, Ordering::SeqCst);
    fixture.end(producer, true).unwrap();
    for (topic, index) in PLACES.into_iter().chain([(OFFSETS_TOPIC, fixture.groups.partition_index("g"))]) {
        let end = wire::record::EndMarker { committed: true, coordinator_epoch: 0 };
        fixture.partition(topic, index).append_marker(producer.0, producer.1, end).unwrap();
    }
    let fixture = fixture.restarted();
    assert_eq!((fixture.state(), fixture.is_settled()), ("CompleteCommit", true));
    assert_eq!((fixture.seen(), stable_offset(&fixture)), (ALL.map(str::to_owned).to_vec(), Some(42)));
}

/// A disk that fails for a while is no death: the next tick completes what was decided.
#[test]
fn markers_that_fail_are_tried_again() {
    let fixture = Fixture::new();
    let producer = begin(&fixture);
    fixture.left.store(2, Ordering::SeqCst);
    fixture.end(producer, true).unwrap();
    let described = fixture.coordinator.describe("tx".to_owned());
    let owed: usize = described.topics.iter().map(|topic| topic.partitions.len()).sum();
    assert_eq!((described.transaction_state.as_str(), owed), ("PrepareCommit", 3), "those without a marker");
    let busy = Err(ErrorCode::ConcurrentTransactions);
    assert_eq!(fixture.add(producer, &[("a", 0)]), busy);
    assert_eq!(fixture.end(producer, true), busy);
    assert_eq!(
        fixture.coordinator.init_producer_id("tx", TIMEOUT_MS, None),
        Err(ErrorCode::ConcurrentTransactions)
    );
    fixture.left.store(usize::MAX, Ordering::SeqCst);
    fixture.coordinator.finish_ending();
    assert_eq!((fixture.state(), fixture.is_settled()), ("CompleteCommit", true));
    assert_eq!(fixture.seen(), ALL);
}

/// What the fenced producer's transaction owes is remembered, too.
#[test]
fn a_fence_survives_a_restart() {
    let fixture = Fixture::new();
    let old = begin(&fixture);
    fixture.left.store(1, Ordering::SeqCst);
    let asked = fixture.coordinator.init_producer_id("tx", TIMEOUT_MS, None);
    assert_eq!(asked, Err(ErrorCode::ConcurrentTransactions));
    let fixture = fixture.restarted();
    assert_eq!((fixture.state(), fixture.is_settled()), ("CompleteAbort", true));
    assert_eq!(fixture.end(old, true), Err(ErrorCode::ProducerFenced));
    assert_eq!(fixture.init().1, old.1 + 2);
    assert!(fixture.seen().is_empty());
}
