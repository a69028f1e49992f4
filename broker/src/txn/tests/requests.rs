//! What clients ask for, and what they are told.

use wire::message::list_transactions::ListTransactionsRequest;

use super::*;

#[test]
fn a_transaction_is_seen_as_a_whole_or_not_at_all() {
    let fixture = Fixture::new();
    let producer = fixture.init();
    for (number, place) in PLACES.into_iter().enumerate() {
        fixture.send(producer, place, 0, &format!("first {number}"));
    }
    assert_eq!((fixture.seen().len(), fixture.state()), (0, "Ongoing"));
    fixture.end(producer, true).unwrap();
    assert_eq!((fixture.seen().len(), fixture.state()), (4, "CompleteCommit"));
    assert_eq!(fixture.end(producer, true), Ok(()), "asked again");
    assert_eq!(fixture.end(producer, false), Err(ErrorCode::InvalidTxnState));
    fixture.send(producer, ("a", 1), 1, "second");
    fixture.end(producer, false).unwrap();
    assert_eq!((fixture.seen().len(), fixture.state()), (4, "CompleteAbort"));
    assert!(fixture.is_settled());
}

#[test]
fn the_last_producer_fences_all_before_it() {
    let fixture = Fixture::new();
    let old = fixture.init();
    fixture.send(old, ("a", 0), 0, "of the old one");
    let asked = fixture.coordinator.init_producer_id("tx", TIMEOUT_MS, None);
    assert_eq!(asked, Err(ErrorCode::ConcurrentTransactions), "its transaction is aborted first");
    let new = fixture.init();
    assert_eq!(new, (old.0, old.1 + 2), "one epoch fenced the old one");
    let fenced = Err(ErrorCode::ProducerFenced);
    assert_eq!(fixture.add(old, &[("a", 1)]), fenced);
    assert_eq!(fixture.end(old, true), fenced);
    assert_eq!(fixture.coordinator.verify(tx(old), "a", 0), fenced);
    let zombie = send(&fixture.partition("a", 0), (old.0, old.1, 1), "k", "v").unwrap_err();
    assert_eq!(zombie.error_code(), ErrorCode::InvalidProducerEpoch);
    fixture.send(new, ("a", 0), 0, "of the new one");
    fixture.end(new, true).unwrap();
    assert_eq!(fixture.seen(), ["of the new one"]);
}

#[test]
fn requests_that_make_no_sense_are_refused_with_kafka_s_errors() {
    let fixture = Fixture::new();
    let init = |id: &str, timeout_ms| fixture.coordinator.init_producer_id(id, timeout_ms, None);
    assert_eq!(init("", 1000), Err(ErrorCode::InvalidRequest));
    for timeout_ms in [0, -1, 60_001] {
        assert_eq!(init("tx", timeout_ms), Err(ErrorCode::InvalidTransactionTimeout), "{timeout_ms}");
    }
    let stranger = (5, 0);
    assert_eq!(fixture.add(stranger, &[("a", 0)]), Err(ErrorCode::InvalidProducerIdMapping));
    assert_eq!(fixture.end(stranger, true), Err(ErrorCode::InvalidProducerIdMapping));
    assert_eq!(fixture.coordinator.verify(tx(stranger), "a", 0), Err(ErrorCode::InvalidProducerIdMapping));
    let (id, epoch) = fixture.init();
    assert_eq!(fixture.add((id + 1, epoch), &[("a", 0)]), Err(ErrorCode::InvalidProducerIdMapping));
    assert_eq!(fixture.end((id, epoch), true), Err(ErrorCode::InvalidTxnState), "nothing was begun");
    let nameless = Producer { transactional_id: "", id, epoch };
    assert_eq!(fixture.coordinator.end(nameless, true), Err(ErrorCode::InvalidRequest));
}

#[test]
fn memory_is_bounded() {
    let fixture = Fixture::new();
    let others: Vec<(i64, i16)> = (0..4)
        .map(|n| fixture.coordinator.init_producer_id(&format!("tx-{n}"), TIMEOUT_MS, None).unwrap())
        .collect();
    let producer = fixture.init();
    let one_more = fixture.coordinator.init_producer_id("one more", TIMEOUT_MS, None);
    assert_eq!(one_more, Err(ErrorCode::PolicyViolation));
    fixture.add(producer, &PLACES).unwrap();
    let other = Producer { transactional_id: "tx-0", id: others[0].0, epoch: others[0].1 };
    let three = partitions(&PLACES[..3]);
    assert_eq!(fixture.coordinator.add_partitions(other, &three), Err(ErrorCode::PolicyViolation));
    fixture.coordinator.add_partitions(other, &partitions(&PLACES[..2])).unwrap();
    fixture.end(producer, false).unwrap();
    fixture.coordinator.add_partitions(other, &three).unwrap();
}

#[test]
fn a_deleted_topic_holds_no_transaction_up() {
    let fixture = Fixture::new();
    let producer = fixture.init();
    fixture.send(producer, ("a", 0), 0, "gone");
    fixture.send(producer, ("b", 0), 0, "stays");
    fixture.logs.delete_topic("a").unwrap();
    fixture.end(producer, true).unwrap();
    assert_eq!(fixture.state(), "CompleteCommit");
    assert_eq!(committed(&fixture.partition("b", 0), 1000), [(0, "stays".to_owned())]);
}

#[test]
fn administrators_see_the_transactions() {
    let fixture = Fixture::new();
    let list = |states: &[&str], producers: &[i64], duration_filter| {
        let request = ListTransactionsRequest {
            state_filters: states.iter().map(|state| (*state).to_owned()).collect(),
            producer_id_filters: producers.to_vec(),
            duration_filter,
        };
        let response = fixture.coordinator.list(request);
        let listed = response.transaction_states.into_iter().map(|listed| listed.transactional_id);
        (listed.collect::<Vec<_>>(), response.unknown_state_filters)
    };
    assert_eq!(list(&[], &[], -1), (vec![], vec![]));
    let producer = fixture.init();
    let other = fixture.coordinator.init_producer_id("other", TIMEOUT_MS, None).unwrap();
    fixture.send(producer, ("b", 1), 0, "v");
    fixture.clock.advance(500);
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<String>>();
    assert_eq!(list(&[], &[], -1).0, names(&["other", "tx"]));
    assert_eq!(list(&["Ongoing"], &[], -1).0, names(&["tx"]));
    assert_eq!(list(&["Empty", "Odd"], &[], -1), (names(&["other"]), names(&["Odd"])));
    assert_eq!(list(&["Odd"], &[], -1), (vec![], names(&["Odd"])));
    assert_eq!(list(&[], &[other.0], -1).0, names(&["other"]));
    assert_eq!(list(&["Ongoing"], &[], 499).0, names(&["tx"]));
    assert!(list(&["Ongoing"], &[], 500).0.is_empty(), "longer than that");

    let described = fixture.coordinator.describe("tx".to_owned());
    assert_eq!((described.error_code, described.transaction_state.as_str()), (0, "Ongoing"));
    assert_eq!((described.producer_id, described.producer_epoch), producer);
    assert_eq!(
        (described.transaction_timeout_ms, described.transaction_start_time_ms),
        (TIMEOUT_MS, START_MS)
    );
    assert_eq!((described.topics[0].topic.as_str(), &described.topics[0].partitions[..]), ("b", &[1][..]));
    let errors = ["", "none"].map(|id| fixture.coordinator.describe(id.to_owned()).error_code);
    assert_eq!(errors, [ErrorCode::InvalidRequest.code(), ErrorCode::TransactionalIdNotFound.code()]);
}
