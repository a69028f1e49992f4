//! The data directory: all partitions of all topics of one broker.
//!
//! ```text
//! .lock  meta.properties             see [`identity`]
//! topics.json                        see [`topics`]
//! dynamic-config.json                the broker's settings that were changed by request
//! recovery-point-offset-checkpoint   see [`checkpoint`](super::checkpoint), like the two that follow
//! log-start-offset-checkpoint
//! cleaner-offset-checkpoint
//! .kafka_cleanshutdown               written by a clean stop, removed by the start
//! nginx_log-0/ nginx_log-1/ …        a directory for each partition
//! nginx_log-0.….-delete              being deleted
//! nginx_log-0.….-stray               found in the way of a new topic; nothing uses it
//! ```

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::{Mutex, RwLock};
use thiserror::Error;
use uuid::Uuid;
use wire::error_code::ErrorCode;

use self::identity::Identity;
use super::clock::Clock;
use super::config::{LogConfig, LogConfigError};
use super::disk::Disk;
use super::error::StorageError;
use super::partition::Partition;

mod admin;
mod clean;
pub(crate) mod identity;
pub(crate) mod names;
mod open;
mod parallel;
#[cfg(test)]
mod tests;
pub(crate) mod topics;
mod upkeep;

pub use clean::CleanReport;
pub use open::OpenReport;
pub use topics::{FileTopicStore, TopicMeta, TopicStore};
pub use upkeep::TickReport;

/// What a log manager is opened with.
#[derive(Debug, Clone)]
pub struct ManagerOptions {
    /// The data directory; it is created.
    pub data_dir: PathBuf,
    /// This broker's id, which the directory keeps.
    pub node_id: i32,
    /// The settings of topics that have none of their own.
    pub defaults: LogConfig,
    /// The most partitions of all topics together; each takes a file descriptor, and one more with every segment.
    pub partitions_max: usize,
    /// Threads that check partitions at the start; with more than one there are others that only wait for the disk.
    pub recovery_threads: usize,
    /// The time of day.
    pub clock: Arc<dyn Clock>,
    /// The disk.
    pub disk: Arc<dyn Disk>,
}

/// Why a data directory cannot be used.
#[derive(Debug, Error)]
pub enum OpenError {
    /// Another process uses it.
    #[error("data directory {} is in use by another broker", .0.display())]
    Locked(PathBuf),
    /// It belongs to a broker with another id.
    #[error("data directory {} belongs to node {found}, but this one is configured as {configured}", data_dir.display())]
    OtherNode {
        /// The directory.
        data_dir: PathBuf,
        /// The id in the directory.
        found: i32,
        /// The id in the configuration.
        configured: i32,
    },
    /// A file that says what the directory is cannot be understood.
    #[error("{} cannot be understood; restore it, or move the data directory away", .0.display())]
    Malformed(PathBuf),
    /// The registry names more partitions than there may be, and than there are: it is damaged, and all of them would be made.
    #[error(
        "{} names {named} partitions, but {max} are allowed (max_partitions) and {present} are in the data directory; \
         restore the file, move it away to have it made anew from the directories, or raise max_partitions",
        path.display()
    )]
    TooManyPartitions {
        /// The registry.
        path: PathBuf,
        /// How many partitions it names.
        named: u64,
        /// How many may be.
        max: usize,
        /// How many have a directory.
        present: usize,
    },
    /// A topic of the registry has settings that this broker refuses.
    #[error("topic {0}: {1}")]
    Config(String, LogConfigError),
    /// The disk failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Why topics could not be changed. Nothing has changed then, unless the disk failed.
