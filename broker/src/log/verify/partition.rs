//! One partition's directory, and single files of one.

use std::path::{Path, PathBuf};

use super::data_dir::{self, Rules};
use super::segment::Expected;
use super::snapshot::Claims;
use super::{Verifier, VerifyError};
use crate::log::checkpoint;
use crate::log::disk::{list_dir, read_file};
use crate::log::epochs::{self, LeaderEpochs};
use crate::log::manager::names::{PARTITION_METADATA, parse_partition_dir, parse_partition_metadata};
use crate::log::producer::entries;
use crate::log::segment::{SUFFIXES, base_of};

/// Files that an operation writes before it takes effect.
const TEMPORARY: [&str; 3] = ["tmp", "cleaned", "deleted"];

/// What was found in a directory.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    /// The offset that the next record gets, as far as the segments are sound.
    pub(super) end: i64,
}

/// Whether a directory is that of a partition, by its name or by what is in it.
pub(super) fn is_one(dir: &Path) -> bool {
    let named = dir.file_name().and_then(|name| parse_partition_dir(name.to_str()?)).is_some();
    let holds_segments =
        || list_dir(dir).is_ok_and(|paths| paths.iter().any(|path| base_of(path, "log").is_some()));
    named || holds_segments()
}

fn suffix(path: &Path) -> &str {
    path.extension().and_then(|suffix| suffix.to_str()).unwrap_or_default()
}

impl Verifier<'_> {
    /// Verifies all files of a partition.
    pub(super) fn partition(&mut self, dir: &Path, rules: Rules) -> Result<Span, VerifyError> {
        self.report.partitions += 1;
        let paths = list_dir(dir)?;
        let bases: Vec<i64> = paths.iter().filter_map(|path| base_of(path, "log")).collect();
        self.names(&paths, &bases);
        let mut claims = self.snapshots(dir)?;
        let mut end = bases.first().copied().unwrap_or(0);
        for (number, base_offset) in bases.iter().copied().enumerate() {
            let next_base = bases.get(number + 1).copied();
            let expected = Expected { base_offset, next_base, rules };
            let found = self.segment(dir, expected, &mut |header| claims.meet(header))?;
            end = found.next_offset;
            if !found.sound {
                // what is in the rest of it is not known
                claims = Claims::default();
            }
        }
        if bases.is_empty() {
            self.damage(dir, "it holds no segment", "the broker begins an empty log here when it starts");
        } else {
            let start = bases.first().copied().unwrap_or(0);
            self.settle(dir, claims, (start.max(rules.log_start), end), rules.gapless)?;
        }
        self.epochs(dir, end)?;
        self.metadata(dir)?;
        Ok(Span { end })
    }

    /// Files with wrong names, without their segment, and left behind.
    fn names(&mut self, paths: &[PathBuf], bases: &[i64]) {
        for path in paths {
            let suffix = suffix(path);
            let base = SUFFIXES.contains(&suffix).then(|| base_of(path, suffix));
            match base {
                Some(None) => self.damage(
                    path,
                    "the name is not an offset of 20 digits",
                    "the broker does not read it: give it the name of its first offset, or move it away",
                ),
                Some(Some(base)) if bases.binary_search(&base).is_err() => {
                    self.leftover(path, "there is no .log beside it", "the broker removes it when it starts");
                }
                Some(Some(_)) => {}
                None if suffix == "swap" => self.leftover(
                    path,
                    "a compaction was interrupted after its result was complete",
                    "the broker puts it in its place when it starts",
                ),
                None if TEMPORARY.contains(&suffix) => {
                    self.leftover(
                        path,
                        "an interrupted operation has left it",
                        "the broker removes it when it starts",
                    );
                }
                None => {}
            }
        }
    }

    fn epochs(&mut self, dir: &Path, end: i64) -> Result<(), VerifyError> {
        let path = dir.join(epochs::FILE);
        let remedy = "the broker writes it anew when it starts";
        let Some(bytes) = read_file(&path)? else {
            self.damage(&path, "it is missing", remedy);
            return Ok(());
        };
        match LeaderEpochs::parse(&bytes) {
            None => self.damage(&path, "it is no list of epochs with ascending offsets", remedy),
            Some(epochs) => {
                if let Some((epoch, start)) = epochs.starts().iter().find(|(_, start)| *start > end) {
                    let problem = format!("epoch {epoch} begins at {start}, and the log ends at {end}");
                    self.damage(
                        &path,
                        problem,
                        "records are lost; the broker drops the epoch when it starts",
                    );
                }
            }
        }
        Ok(())
    }

    fn metadata(&mut self, dir: &Path) -> Result<(), VerifyError> {
        let path = dir.join(PARTITION_METADATA);
        let remedy = "the broker writes it anew when it starts, if the registry has the topic";
        match read_file(&path)? {
            None => self.damage(&path, "it is missing: nothing says which topic this is", remedy),
            Some(bytes) if std::str::from_utf8(&bytes).ok().and_then(parse_partition_metadata).is_none() => {
                self.damage(&path, "it names no topic id", remedy);
            }
            Some(_) => {}
        }
        Ok(())
    }

    /// Verifies one file, by its name: an index with its segment.
    pub(super) fn file(&mut self, path: &Path) -> Result<(), VerifyError> {
        let unknown = || VerifyError::Unknown(path.to_owned());
        let dir = path.parent().ok_or_else(unknown)?;
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let suffix = suffix(path);
        if SUFFIXES.contains(&suffix) {
            let base_offset = base_of(path, suffix).ok_or_else(unknown)?;
            let bases: Vec<i64> = list_dir(dir)?.iter().filter_map(|path| base_of(path, "log")).collect();
            let next_base = bases.into_iter().find(|base| *base > base_offset);
            let expected = Expected { base_offset, next_base, rules: data_dir::rules(dir) };
            self.segment(dir, expected, &mut |_| {})?;
        } else if suffix == "snapshot" {
            let bytes = read_file(path)?.unwrap_or_default();
            if let Err(error) = entries::parse(&bytes) {
                self.damage(path, error.to_string(), "delete it while the broker is stopped");
            }
        } else if name == epochs::FILE {
            self.epochs(dir, i64::MAX)?;
        } else if name == PARTITION_METADATA {
            self.metadata(dir)?;
        } else if checkpoint::ALL.contains(&name) {
            self.checkpoint(path)?;
        } else {
            return Err(unknown());
        }
        Ok(())
    }
}
