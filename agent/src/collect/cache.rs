//! The last good list, kept on disk, so that an agent starts and goes on when etcd is away.
//!
//! The file `collect.json` in the data directory is one JSON object:
//!
//! ```json
//! {"source": "etcd:/logagent/web-1/collect_config", "cluster": 14841639068965178418, "revision": 42, "list": "- path: …"}
//! ```
//!
//! `list` is the text as it came, so there is one way to read lists. `source` names where it came from: a cache of another
//! source is ignored. `cluster` and `revision` are etcd's (0 for a file).
//! Write: a new file beside it, synced, renamed over it, the directory synced: a crash leaves the old or the new one.
//! Read: a damaged cache is reported and ignored; it costs nothing but the start without etcd.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::item::{self, CollectItem, MAX_BYTES};

/// Which version of the list, at which source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stamp {
    /// The etcd cluster's id.
    pub(super) cluster: u64,
    /// The etcd revision at which the list was seen.
    pub(super) revision: i64,
}

impl Stamp {
    /// Whether a look at `self` sees everything that a look at `earlier` saw: same cluster, history not shortened.
    pub(super) fn follows(self, earlier: Self) -> bool {
        self.cluster == earlier.cluster && self.revision >= earlier.revision
    }
}

#[derive(Serialize, Deserialize)]
struct Stored {
    source: String,
    #[serde(flatten)]
    stamp: Stamp,
    list: String,
}

/// The cache file of one source.
#[derive(Debug)]
pub(super) struct Cache {
    path: PathBuf,
    source: String,
}

impl Cache {
    /// The cache of `source` in `data_dir`.
    pub(super) fn new(data_dir: &Path, source: String) -> Self {
        Self { path: data_dir.join("collect.json"), source }
    }

    /// The cached list, if there is a good one of this source.
    pub(super) fn load(&self) -> io::Result<Option<(Vec<CollectItem>, Stamp)>> {
        let mut bytes = Vec::new();
        match File::open(&self.path) {
            // JSON may write one character of the list as six: \u0000
            Ok(file) => file.take(MAX_BYTES as u64 * 6 + 4096).read_to_end(&mut bytes)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        self.read(&bytes)
    }

    /// The list in a cache's bytes, if it is of this source.
    pub(super) fn read(&self, bytes: &[u8]) -> io::Result<Option<(Vec<CollectItem>, Stamp)>> {
        let stored: Stored = serde_json::from_slice(bytes)?;
        if stored.source != self.source {
            return Ok(None);
        }
        let items = item::parse(&stored.list).map_err(io::Error::other)?;
        Ok(Some((items, stored.stamp)))
    }

    /// Replaces the cached list.
    pub(super) fn store(&self, list: &str, stamp: Stamp) -> io::Result<()> {
        let bytes = self.write(list, stamp)?;
        let folder = self.path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        let fresh = self.path.with_extension("json.new");
        let mut file = File::create(&fresh)?;
        file.write_all(&bytes)?;
        file.sync_all()?;
        fs::rename(&fresh, &self.path)?;
        File::open(folder)?.sync_all()
    }

    /// A cache's bytes.
    pub(super) fn write(&self, list: &str, stamp: Stamp) -> io::Result<Vec<u8>> {
        let stored = Stored { source: self.source.clone(), stamp, list: list.to_owned() };
        Ok(serde_json::to_vec(&stored)?)
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}
