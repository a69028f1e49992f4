//! Keeps the groups in the compacted topic `__consumer_offsets`: a group's records all go to one partition, chosen by
//! its name as Kafka does it.
//!
//! What is committed in a transaction is a transactional batch of the producer, without sequence; the transaction's marker
//! decides about it, also when it is read again.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use bytes::Bytes;
use tracing::{info, warn};
use wire::ErrorCode;
use wire::record::batch;
use wire::record::{BatchBuilder, BatchHeader, Compression, EndMarker};

use super::consumer::{Change, read_record};
use super::offsets::Committed;
use super::records::{self, Key, Record};
use super::state::Group;
use crate::log::{AppendError, Appended, Partition, StorageError, Verification};
use crate::replay::{self, Refused};

/// The name of the internal topic.
pub(crate) const OFFSETS_TOPIC: &str = "__consumer_offsets";

/// What one batch of several records may hold, far below the usual `max.message.bytes`.
const BATCH_RECORDS_MAX: usize = 1000;
const BATCH_BYTES_MAX: usize = 256 << 10;

/// Where the groups are kept.
#[derive(Debug)]
pub(super) struct Store {
    partitions: Vec<Arc<Partition>>,
}

/// A producer's id and epoch, and what its coordinator has said of its transaction.
pub(super) type Transactional = (i64, i16, Option<Verification>);

/// Records that were appended and are durable once `partition` is flushed up to `offset`.
#[derive(Debug, Clone)]
pub(super) struct Pending {
    partition: Arc<Partition>,
    offset: i64,
}

impl Pending {
    /// Returns when the records are on the disk.
    pub(super) async fn durable(self) -> Result<(), ErrorCode> {
        self.partition.flushed_to(self.offset).await.map_err(|error| unavailable(&error))
    }
}

/// What a client is told when the groups cannot be kept: it will ask again.
fn unavailable(error: &dyn std::error::Error) -> ErrorCode {
    warn!(%error, "cannot write to the offsets topic");
    ErrorCode::CoordinatorNotAvailable
}

/// Java's `String.hashCode`, over UTF-16 units.
pub(super) fn java_hash(text: &str) -> i32 {
    text.encode_utf16().fold(0, |hash: i32, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)))
}

/// The partition of `count` that a name belongs to, as Kafka's coordinators choose it.
pub(crate) fn partition_for(name: &str, count: usize) -> i32 {
    let count = u32::try_from(count).unwrap_or(u32::MAX).max(1);
    // Kafka takes the absolute value, and 0 for the one number that has none.
    let hash = java_hash(name).checked_abs().unwrap_or(0).unsigned_abs();
    i32::try_from(hash % count).unwrap_or_default()
}

impl Store {
    /// Keeps the groups in these partitions, which must not be empty.
    pub(super) fn new(partitions: Vec<Arc<Partition>>) -> Self {
        Store { partitions }
    }

    /// The number of the partition to which a group's records go.
    pub(super) fn index_of(&self, group: &str) -> i32 {
        partition_for(group, self.partitions.len())
    }

    pub(super) fn partition_of(&self, group: &str) -> Option<&Arc<Partition>> {
        self.partitions.get(usize::try_from(self.index_of(group)).ok()?)
    }

    /// Appends a group's records, not yet durably. Blocks for the write.
    pub(super) fn append(&self, group: &str, records: &[Record], now_ms: i64) -> Result<Pending, ErrorCode> {
        let partition = self.partition_of(group).ok_or(ErrorCode::CoordinatorNotAvailable)?;
        let mut builder = BatchBuilder::new(Compression::None);
        for (key, value) in records {
            builder.append(now_ms, Some(key), value.as_deref(), &[]).map_err(|error| unavailable(&error))?;
        }
        let mut batch = Vec::from(builder.finish().map_err(|error| unavailable(&error))?);
        let appended = partition.append(&mut batch).map_err(|error| unavailable(&error))?;
        Ok(Pending { partition: Arc::clone(partition), offset: appended.last_offset.saturating_add(1) })
    }

    /// As [`append`](Self::append), any number of records in as many batches as they need; a crash may leave the first ones
    /// without the last. `None` without records.
    pub(super) fn append_all(
        &self,
        group: &str,
        records: &[Record],
        now_ms: i64,
    ) -> Result<Option<Pending>, ErrorCode> {
        let mut saved = None;
        let mut rest = records;
        while !rest.is_empty() {
            let mut bytes = 0;
            let fits = |(key, value): &&Record| {
                bytes += key.len() + value.as_ref().map_or(0, Bytes::len);
                bytes <= BATCH_BYTES_MAX
            };
            let count = rest.iter().take(BATCH_RECORDS_MAX).take_while(fits).count().max(1);
            let (batch, more) = rest.split_at(count);
            saved = Some(self.append(group, batch, now_ms)?);
            rest = more;
        }
        Ok(saved)
    }

