//! The table of transactional ids, and what the APIs call for open transactions.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::{Mutex, RwLock};
use tracing::warn;
use wire::ErrorCode;

use super::config::TxnConfig;
use super::markers::WriteMarkers;
use super::state::{Partitions, Transaction};
use super::store::{Store, TXN_TOPIC, unavailable};
use crate::log::{Clock, LogManager, StorageError, TopicError};
use crate::producer_ids::ProducerIds;

/// Who asks: a transactional id with its producer's id and epoch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Producer<'a> {
    pub(crate) transactional_id: &'a str,
    pub(crate) id: i64,
    pub(crate) epoch: i16,
}

/// A transactional id.
#[derive(Debug)]
pub(super) struct Entry {
    /// Held by whoever changes the state.
    pub(super) changing: Mutex<()>,
    /// What holds; none once the id was removed.
    state: Mutex<Option<Arc<Transaction>>>,
}

impl Entry {
    fn new(state: Transaction) -> Arc<Self> {
        Arc::new(Entry { changing: Mutex::new(()), state: Mutex::new(Some(Arc::new(state))) })
    }

    /// The state that holds.
    pub(super) fn current(&self) -> Option<Arc<Transaction>> {
        self.state.lock().clone()
    }
}

/// All transactional ids of this broker.
#[derive(Debug)]
pub(crate) struct Coordinator {
    pub(super) config: TxnConfig,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) producer_ids: Arc<ProducerIds>,
    pub(super) markers: Box<dyn WriteMarkers>,
    pub(super) logs: Arc<LogManager>,
    /// None until a transaction is asked for: most brokers have none.
    store: RwLock<Option<Store>>,
    ids: Mutex<HashMap<String, Arc<Entry>>>,
    /// Ids whose markers could not all be written: they are tried again.
    pub(super) unfinished: Mutex<HashSet<String>>,
    /// The partitions of all open transactions.
    partitions: AtomicUsize,
}

