//! What the rooms inside the agent hand to each other: files, generations, chunks, intents.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::OwnedSemaphorePermit;
use xxhash_rust::xxh3::xxh3_64;

/// Names one life of a file: from its first byte until it is truncated or replaced.
///
/// It is a hash of device, inode, birth time and the first line, so it can be derived again when the checkpoint is
/// lost. It stays the same over renames and restarts. Shown as 16 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GenerationId(pub u64);

impl fmt::Display for GenerationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for GenerationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A file generation on its way to one topic. Two topics that collect the same file have a `FileRef` each.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FileRef {
    /// The host id of the agent.
    pub host: Arc<str>,
    /// The path under which the generation was first collected; a later rename does not change it.
    pub path: Arc<str>,
    /// The topic the lines go to.
    pub topic: Arc<str>,
    /// Which life of the file.
    pub generation: GenerationId,
}

impl FileRef {
    /// What the checkpoint files it under.
    pub fn key(&self) -> FileKey {
        FileKey { generation: self.generation, topic: self.topic.clone() }
    }
}

/// A generation's lines for one topic: the unit that has a position.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileKey {
    /// Which life of the file.
    pub generation: GenerationId,
    /// The topic the lines go to.
    pub topic: Arc<str>,
}

/// How the bytes of a range become records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shape {
    /// Whole lines; the range ends behind a line feed.
    Lines,
    /// One line without its line feed: the writer paused or went away. What follows it is a record of its own.
    Partial,
    /// One over-long line: the data is its first bytes only, the range ends behind its line feed (or, when the writer
    /// stopped in the middle of it, where the file ended).
    Truncated,
}

/// Proves that a position belongs to a file: the hash of up to [`Proof::BYTES`] bytes that end at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Proof {
    /// Position behind the last hashed byte.
    pub at: u64,
    /// How many bytes are hashed.
    pub len: u8,
    /// Their XXH3 hash.
    pub hash: u64,
}

impl Proof {
    /// The most bytes that are hashed.
    pub const BYTES: usize = 64;

    /// The proof at the end of `data`, which lies at `start` in the file.
    pub fn of(start: u64, data: &[u8]) -> Self {
        let tail = data.get(data.len().saturating_sub(Self::BYTES)..).unwrap_or_default();
        let len = u8::try_from(tail.len()).unwrap_or(u8::MAX);
        Self { at: start.saturating_add(data.len() as u64), len, hash: xxh3_64(tail) }
    }

    /// Position of the first hashed byte.
    pub fn start(&self) -> u64 {
        self.at.saturating_sub(u64::from(self.len))
    }

    /// Whether `bytes`, read at [`Proof::start`], are the hashed ones.
    pub fn holds(&self, bytes: &[u8]) -> bool {
        bytes.len() == usize::from(self.len) && xxh3_64(bytes) == self.hash
    }
}

/// A range of a file, read and framed, on its way into record batches.
#[derive(Debug)]
pub struct Chunk {
    /// Where it comes from and goes to.
    pub file: Arc<FileRef>,
    /// Offset of the first byte in the generation.
    pub start: u64,
    /// Offset behind the last byte that the records stand for.
    pub end: u64,
    /// The file's bytes: `[start, end)`, except for [`Shape::Truncated`], where only the line's first bytes are here.
    pub data: Bytes,
    /// Records in it: line feeds for [`Shape::Lines`], else 1.
    pub lines: u32,
    /// How the bytes become records.
    pub shape: Shape,
    /// When it was read, milliseconds since the epoch.
    pub timestamp_ms: i64,
    /// The bytes that it takes from the agent's memory budget; dropped when the range is acknowledged.
    pub credit: OwnedSemaphorePermit,
}

/// One ordered stream of batches: a partition of a topic.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LaneId {
    /// Topic.
    pub topic: Arc<str>,
    /// Partition.
    pub partition: i32,
}

/// The idempotent producer that all lanes share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Producer {
    /// Producer id, as the broker gave it.
    pub id: i64,
    /// Producer epoch.
    pub epoch: i16,
    /// The kernel's boot id when the id was taken. After another boot the page cache may have forgotten intents, so
    /// a new id must be taken.
    pub boot_id: String,
}

/// A batch that may have been sent: the same records with the same sequence are built from it after a crash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// Where it is sent.
    pub lane: LaneId,
    /// Sequence of the batch's first record.
    pub base_sequence: i32,
    /// Records in the batch.
    pub count: u32,
    /// The range's file.
    pub file: Arc<FileRef>,
    /// Offset of the first byte.
    pub start: u64,
    /// Offset behind the last byte.
    pub end: u64,
    /// How the bytes become records.
    pub shape: Shape,
    /// The records' timestamp; the same when rebuilt.
    pub timestamp_ms: i64,
    /// Of the range's data (`Proof::of(start, data)`): shows at a restart that the file still has the same bytes, and
    /// how long the data is ([`Intent::data_len`]).
    pub proof: Proof,
}

impl Intent {
    /// Length of the data that the records are built from, in bytes; shorter than the range for [`Shape::Truncated`].
    pub fn data_len(&self) -> u64 {
        self.proof.at.saturating_sub(self.start)
    }
}

/// The running kernel's boot id; empty where there is none.
pub fn boot_id() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id")
        .map(|id| id.trim().to_owned())
        .unwrap_or_default()
}
