//! One session: what its client wants of each partition, and what it was told last.

use std::collections::BTreeMap;
use std::sync::Arc;

use uuid::Uuid;
use wire::message::fetch::{
    FetchPartition, FetchRequest, FetchResponse, FetchTopic, FetchableTopicResponse, PartitionData,
};

/// The longest name that a topic can have. Longer ones would take memory that is not counted.
const NAME_BYTES_MAX: usize = 249;

/// Whether a session may keep what a request names.
pub(super) fn can_be_remembered(request: &FetchRequest) -> bool {
    request.topics.iter().all(|topic| topic.topic.len() <= NAME_BYTES_MAX)
}

/// A topic as the requests of a session name it: all by name or all by id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum TopicRef {
    /// Until version 12.
    Name(Arc<str>),
    /// From version 13 on.
    Id(Uuid),
}

impl TopicRef {
    /// The one of both that counts.
    pub(crate) fn new(by_id: bool, name: &str, id: Uuid) -> Self {
        if by_id { TopicRef::Id(id) } else { TopicRef::Name(name.into()) }
    }

    fn is_that_of(&self, response: &FetchableTopicResponse) -> bool {
        match self {
            TopicRef::Name(name) => **name == *response.topic,
            TopicRef::Id(id) => *id == response.topic_id,
        }
    }

    fn response(&self, data: PartitionData) -> FetchableTopicResponse {
        let (topic, topic_id) = match self {
            TopicRef::Name(name) => (name.to_string(), Uuid::nil()),
            TopicRef::Id(id) => (String::new(), *id),
        };
        FetchableTopicResponse { topic, topic_id, partitions: vec![data] }
    }
}

/// Offsets that a client was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Told {
    high_watermark: i64,
    last_stable_offset: i64,
    log_start_offset: i64,
}

impl Told {
    /// What an answer tells; nothing if that is an error.
    fn by(data: &PartitionData) -> Option<Self> {
        (data.error_code == 0).then_some(Told {
            high_watermark: data.high_watermark,
            last_stable_offset: data.last_stable_offset,
            log_start_offset: data.log_start_offset,
        })
    }
}

/// What a client wants of a partition, as far as it matters to a broker without followers.
#[derive(Debug, Clone, Copy)]
struct Wanted {
    current_leader_epoch: i32,
    partition_max_bytes: i32,
    fetch_offset: i64,
}

impl Wanted {
    fn by(request: &FetchPartition) -> Self {
        let FetchPartition { current_leader_epoch, partition_max_bytes, fetch_offset, .. } = *request;
        Wanted { current_leader_epoch, partition_max_bytes, fetch_offset }
    }
}

/// A partition of a session. There may be many, so it has no more than is needed.
#[derive(Debug)]
pub(crate) struct Cached {
    topic: TopicRef,
    partition: i32,
    wanted: Wanted,
    /// `None` before the first time, and after an error.
    told: Option<Told>,
}

impl Cached {
    /// Its topic.
    pub(crate) fn topic(&self) -> &TopicRef {
        &self.topic
    }

    /// Its number.
    pub(crate) fn partition(&self) -> i32 {
        self.partition
    }

    /// What the client wants of it, as a request that names it would say.
    pub(crate) fn wanted(&self) -> FetchPartition {
        let Wanted { current_leader_epoch, partition_max_bytes, fetch_offset } = self.wanted;
        FetchPartition {
            partition: self.partition,
            current_leader_epoch,
            fetch_offset,
            partition_max_bytes,
            ..Default::default()
        }
    }

    fn must_tell(&self, data: &PartitionData) -> bool {
        data.error_code != 0 || has_records(data) || self.told != Told::by(data)
    }
}

fn has_records(data: &PartitionData) -> bool {
    data.records.as_ref().is_some_and(|records| !records.is_empty())
}

/// What a session has to tell.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    /// The answers, grouped by topic as far as they are neighbours.
    pub(crate) responses: Vec<FetchableTopicResponse>,
    /// Where the session has each of their partitions.
    pub(crate) places: Vec<u64>,
}

impl Changes {
    fn push(&mut self, place: u64, topic: &TopicRef, data: PartitionData) {
        self.places.push(place);
        match self.responses.last_mut() {
            Some(last) if topic.is_that_of(last) => last.partitions.push(data),
            _ => self.responses.push(topic.response(data)),
        }
    }
}

/// A session.
#[derive(Debug)]
pub(super) struct Session {
    by_id: bool,
    /// The epoch of the next request.
    epoch: i32,
    /// The partitions by place, in the order in which they are read.
    partitions: BTreeMap<u64, Cached>,
    /// The places of the partitions.
    places: BTreeMap<(TopicRef, i32), u64>,
    /// No partition has a place from here on.
    next_place: u64,
}