impl Coordinator {
    /// Loads the ids from `__transaction_state`, if there is one, and completes what was interrupted. Blocks.
    pub(crate) fn load(
        logs: Arc<LogManager>,
        markers: Box<dyn WriteMarkers>,
        producer_ids: Arc<ProducerIds>,
        config: TxnConfig,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StorageError> {
        let store = logs.topic(TXN_TOPIC).map(Store::new);
        let loaded = store.as_ref().map_or(Ok(HashMap::new()), Store::load)?;
        let partitions = loaded.values().map(Transaction::size).sum();
        let ending = loaded.iter().filter(|(_, state)| state.state.is_ending());
        let unfinished: HashSet<String> = ending.map(|(id, _)| id.clone()).collect();
        let ids = loaded.into_iter().map(|(id, state)| (id, Entry::new(state))).collect();
        let coordinator = Coordinator {
            config,
            clock,
            producer_ids,
            markers,
            logs,
            store: RwLock::new(store),
            ids: Mutex::new(ids),
            unfinished: Mutex::new(unfinished),
            partitions: AtomicUsize::new(partitions),
        };
        coordinator.finish_ending();
        Ok(coordinator)
    }

    /// Makes sure that there is a place for transactions. Blocks the first time.
    pub(crate) fn ensure(&self) -> Result<(), ErrorCode> {
        self.store().map(|_| ())
    }

    pub(super) fn store(&self) -> Result<Store, ErrorCode> {
        if let Some(store) = &*self.store.read() {
            return Ok(store.clone());
        }
        let mut store = self.store.write();
        if let Some(store) = &*store {
            return Ok(store.clone());
        }
        let created = self.logs.create_topic(TXN_TOPIC, self.config.log_partitions, self.config.log.clone());
        let topic = match created {
            Err(TopicError::Exists(_)) => {
                self.logs.topic(TXN_TOPIC).ok_or(ErrorCode::CoordinatorNotAvailable)?
            }
            created => created.map_err(|error| unavailable(&error))?,
        };
        Ok(store.insert(Store::new(topic)).clone())
    }

    /// The place for transactions, if there is one.
    pub(super) fn store_if_any(&self) -> Option<Store> {
        self.store.read().clone()
    }

    /// The id, if there is one.
    pub(super) fn find(&self, id: &str) -> Option<Arc<Entry>> {
        self.ids.lock().get(id).cloned()
    }

    /// The id, made by `new` if there is none.
    pub(super) fn find_or_create(
        &self,
        id: &str,
        new: impl FnOnce() -> Transaction,
    ) -> Result<Arc<Entry>, ErrorCode> {
        let mut ids = self.ids.lock();
        if let Some(entry) = ids.get(id) {
            return Ok(Arc::clone(entry));
        }
        if ids.len() >= self.config.max_ids {
            warn!(transactional_ids = ids.len(), "max_transactional_ids is reached, a new one is refused");
            return Err(ErrorCode::PolicyViolation);
        }
        let entry = Entry::new(new());
        ids.insert(id.to_owned(), Arc::clone(&entry));
        Ok(entry)
    }

    /// Takes an id out of the table.
    pub(super) fn remove(&self, id: &str) {
        self.ids.lock().remove(id);
    }

    /// All ids.
    pub(super) fn all(&self) -> Vec<(String, Arc<Entry>)> {
        self.ids.lock().iter().map(|(id, entry)| (id.clone(), Arc::clone(entry))).collect()
    }

    /// Puts a state in force that was written, and counts its partitions; none removes the id.
    pub(super) fn put(&self, entry: &Entry, next: Option<Transaction>) {
        self.partitions.fetch_add(next.as_ref().map_or(0, Transaction::size), Ordering::Relaxed);
        let before = std::mem::replace(&mut *entry.state.lock(), next.map(Arc::new));
        self.partitions.fetch_sub(before.map_or(0, |before| before.size()), Ordering::Relaxed);
    }

    /// Serves AddPartitionsToTxn and AddOffsetsToTxn. The partitions must exist. Blocks.
    pub(crate) fn add_partitions(
        &self,
        producer: Producer<'_>,
        partitions: &Partitions,
    ) -> Result<(), ErrorCode> {
        check_id(producer.transactional_id)?;
        let entry = self.find(producer.transactional_id).ok_or(ErrorCode::InvalidProducerIdMapping)?;
        let _changing = entry.changing.lock();
        let current = entry.current().ok_or(ErrorCode::InvalidProducerIdMapping)?;
        current.check_producer(producer.id, producer.epoch)?;
        let now_ms = self.clock.now_ms();
        let Some(next) = current.add(partitions, now_ms)? else { return Ok(()) };
        let more = next.size().saturating_sub(current.size());
        if self.partitions.load(Ordering::Relaxed).saturating_add(more) > self.config.max_partitions {
            warn!(
                transactional_id = producer.transactional_id,
                "max_transaction_partitions is reached, more are refused"
            );
            return Err(ErrorCode::PolicyViolation);
        }
        self.store()?.write(producer.transactional_id, &next, now_ms)?;
        self.put(&entry, Some(next));
        Ok(())
    }

    /// Says for each partition whether it is part of the producer's open transaction (KIP-890), or why that cannot be
    /// said of any.
    pub(crate) fn verify(
        &self,
        producer: Producer<'_>,
        topic: &str,
        partition: i32,
    ) -> Result<(), ErrorCode> {
        check_id(producer.transactional_id)?;
        let entry = self.find(producer.transactional_id).ok_or(ErrorCode::InvalidProducerIdMapping)?;
        let current = entry.current().ok_or(ErrorCode::InvalidProducerIdMapping)?;
        current.check_producer(producer.id, producer.epoch)?;
        current.verify(topic, partition)
    }

    /// The states of the table, for tests of what a restart finds.
    #[cfg(test)]
    pub(super) fn state_of(&self, id: &str) -> Option<super::state::State> {
        self.find(id)?.current().map(|current| current.state)
    }
}

/// A transactional id needs a name.
pub(super) fn check_id(id: &str) -> Result<(), ErrorCode> {
    if id.is_empty() { Err(ErrorCode::InvalidRequest) } else { Ok(()) }
}