#[derive(Debug, Error)]
pub enum TopicError {
    /// The name breaks Kafka's rules.
    #[error("topic name {0:?} is invalid: {1}")]
    InvalidName(String, &'static str),
    /// There is such a topic.
    #[error("topic {0} exists already")]
    Exists(String),
    /// There is no such topic.
    #[error("there is no topic {0}")]
    Unknown(String),
    /// The number of partitions is not positive, or the broker would have more than it may.
    #[error("{0} partitions are not possible here")]
    InvalidPartitions(i32),
    /// The topic has as many partitions already: their number can only grow.
    #[error("topic {name} has {present} partitions, {asked} are not more")]
    NotMorePartitions {
        /// The topic.
        name: String,
        /// How many it has.
        present: usize,
        /// How many it should have.
        asked: i32,
    },
    /// A setting is unknown or its value is wrong.
    #[error(transparent)]
    Config(#[from] LogConfigError),
    /// The disk failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl TopicError {
    /// The code a client is answered with.
    pub fn error_code(&self) -> ErrorCode {
        match self {
            TopicError::InvalidName(..) => ErrorCode::InvalidTopicException,
            TopicError::Exists(_) => ErrorCode::TopicAlreadyExists,
            TopicError::Unknown(_) => ErrorCode::UnknownTopicOrPartition,
            TopicError::InvalidPartitions(_) | TopicError::NotMorePartitions { .. } => {
                ErrorCode::InvalidPartitions
            }
            TopicError::Config(_) => ErrorCode::InvalidConfig,
            TopicError::Storage(error) => error.error_code(),
        }
    }
}

/// A topic and its partitions.
#[derive(Debug)]
pub struct Topic {
    meta: TopicMeta,
    partitions: Vec<Arc<Partition>>,
}

impl Topic {
    /// The topic's name.
    pub fn name(&self) -> &str {
        &self.meta.name
    }

    /// The topic's id.
    pub fn id(&self) -> Uuid {
        self.meta.id
    }

    /// The settings that differ from the broker's.
    pub fn configs(&self) -> &BTreeMap<String, String> {
        &self.meta.configs
    }

    /// The partitions, in order from 0.
    pub fn partitions(&self) -> &[Arc<Partition>] {
        &self.partitions
    }

    /// One partition.
    pub fn partition(&self, index: i32) -> Option<&Arc<Partition>> {
        self.partitions.get(usize::try_from(index).ok()?)
    }
}

/// All logs of a broker. Look-ups may come from any thread; what changes topics is done one at a time. Methods that
/// touch the disk block.
#[derive(Debug)]
pub struct LogManager {
    data_dir: PathBuf,
    /// Locked as long as it is open.
    _lock: File,
    identity: Identity,
    disk: Arc<dyn Disk>,
    clock: Arc<dyn Clock>,
    partitions_max: usize,
    /// Threads that wait for the disk where there are many partitions to wait for.
    waiting_threads: usize,
    store: Box<dyn TopicStore>,
    topics: RwLock<Topics>,
    /// Counts the changes of `topics`.
    topics_version: AtomicU64,
    /// Held while topics are created, deleted or reconfigured.
    admin: Mutex<LogConfig>,
    checkpoints: Mutex<upkeep::Checkpoints>,
    /// A clean stop has begun: there is no more compaction.
    closing: AtomicBool,
}

#[derive(Debug, Default)]
struct Topics {
    by_name: BTreeMap<String, Arc<Topic>>,
    by_id: HashMap<Uuid, Arc<Topic>>,
}

impl LogManager {
    /// The cluster's id, made up when the data directory was first used.
    pub fn cluster_id(&self) -> &str {
        &self.identity.cluster_id
    }

    /// This broker's id.
    pub fn node_id(&self) -> i32 {
        self.identity.node_id
    }

    /// The data directory.
    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// A topic by name.
    pub fn topic(&self, name: &str) -> Option<Arc<Topic>> {
        self.topics.read().by_name.get(name).cloned()
    }

    /// A topic by id.
    pub fn topic_by_id(&self, id: Uuid) -> Option<Arc<Topic>> {
        self.topics.read().by_id.get(&id).cloned()
    }

    /// All topics, by name.
    pub fn topics(&self) -> Vec<Arc<Topic>> {
        self.topics.read().by_name.values().cloned().collect()
    }

    /// Grows with every topic that comes, goes or changes, after it has: who saw a version before it asked for topics, and
    /// finds the same one later, has missed nothing.
    pub fn topics_version(&self) -> u64 {
        self.topics_version.load(Ordering::Acquire)
    }

    /// One partition of a topic.
    pub fn partition(&self, topic: &str, index: i32) -> Option<Arc<Partition>> {
        self.topics.read().by_name.get(topic)?.partition(index).cloned()
    }

    fn publish(&self, topic: Arc<Topic>) {
        let mut topics = self.topics.write();
        topics.by_id.insert(topic.id(), Arc::clone(&topic));
        topics.by_name.insert(topic.name().to_owned(), topic);
        self.topics_version.fetch_add(1, Ordering::Release);
    }

    fn unpublish(&self, name: &str) -> Option<Arc<Topic>> {
        let mut topics = self.topics.write();
        let topic = topics.by_name.remove(name)?;
        topics.by_id.remove(&topic.id());
        self.topics_version.fetch_add(1, Ordering::Release);
        Some(topic)
    }
}
