//! How far a group has read: the last offset it committed for each partition.
//!
//! What is committed in a transaction is *pending* until the transaction ends: then it counts as committed when it was
//! written, so that what was committed after it stays in force.

use std::collections::{BTreeMap, HashMap};

/// What a group committed for a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Committed {
    /// The next offset to read.
    pub(super) offset: i64,
    /// The leader epoch of the last record read, -1 if not known.
    pub(super) leader_epoch: i32,
    /// Text that the client keeps with it.
    pub(super) metadata: String,
    /// When it was committed, milliseconds since 1970.
    pub(super) timestamp_ms: i64,
}

/// What is committed in an open transaction.
#[derive(Debug)]
struct PendingCommit {
    committed: Committed,
    /// The place of its record in the offsets topic.
    record_offset: i64,
}

/// A topic and a partition.
type Place = (String, i32);

/// A group's offsets by topic and partition.
#[derive(Debug, Default)]
pub(super) struct Offsets {
    by_topic: BTreeMap<String, BTreeMap<i32, Committed>>,
    /// By producer id.
    pending: HashMap<i64, BTreeMap<Place, PendingCommit>>,
}

impl Offsets {
    pub(super) fn is_empty(&self) -> bool {
        self.by_topic.is_empty() && self.pending.is_empty()
    }

    pub(super) fn get(&self, topic: &str, partition: i32) -> Option<&Committed> {
        self.by_topic.get(topic)?.get(&partition)
    }

    /// Sets what was committed outside of transactions, after all that is pending.
    pub(super) fn set(&mut self, topic: &str, partition: i32, committed: Committed) {
        self.drop_pending(topic, partition, i64::MAX);
        self.put(topic, partition, committed);
    }

    fn put(&mut self, topic: &str, partition: i32, committed: Committed) {
        self.by_topic.entry(topic.to_owned()).or_default().insert(partition, committed);
    }

    pub(super) fn remove(&mut self, topic: &str, partition: i32) {
        self.drop_pending(topic, partition, i64::MAX);
        if let Some(partitions) = self.by_topic.get_mut(topic) {
            partitions.remove(&partition);
            if partitions.is_empty() {
                self.by_topic.remove(topic);
            }
        }
    }

    /// Keeps what a producer commits in its transaction, at `record_offset` of the offsets topic.
    pub(super) fn stage(
        &mut self,
        producer_id: i64,
        topic: &str,
        partition: i32,
        committed: Committed,
        record_offset: i64,
    ) {
        let commits = self.pending.entry(producer_id).or_default();
        commits.insert((topic.to_owned(), partition), PendingCommit { committed, record_offset });
    }

    /// Ends a producer's transaction: what it has committed holds from now on, or is forgotten.
    pub(super) fn end_transaction(&mut self, producer_id: i64, is_commit: bool) {
        let Some(commits) = self.pending.remove(&producer_id) else { return };
        for ((topic, partition), PendingCommit { committed, record_offset }) in commits {
            if is_commit {
                // of two transactions that end in another order than they wrote, the later record holds
                self.drop_pending(&topic, partition, record_offset);
                self.put(&topic, partition, committed);
            }
        }
    }

    /// Forgets what is pending for a partition and was written before `record_offset`.
    fn drop_pending(&mut self, topic: &str, partition: i32, record_offset: i64) {
        if self.pending.is_empty() {
            return;
        }
        let place = (topic.to_owned(), partition);
        self.pending.retain(|_, commits| {
            if commits.get(&place).is_some_and(|commit| commit.record_offset < record_offset) {
                commits.remove(&place);
            }
            !commits.is_empty()
        });
    }

    /// Whether an open transaction may change the offset.
    pub(super) fn is_unstable(&self, topic: &str, partition: i32) -> bool {
        if self.pending.is_empty() {
            return false;
        }
        let place = (topic.to_owned(), partition);
        self.pending.values().any(|commits| commits.contains_key(&place))
    }

    /// The producers whose transactions are open here.
    pub(super) fn producers(&self) -> impl Iterator<Item = i64> {
        self.pending.keys().copied()
    }

    /// The partitions of a topic for which there are offsets, pending ones too.
    pub(super) fn partitions(&self, topic: &str) -> Vec<i32> {
        let mut partitions: Vec<i32> = self
            .by_topic
            .get(topic)
            .map(|partitions| partitions.keys().copied().collect())
            .unwrap_or_default();
        let pending = self.pending.values().flat_map(BTreeMap::keys).filter(|(name, _)| name == topic);
        partitions.extend(pending.map(|(_, partition)| *partition));
        partitions
    }

    /// The partitions whose offset was committed before `time_ms`.
    pub(super) fn committed_before(&self, time_ms: i64) -> Vec<(String, i32)> {
        let old = |(topic, partitions): (&String, &BTreeMap<i32, Committed>)| {
            let old = partitions.iter().filter(|(_, committed)| committed.timestamp_ms < time_ms);
            old.map(|(partition, _)| (topic.clone(), *partition)).collect::<Vec<_>>()
        };
        self.by_topic.iter().flat_map(old).collect()
    }

    /// All topics with their partitions.
    pub(super) fn topics(&self) -> impl Iterator<Item = (&str, &BTreeMap<i32, Committed>)> {
        self.by_topic.iter().map(|(topic, partitions)| (topic.as_str(), partitions))
    }
}
