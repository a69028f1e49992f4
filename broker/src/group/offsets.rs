//! How far a group has read: the last offset it committed for each partition.

use std::collections::BTreeMap;

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

/// A group's offsets by topic and partition.
#[derive(Debug, Default)]
pub(super) struct Offsets(BTreeMap<String, BTreeMap<i32, Committed>>);

impl Offsets {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn get(&self, topic: &str, partition: i32) -> Option<&Committed> {
        self.0.get(topic)?.get(&partition)
    }

    pub(super) fn set(&mut self, topic: &str, partition: i32, committed: Committed) {
        self.0.entry(topic.to_owned()).or_default().insert(partition, committed);
    }

    pub(super) fn remove(&mut self, topic: &str, partition: i32) {
        if let Some(partitions) = self.0.get_mut(topic) {
            partitions.remove(&partition);
            if partitions.is_empty() {
                self.0.remove(topic);
            }
        }
    }

    /// The partitions of a topic for which there are offsets.
    pub(super) fn partitions(&self, topic: &str) -> Vec<i32> {
        self.0.get(topic).map(|partitions| partitions.keys().copied().collect()).unwrap_or_default()
    }

    /// The partitions whose offset was committed before `time_ms`.
    pub(super) fn committed_before(&self, time_ms: i64) -> Vec<(String, i32)> {
        let old = |(topic, partitions): (&String, &BTreeMap<i32, Committed>)| {
            let old = partitions.iter().filter(|(_, committed)| committed.timestamp_ms < time_ms);
            old.map(|(partition, _)| (topic.clone(), *partition)).collect::<Vec<_>>()
        };
        self.0.iter().flat_map(old).collect()
    }

    /// All topics with their partitions.
    pub(super) fn topics(&self) -> impl Iterator<Item = (&str, &BTreeMap<i32, Committed>)> {
        self.0.iter().map(|(topic, partitions)| (topic.as_str(), partitions))
    }
}
