//! Looks for damage in the files of the log, without changing anything: what `logagent log verify` does.
//!
//! Every byte of every segment is read and its checksum computed. What is beside the segments is compared with them:
//!
//! | file | what is checked |
//! |---|---|
//! | `.log` | lengths, checksums; offsets ascend, begin with the one in the name and leave no gap unless the topic is compacted |
//! | `.index` | whole entries, ascending; each points to a batch that ends with its offset |
//! | `.timeindex` | whole entries, ascending; each names the first batch that has its timestamp, and all before it are older |
//! | `.txnindex` | whole entries; each names the marker of a transaction of its producer, unless the topic is compacted |
//! | `.snapshot` | version, checksum, count; the newest one's batches are in the log |
//! | `leader-epoch-checkpoint` | form; no epoch begins behind the log's end |
//! | `partition.metadata` | is there, and names the topic that the registry has |
//! | checkpoints of the data directory | form; nothing that was durable is missing at a log's end |
//! | `topics.json`, `meta.properties` | form; each partition has its directory, each directory its topic |
//!
//! A broker that is writing meanwhile may be caught in the middle of a batch at the end of an active segment; entries
//! of that segment's indexes that it still has in memory are not missed.

use std::fmt::{self, Display};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::error::StorageError;

mod data_dir;
mod entries;
mod partition;
mod segment;
mod snapshot;
#[cfg(test)]
mod tests;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Something is lost, wrong or unreadable.
    Damage,
    /// An interrupted operation has left a file behind; it does no harm.
    Leftover,
}

/// One thing that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// The file or directory.
    pub path: PathBuf,
    /// Where in it: `byte 4096`, `entry 3`, `line 2`.
    pub place: Option<String>,
    /// What is wrong, as a part of a sentence.
    pub problem: String,
    /// What becomes of it, or what to do.
    pub remedy: String,
}

impl Finding {
    /// Whether it is more than a file left behind.
    pub fn is_damage(&self) -> bool {
        self.severity == Severity::Damage
    }
}

impl Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        if let Some(place) = &self.place {
            write!(f, ", {place}")?;
        }
        write!(f, ": {}; {}", self.problem, self.remedy)
    }
}

/// What was read and what was found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Directories of partitions.
    pub partitions: u64,
    /// Segments.
    pub segments: u64,
    /// Record batches whose checksums were computed.
    pub batches: u64,
    /// Bytes of segments.
    pub bytes: u64,
    /// What is not as it should be.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Whether something is lost, wrong or unreadable.
    pub fn is_damaged(&self) -> bool {
        self.findings.iter().any(Finding::is_damage)
    }
}

/// Why nothing could be verified.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// A file or directory could not be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file or directory.
        path: PathBuf,
        /// The kernel's answer.
        source: io::Error,
    },
    /// The path is nothing of a log.
    #[error("{} is no data directory, no partition's directory and no file of a log", .0.display())]
    Unknown(PathBuf),
    /// A file or directory of the log could not be read.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// A verification under way.
pub(super) struct Verifier<'a> {
    report: Report,
    /// Told of each stretch of bytes that was read.
    progress: &'a mut dyn FnMut(u64),
}

impl Verifier<'_> {
    fn damage(&mut self, path: &Path, problem: impl Into<String>, remedy: &str) {
        self.find(Severity::Damage, path, None, problem.into(), remedy);
    }

    fn damage_at(&mut self, path: &Path, place: String, problem: impl Into<String>, remedy: &str) {
        self.find(Severity::Damage, path, Some(place), problem.into(), remedy);
    }

    fn leftover(&mut self, path: &Path, problem: impl Into<String>, remedy: &str) {
        self.find(Severity::Leftover, path, None, problem.into(), remedy);
    }

    fn find(
        &mut self,
        severity: Severity,
        path: &Path,
        place: Option<String>,
        problem: String,
        remedy: &str,
    ) {
        let (path, remedy) = (path.to_owned(), remedy.to_owned());
        self.report.findings.push(Finding { severity, path, place, problem, remedy });
    }
}

/// Verifies data directories, directories of partitions and single files. `progress` is told how many bytes of
/// segments were read since it was last called; [`bytes_in`] says how many there are.
///
/// # Errors
/// A path cannot be read, or is nothing of a log.
pub fn verify(paths: &[PathBuf], progress: &mut dyn FnMut(u64)) -> Result<Report, VerifyError> {
    let mut verifier = Verifier { report: Report::default(), progress };
    for path in paths {
        // so that a path like `.` has a name, and a parent to look for the registry in
        let path =
            &fs::canonicalize(path).map_err(|source| VerifyError::Read { path: path.clone(), source })?;
        if !path.is_dir() {
            verifier.file(path)?;
        } else if data_dir::is_one(path) {
            verifier.data_dir(path)?;
        } else if partition::is_one(path) {
            verifier.partition(path, data_dir::rules(path))?;
        } else {
            return Err(VerifyError::Unknown(path.clone()));
        }
    }
    Ok(verifier.report)
}

/// The bytes of segments that [`verify`] will read.
pub fn bytes_in(paths: &[PathBuf]) -> u64 {
    paths.iter().map(|path| bytes_below(path, 2)).sum()
}

/// A data directory has directories of partitions, and those have segments.
fn bytes_below(path: &Path, depth: u32) -> u64 {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() && depth > 0 => {
            let entries = fs::read_dir(path).into_iter().flatten().flatten();
            entries.map(|entry| bytes_below(&entry.path(), depth - 1)).sum()
        }
        Ok(metadata) if path.extension().is_some_and(|suffix| suffix == "log") => metadata.len(),
        _ => 0,
    }
}

/// Verifies one partition; `gapless` says that compaction was never there.
pub(crate) fn check_partition(dir: &Path, gapless: bool) -> Result<Report, VerifyError> {
    let mut verifier = Verifier { report: Report::default(), progress: &mut |_| {} };
    verifier.partition(dir, data_dir::Rules { gapless, log_start: 0 })?;
    Ok(verifier.report)
}