impl Session {
    /// A session that is opened by the answer which is being made.
    pub(super) fn new(by_id: bool) -> Self {
        Session { by_id, epoch: 1, partitions: BTreeMap::new(), places: BTreeMap::new(), next_place: 0 }
    }

    /// Whether its topics go by id.
    pub(super) fn by_id(&self) -> bool {
        self.by_id
    }

    /// The epoch of the next request.
    pub(super) fn epoch(&self) -> i32 {
        self.epoch
    }

    /// Goes on to the next epoch, and returns it.
    pub(super) fn next_epoch(&mut self) -> i32 {
        self.epoch = epoch_after(self.epoch);
        self.epoch
    }

    /// The number of partitions.
    pub(super) fn len(&self) -> usize {
        self.partitions.len()
    }

    /// Whether there are no partitions.
    pub(super) fn is_empty(&self) -> bool {
        self.partitions.is_empty()
    }

    /// All partitions, in order.
    pub(super) fn partitions(&self) -> impl Iterator<Item = &Cached> {
        self.partitions.values()
    }

    /// Takes over what the request that opens the session names, and what it is answered.
    pub(super) fn fill(&mut self, request: &FetchRequest, response: &FetchResponse) {
        for (topic, answered) in request.topics.iter().zip(&response.responses) {
            let key = self.key(topic);
            for (wanted, data) in topic.partitions.iter().zip(&answered.partitions) {
                self.put(&key, wanted).told = Told::by(data);
            }
        }
    }

    /// Takes over what an incremental request names, then what it forgets: a partition that is in both is forgotten.
    pub(super) fn update(&mut self, request: &FetchRequest) {
        for topic in &request.topics {
            let key = self.key(topic);
            for wanted in &topic.partitions {
                self.put(&key, wanted);
            }
        }
        for forgotten in &request.forgotten_topics_data {
            let topic = TopicRef::new(self.by_id, &forgotten.topic, forgotten.topic_id);
            for partition in &forgotten.partitions {
                if let Some(place) = self.places.remove(&(topic.clone(), *partition)) {
                    self.partitions.remove(&place);
                }
            }
        }
    }

    fn key(&self, topic: &FetchTopic) -> TopicRef {
        TopicRef::new(self.by_id, &topic.topic, topic.topic_id)
    }

    /// Notes what is wanted of a partition; one that is new goes to the end.
    fn put(&mut self, topic: &TopicRef, wanted: &FetchPartition) -> &mut Cached {
        let next_place = &mut self.next_place;
        let place = *self.places.entry((topic.clone(), wanted.partition)).or_insert_with(|| {
            let place = *next_place;
            *next_place += 1;
            place
        });
        let fresh = || Cached {
            topic: topic.clone(),
            partition: wanted.partition,
            wanted: Wanted::by(wanted),
            told: None,
        };
        let cached = self.partitions.entry(place).or_insert_with(fresh);
        cached.wanted = Wanted::by(wanted);
        cached
    }

    /// Reads all partitions, and keeps what is to be told of them.
    pub(super) fn changed(&self, mut read: impl FnMut(&Cached) -> PartitionData) -> Changes {
        let mut changes = Changes::default();
        for (place, cached) in &self.partitions {
            let data = read(cached);
            if cached.must_tell(&data) {
                changes.push(*place, &cached.topic, data);
            }
        }
        changes
    }

    /// Remembers what is told of the partitions at `places`. Those that gave records go to the end.
    pub(super) fn commit(&mut self, places: &[u64], responses: &[FetchableTopicResponse]) {
        let told = responses.iter().flat_map(|topic| &topic.partitions);
        for (place, data) in places.iter().zip(told) {
            let Some(cached) = self.partitions.get_mut(place) else { continue };
            cached.told = Told::by(data);
            if has_records(data) {
                self.move_to_end(*place);
            }
        }
    }

    fn move_to_end(&mut self, place: u64) {
        if self.partitions.last_key_value().is_some_and(|(last, _)| *last == place) {
            return;
        }
        if let Some(cached) = self.partitions.remove(&place) {
            self.places.insert((cached.topic.clone(), cached.partition), self.next_place);
            self.partitions.insert(self.next_place, cached);
            self.next_place += 1;
        }
    }
}

/// The epoch of the request after one of `epoch`.
pub(super) fn epoch_after(epoch: i32) -> i32 {
    epoch.checked_add(1).unwrap_or(1)
}
