//! The body of the fuzz target of the checkpoint.

use std::io;
use std::sync::Arc;

use parking_lot::Mutex;

use super::entry::{self, Decoded, Entry};
use super::log::Log;
use super::slot::{HEADER, Header, Slot};
use super::{Checkpoint, Head, Place, State};
use crate::model::{FileRef, GenerationId, Intent, LaneId, Producer, Proof, Shape};

/// The bit of an input's first byte with which checksums are made right.
const MEND: u8 = 1;

/// A slot in memory. Clones share it.
#[derive(Clone, Debug, Default)]
struct Memory(Arc<Mutex<Vec<u8>>>);

impl Slot for Memory {
    fn read(&mut self) -> io::Result<Vec<u8>> {
        Ok(self.0.lock().clone())
    }

    fn write_at(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        let at = usize::try_from(at).map_err(io::Error::other)?;
        let mut content = self.0.lock();
        let end = content.len().max(at + bytes.len());
        content.resize(end, 0);
        if let Some(place) = content.get_mut(at..at + bytes.len()) {
            place.copy_from_slice(bytes);
        }
        Ok(())
    }

    fn cut(&mut self, len: u64) -> io::Result<()> {
        self.0.lock().resize(usize::try_from(len).map_err(io::Error::other)?, 0);
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The first byte holds options, the next two the length of the first slot; the other slot follows it. What is read stays
/// over restarts and compactions, and what is written then is read.
pub fn checkpoint(bytes: &[u8]) {
    let Some(([options, low, high], rest)) = bytes.split_first_chunk() else { return };
    let len = usize::from(u16::from_le_bytes([*low, *high])).min(rest.len());
    let (first, second) = rest.split_at(len);
    let (mut first, mut second) = (first.to_vec(), second.to_vec());
    if options & MEND != 0 {
        mend(&mut first);
        mend(&mut second);
    }
    rewrite(&first);
    rewrite(&second);
    let slots = [Memory(Arc::new(Mutex::new(first))), Memory(Arc::new(Mutex::new(second)))];
    let (_, state) = open(&slots);
    let mut rebuilt = State::default();
    state.entries().into_iter().for_each(|entry| rebuilt.apply(entry));
    assert_eq!(rebuilt, state, "a snapshot says what is known");

    let (mut log, again) = open(&slots);
    assert_eq!(again, state, "opening changes nothing");
    assert!(log.compact(&state).is_ok(), "memory does not fail");
    let (_, compacted) = open(&slots);
    assert_eq!(compacted, state, "compaction changes nothing");

    let boxed = || slots.clone().map(|slot| Box::new(slot) as Box<dyn Slot>);
    let opened = Checkpoint::with_slots(String::new(), boxed(), None);
    let Ok((checkpoint, _)) = opened else { unreachable!("memory fails: {opened:?}") };
    live(&checkpoint);
    let (_, last) = open(&slots);
    assert_eq!(last, checkpoint.inner.lock().state, "what was written is read");
}

fn open(slots: &[Memory; 2]) -> (Log, State) {
    let opened = Log::open(slots.clone().map(|slot| Box::new(slot) as Box<dyn Slot>));
    opened.unwrap_or_else(|error| unreachable!("memory fails: {error}"))
}

/// A bit of everything that happens to a checkpoint.
fn live(checkpoint: &Checkpoint) {
    let mut written = Vec::new();
    if checkpoint.inner.lock().state.producer.is_none() {
        written.push(checkpoint.set_producer(Producer { id: 7, epoch: 0, boot_id: "boot".to_owned() }));
    }
    let file = sample_file();
    written.push(checkpoint.track(&file, &sample_place(), Head { len: 3, hash: 9 }));
    for number in 0..3 {
        let intent = sample_intent(&file, number);
        written.push(checkpoint.intend(&intent));
        match number {
            0 => checkpoint.acknowledge(&intent.lane, intent.base_sequence),
            1 => written.push(checkpoint.withdraw(&intent.lane, intent.base_sequence)),
            _ => {}
        }
    }
    written.push(checkpoint.abandon(&file, 900, 1000));
    written.push(checkpoint.count_truncation(&sample_place()));
    written.push(checkpoint.sync());
    assert!(written.iter().all(Result::is_ok), "memory fails: {written:?}");
    assert!(checkpoint.done_bytes(&file.key()) >= 200, "what is done counts");
}

/// Entries have one form.
fn rewrite(slot: &[u8]) {
    let Some(header) = Header::decode(slot) else { return };
    let mut at = HEADER;
    while let Some(rest) = slot.get(at..) {
        let Decoded::Entry(entry, size) = entry::decode(rest, header.epoch) else { return };
        let mut written = Vec::new();
        entry::encode(&entry, header.epoch, &mut written);
        assert_eq!(Some(written.as_slice()), rest.get(..size), "{entry:?} is written as it was read");
        at += size;
    }
}

/// Makes the checksums right, as far as lengths lead. The snapshot is all there is.
fn mend(slot: &mut [u8]) {
    let Some((header, entries)) = slot.split_at_mut_checked(HEADER) else { return };
    let epoch = header.get(8..16).and_then(|epoch| epoch.try_into().ok()).map_or(0, u64::from_le_bytes);
    let mut rest = &mut *entries;
    while let Some((length, _)) = rest.split_first_chunk() {
        let end = (u32::from_le_bytes(*length) as usize).saturating_add(8);
        let Some((entry, behind)) = rest.split_at_mut_checked(end) else { break };
        let body = entry.get(8..).unwrap_or_default();
        let crc = wire::crc32c_append(wire::crc32c(&epoch.to_le_bytes()), body);
        if let Some(place) = entry.get_mut(4..8) {
            place.copy_from_slice(&crc.to_le_bytes());
        }
        rest = behind;
    }
    header.copy_from_slice(&Header::encode(epoch, entries));
}

fn sample_file() -> Arc<FileRef> {
    Arc::new(FileRef {
        host: "web-1".into(),
        path: "/var/log/nginx/access.log".into(),
        topic: "nginx_log".into(),
        generation: GenerationId(0x0123_4567_89ab_cdef),
    })
}

fn sample_place() -> Place {
    Place { location: "/var/log/nginx/access.log.1".into(), device: 8, inode: 42, birth_ns: 7 }
}

fn sample_intent(file: &Arc<FileRef>, number: i32) -> Intent {
    let start = u64::from(number.unsigned_abs()) * 100;
    Intent {
        lane: LaneId { topic: file.topic.clone(), partition: 3 },
        base_sequence: number * 10,
        count: 10,
        file: file.clone(),
        start,
        end: start + 100,
        shape: Shape::Lines,
        timestamp_ms: 1_790_000_000_000,
        proof: Proof::of(start, &[b'x'; 100]),
    }
}

/// Checkpoints as they are written: new ones and old ones, one slot or both, an entry of each kind.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let slots = [Memory::default(), Memory::default()];
    let mut seeds = vec![packed(&slots)];
    let opened = Checkpoint::with_slots(
        String::new(),
        slots.clone().map(|slot| Box::new(slot) as Box<dyn Slot>),
        None,
    );
    let Ok((checkpoint, _)) = opened else { return seeds };
    seeds.push(packed(&slots));
    live(&checkpoint);
    seeds.push(packed(&slots));
    let (mut log, state) = open(&slots);
    let lane = sample_intent(&sample_file(), 0).lane;
    let rare = [
        Entry::Lane { lane, next_sequence: 50 },
        Entry::Proof { key: sample_file().key(), proof: Proof::of(0, b"first") },
        Entry::Forgotten { key: sample_file().key() },
    ];
    rare.iter().for_each(|entry| log.defer(entry));
    if log.flush().and_then(|()| log.compact(&state)).is_ok() {
        seeds.push(packed(&slots));
    }
    seeds
}

fn packed(slots: &[Memory; 2]) -> Vec<u8> {
    let [first, second] = slots.each_ref().map(|slot| slot.0.lock().clone());
    let len = u16::try_from(first.len()).unwrap_or(u16::MAX).to_le_bytes();
    [&[MEND], &len[..], &first, &second].concat()
}
