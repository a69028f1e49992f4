//! The state machine alone: what each request does in each state.

use std::collections::BTreeMap;

use super::super::state::{Init, State, Transaction};
use super::*;

const ALL: [State; 6] = [
    State::Empty,
    State::Ongoing,
    State::PrepareCommit,
    State::PrepareAbort,
    State::CompleteCommit,
    State::CompleteAbort,
];

fn at(state: State) -> Transaction {
    let is_open = state == State::Ongoing || state.is_ending();
    Transaction {
        producer_id: 7,
        last_producer_id: 7,
        producer_epoch: 3,
        last_producer_epoch: -1,
        timeout_ms: 1000,
        state,
        partitions: if is_open { partitions(&[("a", 0)]) } else { Partitions::new() },
        start_ms: if state == State::Empty { -1 } else { 50 },
        updated_ms: 60,
    }
}

fn next(init: Result<Init, ErrorCode>) -> Transaction {
    match init {
        Ok(Init::Next(next)) => next,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_new_producer_raises_the_epoch_unless_a_transaction_is_in_the_way() {
    for state in ALL {
        let decided = at(state).init(None, 2000, None, 99);
        match state {
            State::PrepareCommit | State::PrepareAbort => {
                assert_eq!(decided, Err(ErrorCode::ConcurrentTransactions), "{state:?}");
            }
            State::Ongoing => {
                let Ok(Init::AbortFirst(fenced)) = decided else { panic!("{decided:?}") };
                assert_eq!((fenced.state, fenced.producer_epoch), (State::PrepareAbort, 4));
                assert_eq!(fenced.partitions, partitions(&[("a", 0)]), "it owes markers to them");
            }
            _ => {
                let next = next(decided);
                assert_eq!((next.state, next.producer_id, next.producer_epoch), (State::Empty, 7, 4));
                assert_eq!((next.timeout_ms, next.start_ms, next.updated_ms), (2000, -1, 99));
                assert_eq!(next.last_producer_epoch, -1, "nobody may ask again with the old one");
            }
        }
    }
    let first = next(Transaction::new(9, 1000, 1).init(None, 1000, None, 1));
    assert_eq!((first.producer_id, first.producer_epoch), (9, 0));
}

/// KIP-360: a producer that goes on after an error, and the repetition of its request when the answer was lost.
#[test]
fn a_producer_that_goes_on_is_known_by_its_epoch() {
    let current = at(State::CompleteAbort);
    let raised = next(current.init(Some((7, 3)), 1000, None, 99));
    assert_eq!((raised.producer_epoch, raised.last_producer_epoch), (4, 3));
    let again = next(raised.init(Some((7, 3)), 1000, None, 100));
    assert_eq!((again.producer_epoch, again.last_producer_epoch), (4, 3), "not raised twice");
    let fenced = Err(ErrorCode::ProducerFenced);
    assert_eq!(raised.init(Some((7, 2)), 1000, None, 100), fenced);
    assert_eq!(raised.init(Some((8, 4)), 1000, None, 100), fenced, "another producer id");
    let taken_over = next(raised.init(None, 1000, None, 100));
    assert_eq!(taken_over.init(Some((7, 4)), 1000, None, 101), fenced);
    assert_eq!(at(State::PrepareAbort).init(Some((8, 3)), 1000, None, 101), fenced, "before all else");
    // whatever it had: of an id that was forgotten a producer gets a new one
    let forgotten = next(Transaction::new(9, 1000, 1).init(Some((5, 8)), 1000, None, 1));
    assert_eq!((forgotten.producer_id, forgotten.producer_epoch), (9, 0));
}

#[test]
fn used_up_epochs_give_a_new_producer_id() {
    let last = Transaction { producer_epoch: i16::MAX - 1, ..at(State::CompleteCommit) };
    assert_eq!(last.init(None, 1000, None, 1), Ok(Init::NeedsId));
    let rotated = next(last.init(Some((7, i16::MAX - 1)), 1000, Some(8), 1));
    assert_eq!((rotated.producer_id, rotated.producer_epoch), (8, 0));
    assert_eq!((rotated.last_producer_id, rotated.last_producer_epoch), (7, i16::MAX - 1));
    let again = next(rotated.init(Some((7, i16::MAX - 1)), 1000, Some(9), 1));
    assert_eq!((again.producer_id, again.producer_epoch), (8, 0), "its answer was lost");
    assert_eq!(rotated.init(Some((7, 5)), 1000, Some(9), 1), Err(ErrorCode::ProducerFenced));
    // one epoch is left to fence with, and the next producer gets a new id
    let open = Transaction { producer_epoch: i16::MAX - 1, ..at(State::Ongoing) };
    let fenced = open.fence(1).unwrap();
    assert_eq!(fenced.producer_epoch, i16::MAX);
    assert_eq!(fenced.complete(2).init(None, 1000, None, 3), Ok(Init::NeedsId));
    assert_eq!(Transaction { producer_epoch: i16::MAX, ..open }.fence(1), Err(ErrorCode::ProducerFenced));
}

#[test]
fn partitions_are_added_where_no_decision_is_being_carried_out() {
    for state in ALL {
        let added = at(state).add(&partitions(&[("a", 0), ("b", 1)]), 99);
        if state.is_ending() {
            assert_eq!(added, Err(ErrorCode::ConcurrentTransactions), "{state:?}");
            continue;
        }
        let added = added.unwrap().unwrap();
        assert_eq!((added.state, added.producer_epoch), (State::Ongoing, 3));
        assert_eq!(added.start_ms, if state == State::Ongoing { 50 } else { 99 }, "{state:?}");
        assert_eq!(added.partitions, partitions(&[("a", 0), ("b", 1)]));
        assert_eq!(added.add(&partitions(&[("b", 1)]), 100), Ok(None), "nothing new");
    }
}

#[test]
fn each_end_in_each_state() {
    let expected: BTreeMap<(u8, bool), Result<Option<State>, ErrorCode>> = [
        (State::Empty, true, Err(ErrorCode::InvalidTxnState)),
        (State::Empty, false, Err(ErrorCode::InvalidTxnState)),
        (State::Ongoing, true, Ok(Some(State::PrepareCommit))),
        (State::Ongoing, false, Ok(Some(State::PrepareAbort))),
        (State::PrepareCommit, true, Err(ErrorCode::ConcurrentTransactions)),
        (State::PrepareCommit, false, Err(ErrorCode::InvalidTxnState)),
        (State::PrepareAbort, true, Err(ErrorCode::InvalidTxnState)),
        (State::PrepareAbort, false, Err(ErrorCode::ConcurrentTransactions)),
        (State::CompleteCommit, true, Ok(None)),
        (State::CompleteCommit, false, Err(ErrorCode::InvalidTxnState)),
        (State::CompleteAbort, true, Err(ErrorCode::InvalidTxnState)),
        (State::CompleteAbort, false, Ok(None)),
    ]
    .into_iter()
    .map(|(state, is_commit, expected)| ((state as u8, is_commit), expected))
    .collect();
    for state in ALL {
        for is_commit in [true, false] {
            let prepared = at(state).prepare(is_commit, 99).map(|next| next.map(|next| next.state));
            assert_eq!(prepared, expected[&(state as u8, is_commit)], "{state:?} {is_commit}");
        }
    }
    let completed = at(State::PrepareCommit).complete(99);
    assert_eq!((completed.state, completed.size(), completed.start_ms), (State::CompleteCommit, 0, 50));
    assert_eq!(at(State::PrepareAbort).complete(99).state, State::CompleteAbort);
}

#[test]
fn only_partitions_of_the_open_transaction_are_vouched_for() {
    assert_eq!(at(State::Ongoing).verify("a", 0), Ok(()));
    assert_eq!(at(State::Ongoing).verify("a", 1), Err(ErrorCode::TransactionAbortable));
    assert_eq!(at(State::PrepareCommit).verify("a", 0), Err(ErrorCode::ConcurrentTransactions));
    assert_eq!(at(State::CompleteCommit).verify("a", 0), Err(ErrorCode::TransactionAbortable));
}

#[test]
fn a_producer_is_told_apart_by_id_and_epoch() {
    let current = at(State::Ongoing);
    assert_eq!(current.check_producer(7, 3), Ok(()));
    assert_eq!(current.check_producer(8, 3), Err(ErrorCode::InvalidProducerIdMapping));
    assert_eq!(current.check_producer(7, 2), Err(ErrorCode::ProducerFenced));
    assert_eq!(current.check_producer(7, 4), Err(ErrorCode::ProducerFenced));
}

#[test]
fn numbers_and_names_are_kafka_s() {
    let names =
        ["Empty", "Ongoing", "PrepareCommit", "PrepareAbort", "CompleteCommit", "CompleteAbort", "Dead"];
    for (id, name) in (0..).zip(names) {
        let state = State::from_id(id).unwrap();
        assert_eq!((state.name(), state as i8, State::from_name(name)), (name, id, Some(state)));
    }
    assert_eq!((State::from_id(8), State::from_id(-1), State::from_name("ongoing")), (None, None, None));
}