    /// Appends a group's records as part of a producer's transaction; the first one's offset comes with it.
    pub(super) fn append_transactional(
        &self,
        group: &str,
        records: &[Record],
        (producer_id, producer_epoch, verification): Transactional,
        now_ms: i64,
    ) -> Result<(Pending, i64), ErrorCode> {
        let partition = self.partition_of(group).ok_or(ErrorCode::CoordinatorNotAvailable)?;
        let mut builder =
            BatchBuilder::new(Compression::None).producer(producer_id, producer_epoch, -1).transactional();
        for (key, value) in records {
            builder.append(now_ms, Some(key), value.as_deref(), &[]).map_err(|error| unavailable(&error))?;
        }
        let mut batch = Vec::from(builder.finish().map_err(|error| unavailable(&error))?);
        let appended = partition.append_as_coordinator(&mut batch, verification);
        let Appended { base_offset, last_offset, .. } = appended.map_err(|error| match error {
            AppendError::InvalidTxnState { .. } | AppendError::InvalidProducerEpoch { .. } => {
                error.error_code()
            }
            other => unavailable(&other),
        })?;
        let pending = Pending { partition: Arc::clone(partition), offset: last_offset.saturating_add(1) };
        Ok((pending, base_offset))
    }

    /// Reads all groups. Blocks.
    pub(super) fn load(&self, now_ms: i64) -> Result<HashMap<String, Group>, StorageError> {
        let mut groups = HashMap::new();
        for partition in &self.partitions {
            load_partition(partition, &mut groups, now_ms)?;
        }
        groups.values_mut().filter_map(|group| group.consumer.as_mut()).for_each(|group| group.drop_strays());
        groups.retain(|_, group| !group.is_forgettable());
        if !groups.is_empty() {
            info!(groups = groups.len(), "groups loaded");
        }
        Ok(groups)
    }
}

fn load_partition(
    partition: &Partition,
    groups: &mut HashMap<String, Group>,
    now_ms: i64,
) -> Result<(), StorageError> {
    let mut staged = Staged::new();
    replay::replay(partition, |header, batch| {
        if header.is_control() {
            load_marker(batch, header, groups, &mut staged)
        } else {
            load_batch(batch, header, groups, &mut staged, now_ms)
        }
    })
}

/// The groups with pending offsets, by producer.
pub(super) type Staged = HashMap<i64, HashSet<String>>;

/// A marker decides about what its producer has committed in this partition.
fn load_marker(
    batch: &[u8],
    header: &BatchHeader,
    groups: &mut HashMap<String, Group>,
    staged: &mut Staged,
) -> Result<(), Refused> {
    let Some(marker) = EndMarker::read(batch)? else { return Ok(()) };
    for id in staged.remove(&header.producer_id).unwrap_or_default() {
        if let Some(group) = groups.get_mut(&id) {
            group.offsets.end_transaction(header.producer_id, marker.committed);
        }
    }
    Ok(())
}

pub(super) fn load_batch(
    batch: &[u8],
    header: &BatchHeader,
    groups: &mut HashMap<String, Group>,
    staged: &mut Staged,
    now_ms: i64,
) -> Result<(), Refused> {
    for record in &batch::records(batch, replay::BATCH_BYTES_MAX)? {
        let record = record?;
        let Some(key) = record.key else { continue };
        let key = Bytes::copy_from_slice(key);
        let value = record.value.map(Bytes::copy_from_slice);
        if let Some((id, change)) = read_record(key.clone(), value.clone())? {
            load_change(groups, id, change);
            continue;
        }
        match records::read_key(key)? {
            Key::Unknown => {}
            Key::Offset { group, topic, partition } => {
                let committed: Option<Committed> = match value {
                    Some(value) => records::read_offset(value)?,
                    None => None,
                };
                let group = groups.entry(group).or_insert_with_key(|id| Group::new(id));
                match committed {
                    Some(committed) if header.is_transactional() => {
                        let id = header.producer_id;
                        staged.entry(id).or_default().insert(group.id.clone());
                        group.offsets.stage(id, &topic, partition, committed, record.offset);
                    }
                    Some(committed) => group.offsets.set(&topic, partition, committed),
                    None => group.offsets.remove(&topic, partition),
                }
            }
            Key::Group(id) => {
                let group = groups.entry(id).or_insert_with_key(|id| Group::new(id));
                match value {
                    Some(value) => {
                        // it has gone over to the classic protocol
                        group.consumer = None;
                        records::read_group(group, value, now_ms)?;
                    }
                    None => group.members.clear(),
                }
            }
        }
    }
    Ok(())
}

/// A change of a group of the newer protocol: the first one that sets something makes it one.
fn load_change(groups: &mut HashMap<String, Group>, id: String, change: Change) {
    if !change.removes() {
        groups.entry(id).or_insert_with_key(|id| Group::new(id)).become_consumer().apply(change);
    } else if let Some(group) = groups.get_mut(&id) {
        match (&mut group.consumer, change) {
            (consumer, Change::Epoch(_)) => *consumer = None,
            (Some(consumer), change) => consumer.apply(change),
            (None, _) => {}
        }
    }
}
