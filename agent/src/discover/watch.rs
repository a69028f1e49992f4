//! Folders under watch: a write wakes the file's tails at once, everything else is noted for the supervisor.
//!
//! A folder is watched under its real path; the paths it was found under are kept, for patterns know only those. The system
//! may drop reports or refuse watches: the rescan finds what was missed.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use notify::event::{EventKind, ModifyKind};
use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher as _};
use parking_lot::Mutex;
use tokio::sync::Notify;
use tracing::{debug, warn};

use crate::identity::{FileId, Stat};
use crate::tail::Tail;

/// More paths than this at once are looked at by a rescan.
const MAX_PATHS: usize = 4096;

/// What happened since it was asked last.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    /// Real paths where something appeared, went or was renamed.
    pub(crate) paths: HashSet<PathBuf>,
    /// Look at everything: reports were lost, or are too many.
    pub(crate) all: bool,
}

#[derive(Debug, Default)]
struct Reports {
    tails: Mutex<HashMap<PathBuf, Vec<Arc<Tail>>>>,
    changes: Mutex<Changes>,
    changed: Notify,
}

/// A folder as it was found.
#[derive(Debug)]
struct Folder {
    id: FileId,
    real: PathBuf,
    round: u64,
}

pub(crate) struct Watcher {
    notify: Option<RecommendedWatcher>,
    reports: Arc<Reports>,
    /// By the path it was found under.
    folders: HashMap<PathBuf, Folder>,
    /// Real paths under watch, with the paths they were found under.
    watched: HashMap<PathBuf, BTreeSet<PathBuf>>,
    round: u64,
    complained: bool,
}

impl Watcher {
    /// Without the system's help when it refuses: then the rescan finds everything, later.
    pub(crate) fn new() -> Self {
        let reports = Arc::new(Reports::default());
        let taker = reports.clone();
        let notify = notify::recommended_watcher(move |event| taker.take(event));
        let notify =
            notify.inspect_err(|error| warn!(%error, "cannot watch folders, looking regularly instead"));
        Self {
            notify: notify.ok(),
            reports,
            folders: HashMap::new(),
            watched: HashMap::new(),
            round: 0,
            complained: false,
        }
    }

    /// A write to the file at `location` wakes `tail` from now on.
    pub(crate) fn register(&mut self, location: &Path, tail: &Arc<Tail>) {
        self.reports.tails.lock().entry(location.to_owned()).or_default().push(tail.clone());
        if let Some(parent) = location.parent() {
            self.watch(parent);
        }
    }

    /// Ends [`Watcher::register`].
    pub(crate) fn unregister(&self, location: &Path, tail: &Tail) {
        let mut tails = self.reports.tails.lock();
        if let Some(there) = tails.get_mut(location) {
            there.retain(|other| other.id != tail.id);
            if there.is_empty() {
                tails.remove(location);
            }
        }
    }

    /// The tails whose file lies at `location`.
    pub(crate) fn tails_at(&self, location: &Path) -> Vec<Arc<Tail>> {
        self.reports.tails.lock().get(location).cloned().unwrap_or_default()
    }

    /// Watches a folder.
    pub(crate) fn watch(&mut self, path: &Path) {
        let Some(id) = std::fs::metadata(path).ok().map(|metadata| Stat::from(&metadata).id) else {
            return;
        };
        if let Some(folder) = self.folders.get_mut(path)
            && folder.id == id
        {
            folder.round = self.round;
            return;
        }
        self.drop_folder(path);
        let Ok(real) = path.canonicalize() else {
            return;
        };
        let aliases = self.watched.entry(real.clone()).or_default();
        aliases.insert(path.to_owned());
        if aliases.len() == 1
            && let Some(notify) = &mut self.notify
            && let Err(error) = notify.watch(&real, RecursiveMode::NonRecursive)
        {
            self.watched.remove(&real);
            if !std::mem::replace(&mut self.complained, true) {
                warn!(path = %real.display(), %error, "cannot watch a folder, looking regularly instead");
            }
            return;
        }
        self.folders.insert(path.to_owned(), Folder { id, real, round: self.round });
    }

    /// From here on, folders that are not named again are of no interest.
    pub(crate) fn begin_round(&mut self) {
        self.round += 1;
    }

    /// Stops watching the folders that were not named since [`Watcher::begin_round`].
    pub(crate) fn end_round(&mut self) {
        let round = self.round;
        let old = self.folders.iter().filter(|(_, folder)| folder.round < round);
        for path in old.map(|(path, _)| path.clone()).collect::<Vec<_>>() {
            self.drop_folder(&path);
        }
    }

    fn drop_folder(&mut self, path: &Path) {
        let Some(folder) = self.folders.remove(path) else {
            return;
        };
        if let Some(aliases) = self.watched.get_mut(&folder.real) {
            aliases.remove(path);
            if aliases.is_empty() {
                self.watched.remove(&folder.real);
                if let Some(notify) = &mut self.notify {
                    // fails when the folder is gone, and the watch with it
                    let _ = notify.unwatch(&folder.real);
                }
            }
        }
    }

    /// The folder at the real path is not what it was.
    pub(crate) fn folder_changed(&mut self, real: &Path) {
        for path in self.watched.get(real).cloned().unwrap_or_default() {
            self.drop_folder(&path);
        }
    }

    /// The paths under which a pattern may know what lies at a real path.
    pub(crate) fn known_as(&self, real: &Path) -> Vec<PathBuf> {
        let (Some(parent), Some(name)) = (real.parent(), real.file_name()) else {
            return vec![real.to_owned()];
        };
        match self.watched.get(parent) {
            Some(aliases) => aliases.iter().map(|alias| alias.join(name)).collect(),
            None => vec![real.to_owned()],
        }
    }

    /// Waits for changes.
    pub(crate) fn changed(&self) -> impl Future<Output = ()> + use<> {
        let reports = self.reports.clone();
        async move { reports.changed.notified().await }
    }

    /// What happened since it was asked last.
    pub(crate) fn take_changes(&self) -> Changes {
        std::mem::take(&mut *self.reports.changes.lock())
    }
}

impl Reports {
    /// Runs in the watcher's thread, for every event.
    fn take(&self, event: notify::Result<Event>) {
        let event = match event {
            Ok(event) => event,
            Err(error) => {
                debug!(%error, "the watch of folders failed, looking at everything");
                return self.note_all();
            }
        };
        if event.need_rescan() {
            self.wake_all();
            return self.note_all();
        }
        match event.kind {
            EventKind::Access(_) | EventKind::Modify(ModifyKind::Metadata(_)) => {}
            EventKind::Modify(ModifyKind::Data(_) | ModifyKind::Any) => {
                let tails = self.tails.lock();
                for tail in event.paths.iter().filter_map(|path| tails.get(path)).flatten() {
                    tail.wake();
                }
            }
            _ => self.note(event.paths),
        }
    }

    fn note(&self, paths: Vec<PathBuf>) {
        let mut changes = self.changes.lock();
        changes.paths.extend(paths);
        if changes.paths.len() > MAX_PATHS {
            changes.paths.clear();
            changes.all = true;
        }
        self.changed.notify_one();
    }

    fn note_all(&self) {
        self.changes.lock().all = true;
        self.changed.notify_one();
    }

    fn wake_all(&self) {
        self.tails.lock().values().flatten().for_each(|tail| tail.wake());
    }
}
