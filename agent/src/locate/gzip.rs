//! A generation whose only copy is compressed: logrotate's `compress` without `delaycompress`, while the agent was down or
//! behind.
//!
//! What is still needed of it is unpacked into a file without a name in the data directory, at the offsets it had, with the
//! generation's first bytes and its proof in their places: so the rest of the agent sees nothing but a deleted file.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use tracing::warn;
use xxhash_rust::xxh3::xxh3_64;

use super::{Found, Known};
use crate::identity::Stat;

/// The most that is unpacked, in bytes: what is compressed small may be large.
const MAX_BYTES: u64 = 16 << 30;
/// How much is unpacked at once.
const BLOCK: usize = 64 * 1024;

/// Looks beside a lost file for a compressed copy. `needed`: the lowest offset that must be readable.
pub(crate) fn compressed(known: &Known, needed: u64, data_dir: &Path) -> Option<Found> {
    let location = Path::new(&*known.place.location);
    if known.head.len == 0 {
        return None;
    }
    let packed = |entry: &fs::DirEntry| entry.path().extension().is_some_and(|extension| extension == "gz");
    let related = |path: &PathBuf| {
        let unpacked = path.with_extension("");
        path == location || unpacked == location || super::is_named_after(&unpacked, location)
    };
    super::entries(location.parent()?, packed).into_iter().filter(related).find_map(|path| {
        let unpacked = unpack(known, needed, &path, data_dir);
        let unpacked = unpacked.inspect_err(|error| warn!(path = %path.display(), %error, "cannot unpack"));
        unpacked.ok().flatten()
    })
}

/// `None` when it is another file's.
fn unpack(known: &Known, needed: u64, path: &Path, data_dir: &Path) -> io::Result<Option<Found>> {
    let mut source = MultiGzDecoder::new(File::open(path)?);
    let mut head = vec![0; known.head.len as usize];
    if fill(&mut source, &mut head)? < head.len() || xxh3_64(&head) != known.head.hash {
        return Ok(None);
    }
    let target = unnamed(data_dir)?;
    target.write_all_at(&head, 0)?;
    let from = needed.min(known.proof.start());
    let (mut at, mut block) = (head.len() as u64, vec![0; BLOCK]);
    loop {
        let got = fill(&mut source, &mut block)?;
        let Some(bytes) = block.get(..got).filter(|bytes| !bytes.is_empty()) else {
            break;
        };
        let skip = usize::try_from(from.saturating_sub(at)).unwrap_or(usize::MAX).min(got);
        target.write_all_at(bytes.get(skip..).unwrap_or_default(), at + skip as u64)?;
        at += got as u64;
        if at.saturating_sub(from) > MAX_BYTES {
            return Err(io::Error::other(format!("it holds more than {MAX_BYTES} bytes that are needed")));
        }
    }
    // a packed file may end in what was read before: then it is not longer than its skipped part
    if target.metadata()?.len() < at {
        target.set_len(at)?;
    }
    let stat = Stat::of(&target)?;
    let holds = super::holds(&target, &stat, known)?;
    Ok(holds.then(|| Found { place: stat.place(path), file: target, stat }))
}

/// A file in the data directory that disappears with its last user.
fn unnamed(data_dir: &Path) -> io::Result<File> {
    let path = data_dir.join("unpacked.tmp");
    let file =
        OpenOptions::new().read(true).write(true).create(true).truncate(true).mode(0o600).open(&path)?;
    fs::remove_file(&path)?;
    Ok(file)
}

/// Reads until `buffer` is full or the source ends.
fn fill(source: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match source.read(rest) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
