//! What the last run left.
//!
//! Each generation that has a position is looked for: under its path, under another name in the same folder, in its copy,
//! in a compressed file.
//! The ranges of batches whose fate is open are read again, so that the very same batches can be sent again before
//! anything new is read.

use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::join_all;
use tracing::{info, warn};

use super::{Ending, Supervisor};
use crate::Ship;
use crate::checkpoint::{FileState, State};
use crate::identity::{self, FileId};
use crate::locate::{self, Found, Known};
use crate::model::{FileKey, Intent, LaneId, Proof};
use crate::tail::{Cursor, Start};

impl<S: Ship> Supervisor<S> {
    /// Takes the positions over. The future sends the open batches again, in order for each lane.
    pub(super) fn restore(&mut self, state: State) -> impl Future<Output = ()> + Send + use<S> {
        let mut ranges: BTreeMap<FileKey, VecDeque<Option<Bytes>>> = BTreeMap::new();
        for (key, known) in &state.files {
            let open: Vec<&Intent> =
                state.intents.iter().filter(|intent| intent.file.key() == *key).collect();
            if let Some((found, data)) = self.find_with_ranges(&state, known, &open) {
                self.take_over(&state, known, found);
                ranges.insert(key.clone(), data.into());
            } else {
                self.give_up(&state, key, known);
            }
        }
        let mut lanes: BTreeMap<LaneId, Vec<(Intent, Option<Bytes>)>> = BTreeMap::new();
        for intent in state.intents {
            let data = ranges.get_mut(&intent.file.key()).and_then(VecDeque::pop_front).flatten();
            if data.is_none() {
                let path = &intent.file.path;
                warn!(%path, start = intent.start, end = intent.end, "cannot read a range again that may not have arrived");
            }
            lanes.entry(intent.lane.clone()).or_default().push((intent, data));
        }
        let shared = self.shared.clone();
        async move {
            join_all(lanes.into_values().map(|batches| async {
                for (intent, data) in batches {
                    shared.ship.resend(intent, data).await;
                }
            }))
            .await;
        }
    }

    /// The file and the ranges of its open batches. A file that is truncated after it was found, and before it was read, is
    /// looked for once more: its copy has the ranges.
    fn find_with_ranges(
        &self,
        state: &State,
        file: &FileState,
        open: &[&Intent],
    ) -> Option<(Found, Vec<Option<Bytes>>)> {
        let look = || {
            let found = self.find_again(state, file)?;
            let data: Vec<_> = open.iter().map(|intent| range(&found.file, intent)).collect();
            Some((found, data))
        };
        look().filter(|(_, data)| data.iter().all(Option::is_some)).or_else(look)
    }

    fn find_again(&self, state: &State, file: &FileState) -> Option<Found> {
        let unsent = state.unsent(&file.file.key());
        let proof = file.proof.filter(|proof| proof.at <= unsent.from).unwrap_or(Proof::of(0, b""));
        let known = Known { place: file.place.clone(), head: file.head, proof };
        if let Some(found) = locate::same(&known) {
            return Some(found);
        }
        let there = locate::open(Path::new(&*file.place.location)).ok();
        if there.is_some_and(|found| found.place.inode == file.place.inode)
            && let Err(error) = self.shared.checkpoint.count_truncation(&file.place)
        {
            warn!(path = %file.file.path, %error, "cannot note a truncation");
        }
        // a file that another generation is known to be in, and that begins the same, is not a copy but alike
        let taken = |id: FileId| {
            let mut others = state.files.values().filter(|other| other.file.topic == file.file.topic);
            others.any(|other| other.place.id() == id && other.head == file.head)
        };
        let copy = locate::copy(&known, taken)
            .or_else(|| locate::compressed(&known, file.done.prefix(), &self.data_dir))?;
        info!(path = %file.file.path, copy = %copy.place.location, "a file changed while the agent was down, its copy goes on");
        Some(copy)
    }

    fn take_over(&mut self, state: &State, known: &FileState, found: Found) {
        let file_ref = known.file.clone();
        if found.place != known.place
            && let Err(error) = self.shared.checkpoint.track(&file_ref, &found.place, known.head)
        {
            warn!(path = %file_ref.path, %error, "cannot note where a file is");
        }
        let cursor = Cursor::new(state.unsent(&file_ref.key()), known.proof);
        let start = Start {
            topic: file_ref.topic.clone(),
            path: file_ref.path.clone(),
            truncations: 0,
            // unpacked files have no name to be opened by
            file: (!found.stat.linked).then(|| Arc::new(found.file)),
            place: found.place,
            head: known.head,
            file_ref: Some(file_ref),
        };
        let id = self.add(start, cursor);
        if let Some(entry) = self.entries.get(&id) {
            entry.tail.saw(found.stat.size);
            if !found.stat.linked {
                entry.tail.set_gone();
            }
        }
    }

    /// A generation whose bytes are nowhere: what it had not sent is lost.
    fn give_up(&mut self, state: &State, key: &FileKey, known: &FileState) {
        let unsent = state.unsent(key);
        let lost: u64 = unsent.gaps.iter().map(|(start, end)| end - start).sum();
        self.shared.metrics.abandoned_bytes.inc_by(lost);
        for &(start, end) in &unsent.gaps {
            if let Err(error) = self.shared.checkpoint.abandon(&known.file, start, end) {
                warn!(path = %known.file.path, %error, "cannot note what is lost");
            }
        }
        info!(path = %known.file.path, position = unsent.from, lost, "a file is gone since the last run");
        self.endings.push(Ending { key: key.clone(), end: unsent.from });
    }
}

/// The bytes of a batch's range, if they are still the same.
fn range(file: &File, intent: &Intent) -> Option<Bytes> {
    let len = usize::try_from(intent.data_len()).ok()?;
    let data = identity::read_at(file, intent.start, len).ok()?;
    (data.len() == len && Proof::of(intent.start, &data) == intent.proof).then(|| Bytes::from(data))
}
