//! Opening the data directory: the registry, then all partitions, several at once.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};

use parking_lot::{Mutex, RwLock};

use super::admin::{finish_deletion, prepare_dir, topic_of_dir};
use super::names::{parse_partition_dir, partition_dir};
use super::parallel::{Gate, in_parallel, waiting_threads};
use super::upkeep::{CLEAN_SHUTDOWN, Checkpoints};
use super::{
    FileTopicStore, LogManager, ManagerOptions, OpenError, Topic, TopicMeta, TopicStore, Topics, identity,
    topics,
};
use crate::log::checkpoint::{self, Offsets};
use crate::log::disk::list_dir;
use crate::log::error::StorageError;
use crate::log::partition::{Origin, Partition, RecoveryReport};

/// What opening a data directory found and did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OpenReport {
    /// Whether the last stop was clean.
    pub clean: bool,
    /// Partitions that are open.
    pub partitions: usize,
    /// All partitions' recoveries added up; `reason` is the first one's.
    pub total: RecoveryReport,
    /// What was done for each partition that was cut or repaired.
    pub recovered: Vec<(String, RecoveryReport)>,
}

/// One partition that is to be opened.
struct Task {
    topic: usize,
    origin: Origin,
}

impl LogManager {
    /// Opens the data directory with the registry in its file.
    pub fn open(options: ManagerOptions) -> Result<(LogManager, OpenReport), OpenError> {
        let store = FileTopicStore::new(Arc::clone(&options.disk), &options.data_dir);
        LogManager::open_with(options, Box::new(store))
    }

    /// Opens the data directory with a registry kept elsewhere.
    pub fn open_with(
        options: ManagerOptions,
        store: Box<dyn TopicStore>,
    ) -> Result<(LogManager, OpenReport), OpenError> {
        let (disk, data_dir) = (options.disk.as_ref(), options.data_dir.as_path());
        disk.create_dir(data_dir).map_err(|source| StorageError::io("create", data_dir, source))?;
        let lock = identity::lock(disk, data_dir)?;
        let identity = identity::load_or_create(disk, data_dir, options.node_id)?;
        let metas = load_registry(&options, store.as_ref())?;
        let clean = data_dir.join(CLEAN_SHUTDOWN).exists();
        let tasks = tasks(&options, &metas, clean)?;
        let threads = options.recovery_threads.max(1);
        let opened = open_all(&tasks, threads)?;
        let (topics, report) = assemble(metas, opened, clean);
        // from here on the files change: a crash is no longer a clean stop
        let marker = data_dir.join(CLEAN_SHUTDOWN);
        let removed = disk.remove(&marker).and_then(|()| disk.sync_dir(data_dir));
        removed.map_err(|source| StorageError::io("delete", &marker, source))?;
        let manager = LogManager {
            _lock: lock,
            identity,
            partitions_max: options.partitions_max,
            waiting_threads: waiting_threads(threads),
            store,
            topics: RwLock::new(topics),
            topics_version: AtomicU64::new(0),
            admin: Mutex::new(options.defaults),
            checkpoints: Mutex::new(Checkpoints::default()),
            closing: AtomicBool::new(false),
            data_dir: options.data_dir,
            disk: options.disk,
            clock: options.clock,
        };
        manager.write_checkpoints()?;
        Ok((manager, report))
    }
}

/// The topics that exist, after interrupted deletions were completed.
fn load_registry(options: &ManagerOptions, store: &dyn TopicStore) -> Result<Vec<TopicMeta>, OpenError> {
    let data_dir = options.data_dir.as_path();
    let registered = store.load()?;
    let is_lost = registered.is_none();
    let metas = match registered {
        Some(metas) => metas,
        None => adopt(data_dir)?,
    };
    let (doomed, metas) = metas.into_iter().partition::<Vec<_>, _>(|meta| meta.deleting);
    check_room(&metas, data_dir, options.partitions_max)?;
    if is_lost {
        register(&metas, store)?;
    }
    for meta in doomed {
        finish_deletion(options.disk.as_ref(), data_dir, &meta)?;
        store.remove(&meta.name)?;
    }
    Ok(metas)
}

/// Refuses a registry that names more partitions than there may be, unless they are there: whoever allows fewer partitions than
/// there are can only have no new ones.
fn check_room(metas: &[TopicMeta], data_dir: &Path, max: usize) -> Result<(), OpenError> {
    let named: u64 = metas.iter().map(|meta| u64::try_from(meta.partitions).unwrap_or(0)).sum();
    if named <= max as u64 {
        return Ok(());
    }
    let present = list_dir(data_dir)?.iter().filter(|path| partition_of(path).is_some()).count();
    if named <= present as u64 {
        return Ok(());
    }
    Err(OpenError::TooManyPartitions { path: data_dir.join(topics::FILE), named, max, present })
}

