//! One member's steps.

use uuid::Uuid;
use wire::ErrorCode;

use crate::group::consumer::member::{Current, Step};
use crate::group::consumer::partitions::Partitions;
use crate::group::consumer::reconcile::{Goal, reconcile};

const TOPIC: Uuid = Uuid::from_u128(1);

fn of(indexes: &[i32]) -> Partitions {
    if indexes.is_empty() {
        return Partitions::new();
    }
    [(TOPIC, indexes.iter().copied().collect())].into()
}

fn at(epoch: i32, step: Step, assigned: &[i32], revoking: &[i32]) -> Current {
    Current { epoch, previous_epoch: epoch - 1, step, assigned: of(assigned), revoking: of(revoking) }
}

/// What the member has after a step towards `target` of epoch 9, when others hold `held`.
fn step(current: &Current, target: &[i32], owned: Option<&[i32]>, held: &[i32]) -> Current {
    let (partitions, owned) = (of(target), owned.map(of));
    let is_held = |_: Uuid, index: i32| held.contains(&index);
    let goal = Goal { epoch: 9, partitions: &partitions, owned: owned.as_ref(), is_held: &is_held };
    reconcile(current, &goal).unwrap()
}

fn seen(current: &Current) -> (i32, i32, Step, Partitions, Partitions) {
    let Current { epoch, previous_epoch, step, assigned, revoking } = current.clone();
    (epoch, previous_epoch, step, assigned, revoking)
}

#[test]
fn a_member_in_the_target_s_epoch_has_what_it_shall_have() {
    let stable = at(9, Step::Stable, &[1, 2], &[]);
    assert_eq!(step(&stable, &[1, 2], None, &[]), stable);
}

#[test]
fn what_is_free_is_given_at_once() {
    let after = step(&at(8, Step::Stable, &[1], &[]), &[1, 2], None, &[]);
    assert_eq!(seen(&after), (9, 8, Step::Stable, of(&[1, 2]), of(&[])));
}

#[test]
fn what_others_hold_comes_later() {
    let waiting = step(&at(8, Step::Stable, &[1], &[]), &[1, 2, 3], None, &[2]);
    assert_eq!(seen(&waiting), (9, 8, Step::Unreleased, of(&[1, 3]), of(&[])));
    let still = step(&waiting, &[1, 2, 3], None, &[2]);
    assert_eq!(seen(&still), (9, 9, Step::Unreleased, of(&[1, 3]), of(&[])));
    let done = step(&still, &[1, 2, 3], None, &[]);
    assert_eq!(seen(&done), (9, 9, Step::Stable, of(&[1, 2, 3]), of(&[])));
}

#[test]
fn what_is_to_be_given_up_keeps_the_member_in_its_epoch_until_it_is() {
    let before = at(7, Step::Stable, &[1, 2], &[]);
    let revoking = step(&before, &[1, 3], Some(&[1, 2]), &[]);
    assert_eq!(seen(&revoking), (7, 7, Step::Unrevoked, of(&[1]), of(&[2])), "3 is not given yet");
    // it says nothing of what it owns, or still owns it
    assert_eq!(step(&revoking, &[1, 3], None, &[2]), revoking);
    assert_eq!(step(&revoking, &[1, 3], Some(&[1, 2]), &[2]), revoking);
    let done = step(&revoking, &[1, 3], Some(&[1]), &[2]);
    assert_eq!(seen(&done), (9, 7, Step::Stable, of(&[1, 3]), of(&[])));
}

#[test]
fn a_newer_target_may_ask_for_more_in_between() {
    let revoking = at(7, Step::Unrevoked, &[1, 2], &[3]);
    let more = step(&revoking, &[1], Some(&[1, 2]), &[3]);
    assert_eq!(seen(&more), (8, 7, Step::Unrevoked, of(&[1]), of(&[2])), "3 is given up, 2 is next");
}

#[test]
fn what_the_member_does_not_own_needs_no_giving_up() {
    let after = step(&at(8, Step::Stable, &[1, 2], &[]), &[2], Some(&[2]), &[]);
    assert_eq!(seen(&after), (9, 8, Step::Stable, of(&[2]), of(&[])));
}

#[test]
fn a_member_in_a_step_of_the_future_has_to_begin_again() {
    let current = at(9, Step::Unknown(7), &[1], &[]);
    let partitions = of(&[1]);
    let goal = Goal { epoch: 9, partitions: &partitions, owned: None, is_held: &|_, _| false };
    assert_eq!(reconcile(&current, &goal).unwrap_err().code, ErrorCode::FencedMemberEpoch);
    let after = step(&current, &[1], Some(&[]), &[]);
    assert_eq!(seen(&after), (9, 9, Step::Stable, of(&[1]), of(&[])));
}
