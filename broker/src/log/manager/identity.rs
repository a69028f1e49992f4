//! Who the data directory belongs to: one process at a time, and one broker of one cluster for ever.
//!
//! `.lock` is locked exclusively while a broker uses the directory. `meta.properties` is Kafka's:
//!
//! ```text
//! version=1
//! cluster.id=5q7QGYWjQ9y3bEwBemqaQA
//! node.id=1
//! ```
//!
//! Write: once, atomically, when the directory is first used. A directory of another node id is refused: it
//! was mounted or configured by mistake.

use std::fs::{File, TryLockError};
use std::path::Path;

use super::OpenError;
use super::names::{encode_id, new_topic_id};
use crate::log::disk::{Disk, read_file, replace_file};
use crate::log::error::StorageError;

const LOCK: &str = ".lock";
/// The file's name.
pub(crate) const META: &str = "meta.properties";

/// What `meta.properties` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) cluster_id: String,
    pub(crate) node_id: i32,
}

/// Locks the directory for as long as the returned file lives.
pub(crate) fn lock(disk: &dyn Disk, data_dir: &Path) -> Result<File, OpenError> {
    let path = data_dir.join(LOCK);
    let file = disk.open(&path).map_err(|source| StorageError::io("open", &path, source))?;
    match daemon::lock_exclusively(&file) {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::Locked(data_dir.to_path_buf())),
        Err(TryLockError::Error(source)) => Err(StorageError::io("lock", &path, source).into()),
    }
}

/// Reads the identity, or gives the directory one.
pub(crate) fn load_or_create(disk: &dyn Disk, data_dir: &Path, node_id: i32) -> Result<Identity, OpenError> {
    let path = data_dir.join(META);
    let Some(bytes) = read_file(&path)? else {
        let identity = Identity { cluster_id: encode_id(new_topic_id()), node_id };
        let text = format!("version=1\ncluster.id={}\nnode.id={node_id}\n", identity.cluster_id);
        replace_file(disk, &path, text.as_bytes())?;
        return Ok(identity);
    };
    let identity = std::str::from_utf8(&bytes).ok().and_then(parse).ok_or(OpenError::Malformed(path))?;
    if identity.node_id != node_id {
        let (found, data_dir) = (identity.node_id, data_dir.to_path_buf());
        return Err(OpenError::OtherNode { data_dir, found, configured: node_id });
    }
    Ok(identity)
}

/// What the file's text says.
pub(crate) fn parse(text: &str) -> Option<Identity> {
    let value = |name: &str| {
        let mut pairs = text.lines().filter_map(|line| line.split_once('='));
        pairs.find(|(key, _)| key.trim() == name).map(|(_, value)| value.trim())
    };
    let node_id = value("node.id").or_else(|| value("broker.id"))?.parse().ok()?;
    Some(Identity { cluster_id: value("cluster.id")?.to_owned(), node_id })
}
