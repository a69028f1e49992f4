//! Sessions over partitions that are made up: what is read of one is its offsets, and whether there are records.

mod bounds;
mod changes;
mod model;
mod requests;

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use uuid::Uuid;
use wire::Blob;
use wire::message::fetch::{FetchPartition, FetchTopic, ForgottenTopic};

use super::*;

/// A topic's number and a partition's.
type Key = (u8, i32);

#[derive(Debug, Clone, Copy, PartialEq)]
struct Offsets {
    start: i64,
    stable: i64,
    end: i64,
}

/// A broker that has sessions, and of its partitions only the offsets.
struct World {
    sessions: FetchSessions,
    metrics: FetchSessionMetrics,
    by_id: bool,
    partitions: BTreeMap<Key, Offsets>,
    limits: Limits,
    now: Instant,
    /// How many partitions may give records in one answer.
    room: usize,
}

impl World {
    fn new(by_id: bool) -> Self {
        let metrics = FetchSessionMetrics::default();
        World {
            sessions: FetchSessions::new(metrics.clone()),
            metrics,
            by_id,
            partitions: BTreeMap::new(),
            limits: Limits { sessions: 100, partitions: 1000, partitions_each: 1000 },
            now: Instant::now(),
            room: usize::MAX,
        }
    }

    /// With empty partitions.
    fn with(keys: &[Key]) -> Self {
        let mut world = World::new(true);
        keys.iter().for_each(|key| world.set(*key, 0, 0));
        world
    }

    fn set(&mut self, key: Key, start: i64, end: i64) {
        self.partitions.insert(key, Offsets { start, stable: end, end });
    }

    fn pass(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
    }

    /// The numbers of sessions, of their partitions and of evictions, as the metrics have them.
    fn counts(&self) -> (i64, i64, u64) {
        (self.metrics.sessions.get(), self.metrics.partitions.get(), self.metrics.evictions.get())
    }

    fn begin(&self, request: &FetchRequest) -> Result<Scope, ErrorCode> {
        self.sessions.begin(request, self.by_id, self.limits, self.now)
    }

    /// Serves a request as Fetch does.
    fn fetch(&self, request: &FetchRequest) -> Result<FetchResponse, ErrorCode> {
        let scope = self.begin(request)?;
        self.answer(&scope, request)
    }

    fn answer(&self, scope: &Scope, request: &FetchRequest) -> Result<FetchResponse, ErrorCode> {
        let mut room = self.room;
        if let Scope::Incremental(turn) = scope {
            let changes = turn.changed(|cached| self.read(cached.topic(), &cached.wanted(), &mut room))?;
            turn.commit(&changes.places, &changes.responses)?;
            let responses = changes.responses;
            return Ok(FetchResponse { session_id: turn.id(), responses, ..Default::default() });
        }
        let mut response = FetchResponse::default();
        for topic in &request.topics {
            let name = TopicRef::new(self.by_id, &topic.topic, topic.topic_id);
            let read = |wanted: &FetchPartition| self.read(&name, wanted, &mut room);
            let partitions = topic.partitions.iter().map(read).collect();
            let (topic, topic_id) = (topic.topic.clone(), topic.topic_id);
            response.responses.push(FetchableTopicResponse { topic, topic_id, partitions });
        }
        if matches!(scope, Scope::Full) {
            response.session_id = self.sessions.open(request, &response, self.by_id, self.limits, self.now);
        }
        Ok(response)
    }

    fn read(&self, topic: &TopicRef, wanted: &FetchPartition, room: &mut usize) -> PartitionData {
        let topic = match topic {
            TopicRef::Name(name) => number(name, Uuid::nil()),
            TopicRef::Id(id) => number("", *id),
        };
        let partition_index = wanted.partition;
        let failed = |error: ErrorCode| PartitionData {
            partition_index,
            error_code: error.code(),
            high_watermark: -1,
            ..Default::default()
        };
        let Some(offsets) = self.partitions.get(&(topic, partition_index)) else {
            return failed(ErrorCode::UnknownTopicOrPartition);
        };
        if !(offsets.start..=offsets.end).contains(&wanted.fetch_offset) {
            return failed(ErrorCode::OffsetOutOfRange);
        }
        let has_records = wanted.fetch_offset < offsets.end && *room > 0;
        *room -= usize::from(has_records);
        let records = if has_records { "records" } else { "" };
        PartitionData {
            partition_index,
            high_watermark: offsets.end,
            last_stable_offset: offsets.stable,
            log_start_offset: offsets.start,
            records: Some(Blob::Bytes(Bytes::from_static(records.as_bytes()))),
            ..Default::default()
        }
    }

