use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;

fn partition(number: i32) -> Partition {
    Partition { topic: Arc::from("t"), number }
}

#[test]
fn only_what_has_everything_before_it_is_handed_out() {
    let mut tracker = Tracker::default();
    tracker.sent(0, &[(partition(0), 10), (partition(1), 5)]);
    tracker.sent(1, &[(partition(0), 20)]);
    tracker.sent(2, &[(partition(1), 9)]);
    tracker.done(1);
    assert_eq!(tracker.uncommitted(), []);
    tracker.done(2);
    assert_eq!(tracker.uncommitted(), []);
    tracker.done(0);
    assert_eq!(tracker.uncommitted(), [(partition(0), 20), (partition(1), 9)]);
    assert_eq!(tracker.uncommitted(), []);
}

#[test]
fn a_failed_commit_is_repeated() {
    let mut tracker = Tracker::default();
    tracker.sent(0, &[(partition(0), 10)]);
    tracker.done(0);
    assert!(tracker.has_uncommitted());
    assert_eq!(tracker.uncommitted(), [(partition(0), 10)]);
    assert!(!tracker.has_uncommitted());
    tracker.commit_failed();
    assert!(tracker.has_uncommitted());
    assert_eq!(tracker.uncommitted(), [(partition(0), 10)]);
}

#[test]
fn an_answer_that_comes_after_the_partition_has_gone_commits_nothing() {
    let mut tracker = Tracker::default();
    tracker.sent(0, &[(partition(0), 10)]);
    tracker.clear();
    tracker.sent(1, &[(partition(0), 8)]);
    tracker.done(0);
    assert_eq!(tracker.uncommitted(), []);
    tracker.done(1);
    assert_eq!(tracker.uncommitted(), [(partition(0), 8)]);
}

proptest! {
    /// Against a model that knows each record: after any order of answers exactly the contiguous front is committed.
    #[test]
    fn agrees_with_a_model(
        takes in proptest::collection::vec((0..3i32, 1..4i64), 1..30),
        order in proptest::collection::vec(any::<prop::sample::Index>(), 30),
    ) {
        let mut tracker = Tracker::default();
        let mut next = BTreeMap::<i32, i64>::new();
        let mut records: Vec<(u64, i32, i64)> = Vec::new();
        for (batch, (number, count)) in takes.iter().enumerate() {
            let from = *next.entry(*number).or_default();
            records.extend((from..from + count).map(|offset| (batch as u64, *number, offset)));
            next.insert(*number, from + count);
            tracker.sent(batch as u64, &[(partition(*number), from + count)]);
        }
        let mut open: Vec<u64> = (0..takes.len() as u64).collect();
        let mut committed = BTreeMap::new();
        for pick in order {
            if open.is_empty() {
                break;
            }
            let batch = open.remove(pick.index(open.len()));
            tracker.done(batch);
            committed.extend(tracker.uncommitted().into_iter().map(|(partition, next)| (partition.number, next)));
            for number in 0..3 {
                let first_open = records.iter().find(|(batch, at, _)| *at == number && open.contains(batch));
                let end = next.get(&number).copied().unwrap_or(0);
                let safe = first_open.map_or(end, |(_, _, offset)| *offset);
                prop_assert_eq!(committed.get(&number).copied().unwrap_or(0), safe);
            }
        }
    }
}
