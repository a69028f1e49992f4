//! Which leader epoch began at which offset: Kafka's `leader-epoch-checkpoint` of a partition's directory.
//!
//! ```text
//! 0        version
//! 1        number of lines that follow
//! 0 0      epoch, its first offset
//! ```
//!
//! Write: whole, atomically, before the first batch of an epoch is appended; for the first epoch already when the
//! partition is created, so that no append waits for it. A missing or malformed file counts as empty and is written
//! when the partition is opened.

use std::fmt::Write;
use std::path::Path;

use super::disk::{Disk, put_file, read_file, replace_file};
use super::error::StorageError;

/// The file's name.
pub(crate) const FILE: &str = "leader-epoch-checkpoint";

/// The epochs of one partition, both fields ascending.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct LeaderEpochs {
    /// `(epoch, first offset)`
    starts: Vec<(i32, i64)>,
}

impl LeaderEpochs {
    /// Reads the file and drops what begins after the log's end, from the file too, or has ended before its start.
    pub(crate) fn load(
        disk: &dyn Disk,
        dir: &Path,
        log_start_offset: i64,
        log_end_offset: i64,
    ) -> Result<Self, StorageError> {
        let bytes = read_file(&dir.join(FILE))?.unwrap_or_default();
        let mut epochs = LeaderEpochs::parse(&bytes).unwrap_or_default();
        let known = epochs.starts.len();
        epochs.starts.retain(|(_, offset)| *offset <= log_end_offset);
        if !epochs.starts.is_empty() && epochs.starts.len() < known {
            // what the log gets there next is of an older epoch, also for the next who reads the file
            epochs.store(disk, dir)?;
        }
        epochs.truncate_before(log_start_offset);
        Ok(epochs)
    }

    /// The epochs in a file; `None` when it is malformed.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        Some(LeaderEpochs { starts: parse(std::str::from_utf8(bytes).ok()?)? })
    }

    /// Each epoch with its first offset, oldest first.
    pub(crate) fn starts(&self) -> &[(i32, i64)] {
        &self.starts
    }

    /// Writes the file of a new partition, whose first epoch begins at 0. The caller makes the directory durable.
    pub(crate) fn create(disk: &dyn Disk, dir: &Path) -> Result<(), StorageError> {
        let first = LeaderEpochs { starts: vec![(0, 0)] };
        put_file(disk, &dir.join(FILE), first.text().as_bytes())
    }

    /// Notes that the first epoch there is began at `offset`, unless one is known.
    pub(crate) fn ensure_first(
        &mut self,
        disk: &dyn Disk,
        dir: &Path,
        offset: i64,
    ) -> Result<(), StorageError> {
        if self.starts.is_empty() { self.begin(disk, dir, 0, offset) } else { Ok(()) }
    }

    /// The newest epoch; 0 before the first append.
    pub(crate) fn latest(&self) -> i32 {
        self.starts.last().map_or(0, |(epoch, _)| *epoch)
    }

    /// Notes that `epoch` appends at `offset`, in the file too if it is new.
    pub(crate) fn begin(
        &mut self,
        disk: &dyn Disk,
        dir: &Path,
        epoch: i32,
        offset: i64,
    ) -> Result<(), StorageError> {
        if self.starts.last().is_some_and(|(latest, _)| epoch <= *latest) {
            return Ok(());
        }
        // an epoch that began here too has appended nothing
        let before = self.starts.iter().copied().filter(|(_, start)| *start < offset);
        let epochs = LeaderEpochs { starts: before.chain([(epoch, offset)]).collect() };
        epochs.store(disk, dir)?;
        *self = epochs;
        Ok(())
    }

    /// Drops the epochs that end before the log's start, and lets the oldest one left begin there. The file learns it
    /// with the next epoch: until then [`load`](Self::load) does the same.
    pub(crate) fn truncate_before(&mut self, log_start_offset: i64) {
        let ended = self.starts.iter().skip(1).take_while(|(_, start)| *start <= log_start_offset).count();
        self.starts.drain(..ended);
        if let Some((_, start)) = self.starts.first_mut() {
            *start = log_start_offset.max(*start);
        }
    }

    /// The largest epoch that is not above `epoch`, and the offset at which the next one began. One that is older than
    /// all that are known ended before the first of them; `None` for one that is newer than all.
    pub(crate) fn end_offset(&self, epoch: i32, log_end_offset: i64) -> Option<(i32, i64)> {
        if epoch < 0 || self.starts.last().is_none_or(|(latest, _)| epoch > *latest) {
            return None;
        }
        let after = self.starts.partition_point(|(known, _)| *known <= epoch);
        let end = self.starts.get(after).map_or(log_end_offset, |(_, start)| *start);
        let known =
            after.checked_sub(1).and_then(|at| self.starts.get(at)).map_or(epoch, |(known, _)| *known);
        Some((known, end))
    }

    fn store(&self, disk: &dyn Disk, dir: &Path) -> Result<(), StorageError> {
        replace_file(disk, &dir.join(FILE), self.text().as_bytes())
    }

    /// The file's content.
    pub(crate) fn text(&self) -> String {
        let mut text = format!("0\n{}\n", self.starts.len());
        for (epoch, offset) in &self.starts {
            // writing to a string cannot fail
            let _ = writeln!(text, "{epoch} {offset}");
        }
        text
    }
}

fn parse(text: &str) -> Option<Vec<(i32, i64)>> {
    let mut lines = text.lines();
    if lines.next()?.trim() != "0" {
        return None;
    }
    let count: usize = lines.next()?.trim().parse().ok()?;
    let mut starts = Vec::new();
    for line in lines {
        let (epoch, offset) = line.split_once(' ')?;
        starts.push((epoch.parse().ok()?, offset.parse().ok()?));
    }
    let ascending = starts.is_sorted_by(|a: &(i32, i64), b| a.0 < b.0 && a.1 <= b.1);
    (starts.len() == count && ascending).then_some(starts)
}
