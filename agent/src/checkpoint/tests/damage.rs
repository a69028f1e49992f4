//! What is left after torn writes, flipped bits, lost slots and a full disk.

use std::fs;
use std::io;
use std::path::Path;

use parking_lot::Mutex;
use tempfile::tempdir;

use super::super::entry::{self, Entry};
use super::super::slot::{HEADER, Header, Slot};
use super::super::{Checkpoint, State};
use super::*;

const SLOTS: [&str; 2] = ["checkpoint.a", "checkpoint.b"];

/// Does a bit of everything and returns the state after each step.
fn steps(checkpoint: &Checkpoint) -> Vec<State> {
    let file = file(1);
    let mut states = Vec::new();
    let mut note = || {
        checkpoint.flush().unwrap();
        states.push(checkpoint.inner.lock().state.clone());
    };
    note();
    checkpoint.set_producer(producer(5)).unwrap();
    note();
    checkpoint.track(&file, &place(9), head(3)).unwrap();
    note();
    for n in 0..4 {
        checkpoint.intend(&intent(&file, n * 10, n as u64 * 7, n as u64 * 7 + 7)).unwrap();
        note();
        if n > 0 {
            checkpoint.acknowledge(&lane(0), n * 10 - 10);
            note();
        }
    }
    checkpoint.abandon(&file, 28, 40).unwrap();
    note();
    states
}

/// The slot that the log is written to now.
fn active(dir: &Path) -> &'static str {
    SLOTS.into_iter().max_by_key(|slot| fs::metadata(dir.join(slot)).unwrap().len()).unwrap()
}

fn reopened(dir: &Path) -> State {
    Checkpoint::open(dir).unwrap().1
}

/// beats#25135, #3537, #4733, #19634: a registry that was torn did not load.
#[test]
fn lesson_05_a_checkpoint_torn_at_any_byte_is_one_of_its_earlier_states() {
    let dir = tempdir().unwrap();
    let (checkpoint, _) = Checkpoint::open(dir.path()).unwrap();
    let states = steps(&checkpoint);
    drop(checkpoint);
    let slot = active(dir.path());
    let whole = fs::read(dir.path().join(slot)).unwrap();
    let mut reached = 0;
    for len in HEADER..=whole.len() {
        let torn = tempdir().unwrap();
        fs::write(torn.path().join(slot), &whole[..len]).unwrap();
        let state = reopened(torn.path());
        let step = states.iter().rposition(|known| *known == state).expect("a state that never was");
        assert!(step >= reached, "a longer log knows less");
        reached = step;
        assert_eq!(reopened(torn.path()), state, "the cut is not final");
    }
    assert_eq!(reached, states.len() - 1);
}

#[test]
fn a_flipped_bit_costs_the_producer_but_never_invents_a_position() {
    let dir = tempdir().unwrap();
    let (checkpoint, _) = Checkpoint::open(dir.path()).unwrap();
    let states = steps(&checkpoint);
    drop(checkpoint);
    let slot = active(dir.path());
    let whole = fs::read(dir.path().join(slot)).unwrap();
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        let damaged = tempdir().unwrap();
        fs::write(damaged.path().join(slot), &bytes).unwrap();
        let state = reopened(damaged.path());
        let known = states.iter().any(|known| known.files == state.files);
        assert!(known, "byte {at} invented a position");
        // a length that points behind the end looks like a torn entry; everything else is damage
        assert!(state.producer.is_none() || states.contains(&state), "byte {at} kept an untrue producer");
    }
}

#[test]
fn zeroes_after_a_power_loss_are_damage_not_an_empty_log() {
    let dir = tempdir().unwrap();
    let (checkpoint, _) = Checkpoint::open(dir.path()).unwrap();
    let states = steps(&checkpoint);
    drop(checkpoint);
    let path = dir.path().join(active(dir.path()));
    let mut bytes = fs::read(&path).unwrap();
    bytes.extend([0; 4096]);
    fs::write(&path, bytes).unwrap();
    let state = reopened(dir.path());
    assert_eq!(state.files, states.last().unwrap().files);
    assert_eq!((state.producer, state.intents), (None, vec![]));
}

