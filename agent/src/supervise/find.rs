//! Files that appear, are renamed or go.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tracing::{debug, info, warn};

use super::Supervisor;
use crate::Ship;
use crate::checkpoint::{Head, Unsent};
use crate::discover::Changes;
use crate::identity::{self, Stat};
use crate::locate::{self, Found};
use crate::tail::{Cursor, Start, Tail, TailId};

impl<S: Ship> Supervisor<S> {
    /// Looks at everything the list asks for.
    pub(super) fn scan(&mut self) {
        self.round += 1;
        self.watcher.begin_round();
        let patterns = std::mem::take(&mut self.patterns);
        // in the order of their names, whatever the folder's order is
        let mut files: BTreeSet<(PathBuf, Arc<str>)> = BTreeSet::new();
        for pattern in &patterns {
            let mut folder = |path: &Path| self.watcher.watch(path);
            pattern.walk(&mut folder, &mut |path| {
                files.insert((path.to_owned(), pattern.topic.clone()));
            });
        }
        self.patterns = patterns;
        for (path, topic) in files {
            self.consider(&path, &topic);
        }
        let missed = self.missed();
        self.follow_the_renamed(&missed);
        for id in missed {
            self.check_name(id);
        }
        let locations = self.entries.values().map(|entry| entry.tail.location());
        let folders: BTreeSet<PathBuf> =
            locations.filter_map(|path| path.parent().map(Path::to_owned)).collect();
        for folder in folders {
            self.watcher.watch(&folder);
        }
        self.watcher.end_round();
        self.shared.metrics.files_open.set(self.open_files());
    }

    /// Looks at what was reported. Returns whether a scan is needed.
    pub(super) fn look_at(&mut self, changes: Changes) -> bool {
        let mut paths: Vec<PathBuf> = changes.paths.into_iter().collect();
        paths.sort();
        let mut scan = changes.all;
        // names are put right before files are taken for new ones
        for real in &paths {
            for tail in self.watcher.tails_at(real) {
                self.check_name(tail.id);
            }
        }
        for real in paths {
            match std::fs::metadata(&real) {
                Ok(metadata) if metadata.is_file() => self.consider_as_known(&real),
                // a folder may hold files already, and may be where a pattern begins
                Ok(metadata) => scan |= metadata.is_dir(),
                Err(_) => self.watcher.folder_changed(&real),
            }
        }
        scan
    }

    /// A file that may be asked for, by its real path.
    pub(super) fn consider_as_known(&mut self, real: &Path) {
        for path in self.watcher.known_as(real) {
            let matching = self.patterns.iter().filter(|pattern| pattern.matches(&path));
            let topics: BTreeSet<_> = matching.map(|pattern| pattern.topic.clone()).collect();
            for topic in topics {
                self.consider(&path, &topic);
            }
        }
    }

    /// A file that the list asks for.
    pub(super) fn consider(&mut self, path: &Path, topic: &Arc<str>) {
        let stat = match Stat::at(path) {
            Ok(Some(stat)) => stat,
            Ok(None) => return,
            Err(error) => return debug!(path = %path.display(), %error, "cannot look at a file"),
        };
        if let Some(&id) = self.by_file.get(&(stat.id, topic.clone())) {
            let Some(entry) = self.entries.get_mut(&id) else {
                return;
            };
            entry.round = self.round;
            if stat.size != entry.tail.size() {
                entry.tail.wake();
            }
            if Path::new(&*entry.tail.place().location) != path {
                self.check_name(id);
            }
            return self.start_reader(id);
        }
        if self.entries.len() >= self.shared.config.max_files {
            if !std::mem::replace(&mut self.too_many, true) {
                warn!(
                    limit = self.entries.len(),
                    "more files than max_files, the others wait until some are gone"
                );
            }
            return;
        }
        match locate::open(path) {
            Ok(found) => self.begin(path, topic, found),
            Err(error) => {
                warn!(path = %path.display(), %error, "cannot open a file, trying again at the next scan")
            }
        }
    }

