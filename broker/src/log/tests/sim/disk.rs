//! A disk that loses power, fills up, fails and delays, as a seed says.
//!
//! The files of a temporary directory are the page cache: every operation is done on them at once, so whoever reads
//! a file directly sees what a running system would see. Beside them stands what the disk has: a file's bytes since
//! its last fdatasync, a directory's entries since its last fsync. [`SimDisk::crash`] replaces the files by what a
//! loss of power would have left, see [`node`](super::node).
//!
//! The power fails at a chosen operation, which may be half done; from then on everything fails until the crash is
//! carried out. A sync that fails leaves its pages clean in the cache and missing on the disk, as Linux does.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::node::{Dir, Inode, Node, Relink};
use super::planted;
use crate::log::ManualClock;
use crate::log::disk::{Disk, RealDisk};

const EIO: i32 = 5;
const ENOSPC: i32 = 28;

/// What a disk says it has done and has not: the bugs that the simulation must find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lie {
    /// An fdatasync that does nothing.
    SyncFile,
    /// An fsync of a directory that does nothing.
    SyncDir,
    /// A truncation that does nothing.
    Truncate,
    /// A producer snapshot that was to be removed stays.
    RemoveSnapshot,
    /// An fdatasync of an index of aborted transactions that does nothing.
    SyncTxnIndex,
    /// A producer snapshot that names no open transactions.
    OpenTransactions,
}

/// How often what happens, as a probability of each operation.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Odds {
    /// EIO from a write, truncation, opening, rename, removal.
    pub(super) error: f64,
    /// ENOSPC from a write after some of its bytes, or from creating a file.
    pub(super) full: f64,
    /// EIO from a sync.
    pub(super) sync_error: f64,
    /// Seconds that a sync takes.
    pub(super) delay: f64,
}

/// What has happened, so that a test can tell that it has seen something.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counts {
    pub(super) crashes: u64,
    pub(super) errors: u64,
    pub(super) full: u64,
    pub(super) sync_errors: u64,
    pub(super) syncs: u64,
}

#[derive(Debug)]
struct State {
    random: StdRng,
    root: PathBuf,
    files: HashMap<u64, Inode>,
    /// By inode number, as a directory may be renamed.
    dirs: HashMap<u64, Dir>,
    odds: Odds,
    /// Operations until the power fails.
    fuse: Option<u32>,
    dead: bool,
    lie: Option<Lie>,
    sector: usize,
    counts: Counts,
}

/// The simulated disk below a directory.
#[derive(Debug)]
pub(crate) struct SimDisk {
    state: Mutex<State>,
    clock: Arc<ManualClock>,
}

/// What becomes of an operation.
enum Outcome {
    Done,
    /// Nothing, or for a write a part of it, was done.
    Fails(i32),
    /// The power fails in the middle of it.
    Dies,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Write,
    Sync,
    Other,
}

impl State {
    fn meet(&mut self, kind: Kind, clock: &ManualClock) -> Outcome {
        if self.dead {
            return Outcome::Fails(EIO);
        }
        match &mut self.fuse {
            Some(0) => {
                (self.dead, self.fuse) = (true, None);
                return Outcome::Dies;
            }
            Some(left) => *left -= 1,
            None => {}
        }
        if kind == Kind::Sync {
            self.counts.syncs += 1;
            if self.random.random_bool(self.odds.delay) {
                clock.advance(self.random.random_range(0..30_000));
            }
            if self.random.random_bool(self.odds.sync_error) {
                self.counts.sync_errors += 1;
                return Outcome::Fails(EIO);
            }
            return Outcome::Done;
        }
        if kind == Kind::Write && self.random.random_bool(self.odds.full) {
            self.counts.full += 1;
            return Outcome::Fails(ENOSPC);
        }
        if self.random.random_bool(self.odds.error) {
            self.counts.errors += 1;
            return Outcome::Fails(EIO);
        }
        Outcome::Done
    }

    /// The directory that holds `path`.
    fn dir(&mut self, path: &Path) -> &mut Dir {
        self.dirs.entry(ino(path.parent().unwrap())).or_default()
    }

    fn inode(&mut self, file: &File) -> &mut Inode {
        let ino = file.metadata().unwrap().ino();
        self.files.get_mut(&ino).expect("a file that was not opened through the disk")
    }

    fn is_called(&self, file: &File, suffix: &str) -> bool {
        let ino = file.metadata().unwrap().ino();
        let mut names = self.dirs.values().filter_map(|dir| dir.name_of(ino)?.to_str());
        names.any(|name| name.ends_with(suffix))
    }