#[test]
fn a_lost_slot_leaves_the_older_one_without_its_producer() {
    let dir = tempdir().unwrap();
    let file = file(1);
    let (checkpoint, _) = Checkpoint::open(dir.path()).unwrap();
    checkpoint.set_producer(producer(5)).unwrap();
    checkpoint.track(&file, &place(9), head(3)).unwrap();
    checkpoint.intend(&intent(&file, 0, 0, 7)).unwrap();
    checkpoint.acknowledge(&lane(0), 0);
    {
        let inner = &mut *checkpoint.inner.lock();
        inner.log.flush().unwrap();
        inner.log.compact(&inner.state).unwrap();
    }
    checkpoint.intend(&intent(&file, 10, 7, 14)).unwrap();
    checkpoint.sync().unwrap();
    drop(checkpoint);
    let newer = SLOTS.into_iter().max_by_key(|slot| {
        let bytes = fs::read(dir.path().join(slot)).unwrap();
        u64::from_le_bytes(bytes[8..16].try_into().unwrap())
    });
    fs::write(dir.path().join(newer.unwrap()), b"garbage").unwrap();
    let state = reopened(dir.path());
    assert_eq!(state.producer, None, "its sequences are older than the broker's");
    assert_eq!(state.files[&file.key()].done.prefix(), 7);
}

#[test]
fn a_crash_in_the_middle_of_compaction_loses_nothing() {
    let dir = tempdir().unwrap();
    let (checkpoint, _) = Checkpoint::open(dir.path()).unwrap();
    let states = steps(&checkpoint);
    drop(checkpoint);
    let other = SLOTS.into_iter().find(|slot| *slot != active(dir.path())).unwrap();
    fs::write(dir.path().join(other), vec![0xA5; 3000]).unwrap();
    assert_eq!(reopened(dir.path()), *states.last().unwrap());
}

#[test]
fn both_slots_damaged_is_a_fresh_start() {
    let dir = tempdir().unwrap();
    let (checkpoint, _) = Checkpoint::open(dir.path()).unwrap();
    steps(&checkpoint);
    drop(checkpoint);
    for slot in SLOTS {
        fs::write(dir.path().join(slot), [0xFF; 100]).unwrap();
    }
    assert_eq!(reopened(dir.path()), State::default());
    assert_eq!(reopened(dir.path()), State::default());
}

/// A slot in memory whose operations fail from the `budget`-th on.
#[derive(Debug, Clone, Default)]
struct Faulty(Arc<Mutex<Memory>>);

#[derive(Debug, Default)]
struct Memory {
    bytes: Vec<u8>,
    budget: Option<usize>,
}

impl Faulty {
    fn spend(&self) -> io::Result<()> {
        match self.0.lock().budget.as_mut() {
            None => Ok(()),
            Some(0) => Err(io::ErrorKind::StorageFull.into()),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
        }
    }
}

impl Slot for Faulty {
    fn read(&mut self) -> io::Result<Vec<u8>> {
        Ok(self.0.lock().bytes.clone())
    }

    fn write_at(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        let full = self.spend();
        // a full disk takes a part
        let written = if full.is_ok() { bytes.len() } else { bytes.len() / 2 };
        let memory = &mut self.0.lock().bytes;
        let (at, end) = (at as usize, at as usize + written);
        if memory.len() < end {
            memory.resize(end, 0);
        }
        memory[at..end].copy_from_slice(&bytes[..written]);
        full
    }

    fn cut(&mut self, len: u64) -> io::Result<()> {
        self.spend()?;
        self.0.lock().bytes.resize(len as usize, 0);
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        self.spend()
    }
}

fn open_faulty(slots: &[Faulty; 2]) -> (Checkpoint, State) {
    let boxed: [Box<dyn Slot>; 2] = [Box::new(slots[0].clone()), Box::new(slots[1].clone())];
    Checkpoint::with_slots("memory".to_owned(), boxed, None).unwrap()
}

