//! What a group must know of topics.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::log::LogManager;

/// A topic as an assignor sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TopicSize {
    /// Tells a topic from an earlier one of the same name.
    pub(crate) id: Uuid,
    /// Its number of partitions.
    pub(crate) partitions: i32,
}

/// The topics of a group, by name; those that do not exist are missing.
pub(in crate::group) type TopicSizes = BTreeMap<String, TopicSize>;

/// The topics that there are.
pub(crate) trait Topics: Send + Sync {
    /// Changes whenever a topic comes, goes or grows.
    fn version(&self) -> u64;
    /// A topic by name.
    fn size(&self, name: &str) -> Option<TopicSize>;
    /// The name of a topic.
    fn name(&self, id: Uuid) -> Option<String>;
}

impl Topics for LogManager {
    fn version(&self) -> u64 {
        self.topics_version()
    }

    fn size(&self, name: &str) -> Option<TopicSize> {
        let topic = self.topic(name)?;
        let partitions = i32::try_from(topic.partitions().len()).ok()?;
        Some(TopicSize { id: topic.id(), partitions })
    }

    fn name(&self, id: Uuid) -> Option<String> {
        self.topic_by_id(id).map(|topic| topic.name().to_owned())
    }
}
