//! Files that do not hold what was read from them.
//!
//! copytruncate first copies the file and then empties it. When a file is found shorter than it was, or with other bytes, the
//! generation that was read goes on in its copy, if there is one, at the same position; the file itself begins a new
//! generation at 0. Without a copy, what had not been read is lost, and counted.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tracing::{info, warn};

use super::Supervisor;
use crate::Ship;
use crate::identity::{FileId, Stat};
use crate::locate::{self, Known};
use crate::tail::{Tail, TailId};

/// What is known of a tail's file.
pub(super) fn known(tail: &Tail) -> Known {
    Known { place: tail.place(), head: tail.head(), proof: tail.position() }
}

impl<S: Ship> Supervisor<S> {
    /// Finds out where the bytes of a tail are. Readers ask for it, and it is asked before a file is taken for new.
    pub(super) fn settle_changed(&mut self, id: TailId) {
        let Some(tail) = self.entries.get(&id).map(|entry| entry.tail.clone()) else {
            return;
        };
        if tail.is_retired() {
            return;
        }
        if self.is_unchanged(&tail) {
            return tail.confirm();
        }
        let place = tail.place();
        let exists = tail.file().is_some_and(|file| Stat::of(&file).is_ok_and(|stat| stat.linked));
        if exists && let Err(error) = self.shared.checkpoint.count_truncation(&place) {
            // the next generation's id would not be sure to be new: the reader asks again
            warn!(path = %tail.path, %error, "cannot note a truncation, trying again");
            return tail.confirm();
        }
        for tail in self.tails_of(place.id()) {
            if !tail.is_retired() && !self.is_unchanged(&tail) {
                self.move_to_copy(&tail);
                // the file itself goes on as a new one
                self.consider(Path::new(&*tail.path), &tail.topic);
            }
        }
        self.consider_as_known(Path::new(&*place.location));
    }

    fn tails_of(&self, id: FileId) -> Vec<Arc<Tail>> {
        let here = self.entries.values().filter(|entry| entry.tail.place().id() == id);
        here.map(|entry| entry.tail.clone()).collect()
    }

    /// Whether the file holds all that was read of it. A file that was closed is opened for it.
    pub(super) fn is_unchanged(&self, tail: &Arc<Tail>) -> bool {
        let known = known(tail);
        let file = match tail.file() {
            Some(file) => file,
            None => match locate::same(&known) {
                Some(found) => {
                    let file = self.opened(&tail.path, found.file);
                    tail.reopened(file.clone());
                    file
                }
                None => return false,
            },
        };
        let holds = Stat::of(&file).and_then(|stat| locate::holds(&file, &stat, &known));
        // what cannot be read now may be readable later: only other bytes are a change
        holds.unwrap_or(true)
    }

    fn move_to_copy(&mut self, tail: &Arc<Tail>) {
        let known = known(tail);
        // a file that another tail reads and that begins the same is not a copy but alike
        let taken = |id: FileId| {
            let other = self.by_file.get(&(id, tail.topic.clone())).and_then(|id| self.entries.get(id));
            other.is_some_and(|other| other.tail.head() == known.head)
        };
        let needed = tail.file_ref().map_or(0, |file_ref| self.shared.checkpoint.position(&file_ref.key()));
        let copy = locate::copy(&known, taken).or_else(|| locate::compressed(&known, needed, &self.data_dir));
        let key = (known.place.id(), tail.topic.clone());
        if self.by_file.get(&key) == Some(&tail.id) {
            self.by_file.remove(&key);
        }
        self.watcher.unregister(&tail.location(), tail);
        let Some(copy) = copy else {
            let unread = tail.size().saturating_sub(known.proof.at);
            info!(path = %tail.location().display(), unread, "a file was truncated or replaced");
            return self.retire(tail);
        };
        let path = PathBuf::from(&*copy.place.location);
        let unread = copy.stat.size.saturating_sub(known.proof.at);
        info!(path = %tail.location().display(), copy = %path.display(), unread, "a file was truncated, its copy goes on");
        let key = (copy.stat.id, tail.topic.clone());
        let other = self.by_file.insert(key, tail.id).and_then(|id| self.entries.get(&id));
        if let Some(other) = other.map(|entry| entry.tail.clone()) {
            // an older copy, overwritten by this one
            self.watcher.unregister(&path, &other);
            self.retire(&other);
        }
        tail.saw(copy.stat.size);
        tail.relocate(self.opened(&tail.path, copy.file), copy.place);
        if !copy.stat.linked {
            tail.set_gone();
        }
        self.watcher.register(&path, tail);
        self.note_place(tail);
    }

    /// Nothing more can be read of a generation. Its reader counts what is lost; without one it is counted here.
    fn retire(&mut self, tail: &Arc<Tail>) {
        tail.retire();
        if self.entries.get(&tail.id).is_some_and(|entry| entry.running.is_none()) {
            let lost = tail.size().saturating_sub(tail.position().at);
            self.shared.metrics.abandoned_bytes.inc_by(lost);
            self.end(tail);
        }
    }
}
