//! Finding a generation's bytes again: under another name, in the copy that copytruncate made, in a compressed file.

mod gzip;
#[cfg(test)]
mod tests;

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirEntryExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use tracing::debug;

pub(crate) use gzip::compressed;

use crate::checkpoint::{Head, Place};
use crate::identity::{self, FileId, Stat};
use crate::model::Proof;

/// The most entries of a folder that are looked at for a lost file.
const MAX_ENTRIES: usize = 100_000;

/// What is known of a generation.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) place: Place,
    pub(crate) head: Head,
    /// Of the position that was reached; the file must be at least that long.
    pub(crate) proof: Proof,
}

/// An open file and where it is.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) file: File,
    pub(crate) place: Place,
    pub(crate) stat: Stat,
}

/// Opens a regular file for reading. Never waits, as it would for a pipe.
pub(crate) fn open(path: &Path) -> io::Result<Found> {
    let flags = OFlags::NONBLOCK.bits();
    let file = OpenOptions::new().read(true).custom_flags(flags as i32).open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
    }
    let stat = Stat::from(&metadata);
    let location = identity::location(&file).unwrap_or_else(|| path.to_owned());
    Ok(Found { place: stat.place(&location), file, stat })
}

/// Whether the file holds the generation, as far as it was read.
pub(crate) fn holds(file: &File, stat: &Stat, known: &Known) -> io::Result<bool> {
    Ok(stat.size >= known.proof.at
        && identity::has_head(file, known.head)?
        && identity::has_proof(file, &known.proof)?)
}

/// The file itself, at its place or under another name in the same folder.
///
/// The device number is not compared at the known place: it may change when the host is started again.
pub(crate) fn same(known: &Known) -> Option<Found> {
    let location = Path::new(&*known.place.location);
    let is_it = |found: &Found| {
        let birth = [found.place.birth_ns, known.place.birth_ns];
        found.place.inode == known.place.inode
            && (birth.contains(&0) || birth[0] == birth[1])
            && holds(&found.file, &found.stat, known).unwrap_or(false)
    };
    if let Some(found) = open(location).ok().filter(is_it) {
        return Some(found);
    }
    let here = |entry: &std::fs::DirEntry| entry.ino() == known.place.inode;
    let names = entries(location.parent()?, here);
    names.into_iter().filter_map(|path| open(&path).ok()).find(is_it)
}

/// The copy of a truncated file: a younger file of the same folder with the same first bytes, and the same bytes before
/// the position that was reached. `taken` says which files are other tails' own.
pub(crate) fn copy(known: &Known, taken: impl Fn(FileId) -> bool) -> Option<Found> {
    let location = Path::new(&*known.place.location);
    if known.head.len == 0 {
        return None;
    }
    let other = |entry: &std::fs::DirEntry| entry.ino() != known.place.inode;
    let mut copies: Vec<(bool, i64, Found)> = Vec::new();
    for path in entries(location.parent()?, other) {
        let Some(found) = Stat::at(&path).ok().flatten().and_then(|stat| {
            let long_enough = stat.size >= known.proof.at && stat.size >= u64::from(known.head.len);
            let younger = known.place.birth_ns == 0 || stat.birth_ns >= known.place.birth_ns;
            (long_enough && younger && !taken(stat.id)).then(|| open(&path).ok())?
        }) else {
            continue;
        };
        if holds(&found.file, &found.stat, known).unwrap_or(false) {
            copies.push((is_named_after(&path, location), found.stat.birth_ns, found));
        }
    }
    copies.sort_by_key(|&(named, birth_ns, _)| (named, birth_ns));
    copies.pop().map(|(_, _, found)| found)
}

/// Regular files and links of a folder that `wanted` lets through.
fn entries(folder: &Path, wanted: impl Fn(&std::fs::DirEntry) -> bool) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        debug!(path = %folder.display(), "cannot look into the folder of a lost file");
        return Vec::new();
    };
    let is_file = |entry: &std::fs::DirEntry| entry.file_type().is_ok_and(|kind| kind.is_file());
    let found = entries.take(MAX_ENTRIES).flatten().filter(|entry| is_file(entry) && wanted(entry));
    found.map(|entry| entry.path()).collect()
}

/// The names that the original of a copy may have: `app.log` for `app.log.1`, `app.log-20261121`, `app-1.log`.
pub(crate) fn originals(copy: &Path) -> Vec<PathBuf> {
    let Some(name) = copy.file_name().and_then(|name| name.to_str()) else {
        return Vec::new();
    };
    let extension = name.rfind('.').and_then(|dot| name.get(dot..));
    let mut names = Vec::new();
    for (at, _) in name.match_indices(['.', '-', '_']).filter(|&(at, _)| at > 0) {
        let Some(stem) = name.get(..at) else { continue };
        names.push(copy.with_file_name(stem));
        if let Some(extension) = extension.filter(|extension| at + extension.len() < name.len()) {
            names.push(copy.with_file_name(format!("{stem}{extension}")));
        }
    }
    names
}

fn is_named_after(copy: &Path, original: &Path) -> bool {
    originals(copy).iter().any(|path| path == original)
}

/// Whether all of `copy` is the beginning of `original`, as far as its first and last bytes tell.
pub(crate) fn is_beginning_of(copy: &Found, original: &File) -> io::Result<bool> {
    let size = copy.stat.size;
    if Stat::of(original)?.size < size {
        return Ok(false);
    }
    let head = usize::try_from(size).unwrap_or(usize::MAX).min(Head::BYTES);
    if identity::read_at(&copy.file, 0, head)? != identity::read_at(original, 0, head)? {
        return Ok(false);
    }
    let tail = size.saturating_sub(Proof::BYTES as u64);
    let bytes = identity::read_at(&copy.file, tail, Proof::BYTES)?;
    Ok(bytes == identity::read_at(original, tail, bytes.len())?)
}
