//! The registry of topics: which there are, with how many partitions and which settings of their own. A single
//! broker keeps it in a file; a cluster will keep it in etcd behind the same trait.
//!
//! The file is `topics.json` in the data directory:
//!
//! ```json
//! { "version": 1, "topics": [
//!   { "name": "nginx_log", "id": "5q7QGYWjQ9y3bEwBemqaQA", "partitions": 4,
//!     "configs": { "retention.ms": "86400000" }, "deleting": false } ] }
//! ```
//!
//! Write: whole, atomically; a topic exists from then on. Recover: a temporary file left over is overwritten by
//! the next write. A lost file is rebuilt from the partitions' directories, without the settings. One that names more partitions
//! than there may be, and than there are directories, is refused: all of them would be made.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::names::check_topic_name;
use crate::log::disk::{Disk, read_file, replace_file};
use crate::log::error::StorageError;

/// The file's name.
pub(crate) const FILE: &str = "topics.json";
const VERSION: u32 = 1;

/// One topic of the registry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TopicMeta {
    /// The name, valid by Kafka's rules.
    pub name: String,
    /// Tells a topic from an earlier one of the same name.
    #[serde(with = "id_text")]
    pub id: Uuid,
    /// The number of partitions, from 0 on.
    pub partitions: i32,
    /// Settings that differ from the broker's, by Kafka's names.
    pub configs: BTreeMap<String, String>,
    /// The topic is being deleted; the next start goes on with it.
    #[serde(default)]
    pub deleting: bool,
}

/// Where the registry is kept. Each change is durable when the method returns.
pub trait TopicStore: Send + Sync + Debug {
    /// All topics; `None` when there is no registry yet.
    fn load(&self) -> Result<Option<Vec<TopicMeta>>, StorageError>;
    /// Adds or replaces a topic.
    fn put(&self, topic: &TopicMeta) -> Result<(), StorageError>;
    /// Removes a topic; that there is none is no error.
    fn remove(&self, name: &str) -> Result<(), StorageError>;
}

/// The registry in a file.
#[derive(Debug)]
pub struct FileTopicStore {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    topics: Mutex<BTreeMap<String, TopicMeta>>,
}

#[derive(Serialize, Deserialize)]
struct Content {
    version: u32,
    topics: Vec<TopicMeta>,
}

/// Ids as Kafka writes them.
mod id_text {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};
    use uuid::Uuid;

    use crate::log::manager::names::{decode_id, encode_id};

    pub(super) fn serialize<S: Serializer>(id: &Uuid, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&encode_id(*id))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Uuid, D::Error> {
        let text = String::deserialize(deserializer)?;
        decode_id(&text).ok_or_else(|| D::Error::custom("a topic id has 22 characters of base64"))
    }
}

impl FileTopicStore {
    /// The registry of a data directory.
    pub fn new(disk: Arc<dyn Disk>, data_dir: &std::path::Path) -> Self {
        FileTopicStore { disk, path: data_dir.join(FILE), topics: Mutex::default() }
    }

    /// Changes the registry in memory once the file has changed.
    fn change(&self, change: impl FnOnce(&mut BTreeMap<String, TopicMeta>)) -> Result<(), StorageError> {
        let mut topics = self.topics.lock();
        let mut changed = topics.clone();
        change(&mut changed);
        let content = Content { version: VERSION, topics: changed.values().cloned().collect() };
        let json =
            serde_json::to_vec_pretty(&content).map_err(|error| self.failed("encode", error.into()))?;
        replace_file(self.disk.as_ref(), &self.path, &json)?;
        *topics = changed;
        Ok(())
    }

    fn failed(&self, action: &'static str, source: std::io::Error) -> StorageError {
        StorageError::io(action, &self.path, source)
    }
}

/// Names become directories, and each topic has its own.
fn check(topics: &[TopicMeta]) -> Result<(), String> {
    let mut names = BTreeSet::new();
    for TopicMeta { name, partitions, .. } in topics {
        check_topic_name(name).map_err(|reason| format!("{name:?} is no topic's name: {reason}"))?;
        if *partitions < 1 {
            return Err(format!("topic {name} has {partitions} partitions"));
        }
        if !names.insert(name) {
            return Err(format!("topic {name} is there twice"));
        }
    }
    Ok(())
}

impl TopicStore for FileTopicStore {
    fn load(&self) -> Result<Option<Vec<TopicMeta>>, StorageError> {
        let Some(bytes) = read_file(&self.path)? else { return Ok(None) };
        let content: Content =
            serde_json::from_slice(&bytes).map_err(|error| self.failed("understand", error.into()))?;
        if content.version != VERSION {
            let newer = std::io::Error::other(format!("its version is {}, not {VERSION}", content.version));
            return Err(self.failed("understand", newer));
        }
        check(&content.topics)
            .map_err(|problem| self.failed("understand", std::io::Error::other(problem)))?;
        *self.topics.lock() =
            content.topics.iter().map(|topic| (topic.name.clone(), topic.clone())).collect();
        Ok(Some(content.topics))
    }

    fn put(&self, topic: &TopicMeta) -> Result<(), StorageError> {
        self.change(|topics| {
            topics.insert(topic.name.clone(), topic.clone());
        })
    }

    fn remove(&self, name: &str) -> Result<(), StorageError> {
        self.change(|topics| {
            topics.remove(name);
        })
    }
}