    /// Opens a session.
    fn open(&self, wanted: &[(Key, i64)]) -> Client {
        let response = self.fetch(&full(0, 0, wanted)).unwrap();
        assert!(response.session_id > 0, "{}", response.session_id);
        assert_eq!(keys(&response).len(), wanted.len(), "a full answer tells of all");
        Client { id: response.session_id, epoch: 1 }
    }

    /// Whether a session could be opened.
    fn opens(&self, wanted: &[(Key, i64)]) -> bool {
        self.fetch(&full(0, 0, wanted)).unwrap().session_id > 0
    }
}

/// The number of the topic `t3`, or of that with id 3.
fn number(name: &str, id: Uuid) -> u8 {
    match name.strip_prefix('t') {
        Some(number) => number.parse().unwrap(),
        None => u8::try_from(id.as_u128()).unwrap(),
    }
}

/// One who has a session.
struct Client {
    id: i32,
    epoch: i32,
}

impl Client {
    /// The session's next request.
    fn request(&mut self, wanted: &[(Key, i64)], forgotten: &[Key]) -> FetchRequest {
        let request = request(self.id, self.epoch, wanted, forgotten);
        self.epoch += 1;
        request
    }

    /// Sends the session's next request; returns the partitions that are answered, in order.
    fn next(&mut self, world: &World, wanted: &[(Key, i64)], forgotten: &[Key]) -> Vec<Key> {
        let request = self.request(wanted, forgotten);
        let response = world.fetch(&request).unwrap();
        assert_eq!(response.session_id, self.id);
        keys(&response)
    }

    /// As [`next`](Self::next), for a request that is refused.
    fn refused(&mut self, world: &World, wanted: &[(Key, i64)]) -> ErrorCode {
        let request = self.request(wanted, &[]);
        world.fetch(&request).unwrap_err()
    }
}

/// A request that names `wanted`, each with the offset to read from.
fn request(session_id: i32, session_epoch: i32, wanted: &[(Key, i64)], forgotten: &[Key]) -> FetchRequest {
    let id = |topic: u8| Uuid::from_u128(topic.into());
    let topics = wanted.iter().map(|((topic, partition), fetch_offset)| FetchTopic {
        topic: format!("t{topic}"),
        topic_id: id(*topic),
        partitions: vec![FetchPartition {
            partition: *partition,
            fetch_offset: *fetch_offset,
            ..Default::default()
        }],
    });
    let forgotten = forgotten.iter().map(|(topic, partition)| ForgottenTopic {
        topic: format!("t{topic}"),
        topic_id: id(*topic),
        partitions: vec![*partition],
    });
    FetchRequest {
        session_id,
        session_epoch,
        topics: topics.collect(),
        forgotten_topics_data: forgotten.collect(),
        ..Default::default()
    }
}

fn full(session_id: i32, session_epoch: i32, wanted: &[(Key, i64)]) -> FetchRequest {
    request(session_id, session_epoch, wanted, &[])
}

/// The partitions that are answered, with what is told of them.
fn told(response: &FetchResponse) -> Vec<(Key, &PartitionData)> {
    let mut told = Vec::new();
    for topic in &response.responses {
        let number = number(&topic.topic, topic.topic_id);
        told.extend(topic.partitions.iter().map(|data| ((number, data.partition_index), data)));
    }
    told
}

fn keys(response: &FetchResponse) -> Vec<Key> {
    told(response).into_iter().map(|(key, _)| key).collect()
}
