//! What goes when there are too many sessions.

use super::*;

/// Seconds after which a session may have to go.
const LONG: u64 = 121;

/// So many partitions.
fn some(count: i32) -> Vec<(Key, i64)> {
    (0..count).map(|partition| ((1, partition), 0)).collect()
}

fn bounded(sessions: usize, partitions: usize) -> World {
    let mut world = World::new(true);
    world.limits = Limits { sessions, partitions, partitions_each: 1000 };
    world
}

#[test]
fn without_sessions_everything_is_answered_in_full() {
    let world = bounded(0, 1000);
    assert!(!world.opens(&some(1)));
    assert_eq!(world.counts(), (0, 0, 0));
}

#[test]
fn a_session_in_use_makes_no_room_for_an_equal_one() {
    let mut world = bounded(1, 1000);
    let mut first = world.open(&some(2));
    for _ in 0..4 {
        world.pass(LONG / 2);
        assert_eq!(first.next(&world, &[], &[]).len(), 2);
        assert!(!world.opens(&some(2)));
    }
    assert_eq!(world.counts(), (1, 2, 0));
}

#[test]
fn who_was_not_there_for_longest_goes_first() {
    let mut world = bounded(3, 1000);
    let mut clients: Vec<Client> = (0..3).map(|_| world.open(&some(1))).collect();
    for client in [2, 0, 1] {
        world.pass(10);
        clients[client].next(&world, &[], &[]);
    }
    world.pass(LONG);
    for gone in [2, 0] {
        assert!(world.opens(&some(1)));
        assert_eq!(clients[gone].refused(&world, &[]), ErrorCode::FetchSessionIdNotFound);
    }
    clients[1].next(&world, &[], &[]);
    assert_eq!(world.counts(), (3, 3, 2));
}

#[test]
fn the_smallest_goes_for_a_larger_one_unless_it_is_young() {
    let mut world = bounded(3, 1000);
    let mut clients = [world.open(&some(4)), world.open(&some(2)), world.open(&some(3))];
    assert!(!world.opens(&some(5)), "all are young");
    for _ in 0..3 {
        world.pass(LONG / 2);
        for client in &mut clients {
            client.next(&world, &[], &[]);
        }
    }
    assert!(!world.opens(&some(2)), "none is smaller");
    assert!(world.opens(&some(3)));
    assert_eq!(clients[1].refused(&world, &[]), ErrorCode::FetchSessionIdNotFound);
    assert_eq!(world.counts(), (3, 10, 1));
}

#[test]
fn partitions_of_all_sessions_are_bounded() {
    let mut world = bounded(100, 10);
    assert!(!world.opens(&some(11)));
    let mut old = world.open(&some(3));
    world.pass(LONG);
    let mut young = world.open(&some(6));
    assert!(!world.opens(&some(8)), "not even without the old one");
    assert_eq!(world.counts(), (2, 9, 0), "so that one stays");
    assert!(world.opens(&some(4)));
    assert_eq!(old.refused(&world, &[]), ErrorCode::FetchSessionIdNotFound);
    young.next(&world, &[], &[]);
    assert_eq!(world.counts(), (2, 10, 1));
}

#[test]
fn a_session_that_outgrows_the_bounds_is_closed() {
    let mut world = bounded(100, 10);
    world.limits.partitions_each = 5;
    let mut other = world.open(&some(5));
    let mut client = world.open(&some(4));
    client.next(&world, &[((9, 0), 0)], &[]);
    assert_eq!(world.counts(), (2, 10, 0));
    assert_eq!(client.refused(&world, &[((9, 1), 0)]), ErrorCode::FetchSessionIdNotFound);
    assert_eq!(client.refused(&world, &[]), ErrorCode::FetchSessionIdNotFound);
    assert_eq!(world.counts(), (1, 5, 0));
    other.next(&world, &[], &[(1, 0), (1, 1)]);
    assert_eq!(world.counts(), (1, 3, 0));
}

#[test]
fn a_session_that_grows_takes_the_room_of_one_that_is_not_used() {
    let mut world = bounded(100, 10);
    let mut idle = world.open(&some(5));
    let mut client = world.open(&some(5));
    world.pass(LONG);
    client.next(&world, &[((9, 0), 0)], &[]);
    assert_eq!(world.counts(), (1, 6, 1));
    assert_eq!(idle.refused(&world, &[]), ErrorCode::FetchSessionIdNotFound);
}

/// Names are not counted, so they must be small.
#[test]
fn a_name_that_no_topic_can_have_is_not_remembered() {
    let mut world = World::with(&[(1, 0)]);
    world.by_id = false;
    let mut client = world.open(&[((1, 0), 0)]);
    let mut long = request(client.id, client.epoch, &[((1, 0), 0)], &[]);
    long.topics[0].topic = "t".repeat(250);
    assert_eq!(world.begin(&long).unwrap_err(), ErrorCode::FetchSessionIdNotFound);
    assert_eq!(client.refused(&world, &[]), ErrorCode::FetchSessionIdNotFound);
    long.session_epoch = INITIAL_EPOCH;
    let scope = world.begin(&long).unwrap();
    assert!(matches!(scope, Scope::Full));
    let opened = world.sessions.open(&long, &FetchResponse::default(), false, world.limits, world.now);
    assert_eq!((opened, world.counts()), (NO_SESSION, (0, 0, 0)));
}
