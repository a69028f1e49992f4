//! Keeps the groups in the compacted topic `__consumer_offsets`: a group's records all go to one partition, chosen by
//! its name as Kafka does it.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use tracing::{info, warn};
use wire::ErrorCode;
use wire::record::batch;
use wire::record::{BatchBuilder, Compression};

use super::offsets::Committed;
use super::records::{self, Key, Record};
use super::state::Group;
use crate::log::{Partition, StorageError};

/// The name of the internal topic.
pub(crate) const OFFSETS_TOPIC: &str = "__consumer_offsets";

/// Bytes read at a time while loading.
const LOAD_CHUNK_BYTES: u32 = 1 << 20;
/// The most that a batch of our own may hold when decompressed.
const LOAD_BATCH_BYTES: usize = 64 << 20;

/// Where the groups are kept.
#[derive(Debug)]
pub(super) struct Store {
    partitions: Vec<Arc<Partition>>,
}

/// Records that were appended and are durable once `partition` is flushed up to `offset`.
#[derive(Debug)]
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

impl Store {
    /// Keeps the groups in these partitions, which must not be empty.
    pub(super) fn new(partitions: Vec<Arc<Partition>>) -> Self {
        Store { partitions }
    }

    fn partition_of(&self, group: &str) -> Option<&Arc<Partition>> {
        let count = u32::try_from(self.partitions.len()).ok().filter(|count| *count > 0)?;
        // Kafka takes the absolute value, and 0 for the one number that has none.
        let hash = java_hash(group).checked_abs().unwrap_or(0).unsigned_abs();
        self.partitions.get((hash % count) as usize)
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

    /// Reads all groups. Blocks.
    pub(super) fn load(&self, now_ms: i64) -> Result<HashMap<String, Group>, StorageError> {
        let mut groups = HashMap::new();
        for partition in &self.partitions {
            load_partition(partition, &mut groups, now_ms)?;
        }
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
    let mut offset = partition.log_start_offset();
    while offset < partition.high_watermark() {
        let Ok(slice) = partition.read(offset, LOAD_CHUNK_BYTES, true) else {
            warn!(partition = partition.name(), offset, "cannot read committed offsets, the rest is skipped");
            return Ok(());
        };
        let bytes = slice.read_bytes().map_err(|error| StorageError::io("read", partition.dir(), error))?;
        let before = offset;
        for batch in batch::batches(&bytes) {
            let Ok((header, batch)) = batch else { break };
            offset = header.last_offset().saturating_add(1);
            if let Err(error) = load_batch(batch, groups, now_ms) {
                warn!(partition = partition.name(), offset = header.base_offset, %error, "skipping a batch of offsets");
            }
        }
        if offset <= before {
            return Ok(());
        }
    }
    Ok(())
}

fn load_batch(
    batch: &[u8],
    groups: &mut HashMap<String, Group>,
    now_ms: i64,
) -> Result<(), Box<dyn std::error::Error>> {
    for record in &batch::records(batch, LOAD_BATCH_BYTES)? {
        let record = record?;
        let Some(key) = record.key else { continue };
        let value = record.value.map(Bytes::copy_from_slice);
        match records::read_key(Bytes::copy_from_slice(key))? {
            Key::Unknown => {}
            Key::Offset { group, topic, partition } => {
                let committed: Option<Committed> = match value {
                    Some(value) => records::read_offset(value)?,
                    None => None,
                };
                let group = groups.entry(group).or_insert_with_key(|id| Group::new(id));
                match committed {
                    Some(committed) => group.offsets.set(&topic, partition, committed),
                    None => group.offsets.remove(&topic, partition),
                }
            }
            Key::Group(id) => {
                let group = groups.entry(id).or_insert_with_key(|id| Group::new(id));
                match value {
                    Some(value) => records::read_group(group, value, now_ms)?,
                    None => group.members.clear(),
                }
            }
        }
    }
    Ok(())
}
