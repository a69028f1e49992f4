//! Sets of partitions, by topic.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;
use wire::message::consumer_group_heartbeat::TopicPartitions;

/// Partitions by the id of their topic. No topic has an empty set.
pub(in crate::group) type Partitions = BTreeMap<Uuid, BTreeSet<i32>>;

/// No partitions.
pub(in crate::group) static NONE: Partitions = BTreeMap::new();

/// The partitions one by one.
pub(in crate::group) fn each(partitions: &Partitions) -> impl Iterator<Item = (Uuid, i32)> + '_ {
    partitions.iter().flat_map(|(topic, indexes)| indexes.iter().map(move |index| (*topic, *index)))
}

pub(in crate::group) fn contains(partitions: &Partitions, topic: Uuid, index: i32) -> bool {
    partitions.get(&topic).is_some_and(|indexes| indexes.contains(&index))
}

pub(in crate::group) fn add(partitions: &mut Partitions, topic: Uuid, index: i32) {
    partitions.entry(topic).or_default().insert(index);
}

/// What a request names.
pub(in crate::group) fn from_wire(named: &[TopicPartitions]) -> Partitions {
    let mut partitions = Partitions::new();
    for topic in named {
        topic.partitions.iter().for_each(|index| add(&mut partitions, topic.topic_id, *index));
    }
    partitions
}

/// As an answer names them.
pub(in crate::group) fn to_wire(partitions: &Partitions) -> Vec<TopicPartitions> {
    let topic = |(topic_id, indexes): (&Uuid, &BTreeSet<i32>)| TopicPartitions {
        topic_id: *topic_id,
        partitions: indexes.iter().copied().collect(),
    };
    partitions.iter().map(topic).collect()
}
