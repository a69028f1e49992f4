//! Documents as files, for when there is no Elasticsearch: `<index>-YYYY.MM.DD.ndjson`, one document with its `_id` on a line.
//!
//! **Once and only once, over a kill.** Beside the files stands `.positions`: how far each partition has been written, and how
//! long each file was then. A batch is written so:
//! 1. append its lines to their files, and sync them;
//! 2. write the new positions and lengths to `.positions.new`, sync, rename it to `.positions`, sync the directory.
//!
//! On start, and before a file is appended to, what stands behind its recorded length is cut off: those lines were never
//! recorded, and their records are read again. The consumer starts at the recorded positions, not at the group's.
//!
//! ```text
//! .positions = {"version":1,"partitions":{"nginx_log":{"0":1234}},"files":{"nginx_log-2026.11.21.ndjson":56789}}
//! ```
//! **Limits.** One process has the directory to itself (`.lock`). Files may be moved away or deleted at any time, but not
//! be changed. Two instances of a group write into two directories; when a partition moves between them after a
//! kill, a second's lines may stand in both. A topic that was deleted and made anew goes on at the recorded position: delete
//! `.positions` with it.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tracing::warn;

use crate::batch::{Batch, Partition};

const POSITIONS: &str = ".positions";
const SUFFIX: &str = ".ndjson";

/// Why the directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum NdjsonError {
    /// The file system says no.
    #[error("cannot use data_dir {}: {source}", path.display())]
    Io {
        /// What was accessed.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// Another process has the directory.
    #[error("data_dir {} is in use by another process", path.display())]
    Locked {
        /// The directory.
        path: PathBuf,
    },
    /// The positions were changed by someone.
    #[error("{} is not readable ({reason}); delete it to start from the group's committed offsets", path.display())]
    Positions {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

/// What became of a batch.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Appended {
    /// It is in the files and recorded.
    Written,
    /// It is from before the last assignment: its records are read again.
    Stale,
}

/// The directory.
#[derive(Debug)]
pub(crate) struct Store {
    dir: PathBuf,
    state: Mutex<State>,
    /// Held for its lock.
    _lock: File,
}

#[derive(Debug)]
struct State {
    positions: Positions,
    /// Batches with smaller ids are from before the last assignment.
    first_batch: u64,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Positions {
    version: u32,
    partitions: BTreeMap<String, BTreeMap<i32, i64>>,
    files: BTreeMap<String, u64>,
}

impl Store {
    /// Opens the directory, creates it if need be, and cuts off what was not recorded.
    pub(crate) fn open(dir: &Path) -> Result<Self, NdjsonError> {
        let at = |path: &Path| {
            let path = path.to_owned();
            move |source| NdjsonError::Io { path, source }
        };
        fs::create_dir_all(dir).map_err(at(dir))?;
        let lock_path = dir.join(".lock");
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(&lock_path);
        let lock = lock.map_err(at(&lock_path))?;
        daemon::lock_exclusively(&lock).map_err(|error| match error {
            fs::TryLockError::WouldBlock => NdjsonError::Locked { path: dir.to_owned() },
            fs::TryLockError::Error(source) => NdjsonError::Io { path: lock_path, source },
        })?;
        let recorded = read_positions(&dir.join(POSITIONS))?;
        let positions = recover(dir, recorded).map_err(at(dir))?;
        // from now on there are positions, so lines of a first batch that a kill cuts short are known as unrecorded
        write_positions(dir, &positions).map_err(at(dir))?;
        let state = Mutex::new(State { positions, first_batch: 0 });
        Ok(Self { dir: dir.to_owned(), state, _lock: lock })
    }

    /// Partitions were assigned: batches before `first_batch` are not written any more. Returns how far each partition
    /// has been written; none of them moves until a batch from `first_batch` on is appended.
    pub(crate) fn begin(&self, first_batch: u64) -> BTreeMap<(String, i32), i64> {
        let mut state = self.state.lock();
        state.first_batch = first_batch;
        let partitions = state.positions.partitions.iter();
        partitions
            .flat_map(|(topic, offsets)| {
                offsets.iter().map(|(number, next)| ((topic.clone(), *number), *next))
            })
            .collect()
    }

    /// Writes a batch and records it. After an error nothing of it is recorded, and it can be tried again.
    pub(crate) fn append(&self, batch: &Batch) -> io::Result<Appended> {
        let mut state = self.state.lock();
        if batch.id < state.first_batch {
            return Ok(Appended::Stale);
        }
        let mut positions = state.positions.clone();
        let mut fresh = false;
        for (at, index) in batch.indices.iter().enumerate() {
            let name = format!("{index}{SUFFIX}");
            let recorded = positions.files.get(&name).copied().unwrap_or(0);
            let before = self.append_to(&name, recorded, batch, at)?;
            fresh |= before == 0;
            let added =
                batch.items.iter().filter(|item| item.index == at).map(|item| item.bytes.len() as u64);
            positions.files.insert(name, before + added.sum::<u64>());
        }
        if fresh {
            // the new file's name must be on disk before a position that counts on it
            sync_dir(&self.dir)?;
        }
        for (Partition { topic, number }, next) in &batch.partitions {
            positions.partitions.entry(topic.to_string()).or_default().insert(*number, *next);
        }
        write_positions(&self.dir, &positions)?;
        state.positions = positions;
        Ok(Appended::Written)
    }

    /// Appends the lines of one index; returns the file's length before.
    fn append_to(&self, name: &str, recorded: u64, batch: &Batch, index: usize) -> io::Result<u64> {
        let path = self.dir.join(name);
        let mut file = OpenOptions::new().create(true).append(true).open(path)?;
        let before = file.metadata()?.len().min(recorded);
        // what stands behind is of an attempt that failed half-way
        file.set_len(before)?;
        // lines of one index mostly stand together: one write for each such run
        let mut run = 0..0;
        for item in batch.items.iter().filter(|item| item.index == index) {
            if run.end != item.bytes.start {
                file.write_all(&batch.body[run.clone()])?;
                run.start = item.bytes.start;
            }
            run.end = item.bytes.end;
        }
        file.write_all(&batch.body[run])?;
        file.sync_data()?;
        Ok(before)
    }
}

fn read_positions(path: &Path) -> Result<Option<Positions>, NdjsonError> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(NdjsonError::Io { path: path.to_owned(), source }),
    };
    parse_positions(path, &text).map(Some)
}

