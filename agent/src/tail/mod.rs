//! One file on its way to one topic: what the supervisor and the reader know of it together.
//!
//! The supervisor owns where the bytes are (`Source`): after a copytruncate it hands the reader the copy, and the reader goes
//! on at its position. The reader owns the position.

mod block;
mod frame;
mod reader;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::Mutex;
use tokio::sync::{Notify, Semaphore, mpsc};

pub(crate) use reader::{Cursor, Reader};

use crate::checkpoint::{Checkpoint, Head, Place};
use crate::config::TailConfig;
use crate::metrics::AgentMetrics;
use crate::model::{FileRef, Proof};

/// What all readers share.
pub(crate) struct Shared<S> {
    pub(crate) config: TailConfig,
    pub(crate) host: Arc<str>,
    pub(crate) ship: S,
    pub(crate) checkpoint: Arc<Checkpoint>,
    pub(crate) metrics: AgentMetrics,
    /// Bytes that may still be read before some are acknowledged.
    pub(crate) credit: Arc<Semaphore>,
    /// To the supervisor.
    pub(crate) reports: mpsc::Sender<Report>,
}

/// Names a tail in this process.
pub(crate) type TailId = u64;

/// What a reader tells the supervisor.
#[derive(Debug)]
pub(crate) enum Report {
    /// The file does not hold what was read from it: the reader waits for [`Tail::relocate`] or [`Tail::retire`].
    Changed(TailId),
    /// The reader has ended.
    Ended(TailId, Cursor, End),
}

/// Why a reader ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It was asked to.
    Stopped,
    /// The file is gone and read to its end, or its content is lost.
    Finished,
}

/// Where the bytes are.
#[derive(Debug)]
struct Source {
    /// `None` while the file is closed to save descriptors.
    file: Option<Arc<File>>,
    place: Place,
    head: Head,
    /// Set with the first line.
    file_ref: Option<Arc<FileRef>>,
}

/// A file followed for a topic.
#[derive(Debug)]
pub(crate) struct Tail {
    pub(crate) id: TailId,
    pub(crate) topic: Arc<str>,
    /// The path it was collected under.
    pub(crate) path: Arc<str>,
    /// How often the file was truncated before this generation.
    truncations: u32,
    source: Mutex<Source>,
    /// The position up to which chunks are handed over.
    position: Mutex<Proof>,
    /// The largest size seen, in bytes.
    size: AtomicU64,
    /// The file has no name any more.
    gone: AtomicBool,
    /// The content is lost: nothing more can be read.
    retired: AtomicBool,
    /// Something happened to the file.
    wake: Notify,
    /// The supervisor has answered [`Report::Changed`].
    resolved: Notify,
}

/// What a tail begins with.
pub(crate) struct Start {
    pub(crate) topic: Arc<str>,
    pub(crate) path: Arc<str>,
    pub(crate) truncations: u32,
    /// `None`: it is opened when it is first read.
    pub(crate) file: Option<Arc<File>>,
    pub(crate) place: Place,
    pub(crate) head: Head,
    pub(crate) file_ref: Option<Arc<FileRef>>,
}

impl Tail {
    pub(crate) fn new(id: TailId, start: Start) -> Self {
        let Start { topic, path, truncations, file, place, head, file_ref } = start;
        Self {
            id,
            topic,
            path,
            truncations,
            source: Mutex::new(Source { file, place, head, file_ref }),
            position: Mutex::new(Proof::of(0, b"")),
            size: AtomicU64::new(0),
            gone: AtomicBool::new(false),
            retired: AtomicBool::new(false),
            wake: Notify::new(),
            resolved: Notify::new(),
        }
    }

    /// The open file, if it is open.
    pub(crate) fn file(&self) -> Option<Arc<File>> {
        self.source.lock().file.clone()
    }

    /// Holds `file` open from now on, found again at the same place.
    pub(crate) fn reopened(&self, file: Arc<File>) {
        self.source.lock().file = Some(file);
        self.wake();
    }

    /// Closes the file; it is opened again when something happens to it.
    pub(crate) fn close(&self) {
        self.source.lock().file = None;
    }

    /// Where the bytes are.
    pub(crate) fn place(&self) -> Place {
        self.source.lock().place.clone()
    }

    /// The path where the bytes are.
    pub(crate) fn location(&self) -> PathBuf {
        PathBuf::from(&*self.source.lock().place.location)
    }

    /// The fingerprint of the generation's first bytes.
    pub(crate) fn head(&self) -> Head {
        self.source.lock().head
    }

    /// The fingerprint has grown.
    pub(crate) fn set_head(&self, head: Head) {
        self.source.lock().head = head;
    }

    /// The generation, once its first line is read.
    pub(crate) fn file_ref(&self) -> Option<Arc<FileRef>> {
        self.source.lock().file_ref.clone()
    }

    fn set_file_ref(&self, file_ref: Arc<FileRef>) {
        self.source.lock().file_ref = Some(file_ref);
    }

    /// The file has another name now.
    pub(crate) fn renamed(&self, location: &Path) {
        self.source.lock().place.location = location.to_string_lossy().into();
    }

    /// The generation's bytes are in another file now: its copy.
    pub(crate) fn relocate(&self, file: Arc<File>, place: Place) {
        let mut source = self.source.lock();
        source.file = Some(file);
        source.place = place;
        drop(source);
        self.resolved.notify_one();
        self.wake();
    }

    /// The generation's bytes are lost.
    pub(crate) fn retire(&self) {
        self.retired.store(true, Ordering::Release);
        self.resolved.notify_one();
        self.wake();
    }

    /// The content is as it was; go on.
    pub(crate) fn confirm(&self) {
        self.resolved.notify_one();
    }

    pub(crate) fn is_retired(&self) -> bool {
        self.retired.load(Ordering::Acquire)
    }

    /// The file has no name any more.
    pub(crate) fn set_gone(&self) {
        self.gone.store(true, Ordering::Release);
        self.wake();
    }

    pub(crate) fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Acquire)
    }

    /// Something may have happened to the file.
    pub(crate) fn wake(&self) {
        self.wake.notify_one();
    }

    /// Position up to which chunks were handed over, with its proof.
    pub(crate) fn position(&self) -> Proof {
        *self.position.lock()
    }

    pub(crate) fn set_position(&self, position: Proof) {
        *self.position.lock() = position;
        self.saw(position.at);
    }

    /// The largest size seen, in bytes.
    pub(crate) fn size(&self) -> u64 {
        self.size.load(Ordering::Acquire)
    }

    /// The file is seen with this size.
    pub(crate) fn saw(&self, size: u64) {
        self.size.fetch_max(size, Ordering::AcqRel);
    }

    /// How often the file was truncated before this generation.
    pub(crate) fn truncations(&self) -> u32 {
        self.truncations
    }
}
