//! Creating, deleting and reconfiguring topics.
//!
//! A topic is created directories first, registry last: what a crash leaves in between belongs to no topic. It is
//! deleted registry first: the mark `deleting` makes the next start go on with it.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use parking_lot::MutexGuard;
use uuid::Uuid;

use super::names::{
    PARTITION_METADATA, check_topic_name, new_topic_id, parse_partition_dir, parse_partition_metadata,
    partition_dir, partition_metadata,
};
use super::parallel::in_parallel;
use super::{LogManager, Topic, TopicError, TopicMeta};
use crate::log::config::LogConfig;
use crate::log::disk::{Disk, list_dir, put_file, read_file, replace_file};
use crate::log::error::StorageError;
use crate::log::partition::{Origin, Partition};

/// A topic and the settings that it is to have.
type Configured = (Arc<Topic>, Arc<LogConfig>);

impl LogManager {
    /// Creates a topic with the partitions 0 to `partitions` - 1 and settings of its own, by Kafka's names.
    pub fn create_topic(
        &self,
        name: &str,
        partitions: i32,
        configs: BTreeMap<String, String>,
    ) -> Result<Arc<Topic>, TopicError> {
        let defaults = self.admin.lock();
        let config = Arc::new(self.check_new(&defaults, name, partitions, &configs)?);
        let meta =
            TopicMeta { name: name.to_owned(), id: new_topic_id(), partitions, configs, deleting: false };
        let partitions = self.create_partitions(&meta, 0..partitions, &config)?;
        let topic = Arc::new(Topic { partitions, meta });
        self.store.put(&topic.meta)?;
        self.publish(Arc::clone(&topic));
        tracing::info!(topic = name, partitions = topic.partitions().len(), "created a topic");
        Ok(topic)
    }

    /// Says whether a topic could be created thus, and creates nothing.
    pub fn check_new_topic(
        &self,
        name: &str,
        partitions: i32,
        configs: &BTreeMap<String, String>,
    ) -> Result<(), TopicError> {
        self.check_new(&self.admin.lock(), name, partitions, configs).map(drop)
    }

    /// The settings that a new topic would have.
    fn check_new(
        &self,
        defaults: &LogConfig,
        name: &str,
        partitions: i32,
        configs: &BTreeMap<String, String>,
    ) -> Result<LogConfig, TopicError> {
        check_topic_name(name).map_err(|reason| TopicError::InvalidName(name.to_owned(), reason))?;
        if self.topic(name).is_some() {
            return Err(TopicError::Exists(name.to_owned()));
        }
        if !usize::try_from(partitions).is_ok_and(|new| self.has_room_for(new)) {
            return Err(TopicError::InvalidPartitions(partitions));
        }
        Ok(defaults.with_overrides(configs)?)
    }

    fn has_room_for(&self, new: usize) -> bool {
        let present: usize = self.topics().iter().map(|topic| topic.partitions().len()).sum();
        new > 0 && present.saturating_add(new) <= self.partitions_max
    }

    /// Gives a topic more partitions, so that it has `count`; checks only with `validate_only`. What a crash leaves
    /// before the registry knows of them is out of the way of the next attempt.
    pub fn add_partitions(&self, name: &str, count: i32, validate_only: bool) -> Result<(), TopicError> {
        let defaults = self.admin.lock();
        let topic = self.topic(name).ok_or_else(|| TopicError::Unknown(name.to_owned()))?;
        let present = topic.partitions.len();
        match usize::try_from(count).ok().and_then(|count| count.checked_sub(present)) {
            None | Some(0) => {
                let name = name.to_owned();
                return Err(TopicError::NotMorePartitions { name, present, asked: count });
            }
            Some(new) if !self.has_room_for(new) => return Err(TopicError::InvalidPartitions(count)),
            Some(_) if validate_only => return Ok(()),
            Some(_) => {}
        }
        let config = Arc::new(defaults.with_overrides(topic.configs())?);
        let meta = TopicMeta { partitions: count, ..topic.meta.clone() };
        let mut partitions = topic.partitions.clone();
        partitions.extend(self.create_partitions(&meta, topic.meta.partitions..count, &config)?);
        self.store.put(&meta)?;
        self.publish(Arc::new(Topic { partitions, meta }));
        tracing::info!(topic = name, partitions = count, "added partitions");
        Ok(())
    }

