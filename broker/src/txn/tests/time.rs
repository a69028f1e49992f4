//! What time does to transactions and to ids.

use super::*;

#[test]
fn a_transaction_that_takes_too_long_is_aborted_and_its_producer_fenced() {
    let fixture = Fixture::new();
    let producer = fixture.init();
    fixture.send(producer, ("a", 0), 0, "too late");
    fixture.clock.advance(i64::from(TIMEOUT_MS));
    fixture.coordinator.abort_overdue();
    assert_eq!(fixture.state(), "Ongoing", "not yet");
    fixture.clock.advance(1);
    fixture.coordinator.abort_overdue();
    assert_eq!((fixture.state(), fixture.is_settled()), ("CompleteAbort", true));
    assert_eq!(fixture.end(producer, true), Err(ErrorCode::ProducerFenced));
    assert!(fixture.seen().is_empty());
    let next = fixture.init();
    assert_eq!(next, (producer.0, producer.1 + 2));
    let fixture = fixture.restarted();
    assert_eq!(fixture.add(producer, &[("a", 0)]), Err(ErrorCode::ProducerFenced));
    fixture.send(next, ("a", 0), 0, "in time");
    fixture.end(next, true).unwrap();
    assert_eq!(fixture.seen(), ["in time"]);
}

#[test]
fn an_id_that_is_not_used_is_forgotten_and_one_with_a_transaction_is_not() {
    let fixture = Fixture::new();
    let producer = fixture.init();
    let idle = fixture.coordinator.init_producer_id("idle", TIMEOUT_MS, None).unwrap();
    fixture.add(producer, &[("a", 0)]).unwrap();
    fixture.clock.advance(config().id_expiration_ms - 1);
    fixture.coordinator.remove_expired();
    assert!(fixture.coordinator.state_of("idle").is_some());
    fixture.clock.advance(1);
    fixture.coordinator.remove_expired();
    assert_eq!(fixture.coordinator.state_of("idle"), None);
    assert_eq!(fixture.state(), "Ongoing");
    let fixture = fixture.restarted();
    assert_eq!(fixture.coordinator.state_of("idle"), None, "also after a restart");
    let known = Some(idle);
    let anew = fixture.coordinator.init_producer_id("idle", TIMEOUT_MS, known).unwrap();
    assert!(anew.0 > producer.0 && anew.1 == 0, "{anew:?}: a new id, so that nothing old is mistaken for it");
}