    /// Whether a sync of the file only says that it was done.
    fn pretends_sync(&self, file: &File) -> bool {
        match self.lie {
            Some(Lie::SyncFile) => true,
            Some(Lie::SyncTxnIndex) => self.is_called(file, ".txnindex"),
            _ => false,
        }
    }

    /// Makes the files below `path` that the directory `was` had on the disk.
    fn restore(&mut self, path: &Path, was: u64, before: &mut Before) {
        let mut entries = before.dirs.remove(&was).unwrap_or_default().survive(&mut self.random);
        for (name, node) in &mut entries {
            let path = path.join(name);
            match node {
                Node::Dir(was) => {
                    fs::create_dir(&path).unwrap();
                    self.restore(&path, *was, before);
                    *was = ino(&path);
                }
                Node::File(was) => {
                    let content = before.files[&*was].survive(self.sector, &mut self.random);
                    fs::write(&path, &content).unwrap();
                    *was = ino(&path);
                    self.files.insert(*was, Inode::new(content, File::open(path).unwrap()));
                }
            }
        }
        self.dirs.insert(ino(path), Dir::with(entries));
    }
}

/// What there was before a crash.
struct Before {
    files: HashMap<u64, Inode>,
    dirs: HashMap<u64, Dir>,
}

fn ino(path: &Path) -> u64 {
    fs::metadata(path).unwrap().ino()
}

fn name(path: &Path) -> OsString {
    path.file_name().unwrap().to_owned()
}

fn failed(code: i32) -> io::Error {
    io::Error::from_raw_os_error(code)
}

impl SimDisk {
    /// An empty disk below `root`, which exists and is durable.
    pub(crate) fn new(root: &Path, seed: u64, clock: Arc<ManualClock>) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let sector = [16, 64, 512][random.random_range(0..3)];
        let state = State {
            random,
            root: root.to_owned(),
            files: HashMap::new(),
            dirs: HashMap::from([(ino(root), Dir::default())]),
            odds: Odds::default(),
            fuse: None,
            dead: false,
            lie: None,
            sector,
            counts: Counts::default(),
        };
        SimDisk { state: Mutex::new(state), clock }
    }

    pub(super) fn lie(&self, lie: Lie) {
        self.state.lock().lie = Some(lie);
    }

    pub(super) fn set_odds(&self, odds: Odds) {
        self.state.lock().odds = odds;
    }

    /// Lets the power fail after so many operations; `None` takes it back.
    pub(crate) fn set_fuse(&self, operations: Option<u32>) {
        self.state.lock().fuse = operations;
    }

    /// Whether the power has failed.
    pub(crate) fn is_dead(&self) -> bool {
        self.state.lock().dead
    }

    pub(super) fn counts(&self) -> Counts {
        self.state.lock().counts
    }

    /// Carries out the loss of power: afterwards the files are what the disk had. Nobody may use the disk meanwhile.
    pub(crate) fn crash(&self) {
        let mut state = self.state.lock();
        let state = &mut *state;
        state.counts.crashes += 1;
        (state.dead, state.fuse) = (false, None);
        for entry in fs::read_dir(&state.root).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { fs::remove_dir_all(path).unwrap() } else { fs::remove_file(path).unwrap() }
        }
        let mut before =
            Before { files: std::mem::take(&mut state.files), dirs: std::mem::take(&mut state.dirs) };
        let root = state.root.clone();
        state.restore(&root, ino(&root), &mut before);
    }
}

impl Disk for SimDisk {
    fn open(&self, path: &Path) -> io::Result<File> {
        let mut state = self.state.lock();
        let exists = path.exists();
        let kind = if exists { Kind::Other } else { Kind::Write };
        let outcome = state.meet(kind, &self.clock);
        if let Outcome::Fails(code) = outcome {
            return Err(failed(code));
        }
        let file = RealDisk.open(path)?;
        if !exists {
            let node = ino(path);
            state.files.insert(node, Inode::new(Vec::new(), File::open(path)?));
            state.dir(path).change(Relink::Link(name(path), Node::File(node)));
        }
        if let Outcome::Dies = outcome { Err(failed(EIO)) } else { Ok(file) }
    }