pub(crate) fn parse_positions(path: &Path, text: &[u8]) -> Result<Positions, NdjsonError> {
    let damaged = |reason: String| NdjsonError::Positions { path: path.to_owned(), reason };
    let positions: Positions = serde_json::from_slice(text).map_err(|error| damaged(error.to_string()))?;
    match positions.version {
        1 => Ok(positions),
        version => Err(damaged(format!("version {version} is unknown"))),
    }
}

fn write_positions(dir: &Path, positions: &Positions) -> io::Result<()> {
    let new = dir.join(format!("{POSITIONS}.new"));
    let mut file = File::create(&new)?;
    file.write_all(&serde_json::to_vec(positions)?)?;
    file.sync_data()?;
    fs::rename(&new, dir.join(POSITIONS))?;
    sync_dir(dir)
}

fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// Brings files and positions together. Without recorded positions (the first start, or the operator deleted them) files
/// keep their whole lines.
fn recover(dir: &Path, recorded: Option<Positions>) -> io::Result<Positions> {
    let first_start = recorded.is_none();
    let mut positions = recorded.unwrap_or_else(|| Positions { version: 1, ..Positions::default() });
    let known = std::mem::take(&mut positions.files);
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if !entry.file_type()?.is_file() {
            continue;
        }
        let Some(name) = entry.file_name().to_str().filter(|name| is_ours(name)).map(str::to_owned) else {
            continue;
        };
        let actual = entry.metadata()?.len();
        let wanted = match known.get(&name) {
            Some(recorded) => *recorded,
            None if first_start => whole_lines(&entry.path())?,
            None => 0,
        };
        if actual > wanted {
            warn!(file = name, cut_bytes = actual - wanted, "cut off lines that were not recorded");
            OpenOptions::new().write(true).open(entry.path())?.set_len(wanted)?;
        }
        positions.files.insert(name, actual.min(wanted));
    }
    Ok(positions)
}

/// `<index>-YYYY.MM.DD.ndjson`; other files in the directory are left alone.
fn is_ours(name: &str) -> bool {
    let Some(day) = name.strip_suffix(SUFFIX).and_then(|stem| stem.rsplit_once('-')).map(|(_, day)| day)
    else {
        return false;
    };
    let shape =
        |(at, byte): (usize, u8)| if matches!(at, 4 | 7) { byte == b'.' } else { byte.is_ascii_digit() };
    day.len() == 10 && day.bytes().enumerate().all(shape)
}

/// The length up to and with the last line end.
fn whole_lines(path: &Path) -> io::Result<u64> {
    const BLOCK: u64 = 64 * 1024;
    let mut file = File::open(path)?;
    let mut end = file.metadata()?.len();
    while end > 0 {
        let start = end.saturating_sub(BLOCK);
        file.seek(SeekFrom::Start(start))?;
        let mut block = Vec::new();
        BufReader::new(&file).take(end - start).read_to_end(&mut block)?;
        if let Some(at) = memchr::memrchr(b'\n', &block) {
            return Ok(start + at as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

#[cfg(test)]
mod tests;
