//! Follows the collect list: one tail for each file and topic, from its first sight to its end.
//!
//! | file | what it does |
//! |---|---|
//! | `find` | files that appear, are renamed or go: scans and reports of folders |
//! | `lost` | files that do not hold what was read from them: truncated, copied, replaced |
//! | `restore` | what the last run left: positions, and batches whose fate is open |
//! | `tick` | now and then: sizes, lag, expiry, files of which everything is acknowledged |
//!
//! The supervisor does its file operations where it stands, so it runs in a thread of its own (see `run`).

mod find;
mod lost;
mod restore;
#[cfg(test)]
mod tests;
mod tick;

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use daemon::health::Component;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::Ship;
use crate::checkpoint::{Checkpoint, State};
use crate::collect::CollectItem;
use crate::config::TailConfig;
use crate::discover::{Excludes, Pattern, Watcher};
use crate::identity::FileId;
use crate::metrics::AgentMetrics;
use crate::model::FileKey;
use crate::tail::{Cursor, End, Reader, Report, Shared, Start, Tail, TailId};

/// Reports that may wait.
const REPORTS: usize = 256;

/// What the supervisor works with.
pub(crate) struct Parts<S> {
    pub(crate) config: TailConfig,
    pub(crate) data_dir: PathBuf,
    pub(crate) host: Arc<str>,
    pub(crate) ship: S,
    pub(crate) checkpoint: Arc<Checkpoint>,
    pub(crate) metrics: AgentMetrics,
    pub(crate) items: watch::Receiver<Arc<Vec<CollectItem>>>,
    /// How often sizes are compared and acknowledgements written down.
    pub(crate) tick: Duration,
    pub(crate) health: Component,
    pub(crate) shutdown: CancellationToken,
}

/// A tail and its reader.
struct Entry {
    tail: Arc<Tail>,
    /// Stops the reader; `None` when none runs.
    running: Option<CancellationToken>,
    /// Where the next reader begins; `None` while one runs.
    cursor: Option<Cursor>,
    /// An item of the list asks for it.
    wanted: bool,
    /// The round of the last scan that found the file under a collected name.
    round: u64,
    /// When something last happened to it.
    active: Instant,
    /// The size it had then, in bytes.
    size: u64,
    /// Size up to which all was found acknowledged, in bytes.
    settled: u64,
}

/// A generation that will not be read any further.
struct Ending {
    key: FileKey,
    /// When this much is done, it is forgotten.
    end: u64,
}

pub(crate) struct Supervisor<S> {
    shared: Arc<Shared<S>>,
    items: watch::Receiver<Arc<Vec<CollectItem>>>,
    data_dir: PathBuf,
    tick: Duration,
    health: Component,
    shutdown: CancellationToken,
    excludes: Excludes,
    patterns: Vec<Pattern>,
    watcher: Watcher,
    entries: HashMap<TailId, Entry>,
    by_file: HashMap<(FileId, Arc<str>), TailId>,
    endings: Vec<Ending>,
    readers: JoinSet<()>,
    reports: mpsc::Receiver<Report>,
    next_id: TailId,
    round: u64,
    too_many: bool,
}

impl<S: Ship> Supervisor<S> {
    pub(crate) fn new(parts: Parts<S>) -> Result<Self, globset::Error> {
        let Parts { config, data_dir, host, ship, checkpoint, metrics, items, tick, health, shutdown } =
            parts;
        let (sender, reports) = mpsc::channel(REPORTS);
        let excludes = Excludes::new(&config.exclude)?;
        // nothing may be read before the batches of the last run are sent again
        let credit = Arc::new(Semaphore::new(0));
        let shared = Shared { config, host, ship, checkpoint, metrics, credit, reports: sender };
        Ok(Self {
            shared: Arc::new(shared),
            items,
            data_dir,
            tick,
            health,
            shutdown,
            excludes,
            patterns: Vec::new(),
            watcher: Watcher::new(),
            entries: HashMap::new(),
            by_file: HashMap::new(),
            endings: Vec::new(),
            readers: JoinSet::new(),
            reports,
            next_id: 0,
            round: 0,
            too_many: false,
        })
    }

    /// Follows the list until shutdown; then readers are stopped and what they handed over is shipped for at most `drain`.
    pub(crate) async fn run(mut self, state: State, drain: Duration) {
        let resending = self.restore(state);
        self.apply_list();
        let mut tick = interval(self.tick);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let rescan = Duration::from_millis(self.shared.config.rescan_interval_ms);
        let mut next_scan = Instant::now() + rescan;
        let shutdown = self.shutdown.clone();
        let mut resending = std::pin::pin!(resending);
        let (mut resent, mut list_follows) = (false, true);
        self.health.ready();
        loop {
            let changed = self.watcher.changed();
            tokio::select! {
                () = shutdown.cancelled() => break,
                () = &mut resending, if !resent => {
                    resent = true;
                    self.shared.credit.add_permits(self.shared.config.max_in_flight_bytes);
                }
                Some(report) = self.reports.recv() => self.report(report),
                changed = self.items.changed(), if list_follows => match changed {
                    Ok(()) => self.apply_list(),
                    // no more lists will come: the last one stays
                    Err(_) => list_follows = false,
                },
                () = changed => {
                    let changes = self.watcher.take_changes();
                    if self.look_at(changes) {
                        self.scan();
                    }
                }
                () = sleep_until(next_scan) => {
                    self.scan();
                    next_scan = Instant::now() + rescan;
                }
                _ = tick.tick() => {
                    self.health.beat();
                    self.tick();
                }
                Some(ended) = self.readers.join_next() => {
                    if let Err(error) = ended {
                        error!(%error, "a reader failed, its file is read on at the next start");
                    }
                }
            }
        }
        self.stop(drain).await;
    }

