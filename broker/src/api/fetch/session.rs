//! Fetch in a session, by the rules of [`fetch_sessions`](crate::fetch_sessions).
//!
//! Each time that partitions are read, all of the session's are, under its lock, and what has nothing new is dropped on the
//! spot. What the client has been told changes only with the reply: until then it may be read again and again.

use std::sync::Arc;

use tokio::sync::watch;
use tokio::time::Instant;
use wire::message::fetch::FetchResponse;

use super::{BY_ID, Collected, Fetch};
use crate::config::Config;
use crate::fetch_sessions::{Limits, TopicRef, Turn};
use crate::state::{Broker, Topic};

/// What sessions may take by the settings in force. One may have no more partitions than a request may name, for each of
/// its requests costs as much as one that names them.
pub(super) fn limits(config: &Config) -> Limits {
    Limits {
        sessions: config.max_fetch_sessions,
        partitions: config.max_fetch_session_partitions,
        partitions_each: config.max_request_partitions,
    }
}

/// Finds topics, and remembers the last one: neighbours in a session mostly share theirs.
struct Topics<'a> {
    broker: &'a Broker,
    last: Option<(TopicRef, Option<Arc<Topic>>)>,
}

impl Topics<'_> {
    fn find(&mut self, wanted: &TopicRef) -> Option<&Topic> {
        if self.last.as_ref().is_none_or(|(topic, _)| topic != wanted) {
            let found = match wanted {
                TopicRef::Name(name) => self.broker.topic(name),
                TopicRef::Id(id) => self.broker.topic_by_id(*id),
            };
            self.last = Some((wanted.clone(), found));
        }
        self.last.as_ref().and_then(|(_, found)| found.as_deref())
    }
}

impl Fetch {
    /// What the partitions of a session have to tell, and as many of their records as the limits allow.
    pub(super) fn collect_changed(&self, turn: &Turn) -> Collected {
        let mut collected = Collected::default();
        let mut topics = self.topics();
        let changes = turn.changed(|cached| {
            let topic = topics.find(cached.topic());
            self.partition(topic, &cached.wanted(), &mut collected, &|partition, wanted, collected| {
                self.read(partition, wanted, collected)
            })
        });
        match changes {
            Ok(changes) => {
                collected.response.responses = changes.responses;
                collected.places = changes.places;
            }
            // another request of the session has come: there is nothing to wait for, and the reply says so
            Err(_) => collected.failed = true,
        }
        collected
    }

    /// The high watermarks of a session's partitions.
    pub(super) fn watch_session(&self, turn: &Turn) -> Vec<watch::Receiver<i64>> {
        let mut watches = Vec::new();
        let mut topics = self.topics();
        turn.each(|cached| {
            let topic = topics.find(cached.topic());
            let partition = topic.and_then(|topic| topic.partition(cached.partition()));
            watches.extend(partition.map(|partition| partition.watch_high_watermark()));
        });
        watches
    }

    /// Remembers what the session's client is told, unless another of its requests has come meanwhile.
    pub(super) fn commit(&self, turn: &Turn, mut collected: Collected) -> Collected {
        if let Err(error) = turn.commit(&collected.places, &collected.response.responses) {
            collected = Collected::default();
            collected.response.error_code = error.code();
        }
        collected.response.session_id = turn.id();
        collected
    }

    /// Opens a session that begins with `response`; returns its id, 0 if there is none.
    pub(super) fn open_session(&self, response: &FetchResponse) -> i32 {
        let by_id = self.context.version >= BY_ID;
        let limits = limits(&self.broker.config.current());
        self.broker.fetch_sessions.open(&self.request, response, by_id, limits, Instant::now())
    }

    fn topics(&self) -> Topics<'_> {
        Topics { broker: &self.broker, last: None }
    }
}
