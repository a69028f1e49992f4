//! The first files of a new partition.
//!
//! | file | how it becomes durable |
//! |---|---|
//! | `partition.metadata` | by the caller, who knows the topic, but for its name |
//! | `leader-epoch-checkpoint` | its own sync, but for its name |
//! | `.log`, `.index`, `.timeindex` | they are new and empty: there is nothing to sync but their names |
//! | all names | one sync of the directory, the last step |
//!
//! The directory's own name is durable when the caller has synced the one above, once for all partitions of a topic. None of them
//! is used before that: a directory that is not complete belongs to no topic, and is moved out of the way of the next attempt.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::recover::assemble;
use super::{Origin, Partition};
use crate::log::epochs::LeaderEpochs;
use crate::log::error::StorageError;
use crate::log::producer::Producers;
use crate::log::segment::Segment;

impl Partition {
    /// Creates an empty log in a directory that is new and has no segments. What the caller has put there before becomes durable
    /// with it.
    pub(crate) fn create(origin: Origin) -> Result<Partition, StorageError> {
        let (disk, dir) = (Arc::clone(&origin.disk), origin.dir.clone());
        LeaderEpochs::create(disk.as_ref(), &dir)?;
        let segment = Arc::new(Segment::create(disk.as_ref(), &dir, 0)?);
        let partition = assemble(origin, BTreeMap::from([(0, segment)]), 0, Producers::default())?;
        disk.sync_dir(&dir).map_err(|source| StorageError::io("flush", &dir, source))?;
        Ok(partition)
    }
}
