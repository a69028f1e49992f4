//! The usual life: intend, acknowledge, stop, start.

use tempfile::tempdir;

use super::super::{Checkpoint, CheckpointError, State, Unsent};
use super::*;

#[test]
fn a_new_checkpoint_knows_nothing() {
    let dir = tempdir().unwrap();
    let (_checkpoint, state) = Checkpoint::open(&dir.path().join("new/deep")).unwrap();
    assert_eq!(state, State::default());
}

#[test]
fn a_killed_agent_finds_its_open_batches_in_order() {
    let dir = tempdir().unwrap();
    let file = file(1);
    {
        let (checkpoint, _) = Checkpoint::open(dir.path()).unwrap();
        checkpoint.set_producer(producer(5)).unwrap();
        checkpoint.track(&file, &place(9), head(3)).unwrap();
        checkpoint.intend(&intent(&file, 0, 0, 100)).unwrap();
        checkpoint.intend(&intent(&file, 10, 100, 200)).unwrap();
        checkpoint.acknowledge(&lane(0), 0);
        checkpoint.intend(&intent(&file, 20, 200, 250)).unwrap();
    }
    let (checkpoint, state) = Checkpoint::open(dir.path()).unwrap();
    assert_eq!(state.producer, Some(producer(5)));
    assert_eq!(state.intents, [intent(&file, 10, 100, 200), intent(&file, 20, 200, 250)]);
    assert_eq!(state.lanes[&lane(0)], 30);
    assert_eq!(checkpoint.position(&file.key()), 100);
    assert_eq!(state.unsent(&file.key()), Unsent { gaps: vec![], from: 250 });
    let known = &state.files[&file.key()];
    assert_eq!((known.head, known.place.clone()), (head(3), place(9)));
    assert_eq!(known.proof, Some(intent(&file, 20, 200, 250).proof));
}

#[test]
fn an_acknowledgement_is_on_disk_before_the_next_intent() {
    let dir = tempdir().unwrap();
    let file = file(1);
    let (checkpoint, _) = Checkpoint::open(dir.path()).unwrap();
    checkpoint.track(&file, &place(9), head(3)).unwrap();
    for n in 0..100 {
        checkpoint.intend(&intent(&file, n * 10, n as u64 * 7, n as u64 * 7 + 7)).unwrap();
        checkpoint.acknowledge(&lane(0), n * 10);
    }
    drop(checkpoint);
    let (_, state) = Checkpoint::open(dir.path()).unwrap();
    assert_eq!(state.intents.len(), 1, "only the last acknowledgement may be missing");
}

#[test]
fn flush_writes_the_last_acknowledgement() {
    let dir = tempdir().unwrap();
    let file = file(1);
    let (checkpoint, _) = Checkpoint::open(dir.path()).unwrap();
    checkpoint.track(&file, &place(9), head(3)).unwrap();
    checkpoint.intend(&intent(&file, 0, 0, 7)).unwrap();
    checkpoint.acknowledge(&lane(0), 0);
    checkpoint.flush().unwrap();
    drop(checkpoint);
    let (_, state) = Checkpoint::open(dir.path()).unwrap();
    assert_eq!(state.intents, []);
    assert_eq!(state.files[&file.key()].done.prefix(), 7);
}

#[test]
fn acknowledgements_out_of_order_leave_a_gap_until_it_is_filled() {
    let dir = tempdir().unwrap();
    let file = file(1);
    let (checkpoint, _) = Checkpoint::open(dir.path()).unwrap();
    checkpoint.track(&file, &place(9), head(3)).unwrap();
    checkpoint.intend(&intent(&file, 0, 0, 10)).unwrap();
    checkpoint.intend(&intent(&file, 10, 10, 20)).unwrap();
    checkpoint.acknowledge(&lane(0), 10);
    assert_eq!(checkpoint.position(&file.key()), 0);
    assert_eq!(checkpoint.done_bytes(&file.key()), 10);
    checkpoint.acknowledge(&lane(0), 0);
    assert_eq!(checkpoint.position(&file.key()), 20);
}