    /// Replaces a topic's own settings by what `change` makes of them; checks only with `validate_only`. They are in
    /// force and durable when it returns. Nothing else changes topics meanwhile.
    pub fn alter_topic<E: From<TopicError>>(
        &self,
        name: &str,
        validate_only: bool,
        change: impl FnOnce(&BTreeMap<String, String>) -> Result<BTreeMap<String, String>, E>,
    ) -> Result<(), E> {
        let defaults = self.admin.lock();
        let topic = self.topic(name).ok_or_else(|| TopicError::Unknown(name.to_owned()))?;
        let configs = change(topic.configs())?;
        let config = Arc::new(defaults.with_overrides(&configs).map_err(TopicError::from)?);
        if validate_only {
            return Ok(());
        }
        let _settled = self.settle(&topic, &config).map_err(TopicError::from)?;
        let meta = TopicMeta { configs, ..topic.meta.clone() };
        self.store.put(&meta).map_err(TopicError::from)?;
        self.publish(Arc::new(Topic { partitions: topic.partitions.clone(), meta }));
        for partition in topic.partitions() {
            partition.set_config(Arc::clone(&config));
        }
        tracing::info!(topic = name, "settings of a topic are in force");
        Ok(())
    }

    /// Before the cleanup policy changes: recovery judges by it whether offsets may be missing, of all but what it knows to
    /// have been durable. Nothing is compacted until the result is dropped: a gap behind what is durable now would be taken for
    /// damage where none are expected.
    fn settle<'a>(
        &self,
        topic: &'a Topic,
        config: &LogConfig,
    ) -> Result<Vec<MutexGuard<'a, ()>>, StorageError> {
        let compact = config.cleanup_policy.compact;
        let changing = |partition: &&Arc<Partition>| partition.config().cleanup_policy.compact != compact;
        let mut held = Vec::new();
        for partition in topic.partitions().iter().filter(changing) {
            held.push(partition.maintenance());
            partition.flush_to(partition.log_end_offset())?;
        }
        if !held.is_empty() {
            self.write_checkpoints()?;
        }
        Ok(held)
    }

    /// Creates partitions, several at once, which are durable when it returns: what is in each directory with the directory, and
    /// all directories with the one that they are in.
    fn create_partitions(
        &self,
        meta: &TopicMeta,
        indexes: Range<i32>,
        config: &Arc<LogConfig>,
    ) -> Result<Vec<Arc<Partition>>, StorageError> {
        let indexes: Vec<i32> = indexes.collect();
        let created =
            in_parallel(&indexes, self.waiting_threads, |index| self.create_partition(meta, *index, config))?;
        self.sync_data_dir()?;
        Ok(created)
    }

    fn create_partition(
        &self,
        meta: &TopicMeta,
        index: i32,
        config: &Arc<LogConfig>,
    ) -> Result<Arc<Partition>, StorageError> {
        let name = partition_dir(&meta.name, index);
        let dir = self.data_dir.join(&name);
        if dir.exists() {
            // of a topic whose creation was interrupted, or that the registry has lost: it is not ours to delete
            let stray = self.data_dir.join(format!("{name}.{}-stray", Uuid::new_v4().simple()));
            tracing::warn!(dir = %dir.display(), stray = %stray.display(), "moved a directory out of the way");
            self.disk.rename(&dir, &stray).map_err(|source| StorageError::io("rename", &dir, source))?;
        }
        let disk = self.disk.as_ref();
        disk.create_dir(&dir).map_err(|source| StorageError::io("create", &dir, source))?;
        put_file(disk, &dir.join(PARTITION_METADATA), partition_metadata(meta.id).as_bytes())?;
        let partition = Partition::create(Origin {
            name,
            dir,
            disk: Arc::clone(&self.disk),
            clock: Arc::clone(&self.clock),
            config: Arc::clone(config),
            clean: true,
            recovery_point: 0,
            log_start: 0,
            first_dirty: 0,
        })?;
        Ok(Arc::new(partition))
    }

    /// Deletes a topic with all its records. Consumers that are reading a segment may finish it.
    pub fn delete_topic(&self, name: &str) -> Result<(), TopicError> {
        let _admin = self.admin.lock();
        let topic = self.topic(name).ok_or_else(|| TopicError::Unknown(name.to_owned()))?;
        self.store.put(&TopicMeta { deleting: true, ..topic.meta.clone() })?;
        self.unpublish(name);
        for partition in topic.partitions() {
            partition.abandon();
        }
        finish_deletion(self.disk.as_ref(), &self.data_dir, &topic.meta)?;
        self.store.remove(name)?;
        tracing::info!(topic = name, "deleted a topic");
        Ok(())
    }

    /// Puts new settings of the broker in force, below each topic's own: for all topics or, if they contradict the own
    /// settings of one, for none.
    pub fn set_defaults(&self, defaults: LogConfig) -> Result<(), TopicError> {
        let mut current = self.admin.lock();
        let changed = self.with_defaults(&defaults)?;
        let settled = changed.iter().map(|(topic, config)| self.settle(topic, config));
        let _settled = settled.collect::<Result<Vec<_>, _>>()?;
        for (topic, config) in &changed {
            for partition in topic.partitions() {
                partition.set_config(Arc::clone(config));
            }
        }
        *current = defaults;
        Ok(())
    }

    /// Says whether [`set_defaults`](Self::set_defaults) would do it.
    pub fn check_defaults(&self, defaults: &LogConfig) -> Result<(), TopicError> {
        let _admin = self.admin.lock();
        self.with_defaults(defaults).map(drop)
    }

    /// All topics with the settings that they would have.
    fn with_defaults(&self, defaults: &LogConfig) -> Result<Vec<Configured>, TopicError> {
        let with = |topic: Arc<Topic>| -> Result<Configured, TopicError> {
            let config = Arc::new(defaults.with_overrides(topic.configs())?);
            Ok((topic, config))
        };
        self.topics().into_iter().map(with).collect()
    }

    fn sync_data_dir(&self) -> Result<(), StorageError> {
        let synced = self.disk.sync_dir(&self.data_dir);
        synced.map_err(|source| StorageError::io("flush", &self.data_dir, source))
    }
}

