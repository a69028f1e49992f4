//! What is told of the partitions, and in which order.

use super::*;

const A: Key = (1, 0);
const B: Key = (1, 1);
const C: Key = (2, 0);

#[test]
fn each_offset_that_changes_is_told_once() {
    let mut world = World::with(&[A, B]);
    world.set(A, 0, 10);
    let mut client = world.open(&[(A, 10), (B, 0)]);
    assert!(client.next(&world, &[], &[]).is_empty());
    let changes = [
        Offsets { start: 1, stable: 10, end: 10 },
        Offsets { start: 1, stable: 9, end: 10 },
        Offsets { start: 1, stable: 9, end: 12 },
    ];
    // there are records, but the answer has no room for them
    world.room = 0;
    for offsets in changes {
        world.partitions.insert(A, offsets);
        let request = client.request(&[], &[]);
        let response = world.fetch(&request).unwrap();
        let told = told(&response);
        assert_eq!((told.len(), told[0].0), (1, A));
        let data = told[0].1;
        let of = Offsets {
            start: data.log_start_offset,
            stable: data.last_stable_offset,
            end: data.high_watermark,
        };
        assert_eq!(of, offsets);
        assert!(client.next(&world, &[], &[]).is_empty(), "{offsets:?} is told once");
    }
}

#[test]
fn records_are_given_until_the_client_has_gone_on() {
    let mut world = World::with(&[A, B]);
    let mut client = world.open(&[(A, 0), (B, 0)]);
    world.set(A, 0, 2);
    assert_eq!(client.next(&world, &[], &[]), [A]);
    assert_eq!(
        client.next(&world, &[], &[]),
        [A],
        "the client reads from offset 0 as long as it says nothing else"
    );
    assert_eq!(client.next(&world, &[(A, 1)], &[]), [A]);
    assert!(client.next(&world, &[(A, 2)], &[]).is_empty());
}

#[test]
fn an_error_is_told_each_time_and_so_is_its_end() {
    let mut world = World::with(&[A, B]);
    let before = world.partitions[&A];
    let mut client = world.open(&[(A, 0), (B, 0)]);
    world.partitions.remove(&A);
    for _ in 0..3 {
        let request = client.request(&[], &[]);
        let response = world.fetch(&request).unwrap();
        let told = told(&response);
        assert_eq!((told.len(), told[0].0), (1, A));
        assert_eq!(told[0].1.error_code, ErrorCode::UnknownTopicOrPartition.code());
    }
    world.partitions.insert(A, before);
    assert_eq!(client.next(&world, &[], &[]), [A], "with the offsets that it was told before the error");
    assert!(client.next(&world, &[], &[]).is_empty());
}

#[test]
fn an_error_of_the_first_answer_ends_too() {
    let mut world = World::with(&[B]);
    let mut client = world.open(&[(A, 0), (B, 0)]);
    world.set(A, 0, 0);
    assert_eq!(client.next(&world, &[], &[]), [A]);
    assert!(client.next(&world, &[], &[]).is_empty());
}

#[test]
fn a_partition_that_comes_back_is_told_again() {
    let world = World::with(&[A, B]);
    let mut client = world.open(&[(A, 0), (B, 0)]);
    assert!(client.next(&world, &[], &[A]).is_empty());
    assert_eq!(client.next(&world, &[(A, 0)], &[]), [A]);
}

#[test]
fn who_has_given_records_comes_last() {
    let mut world = World::with(&[A, B, C]);
    world.room = 1;
    let mut client = world.open(&[(A, 0), (B, 0), (C, 0)]);
    for end in 1..=6 {
        // each has something new all the time: without turns A alone would be read
        for key in [A, B, C] {
            world.set(key, 0, end);
        }
        let request = client.request(&[], &[]);
        let response = world.fetch(&request).unwrap();
        let order = match end % 3 {
            1 => [A, B, C],
            2 => [B, C, A],
            _ => [C, A, B],
        };
        assert_eq!(keys(&response), order);
        let given = told(&response).into_iter().filter(|(_, data)| data.records != Some(Blob::default()));
        assert_eq!(given.map(|(key, _)| key).collect::<Vec<_>>(), order[..1]);
    }
}

/// KAFKA-12330: those of which only offsets are told would lose their turn each time.
#[test]
fn who_has_told_only_offsets_stays() {
    let mut world = World::with(&[A, B, C]);
    world.room = 0;
    let mut client = world.open(&[(A, 0), (B, 0), (C, 0)]);
    world.set(A, 0, 1);
    assert_eq!(client.next(&world, &[], &[]), [A]);
    for key in [A, B, C] {
        world.set(key, 0, 2);
    }
    assert_eq!(client.next(&world, &[], &[]), [A, B, C]);
}

#[test]
fn neighbours_of_a_topic_are_answered_together() {
    let mut world = World::with(&[A, B, C]);
    let mut client = world.open(&[(A, 0), (B, 0), (C, 0)]);
    for key in [A, B, C] {
        world.set(key, 0, 1);
    }
    let request = client.request(&[], &[]);
    let response = world.fetch(&request).unwrap();
    let sizes: Vec<usize> = response.responses.iter().map(|topic| topic.partitions.len()).collect();
    assert_eq!((keys(&response), sizes), (vec![A, B, C], vec![2, 1]));
}