/// The topic and partition that a path in the data directory is called by.
fn partition_of(path: &Path) -> Option<(&str, i32)> {
    parse_partition_dir(path.file_name()?.to_str()?)
}

/// The registry as far as the partitions' directories know it, for when it was lost.
fn adopt(data_dir: &Path) -> Result<Vec<TopicMeta>, OpenError> {
    let mut found: BTreeMap<String, TopicMeta> = BTreeMap::new();
    for path in list_dir(data_dir)? {
        let Some((name, index)) = partition_of(&path) else { continue };
        let Some(id) = topic_of_dir(&path)? else { continue };
        let meta = found.entry(name.to_owned()).or_insert_with(|| TopicMeta {
            name: name.to_owned(),
            id,
            partitions: 0,
            configs: BTreeMap::new(),
            deleting: false,
        });
        meta.partitions = meta.partitions.max(index.saturating_add(1));
    }
    Ok(found.into_values().collect())
}

/// Makes a registry of topics that were found without one.
fn register(metas: &[TopicMeta], store: &dyn TopicStore) -> Result<(), StorageError> {
    for meta in metas {
        tracing::warn!(
            topic = meta.name,
            partitions = meta.partitions,
            "found a topic that is not registered"
        );
        store.put(meta)?;
    }
    Ok(())
}

/// All partitions with what the checkpoints say of them.
fn tasks(options: &ManagerOptions, metas: &[TopicMeta], clean: bool) -> Result<Vec<Task>, OpenError> {
    let read = |name| checkpoint::read(&options.data_dir.join(name));
    let recovery_points = read(checkpoint::RECOVERY_POINTS)?;
    let log_starts = read(checkpoint::LOG_STARTS)?;
    let first_dirty = read(checkpoint::CLEANER)?;
    let mut tasks = Vec::new();
    for (topic, meta) in metas.iter().enumerate() {
        let config = options.defaults.with_overrides(&meta.configs);
        let config = Arc::new(config.map_err(|error| OpenError::Config(meta.name.clone(), error))?);
        for index in 0..meta.partitions {
            let offset = |offsets: &Offsets| offsets.get(&(meta.name.clone(), index)).copied().unwrap_or(0);
            let name = partition_dir(&meta.name, index);
            let dir = options.data_dir.join(&name);
            prepare_dir(options.disk.as_ref(), &dir, meta.id)?;
            let origin = Origin {
                name,
                dir,
                disk: Arc::clone(&options.disk),
                clock: Arc::clone(&options.clock),
                config: Arc::clone(&config),
                clean,
                recovery_point: offset(&recovery_points),
                log_start: offset(&log_starts),
                first_dirty: offset(&first_dirty),
            };
            tasks.push(Task { topic, origin });
        }
    }
    Ok(tasks)
}

type OpenedPartition = (usize, Arc<Partition>, RecoveryReport);

/// Opens the partitions, of which `threads` at a time use the processor; the result is in the order of the tasks.
fn open_all(tasks: &[Task], threads: usize) -> Result<Vec<OpenedPartition>, StorageError> {
    let gate = Gate::new(threads);
    in_parallel(tasks, waiting_threads(threads), |task| {
        let recovered = gate.pass(|| Partition::recover(task.origin.clone()))?;
        let (partition, report) = recovered.sync()?;
        Ok((task.topic, Arc::new(partition), report))
    })
}

fn assemble(metas: Vec<TopicMeta>, opened: Vec<OpenedPartition>, clean: bool) -> (Topics, OpenReport) {
    let mut report = OpenReport { clean, partitions: opened.len(), ..OpenReport::default() };
    let mut partitions: Vec<Vec<Arc<Partition>>> = metas.iter().map(|_| Vec::new()).collect();
    for (topic, partition, recovery) in opened {
        report.total.add(&recovery);
        if recovery != RecoveryReport::default() {
            report.recovered.push((partition.name().to_owned(), recovery));
        }
        if let Some(of_topic) = partitions.get_mut(topic) {
            of_topic.push(partition);
        }
    }
    let mut topics = Topics::default();
    for (meta, partitions) in metas.into_iter().zip(partitions) {
        let topic = Arc::new(Topic { meta, partitions });
        topics.by_id.insert(topic.id(), Arc::clone(&topic));
        topics.by_name.insert(topic.name().to_owned(), topic);
    }
    (topics, report)
}
