//! What a group must know of topics.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::log::{LogManager, Topic};

/// A topic as an assignor sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TopicSize {
    /// Tells a topic from an earlier one of the same name.
    pub(crate) id: Uuid,
    /// Its number of partitions.
    pub(crate) partitions: i32,
}

/// The topics of a group, by name; those that do not exist are missing.
pub(crate) type TopicSizes = BTreeMap<String, TopicSize>;

/// The topics that there are.
pub(crate) trait Topics: Send + Sync {
    /// Changes whenever a topic comes, goes or grows.
    fn version(&self) -> u64;
    /// A topic by name.
    fn size(&self, name: &str) -> Option<TopicSize>;
    /// The topics whose names are wanted.
    fn matching(&self, is_wanted: &dyn Fn(&str) -> bool) -> TopicSizes;
    /// The name of a topic.
    fn name(&self, id: Uuid) -> Option<String>;
}

impl Topics for LogManager {
    fn version(&self) -> u64 {
        self.topics_version()
    }

    fn size(&self, name: &str) -> Option<TopicSize> {
        size(self.topic(name)?.as_ref())
    }

    fn matching(&self, is_wanted: &dyn Fn(&str) -> bool) -> TopicSizes {
        let topics = self.topics();
        let wanted = topics.iter().filter(|topic| is_wanted(topic.name()));
        wanted.filter_map(|topic| Some((topic.name().to_owned(), size(topic)?))).collect()
    }

    fn name(&self, id: Uuid) -> Option<String> {
        self.topic_by_id(id).map(|topic| topic.name().to_owned())
    }
}

fn size(topic: &Topic) -> Option<TopicSize> {
    let partitions = i32::try_from(topic.partitions().len()).ok()?;
    Some(TopicSize { id: topic.id(), partitions })
}
