//! Random histories: what is read back is what was known.

use std::collections::BTreeSet;

use proptest::prelude::*;
use tempfile::tempdir;

use super::super::{Checkpoint, Ranges};
use super::*;

#[derive(Clone, Debug)]
enum Step {
    Producer(i64),
    Track(u64, u32),
    Intend { file: u64, partition: i32, length: u64 },
    Acknowledge(usize),
    Withdraw(usize),
    Abandon(u64, u64),
    Forget(u64),
    Compact,
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        1 => (0..9i64).prop_map(Step::Producer),
        2 => (0..4u64, 0..1024u32).prop_map(|(file, head)| Step::Track(file, head)),
        8 => (0..4u64, 0..3i32, 1..100u64)
            .prop_map(|(file, partition, length)| Step::Intend { file, partition, length }),
        6 => (0..5usize).prop_map(Step::Acknowledge),
        1 => (0..5usize).prop_map(Step::Withdraw),
        1 => (0..4u64, 1..50u64).prop_map(|(file, length)| Step::Abandon(file, length)),
        1 => (0..4u64).prop_map(Step::Forget),
        1 => Just(Step::Compact),
        2 => Just(Step::Restart),
    ]
}

/// Takes the step; the next range of a file begins where its last one ended.
fn take(checkpoint: &Checkpoint, step: &Step) {
    let state = checkpoint.inner.lock().state.clone();
    let open = |n: usize| state.intents.get(n).map(|intent| (intent.lane.clone(), intent.base_sequence));
    match *step {
        Step::Producer(id) => checkpoint.set_producer(producer(id)).unwrap(),
        Step::Track(n, len) => checkpoint.track(&file(n), &place(n), head(len)).unwrap(),
        Step::Intend { file: n, partition, length } => {
            let start = state.unsent(&file(n).key()).from;
            let mut intent = intent(&file(n), 0, start, start + length);
            intent.lane = lane(partition);
            intent.base_sequence = state.lanes.get(&intent.lane).copied().unwrap_or(0);
            checkpoint.intend(&intent).unwrap();
        }
        Step::Acknowledge(n) => {
            if let Some((lane, sequence)) = open(n) {
                checkpoint.acknowledge(&lane, sequence);
            }
        }
        Step::Withdraw(n) => {
            if let Some((lane, sequence)) = open(n) {
                checkpoint.withdraw(&lane, sequence).unwrap();
            }
        }
        Step::Abandon(n, length) => {
            let start = state.unsent(&file(n).key()).from;
            checkpoint.abandon(&file(n), start, start + length).unwrap();
        }
        Step::Forget(n) => checkpoint.forget(&file(n).key()).unwrap(),
        Step::Compact => {
            let inner = &mut *checkpoint.inner.lock();
            inner.log.flush().unwrap();
            inner.log.compact(&inner.state).unwrap();
        }
        Step::Restart => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_restart_knows_what_was_known(steps in prop::collection::vec(step(), 1..60)) {
        let dir = tempdir().unwrap();
        let (mut checkpoint, _) = Checkpoint::open(dir.path()).unwrap();
        for step in steps {
            take(&checkpoint, &step);
            if matches!(step, Step::Restart) {
                checkpoint.flush().unwrap();
                let before = checkpoint.inner.lock().state.clone();
                drop(checkpoint);
                let (again, after) = Checkpoint::open(dir.path()).unwrap();
                prop_assert_eq!(before, after);
                checkpoint = again;
            }
        }
    }

    #[test]
    fn ranges_are_a_set_of_bytes(inserts in prop::collection::vec((0..60u64, 0..12u64), 0..30)) {
        let mut ranges = Ranges::default();
        let mut bytes = BTreeSet::new();
        for (start, length) in inserts {
            ranges.insert(start, start + length);
            bytes.extend(start..start + length);
        }
        prop_assert_eq!(ranges.iter().flat_map(|(start, end)| start..end).collect::<BTreeSet<_>>(), bytes.clone());
        prop_assert_eq!(ranges.bytes(), bytes.len() as u64);
        prop_assert_eq!(ranges.prefix(), (0..).find(|byte| !bytes.contains(byte)).unwrap());
        prop_assert_eq!(ranges.end(), bytes.last().map_or(0, |last| last + 1));
        let gaps: BTreeSet<u64> = ranges.gaps().into_iter().flat_map(|(start, end)| start..end).collect();
        prop_assert_eq!(gaps, (0..ranges.end()).filter(|byte| !bytes.contains(byte)).collect::<BTreeSet<_>>());
        let merged = ranges.iter().zip(ranges.iter().skip(1)).all(|((_, end), (start, _))| end < start);
        prop_assert!(merged);
    }
}
