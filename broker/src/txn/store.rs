//! Keeps the transactional ids in the compacted topic `__transaction_state`: an id's records all go to one partition,
//! chosen by its name as Kafka does it. Partitions and settings are those of the first use.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use tracing::{info, warn};
use wire::ErrorCode;
use wire::record::{BatchBuilder, Compression, batch};

use super::records;
use super::state::Transaction;
use crate::group::partition_for;
use crate::log::{Partition, StorageError, Topic};
use crate::replay::{self, Refused};

/// The name of the internal topic.
pub(crate) const TXN_TOPIC: &str = "__transaction_state";

/// Where the transactional ids are kept.
#[derive(Debug, Clone)]
pub(super) struct Store {
    topic: Arc<Topic>,
}

/// What a client is told when its state cannot be kept: it will ask again.
pub(super) fn unavailable(error: &dyn std::error::Error) -> ErrorCode {
    warn!(%error, "cannot write to the topic of transactions");
    ErrorCode::CoordinatorNotAvailable
}

impl Store {
    /// Keeps the ids in this topic.
    pub(super) fn new(topic: Arc<Topic>) -> Self {
        Store { topic }
    }

    fn partition_of(&self, id: &str) -> Result<&Arc<Partition>, ErrorCode> {
        let index = partition_for(id, self.topic.partitions().len());
        self.topic.partition(index).ok_or(ErrorCode::CoordinatorNotAvailable)
    }

    /// The epoch of the coordinator of an id, which goes into its markers.
    pub(super) fn epoch_of(&self, id: &str) -> i32 {
        self.partition_of(id).map_or(0, |partition| partition.leader_epoch())
    }

    /// Appends an id's state, or that it is gone, not yet durably; returns where it ends.
    fn append(
        &self,
        id: &str,
        state: Option<&Transaction>,
        now_ms: i64,
    ) -> Result<(&Arc<Partition>, i64), ErrorCode> {
        let partition = self.partition_of(id)?;
        let too_large = |_| ErrorCode::UnknownServerError;
        let key = records::key(id).map_err(too_large)?;
        let value = state.map(records::value).transpose().map_err(too_large)?;
        let mut builder = BatchBuilder::new(Compression::None);
        let appended = builder.append(now_ms, Some(&key), value.as_deref(), &[]);
        appended.map_err(|error| unavailable(&error))?;
        let mut batch = Vec::from(builder.finish().map_err(|error| unavailable(&error))?);
        let appended = partition.append(&mut batch).map_err(|error| unavailable(&error))?;
        Ok((partition, appended.last_offset.saturating_add(1)))
    }

    /// Makes an id's state durable. Blocks.
    pub(super) fn write(&self, id: &str, state: &Transaction, now_ms: i64) -> Result<(), ErrorCode> {
        let (partition, end) = self.append(id, Some(state), now_ms)?;
        partition.flush_to(end).map_err(|error| unavailable(&error))
    }

    /// Appends an id's state, or that it is gone. It is durable when what the id does next is, which is soon enough for
    /// what can be found out again.
    pub(super) fn write_behind(
        &self,
        id: &str,
        state: Option<&Transaction>,
        now_ms: i64,
    ) -> Result<(), ErrorCode> {
        self.append(id, state, now_ms).map(|_| ())
    }

    /// Reads all ids. Blocks.
    pub(super) fn load(&self) -> Result<HashMap<String, Transaction>, StorageError> {
        let mut loaded = HashMap::new();
        for partition in self.topic.partitions() {
            replay::replay(partition, |_, batch| load_batch(batch, &mut loaded))?;
        }
        if !loaded.is_empty() {
            info!(transactional_ids = loaded.len(), "transactions loaded");
        }
        Ok(loaded)
    }
}

fn load_batch(batch: &[u8], loaded: &mut HashMap<String, Transaction>) -> Result<(), Refused> {
    for record in &batch::records(batch, replay::BATCH_BYTES_MAX)? {
        let record = record?;
        let Some(key) = record.key else { continue };
        let Some(id) = records::read_key(Bytes::copy_from_slice(key))? else { continue };
        match record.value {
            None => {
                loaded.remove(&id);
            }
            Some(value) => {
                if let Some(state) = records::read_value(Bytes::copy_from_slice(value))? {
                    loaded.insert(id, state);
                }
            }
        }
    }
    Ok(())
}
