//! What requests mean, and which are refused.

use super::*;
use crate::fetch_sessions::session::epoch_after;

const A: Key = (1, 0);
const B: Key = (2, 0);

#[test]
fn after_the_largest_epoch_comes_1() {
    assert_eq!((epoch_after(1), epoch_after(i32::MAX - 1), epoch_after(i32::MAX)), (2, i32::MAX, 1));
}

#[test]
fn only_who_asks_for_a_session_gets_one() {
    let world = World::with(&[A]);
    assert_eq!(world.fetch(&full(0, FINAL_EPOCH, &[(A, 0)])).unwrap().session_id, NO_SESSION);
    assert_eq!(world.counts(), (0, 0, 0));
    world.open(&[(A, 0)]);
    assert_eq!(world.counts(), (1, 1, 0));
}

#[test]
fn a_full_request_closes_the_session_that_it_names() {
    let world = World::with(&[A]);
    let mut first = world.open(&[(A, 0)]);
    let second = world.fetch(&full(first.id, INITIAL_EPOCH, &[(A, 0)])).unwrap().session_id;
    assert_ne!(second, first.id);
    assert_eq!(first.refused(&world, &[]), ErrorCode::FetchSessionIdNotFound);
    let last = world.fetch(&full(second, FINAL_EPOCH, &[(A, 0)])).unwrap();
    assert_eq!((last.session_id, keys(&last)), (NO_SESSION, vec![A]));
    assert_eq!(world.counts(), (0, 0, 0));
    // that there is none to close is no error
    assert!(world.fetch(&full(second, FINAL_EPOCH, &[])).is_ok());
}

#[test]
fn a_session_that_is_not_there_is_not_found() {
    let world = World::with(&[A]);
    let known = world.open(&[(A, 0)]).id;
    for id in [NO_SESSION, -1, known ^ 1] {
        let refused = world.fetch(&request(id, 1, &[], &[]));
        assert_eq!(refused.unwrap_err(), ErrorCode::FetchSessionIdNotFound, "{id}");
    }
}

#[test]
fn any_epoch_but_the_next_is_refused_and_changes_nothing() {
    let mut world = World::with(&[A, B]);
    let mut client = world.open(&[(A, 0)]);
    for epoch in [2, i32::MAX, -2, i32::MIN] {
        let refused = world.fetch(&request(client.id, epoch, &[(B, 0)], &[A]));
        assert_eq!(refused.unwrap_err(), ErrorCode::InvalidFetchSessionEpoch, "{epoch}");
    }
    assert!(client.next(&world, &[], &[]).is_empty());
    // an answer was lost: its request comes again
    client.epoch -= 1;
    assert_eq!(client.refused(&world, &[]), ErrorCode::InvalidFetchSessionEpoch);
    world.set(A, 0, 5);
    world.set(B, 0, 5);
    assert_eq!(client.next(&world, &[], &[]), [A]);
}

#[test]
fn names_and_ids_do_not_mix() {
    for by_id in [false, true] {
        let mut world = World::with(&[A]);
        world.by_id = by_id;
        let mut client = world.open(&[(A, 0)]);
        world.by_id = !by_id;
        assert_eq!(client.refused(&world, &[]), ErrorCode::FetchSessionTopicIdError);
        world.by_id = by_id;
        client.epoch -= 1;
        world.set(A, 0, 1);
        assert_eq!(client.next(&world, &[], &[]), [A]);
    }
}

#[test]
fn a_session_that_has_nothing_left_is_closed() {
    let world = World::with(&[A, B]);
    let mut client = world.open(&[(A, 0)]);
    assert_eq!(client.next(&world, &[(B, 0)], &[A]), [B]);
    let last = client.request(&[], &[B]);
    let response = world.fetch(&last).unwrap();
    assert_eq!((response.session_id, keys(&response)), (NO_SESSION, vec![]));
    assert_eq!(client.refused(&world, &[]), ErrorCode::FetchSessionIdNotFound);
    assert_eq!(world.counts(), (0, 0, 0), "it was not evicted");
}

/// Kafka opens it: the next request may name the first partition.
#[test]
fn a_session_may_begin_with_nothing() {
    let world = World::with(&[A]);
    let mut client = world.open(&[]);
    assert_eq!(client.next(&world, &[(A, 0)], &[]), [A]);
}

#[test]
fn what_is_named_and_forgotten_at_once_is_forgotten() {
    let mut world = World::with(&[A, B]);
    let mut client = world.open(&[(A, 0), (B, 0)]);
    assert!(client.next(&world, &[(B, 0)], &[B]).is_empty());
    world.set(A, 0, 1);
    world.set(B, 0, 1);
    assert_eq!(client.next(&world, &[], &[]), [A]);
    assert_eq!(world.counts(), (1, 1, 0));
}

#[test]
fn a_request_that_waits_is_overtaken_by_the_next_and_tells_nothing() {
    let mut world = World::with(&[A]);
    let mut client = world.open(&[(A, 0)]);
    let waiting = client.request(&[], &[]);
    let scope = world.begin(&waiting).unwrap();
    world.set(A, 0, 1);
    let next = client.request(&[], &[]);
    let next_scope = world.begin(&next).unwrap();
    let overtaken = world.answer(&scope, &waiting);
    assert_eq!(overtaken.unwrap_err(), ErrorCode::InvalidFetchSessionEpoch);
    assert_eq!(keys(&world.answer(&next_scope, &next).unwrap()), [A], "it was not told before");
}

/// A topic that a full request names twice is answered twice, and remembered as it was named last.
#[test]
fn a_partition_that_is_named_twice_is_cached_once() {
    let mut world = World::with(&[A]);
    world.set(A, 0, 3);
    let mut client = world.open(&[(A, 0), (A, 3)]);
    assert!(client.next(&world, &[], &[]).is_empty(), "from offset 3 on there is nothing");
    assert_eq!(client.next(&world, &[(B, 0)], &[A]), [B]);
    assert_eq!(
        client.next(&world, &[(A, 3)], &[]),
        [B, A],
        "the error of a topic that is not there, each time"
    );
    assert_eq!(world.counts(), (1, 2, 0), "the count is right as soon as the size changes");
}