/// Makes sure that the directory exists and says which topic it belongs to.
pub(super) fn prepare_dir(disk: &dyn Disk, dir: &Path, topic_id: Uuid) -> Result<(), StorageError> {
    disk.create_dir(dir).map_err(|source| StorageError::io("create", dir, source))?;
    if topic_of_dir(dir)? == Some(topic_id) {
        return Ok(());
    }
    replace_file(disk, &dir.join(PARTITION_METADATA), partition_metadata(topic_id).as_bytes())
}

/// The id of the topic that a partition's directory belongs to, if it says so.
pub(super) fn topic_of_dir(dir: &Path) -> Result<Option<Uuid>, StorageError> {
    let content = read_file(&dir.join(PARTITION_METADATA))?;
    Ok(content.and_then(|bytes| parse_partition_metadata(std::str::from_utf8(&bytes).ok()?)))
}

/// Removes the directories of a topic that the registry has marked: those that are there, however many it names. They are renamed
/// first, so that half a partition is never taken for one.
pub(super) fn finish_deletion(
    disk: &dyn Disk,
    data_dir: &Path,
    meta: &TopicMeta,
) -> Result<(), StorageError> {
    let mark = format!(".{}-delete", meta.id.simple());
    for path in list_dir(data_dir)? {
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        let (dir, is_renamed) = match name.strip_suffix(&mark) {
            Some(dir) => (dir, true),
            None => (name, false),
        };
        if parse_partition_dir(dir).is_none_or(|(topic, _)| topic != meta.name) {
            continue;
        }
        let doomed = data_dir.join(format!("{dir}{mark}"));
        if !is_renamed {
            if topic_of_dir(&path)? != Some(meta.id) {
                continue;
            }
            disk.rename(&path, &doomed).map_err(|source| StorageError::io("rename", &path, source))?;
        }
        disk.remove_dir(&doomed).map_err(|source| StorageError::io("delete", &doomed, source))?;
    }
    disk.sync_dir(data_dir).map_err(|source| StorageError::io("flush", data_dir, source))
}