    async fn stop(mut self, drain: Duration) {
        // a reader that waits for its lane is dropped: its chunk was not begun and is read again at the next start
        self.readers.shutdown().await;
        self.shared.ship.drain(drain).await;
        if let Err(error) = self.shared.checkpoint.sync() {
            warn!(%error, "cannot bring the checkpoint to the disk");
        }
    }

    /// Takes the list in force: what it no longer asks for is stopped, what it asks for newly is started, the rest is not
    /// touched.
    fn apply_list(&mut self) {
        let items = self.items.borrow_and_update().clone();
        let compile = |item: &CollectItem| {
            let pattern = Pattern::new(item, &self.excludes);
            pattern.inspect_err(|error| warn!(path = item.path, %error, "not a usable glob, left out")).ok()
        };
        self.patterns = items.iter().filter_map(compile).collect();
        self.scan();
    }

    fn report(&mut self, report: Report) {
        match report {
            Report::Changed(id) => self.settle_changed(id),
            Report::Ended(id, cursor, End::Stopped) => {
                if let Some(entry) = self.entries.get_mut(&id) {
                    entry.cursor = Some(cursor);
                    entry.running = None;
                    let tail = entry.tail.clone();
                    if entry.wanted {
                        self.start_reader(id);
                    } else if tail.is_gone() {
                        self.end(&tail);
                    } else {
                        tail.close();
                    }
                }
            }
            Report::Ended(id, _, End::Finished) => {
                if let Some(entry) = self.entries.get(&id) {
                    let tail = entry.tail.clone();
                    self.end(&tail);
                }
            }
        }
    }

    /// A new tail, without a reader yet.
    fn add(&mut self, start: Start, cursor: Cursor) -> TailId {
        let id = self.next_id;
        self.next_id += 1;
        let tail = Arc::new(Tail::new(id, start));
        tail.set_position(cursor.position());
        let place = tail.place();
        self.watcher.register(Path::new(&*place.location), &tail);
        self.by_file.insert((place.id(), tail.topic.clone()), id);
        let entry = Entry {
            tail,
            running: None,
            cursor: Some(cursor),
            wanted: false,
            round: 0,
            active: Instant::now(),
            size: 0,
            settled: 0,
        };
        self.entries.insert(id, entry);
        id
    }

    /// Starts the reader of a tail that is wanted again, unless it runs.
    fn start_reader(&mut self, id: TailId) {
        let Some(entry) = self.entries.get_mut(&id) else {
            return;
        };
        entry.wanted = true;
        let Some(cursor) = entry.cursor.take() else {
            return;
        };
        let stop = self.shutdown.child_token();
        entry.running = Some(stop.clone());
        let reader = Reader::new(entry.tail.clone(), self.shared.clone(), cursor, stop);
        self.readers.spawn(reader.run());
    }

    /// Stops the reader of a tail that no item asks for any more; its position is kept.
    fn park(&mut self, id: TailId) {
        if let Some(entry) = self.entries.get_mut(&id)
            && std::mem::replace(&mut entry.wanted, false)
        {
            info!(path = %entry.tail.path, topic = %entry.tail.topic, "no longer collecting a file");
            match &entry.running {
                Some(stop) => stop.cancel(),
                None => entry.tail.close(),
            }
        }
    }

    /// Takes a tail out. Its position is forgotten once everything that was read is done.
    fn end(&mut self, tail: &Arc<Tail>) {
        if let Some(stop) = self.entries.remove(&tail.id).and_then(|entry| entry.running) {
            stop.cancel();
        }
        let place = tail.place();
        self.watcher.unregister(Path::new(&*place.location), tail);
        let key = (place.id(), tail.topic.clone());
        if self.by_file.get(&key) == Some(&tail.id) {
            self.by_file.remove(&key);
        }
        if let Some(file_ref) = tail.file_ref() {
            self.endings.push(Ending { key: file_ref.key(), end: tail.position().at });
        }
        if tail.is_gone()
            && let Err(error) = self.shared.checkpoint.forget_truncations(&place)
        {
            warn!(%error, "cannot note that a file is gone");
        }
        tail.close();
        if !self.entries.values().any(|entry| entry.tail.path == tail.path) {
            self.shared.metrics.forget(&tail.path);
        }
    }

    /// Notes an open and hands the file out for sharing.
    fn opened(&self, path: &str, file: File) -> Arc<File> {
        self.shared.metrics.opened(path);
        Arc::new(file)
    }
}
