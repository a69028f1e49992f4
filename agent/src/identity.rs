//! Which file is it: device, inode, birth time, a growing fingerprint of its first bytes, and proof of a position.
//!
//! None of these is enough alone: inodes are used again, first lines are alike, a position may lie in what was written
//! after a truncation. A file is taken for a known generation only when all that is known of it holds.

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::time::UNIX_EPOCH;

use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use crate::checkpoint::{Head, Place};
use crate::model::{GenerationId, Proof};

/// The most bytes of the first line that go into the generation's id.
pub(crate) const FIRST_LINE_BYTES: usize = 256;

/// Device and inode: names a file as long as it exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct FileId {
    /// Device number.
    pub(crate) device: u64,
    /// Inode number.
    pub(crate) inode: u64,
}

/// What the system says about a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stat {
    /// Device and inode.
    pub(crate) id: FileId,
    /// Birth time in nanoseconds since the epoch; 0 where the file system has none.
    pub(crate) birth_ns: i64,
    /// Time of the last change of its content, in nanoseconds since the epoch.
    pub(crate) modified_ns: i64,
    /// Size in bytes.
    pub(crate) size: u64,
    /// Whether it still has a name.
    pub(crate) linked: bool,
}

impl Stat {
    /// Of an open file.
    pub(crate) fn of(file: &File) -> io::Result<Self> {
        Ok(Self::from(&file.metadata()?))
    }

    /// Of what lies at `path`, if it is a regular file.
    pub(crate) fn at(path: &Path) -> io::Result<Option<Self>> {
        let metadata = std::fs::metadata(path)?;
        Ok(metadata.is_file().then(|| Self::from(&metadata)))
    }

    /// The place of the file, seen as `location`.
    pub(crate) fn place(&self, location: &Path) -> Place {
        Place {
            location: location.to_string_lossy().into(),
            device: self.id.device,
            inode: self.id.inode,
            birth_ns: self.birth_ns,
        }
    }
}

impl From<&std::fs::Metadata> for Stat {
    fn from(metadata: &std::fs::Metadata) -> Self {
        let birth = metadata.created().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        Self {
            id: FileId { device: metadata.dev(), inode: metadata.ino() },
            birth_ns: birth.and_then(|time| i64::try_from(time.as_nanos()).ok()).unwrap_or(0),
            modified_ns: metadata.mtime().saturating_mul(1_000_000_000).saturating_add(metadata.mtime_nsec()),
            size: metadata.size(),
            linked: metadata.nlink() > 0,
        }
    }
}

impl Place {
    /// Device and inode.
    pub(crate) fn id(&self) -> FileId {
        FileId { device: self.device, inode: self.inode }
    }
}

/// The id of a generation: of the file at `place`, truncated `truncations` times before, whose first line begins with
/// `first_line`.
pub(crate) fn generation(place: &Place, truncations: u32, first_line: &[u8]) -> GenerationId {
    let mut hash = Xxh3::new();
    hash.update(&place.device.to_le_bytes());
    hash.update(&place.inode.to_le_bytes());
    hash.update(&place.birth_ns.to_le_bytes());
    hash.update(&truncations.to_le_bytes());
    hash.update(first_line);
    GenerationId(hash.digest())
}

/// The part of a file's first bytes that goes into its generation's id.
pub(crate) fn first_line(data: &[u8]) -> &[u8] {
    let end = memchr::memchr(b'\n', data).unwrap_or(data.len()).min(FIRST_LINE_BYTES);
    data.get(..end).unwrap_or(data)
}

/// Reads up to `len` bytes at `at`; fewer at the end of the file.
pub(crate) fn read_at(file: &File, at: u64, len: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; len];
    let mut filled = 0;
    while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, at.saturating_add(filled as u64)) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}

/// Extends the fingerprint over what the file has by now; `None` when the bytes that were hashed are others now.
pub(crate) fn extend_head(file: &File, known: Head) -> io::Result<Option<Head>> {
    let bytes = read_at(file, 0, Head::BYTES)?;
    let before = bytes.get(..known.len as usize);
    if before.is_none_or(|before| known.len > 0 && xxh3_64(before) != known.hash) {
        return Ok(None);
    }
    Ok(Some(Head { len: bytes.len() as u32, hash: xxh3_64(&bytes) }))
}

/// Whether the file begins as `head` says.
pub(crate) fn has_head(file: &File, head: Head) -> io::Result<bool> {
    let bytes = read_at(file, 0, head.len as usize)?;
    Ok(bytes.len() == head.len as usize && (head.len == 0 || xxh3_64(&bytes) == head.hash))
}

/// Whether the bytes before the proven position are the ones that were hashed.
pub(crate) fn has_proof(file: &File, proof: &Proof) -> io::Result<bool> {
    let bytes = read_at(file, proof.start(), usize::from(proof.len))?;
    Ok(proof.holds(&bytes))
}

/// The path of an open file as the kernel knows it, also after a rename; `None` once it has no name.
pub(crate) fn location(file: &File) -> Option<std::path::PathBuf> {
    use std::os::fd::AsRawFd;
    let path = std::fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())).ok()?;
    let linked = Stat::of(file).is_ok_and(|stat| stat.linked);
    (linked && path.is_absolute()).then_some(path)
}