    fn write_at(&self, file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
        let mut state = self.state.lock();
        let outcome = state.meet(Kind::Write, &self.clock);
        if state.dead && matches!(outcome, Outcome::Fails(_)) {
            return Err(failed(EIO));
        }
        let forgets = state.lie == Some(Lie::OpenTransactions) && state.is_called(file, ".snapshot.tmp");
        let altered = forgets.then(|| planted::without_transactions(bytes));
        let bytes = altered.as_deref().unwrap_or(bytes);
        let done = match outcome {
            Outcome::Done => bytes.len(),
            _ => state.random.random_range(0..=bytes.len()),
        };
        file.write_all_at(&bytes[..done], at)?;
        state.inode(file).write(at, &bytes[..done]);
        match outcome {
            Outcome::Done => Ok(()),
            Outcome::Fails(code) => Err(failed(code)),
            Outcome::Dies => Err(failed(EIO)),
        }
    }

    fn truncate(&self, file: &File, len: u64) -> io::Result<()> {
        let mut state = self.state.lock();
        let outcome = state.meet(Kind::Other, &self.clock);
        if let Outcome::Fails(code) = outcome {
            return Err(failed(code));
        }
        if state.lie != Some(Lie::Truncate) {
            file.set_len(len)?;
            state.inode(file).truncate(len);
        }
        if let Outcome::Dies = outcome { Err(failed(EIO)) } else { Ok(()) }
    }

    fn allocate(&self, file: &File, at: u64, len: u64) -> io::Result<()> {
        match self.state.lock().meet(Kind::Write, &self.clock) {
            Outcome::Done => RealDisk.allocate(file, at, len),
            Outcome::Fails(code) => Err(failed(code)),
            Outcome::Dies => Err(failed(EIO)),
        }
    }

    /// The segments of the simulation are small.
    fn allocates_from(&self) -> u64 {
        256
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        let mut state = self.state.lock();
        match state.meet(Kind::Sync, &self.clock) {
            Outcome::Done if state.pretends_sync(file) => Ok(()),
            Outcome::Done => {
                state.inode(file).sync();
                Ok(())
            }
            Outcome::Dies => Err(failed(EIO)),
            Outcome::Fails(code) => {
                if !state.dead && state.random.random_bool(0.5) {
                    state.inode(file).forget();
                }
                Err(failed(code))
            }
        }
    }

    fn reread(&self, file: &File) -> io::Result<()> {
        let mut state = self.state.lock();
        let mut content = state.inode(file).reachable();
        // the kernel still knows the length; what it has not got reads as a hole
        content.resize(file.metadata()?.len() as usize, 0);
        file.write_all_at(&content, 0)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        let mut state = self.state.lock();
        match state.meet(Kind::Sync, &self.clock) {
            Outcome::Done if state.lie == Some(Lie::SyncDir) => Ok(()),
            Outcome::Done => {
                state.dirs.entry(ino(dir)).or_default().sync();
                let State { files, dirs, .. } = &mut *state;
                files.retain(|ino, _| dirs.values().any(|dir| dir.mentions(*ino)));
                Ok(())
            }
            // the journal keeps what it was told
            Outcome::Dies | Outcome::Fails(_) => Err(failed(EIO)),
        }
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.state.lock();
        let outcome = state.meet(Kind::Other, &self.clock);
        if let Outcome::Fails(code) = outcome {
            return Err(failed(code));
        }
        let node = if from.is_dir() { Node::Dir(ino(from)) } else { Node::File(ino(from)) };
        fs::rename(from, to)?;
        assert_eq!(from.parent(), to.parent());
        state.dir(from).change(Relink::Rename(name(from), name(to), node));
        if let Outcome::Dies = outcome { Err(failed(EIO)) } else { Ok(()) }
    }

    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        let mut state = self.state.lock();
        let outcome = state.meet(Kind::Other, &self.clock);
        if let Outcome::Fails(code) = outcome {
            return Err(failed(code));
        }
        if !dir.is_dir() {
            fs::create_dir(dir)?;
            let node = ino(dir);
            state.dir(dir).change(Relink::Link(name(dir), Node::Dir(node)));
            state.dirs.insert(node, Dir::default());
        }
        if let Outcome::Dies = outcome { Err(failed(EIO)) } else { Ok(()) }
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state.lock();
        let outcome = state.meet(Kind::Other, &self.clock);
        if let Outcome::Fails(code) = outcome {
            return Err(failed(code));
        }
        let is_snapshot = path.extension().is_some_and(|extension| extension == "snapshot");
        let stays = state.lie == Some(Lie::RemoveSnapshot) && is_snapshot;
        if path.exists() && !stays {
            let node = Node::File(ino(path));
            fs::remove_file(path)?;
            state.dir(path).change(Relink::Unlink(name(path), node));
        }
        if let Outcome::Dies = outcome { Err(failed(EIO)) } else { Ok(()) }
    }
}
