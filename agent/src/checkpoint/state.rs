//! What the checkpoint knows, and how each entry changes it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::entry::Entry;
use super::ranges::Ranges;
use crate::model::{FileKey, FileRef, Intent, LaneId, Producer, Proof};

/// Where the bytes of a generation lie now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The path under which the file was last seen.
    pub location: Arc<str>,
    /// Device number.
    pub device: u64,
    /// Inode number.
    pub inode: u64,
    /// Birth time, nanoseconds since the epoch; 0 where the file system has none.
    pub birth_ns: i64,
}

/// Fingerprint of a file's first bytes; it grows with the file until [`Head::BYTES`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// How many bytes are hashed.
    pub len: u32,
    /// Their XXH3 hash.
    pub hash: u64,
}

impl Head {
    /// The most bytes that are hashed.
    pub const BYTES: usize = 1024;
}

/// A generation on its way to a topic.
#[derive(Clone, Debug, PartialEq)]
pub struct FileState {
    /// Which.
    pub file: Arc<FileRef>,
    /// Where its bytes lie.
    pub place: Place,
    /// Its first bytes.
    pub head: Head,
    /// What is acknowledged or abandoned.
    pub done: Ranges,
    /// At the highest end of any intent.
    pub proof: Option<Proof>,
}

/// What is still to be read of a generation: ranges that lost their intents, then everything from `from`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unsent {
    /// Below `from`, in ascending order.
    pub gaps: Vec<(u64, u64)>,
    /// The end of the last range that is done or intended.
    pub from: u64,
}

/// What the checkpoint knows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    /// The producer; `None` when there is none yet, or when damage may have lost sequences: take a new one.
    pub producer: Option<Producer>,
    /// The next sequence of each lane of that producer.
    pub lanes: HashMap<LaneId, i32>,
    /// Batches that may have been sent but are not acknowledged, in order for each lane.
    pub intents: Vec<Intent>,
    /// The generations that have a position.
    pub files: BTreeMap<FileKey, FileState>,
    /// How often each file that was truncated was, by device and inode; with its birth time in nanoseconds.
    pub truncations: BTreeMap<(u64, u64), (i64, u32)>,
}

impl State {
    /// What is neither done nor in an open intent.
    pub fn unsent(&self, key: &FileKey) -> Unsent {
        let mut sent = self.files.get(key).map(|file| file.done.clone()).unwrap_or_default();
        for intent in self.intents.iter().filter(|intent| intent.file.key() == *key) {
            sent.insert(intent.start, intent.end);
        }
        Unsent { gaps: sent.gaps(), from: sent.end() }
    }

    pub(super) fn apply(&mut self, entry: Entry) {
        match entry {
            Entry::Producer(producer) => {
                self.producer = Some(producer);
                self.lanes.clear();
                self.intents.clear();
            }
            Entry::Lane { lane, next_sequence } => {
                self.lanes.insert(lane, next_sequence);
            }
            Entry::File { file, place, head } => self.apply_file(file, place, head),
            Entry::Done { key, start, end } => {
                if let Some(file) = self.files.get_mut(&key) {
                    file.done.insert(start, end);
                }
            }
            Entry::Proof { key, proof } => {
                if let Some(file) = self.files.get_mut(&key) {
                    file.proof = Some(proof);
                }
            }
            Entry::Intent(intent) => self.apply_intent(intent),
            Entry::Acknowledged { lane, base_sequence } => {
                if let Some(intent) = self.take(&lane, base_sequence)
                    && let Some(file) = self.files.get_mut(&intent.file.key())
                {
                    file.done.insert(intent.start, intent.end);
                }
            }
            Entry::Withdrawn { lane, base_sequence } => {
                if self.take(&lane, base_sequence).is_some() {
                    self.lanes.insert(lane, base_sequence);
                }
            }
            Entry::Forgotten { key } => {
                self.files.remove(&key);
            }
            Entry::Truncations { device, inode, birth_ns, count } => {
                if count == 0 {
                    self.truncations.remove(&(device, inode));
                } else {
                    self.truncations.insert((device, inode), (birth_ns, count));
                }
            }
            Entry::Moved { .. } => {}
        }
    }

    /// How often the file at `place` was truncated.
    pub fn truncations(&self, place: &Place) -> u32 {
        let known = self.truncations.get(&(place.device, place.inode));
        known.filter(|(birth_ns, _)| *birth_ns == place.birth_ns).map_or(0, |&(_, count)| count)
    }

    fn apply_file(&mut self, file: Arc<FileRef>, place: Place, head: Head) {
        let key = file.key();
        match self.files.get_mut(&key) {
            Some(known) => {
                known.place = place;
                known.head = head;
            }
            None => {
                let of_file = self.intents.iter().filter(|intent| intent.file.key() == key);
                let proof = of_file.map(|intent| intent.proof).max_by_key(|proof| proof.at);
                let state = FileState { file, place, head, done: Ranges::default(), proof };
                self.files.insert(key, state);
            }
        }
    }

    fn apply_intent(&mut self, mut intent: Intent) {
        if let Some(file) = self.files.get_mut(&intent.file.key()) {
            // one path and host in memory, however many intents are read back
            intent.file = file.file.clone();
            if file.proof.is_none_or(|proof| proof.at < intent.proof.at) {
                file.proof = Some(intent.proof);
            }
        }
        self.lanes.insert(intent.lane.clone(), next_sequence(intent.base_sequence, intent.count));
        let same = |open: &Intent| open.lane == intent.lane && open.base_sequence == intent.base_sequence;
        match self.intents.iter().position(same) {
            Some(at) => self.intents[at] = intent,
            None => self.intents.push(intent),
        }
    }

    /// Whether a batch is open.
    pub(super) fn is_open(&self, lane: &LaneId, base_sequence: i32) -> bool {
        self.intents.iter().any(|open| open.base_sequence == base_sequence && open.lane == *lane)
    }

    fn take(&mut self, lane: &LaneId, base_sequence: i32) -> Option<Intent> {
        let same = |open: &Intent| open.base_sequence == base_sequence && open.lane == *lane;
        let at = self.intents.iter().position(same)?;
        Some(self.intents.remove(at))
    }

    /// The entries from which an equal state is built.
    pub(super) fn entries(&self) -> Vec<Entry> {
        let mut entries = Vec::new();
        entries.extend(self.producer.clone().map(Entry::Producer));
        for (key, state) in &self.files {
            let (file, place, head) = (state.file.clone(), state.place.clone(), state.head);
            entries.push(Entry::File { file, place, head });
            for (start, end) in state.done.iter() {
                entries.push(Entry::Done { key: key.clone(), start, end });
            }
        }
        entries.extend(self.intents.iter().cloned().map(Entry::Intent));
        // behind the intents, which move proofs and sequences of their own
        for (key, state) in &self.files {
            entries.extend(state.proof.map(|proof| Entry::Proof { key: key.clone(), proof }));
        }
        for (lane, next_sequence) in &self.lanes {
            entries.push(Entry::Lane { lane: lane.clone(), next_sequence: *next_sequence });
        }
        for (&(device, inode), &(birth_ns, count)) in &self.truncations {
            entries.push(Entry::Truncations { device, inode, birth_ns, count });
        }
        entries
    }
}

/// The sequence behind a batch: after `i32::MAX` comes 0, as Kafka counts.
fn next_sequence(base: i32, count: u32) -> i32 {
    let next = (i64::from(base) + i64::from(count)) % (i64::from(i32::MAX) + 1);
    i32::try_from(next).unwrap_or(0)
}
