//! An offset for each partition, in a text file of the data directory: Kafka's `recovery-point-offset-checkpoint`,
//! `log-start-offset-checkpoint` and `cleaner-offset-checkpoint`.
//!
//! ```text
//! 0                      version
//! 2                      number of lines that follow
//! nginx_log 0 4942639    topic, partition, offset
//! nginx_log 1 4942640
//! ```
//!
//! Write: whole, atomically. A file that is missing or malformed counts as empty: then recovery verifies more than
//! it must, the log starts at its first segment, and compaction begins anew.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use super::disk::{Disk, read_file, replace_file};
use super::error::StorageError;

/// Up to where each log is durable.
pub(crate) const RECOVERY_POINTS: &str = "recovery-point-offset-checkpoint";
/// The first offset of each log.
pub(crate) const LOG_STARTS: &str = "log-start-offset-checkpoint";
/// The first offset of each compacted log that compaction has not seen.
pub(crate) const CLEANER: &str = "cleaner-offset-checkpoint";

/// The names of all three.
pub(crate) const ALL: [&str; 3] = [RECOVERY_POINTS, LOG_STARTS, CLEANER];

/// Offsets by topic and partition.
pub(crate) type Offsets = BTreeMap<(String, i32), i64>;

/// Replaces the file.
pub(crate) fn write(disk: &dyn Disk, path: &Path, offsets: &Offsets) -> Result<(), StorageError> {
    let mut text = format!("0\n{}\n", offsets.len());
    for ((topic, partition), offset) in offsets {
        // writing to a string cannot fail
        let _ = writeln!(text, "{topic} {partition} {offset}");
    }
    replace_file(disk, path, text.as_bytes())
}

/// Reads the file.
pub(crate) fn read(path: &Path) -> Result<Offsets, StorageError> {
    let Some(bytes) = read_file(path)? else { return Ok(Offsets::new()) };
    let offsets = std::str::from_utf8(&bytes).ok().and_then(parse);
    Ok(offsets.unwrap_or_else(|| {
        tracing::warn!(path = %path.display(), "ignored a malformed checkpoint");
        Offsets::new()
    }))
}

/// The offsets in a file's text.
pub(crate) fn parse(text: &str) -> Option<Offsets> {
    let mut lines = text.lines();
    if lines.next()?.trim() != "0" {
        return None;
    }
    let count: usize = lines.next()?.trim().parse().ok()?;
    let mut offsets = Offsets::new();
    for line in lines {
        let mut words = line.split(' ');
        let topic = words.next()?.to_owned();
        let partition = words.next()?.parse().ok()?;
        let offset = words.next()?.parse().ok()?;
        offsets.insert((topic, partition), offset);
    }
    (offsets.len() == count).then_some(offsets)
}