    /// A file that is seen for the first time.
    fn begin(&mut self, path: &Path, topic: &Arc<str>, found: Found) {
        if self.is_copy(topic, &found) || self.by_file.contains_key(&(found.stat.id, topic.clone())) {
            return;
        }
        let path: Arc<str> = path.to_string_lossy().into();
        info!(%path, %topic, bytes = found.stat.size, "collecting a file");
        let start = Start {
            topic: topic.clone(),
            truncations: self.shared.checkpoint.truncations(&found.place),
            file: Some(self.opened(&path, found.file)),
            path,
            place: found.place,
            head: Head::default(),
            file_ref: None,
        };
        let id = self.add(start, Cursor::new(Unsent::default(), None));
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.round = self.round;
            entry.tail.saw(found.stat.size);
        }
        self.start_reader(id);
    }

    /// Whether a file that appeared is a copy of one that is followed, made by copytruncate or about to be.
    ///
    /// A copy is never a new file. As long as it is equal to the beginning of a file after which it is named, it is left
    /// alone; when that file is truncated, the copy is where the rest of it is read from.
    fn is_copy(&mut self, topic: &Arc<str>, found: &Found) -> bool {
        let mut copied = false;
        for location in locate::originals(Path::new(&*found.place.location)) {
            for tail in self.watcher.tails_at(&location) {
                if tail.topic != *topic || tail.place().birth_ns > found.place.birth_ns {
                    continue;
                }
                // the truncation may not have been noticed yet
                self.settle_changed(tail.id);
                let original = tail.file();
                let beginning = |original| locate::is_beginning_of(found, original).unwrap_or(false);
                copied |= tail.location() == location && original.as_deref().is_some_and(beginning);
            }
        }
        copied
    }

    /// Whether the file of a tail still has the name it was seen under.
    fn check_name(&mut self, id: TailId) {
        let Some(tail) = self.entries.get(&id).map(|entry| entry.tail.clone()) else {
            return;
        };
        let place = tail.place();
        let location = tail.location();
        if tail.is_gone()
            || Stat::at(&location).is_ok_and(|stat| stat.is_some_and(|stat| stat.id == place.id()))
        {
            return;
        }
        let named = match tail.file() {
            Some(file) => identity::location(&file),
            None => self.found_again(&tail),
        };
        match named {
            Some(path) if path != location => {
                debug!(from = %location.display(), to = %path.display(), "a file was renamed");
                self.rename(&tail, &path);
            }
            Some(_) => {}
            None => {
                debug!(path = %location.display(), "a file was deleted");
                tail.set_gone();
                // no more writes are reported for it, and parked tails have no reader to notice
                if self.entries.get(&id).is_some_and(|entry| entry.running.is_none()) {
                    self.end(&tail);
                }
            }
        }
    }

    /// Looks in its folder for a file that is closed; holds it open again when it is there.
    fn found_again(&self, tail: &Arc<Tail>) -> Option<PathBuf> {
        let found = locate::same(&super::lost::known(tail))?;
        let path = PathBuf::from(&*found.place.location);
        tail.reopened(self.opened(&tail.path, found.file));
        Some(path)
    }

    fn rename(&mut self, tail: &Arc<Tail>, path: &Path) {
        self.watcher.unregister(&tail.location(), tail);
        tail.renamed(path);
        self.watcher.register(path, tail);
        self.note_place(tail);
        // what was written before the new name was under watch
        tail.wake();
    }

    /// Writes down where a generation is.
    pub(super) fn note_place(&self, tail: &Tail) {
        if let Some(file_ref) = tail.file_ref()
            && let Err(error) = self.shared.checkpoint.track(&file_ref, &tail.place(), tail.head())
        {
            warn!(path = %tail.path, %error, "cannot note where a file is");
        }
    }

    /// Tails whose file the last scan did not find.
    fn missed(&self) -> Vec<TailId> {
        let missed = self.entries.iter().filter(|(_, entry)| entry.round < self.round);
        missed.map(|(id, _)| *id).collect()
    }

    /// Files that no pattern finds under their present name: those that were collected under an earlier one are
    /// followed on, the others are no longer asked for.
    fn follow_the_renamed(&mut self, missed: &[TailId]) {
        for &id in missed {
            let Some(tail) = self.entries.get(&id).map(|entry| entry.tail.clone()) else {
                continue;
            };
            let path = Path::new(&*tail.path);
            if self.patterns.iter().any(|pattern| pattern.topic == tail.topic && pattern.matches(path)) {
                self.start_reader(id);
            } else {
                self.park(id);
            }
        }
    }

    pub(super) fn open_files(&self) -> i64 {
        self.entries.values().filter(|entry| entry.tail.file().is_some()).count() as i64
    }
}
