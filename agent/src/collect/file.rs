//! The list in a file: read again whenever its folder reports a change, and looked at from time to time in case it does not.
//!
//! The folder is watched and not the file, because editors and config management replace the file by renaming a new one
//! over it. A changed file is read when it has been at rest for [`SETTLE`]: a write in several steps is taken as a whole.
//! A file that is gone keeps the list in force; `[]` in it means to collect nothing.

use std::fs::Metadata;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::cache::Stamp;
use super::force::Force;
use super::item::MAX_BYTES;

/// How long a file must not change before it is read.
const SETTLE: Duration = Duration::from_millis(50);

/// Tells one state of a file from another.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Signature {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Signature {
    fn of(path: &Path) -> io::Result<Self> {
        Ok(Self::from(&std::fs::metadata(path)?))
    }
}

impl From<&Metadata> for Signature {
    fn from(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

/// Follows the file until `shutdown`.
pub(super) async fn follow(path: PathBuf, poll: Duration, mut force: Force, shutdown: CancellationToken) {
    let following = async {
        let wake = Arc::new(Notify::new());
        let mut watcher = None;
        let mut read = None;
        let mut versions = 0;
        loop {
            // the folder may appear later than we do
            watcher = watcher.or_else(|| watch_folder(&path, wake.clone()));
            match look(&path, read).await {
                Ok(Some((bytes, signature))) => {
                    read = Some(signature);
                    versions += 1;
                    force.found(&bytes, Stamp { cluster: 0, revision: versions });
                }
                Ok(None) => {}
                Err(error) => {
                    read = None;
                    force.source_failed(&format!("cannot read {}: {error}", path.display()));
                }
            }
            tokio::select! {
                () = wake.notified() => {}
                () = tokio::time::sleep(poll) => {}
            }
        }
    };
    shutdown.run_until_cancelled(following).await;
}

/// The file's bytes, when it is no longer as it was `read` and at rest.
async fn look(path: &Path, read: Option<Signature>) -> io::Result<Option<(Vec<u8>, Signature)>> {
    let mut before = Signature::of(path)?;
    if read == Some(before) {
        return Ok(None);
    }
    loop {
        tokio::time::sleep(SETTLE).await;
        let bytes = read_limited(path)?;
        let after = Signature::of(path)?;
        if before == after {
            return Ok(Some((bytes, after)));
        }
        before = after;
    }
}

/// At most one byte over the limit, which is enough to refuse it.
fn read_limited(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn watch_folder(path: &Path, wake: Arc<Notify>) -> Option<RecommendedWatcher> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let report = move |event: notify::Result<notify::Event>| {
        // our own reading is reported too
        if !event.is_ok_and(|event| event.kind.is_access()) {
            wake.notify_one();
        }
    };
    let mut watcher = notify::recommended_watcher(report).ok()?;
    match watcher.watch(folder, RecursiveMode::NonRecursive) {
        Ok(()) => Some(watcher),
        Err(error) => {
            debug!(folder = %folder.display(), %error, "cannot watch the folder of the collect list, polling it");
            None
        }
    }
}