#[test]
fn a_full_disk_refuses_the_intent_and_forgets_it() {
    let slots = [Faulty::default(), Faulty::default()];
    let (checkpoint, _) = open_faulty(&slots);
    let file = file(1);
    checkpoint.track(&file, &place(1), head(1)).unwrap();
    for slot in &slots {
        slot.0.lock().budget = Some(0);
    }
    let before = checkpoint.inner.lock().state.clone();
    assert!(checkpoint.intend(&intent(&file, 0, 0, 10)).is_err());
    assert_eq!(checkpoint.inner.lock().state, before);
    let (_, state) = open_faulty(&[clone(&slots[0]), clone(&slots[1])]);
    assert_eq!(state, before);
    for slot in &slots {
        slot.0.lock().budget = None;
    }
    checkpoint.intend(&intent(&file, 0, 0, 10)).unwrap();
    let live = checkpoint.inner.lock().state.clone();
    assert_eq!(open_faulty(&slots).1, live);
}

/// A copy as a new process would find it.
fn clone(slot: &Faulty) -> Faulty {
    let bytes = slot.0.lock().bytes.clone();
    Faulty(Arc::new(Mutex::new(Memory { bytes, budget: None })))
}

#[test]
fn compaction_that_fails_at_any_step_leaves_the_log_in_force() {
    for budget in 0..8 {
        let slots = [Faulty::default(), Faulty::default()];
        let (checkpoint, _) = open_faulty(&slots);
        steps(&checkpoint);
        {
            let inner = &mut *checkpoint.inner.lock();
            for slot in &slots {
                slot.0.lock().budget = Some(budget);
            }
            let _ = inner.log.compact(&inner.state);
            for slot in &slots {
                slot.0.lock().budget = None;
            }
        }
        checkpoint.intend(&intent(&file(1), 40, 40, 47)).unwrap();
        let live = checkpoint.inner.lock().state.clone();
        assert_eq!(open_faulty(&slots).1, live, "failing at step {budget}");
    }
}

/// No log lives so long, but a header may say so: what was written behind it was not found at the next start.
#[test]
fn the_epoch_after_the_last_is_newer() {
    let file = file(1);
    for epoch in [0, u64::MAX - 2, u64::MAX - 1, u64::MAX] {
        let dir = tempdir().unwrap();
        let mut snapshot = Vec::new();
        let entry = Entry::File { file: file.clone(), place: place(9), head: head(3) };
        entry::encode(&entry, epoch, &mut snapshot);
        fs::write(dir.path().join(SLOTS[0]), [Header::encode(epoch, &snapshot), snapshot].concat()).unwrap();
        for number in 0..4 {
            let (checkpoint, state) = Checkpoint::open(dir.path()).unwrap();
            assert_eq!(state.files.values().map(|file| file.done.end()).collect::<Vec<_>>(), [number * 10]);
            checkpoint.abandon(&file, number * 10, number * 10 + 10).unwrap();
            let inner = &mut *checkpoint.inner.lock();
            inner.log.compact(&inner.state).unwrap();
        }
    }
}

/// A snapshot is written whole. Cut off as a torn end is, the slot was not whole any more, and all of it was lost at the
/// next start.
#[test]
fn a_snapshot_that_ends_within_an_entry_is_damaged_not_torn() {
    let mut snapshot = Vec::new();
    entry::encode(&Entry::File { file: file(1), place: place(9), head: head(3) }, 1, &mut snapshot);
    snapshot.extend_from_slice(&[9, 0]);
    let dir = tempdir().unwrap();
    fs::write(dir.path().join(SLOTS[0]), [Header::encode(1, &snapshot), snapshot].concat()).unwrap();
    let state = reopened(dir.path());
    assert_eq!(state.files.len(), 1);
    assert_eq!(reopened(dir.path()), state);
}
