//! Replacing a run of segments by a compacted one, so that a crash leaves either the old segments or the new one.
//!
//! ```text
//! 00000000000000000000.cleaned                            being written; worth nothing
//! 00000000000000000000-00000000000000004711.swap          complete and durable: it takes the place of all
//!                                                         segments that begin in 0..4711
//! ```
//!
//! Write: the file is flushed and renamed from `.cleaned` to `.swap`, which is the commit. Then the files of the old
//! segments and the snapshots of producers at their beginnings are removed, durably, and the `.swap` becomes the `.log` of the first of them; its indexes are rebuilt. Recover:
//! a `.cleaned` file is removed, a `.swap` file is carried through again, which is harmless to repeat.

use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::log::disk::{Disk, list_dir};
use crate::log::error::StorageError;
use crate::log::segment::{SUFFIXES, file_path};

/// The file that a compacted segment is written to.
pub(crate) fn cleaned_path(dir: &Path, base_offset: i64) -> PathBuf {
    file_path(dir, base_offset, "cleaned")
}

/// Commits a complete `.cleaned` file as the replacement of the segments that begin in `range`.
pub(crate) fn commit(disk: &dyn Disk, dir: &Path, range: Range<i64>) -> Result<(), StorageError> {
    let cleaned = cleaned_path(dir, range.start);
    let swap = dir.join(format!("{:020}-{:020}.swap", range.start, range.end));
    let committed = disk.rename(&cleaned, &swap).and_then(|()| disk.sync_dir(dir));
    committed.map_err(|source| StorageError::io("rename", &cleaned, source))?;
    carry_through(disk, dir, &swap, range)
}

/// Completes or undoes what a crash has interrupted in a partition's directory.
pub(crate) fn finish(disk: &dyn Disk, dir: &Path) -> Result<(), StorageError> {
    for path in list_dir(dir)? {
        if path.extension().is_some_and(|extension| extension == "cleaned") {
            disk.remove(&path).map_err(|source| StorageError::io("delete", &path, source))?;
        } else if let Some(range) = swap_range(&path) {
            carry_through(disk, dir, &path, range)?;
        }
    }
    Ok(())
}

fn swap_range(path: &Path) -> Option<Range<i64>> {
    let (start, end) = path.file_name()?.to_str()?.strip_suffix(".swap")?.split_once('-')?;
    Some(start.parse().ok()?..end.parse().ok()?)
}

fn carry_through(disk: &dyn Disk, dir: &Path, swap: &Path, range: Range<i64>) -> Result<(), StorageError> {
    for path in list_dir(dir)? {
        if replaced_base(&path).is_some_and(|base| range.contains(&base)) {
            disk.remove(&path).map_err(|source| StorageError::io("delete", &path, source))?;
        }
    }
    let log = file_path(dir, range.start, "log");
    // an old index that a loss of power brings back beside the new `.log` would be trusted: so there is a `.swap` until all are gone
    let gone = disk.sync_dir(dir);
    let renamed = gone.and_then(|()| disk.rename(swap, &log)).and_then(|()| disk.sync_dir(dir));
    renamed.map_err(|source| StorageError::io("rename", swap, source))
}

/// The base offset of a segment's file, or of the producers' snapshot at its beginning: one that knows a transaction as
/// open must not be read when the marker behind it may have gone.
fn replaced_base(path: &Path) -> Option<i64> {
    let (base, suffix) = path.file_name()?.to_str()?.split_once('.')?;
    if SUFFIXES.contains(&suffix) || suffix == "snapshot" { base.parse().ok() } else { None }
}