#[test]
fn a_new_producer_turns_open_batches_into_unsent_ranges() {
    let dir = tempdir().unwrap();
    let file = file(1);
    let (checkpoint, _) = Checkpoint::open(dir.path()).unwrap();
    checkpoint.track(&file, &place(9), head(3)).unwrap();
    checkpoint.intend(&intent(&file, 0, 0, 10)).unwrap();
    checkpoint.intend(&intent(&file, 10, 10, 20)).unwrap();
    checkpoint.acknowledge(&lane(0), 10);
    checkpoint.set_producer(producer(6)).unwrap();
    assert_eq!(checkpoint.unsent(&file.key()), Unsent { gaps: vec![(0, 10)], from: 20 });
    drop(checkpoint);
    let (_, state) = Checkpoint::open(dir.path()).unwrap();
    assert_eq!(state.unsent(&file.key()), Unsent { gaps: vec![(0, 10)], from: 20 });
    assert!(state.lanes.is_empty());
}

#[test]
fn a_withdrawn_batch_gives_its_sequence_and_range_back() {
    let dir = tempdir().unwrap();
    let file = file(1);
    let (checkpoint, _) = Checkpoint::open(dir.path()).unwrap();
    checkpoint.track(&file, &place(9), head(3)).unwrap();
    checkpoint.intend(&intent(&file, 0, 0, 10)).unwrap();
    checkpoint.withdraw(&lane(0), 0).unwrap();
    drop(checkpoint);
    let (_, state) = Checkpoint::open(dir.path()).unwrap();
    assert_eq!(state.lanes[&lane(0)], 0);
    assert_eq!(state.unsent(&file.key()), Unsent { gaps: vec![], from: 0 });
}

#[test]
fn an_intent_of_the_same_sequence_replaces_the_open_one() {
    let dir = tempdir().unwrap();
    let file = file(1);
    let (checkpoint, _) = Checkpoint::open(dir.path()).unwrap();
    checkpoint.track(&file, &place(9), head(3)).unwrap();
    checkpoint.intend(&intent(&file, 0, 0, 100)).unwrap();
    checkpoint.intend(&intent(&file, 0, 0, 50)).unwrap();
    checkpoint.acknowledge(&lane(0), 0);
    assert_eq!(checkpoint.position(&file.key()), 50);
}

#[test]
fn sequences_wrap_as_kafka_counts() {
    let dir = tempdir().unwrap();
    let (checkpoint, _) = Checkpoint::open(dir.path()).unwrap();
    checkpoint.intend(&intent(&file(1), i32::MAX - 4, 0, 10)).unwrap();
    drop(checkpoint);
    let (_, state) = Checkpoint::open(dir.path()).unwrap();
    assert_eq!(state.lanes[&lane(0)], 5);
}

#[test]
fn two_agents_cannot_share_a_checkpoint() {
    let dir = tempdir().unwrap();
    let _first = Checkpoint::open(dir.path()).unwrap();
    let second = Checkpoint::open(dir.path());
    assert!(matches!(second, Err(CheckpointError::InUse { .. })));
}

/// beats#16076, vector#11863: state of files long gone made start slow and memory large.
#[test]
fn lesson_06_the_checkpoint_does_not_grow_with_files_that_are_gone() {
    let dir = tempdir().unwrap();
    let (checkpoint, _) = Checkpoint::open(dir.path()).unwrap();
    for n in 0..40_000 {
        let file = file(n);
        checkpoint.track(&file, &place(n), head(10)).unwrap();
        checkpoint.intend(&intent(&file, n as i32 * 10, 0, 10)).unwrap();
        checkpoint.acknowledge(&lane(0), n as i32 * 10);
        checkpoint.forget(&file.key()).unwrap();
    }
    let size = |name: &str| std::fs::metadata(dir.path().join(name)).unwrap().len();
    assert!(size("checkpoint.a").max(size("checkpoint.b")) < 3 * 1024 * 1024);
    drop(checkpoint);
    let (_, state) = Checkpoint::open(dir.path()).unwrap();
    assert!(state.files.is_empty());
}
