//! Fetch sessions: what is left out of answers, when there is no session, and waiting.

use std::time::Duration;

use uuid::Uuid;
use wire::message::delete_topics::DeleteTopicsRequest;
use wire::message::fetch::{FetchPartition, FetchRequest, FetchResponse, FetchTopic, ForgottenTopic};
use wire::message::metadata::MetadataRequest;
use wire::{Blob, ErrorCode};

use super::support::{Client, TestBroker, batch_of, values};

/// Long enough to be told from an answer that does not wait.
const LONG_MS: i32 = 60_000;
/// The highest version with names, and one with ids.
const BY_NAME: i16 = 12;
const BY_ID: i16 = 13;

/// Topics of one partition, named in requests both ways: a version sends the one that it has.
struct Topics(Vec<(String, Uuid)>);

impl Topics {
    /// Creates them.
    async fn create(client: &mut Client, names: &[&str]) -> Self {
        for name in names {
            client.create(name, 1).await;
        }
        let all = client.call(12, &MetadataRequest { topics: None, ..Default::default() }).await.topics;
        let id = |name: &str| all.iter().find(|found| found.name.as_deref() == Some(name)).unwrap().topic_id;
        Topics(names.iter().map(|&name| (name.to_owned(), id(name))).collect())
    }

    fn id(&self, name: &str) -> Uuid {
        self.0.iter().find(|(known, _)| known == name).unwrap().1
    }

    /// What to read of a topic.
    fn at(&self, name: &str, fetch_offset: i64) -> FetchTopic {
        let partition = FetchPartition { fetch_offset, partition_max_bytes: 1 << 20, ..Default::default() };
        FetchTopic { topic: name.to_owned(), topic_id: self.id(name), partitions: vec![partition] }
    }

    fn forget(&self, name: &str) -> ForgottenTopic {
        ForgottenTopic { topic: name.to_owned(), topic_id: self.id(name), partitions: vec![0] }
    }

    /// The topics that are answered, in order, with their errors and records.
    fn told(&self, response: &FetchResponse) -> Vec<(&str, ErrorCode, Vec<String>)> {
        let mut told = Vec::new();
        for topic in &response.responses {
            let is_meant = |(name, id): &&(String, Uuid)| topic.topic == *name || topic.topic_id == *id;
            let name = &self.0.iter().find(is_meant).unwrap().0;
            for data in &topic.partitions {
                let bytes = data.records.as_ref().and_then(Blob::bytes).cloned().unwrap_or_default();
                let records = values(&bytes).into_iter().map(|(_, value)| value).collect();
                told.push((name.as_str(), ErrorCode::from_code(data.error_code), records));
            }
        }
        told
    }
}

/// Without an error, with these records.
fn ok<'a>(name: &'a str, records: &[&str]) -> (&'a str, ErrorCode, Vec<String>) {
    (name, ErrorCode::None, records.iter().map(|record| (*record).to_owned()).collect())
}

fn failed(name: &str, error: ErrorCode) -> (&str, ErrorCode, Vec<String>) {
    (name, error, Vec::new())
}

fn request(session_id: i32, session_epoch: i32, topics: Vec<FetchTopic>) -> FetchRequest {
    FetchRequest {
        max_wait_ms: 0,
        min_bytes: 1,
        max_bytes: 50 << 20,
        session_id,
        session_epoch,
        topics,
        ..Default::default()
    }
}

/// A session, as its client has it.
struct Session {
    version: i16,
    id: i32,
    epoch: i32,
}

impl Session {
    async fn open(client: &mut Client, version: i16, topics: Vec<FetchTopic>) -> (Self, FetchResponse) {
        let response = client.call(version, &request(0, 0, topics)).await;
        assert_eq!(response.error_code, 0);
        assert!(response.session_id > 0, "version {version}: {}", response.session_id);
        (Session { version, id: response.session_id, epoch: 1 }, response)
    }

    /// The next request.
    fn request(&mut self, topics: Vec<FetchTopic>) -> FetchRequest {
        self.epoch += 1;
        request(self.id, self.epoch - 1, topics)
    }

    /// Sends the next request.
    async fn next(&mut self, client: &mut Client, topics: Vec<FetchTopic>) -> FetchResponse {
        let request = self.request(topics);
        let response = client.call(self.version, &request).await;
        assert_eq!((response.error_code, response.session_id), (0, self.id));
        response
    }

    /// Sends the next request, which is refused as a whole.
    async fn refused(&mut self, client: &mut Client) -> ErrorCode {
        let request = self.request(Vec::new());
        error_of(client, self.version, &request).await
    }
}

/// The error of a request that is refused as a whole.
async fn error_of(client: &mut Client, version: i16, request: &FetchRequest) -> ErrorCode {
    let response = client.call(version, request).await;
    assert_eq!((response.session_id, response.responses.len()), (0, 0));
    ErrorCode::from_code(response.error_code)
}

async fn delete(client: &mut Client, topic: &str) {
    let request = DeleteTopicsRequest { topic_names: vec![topic.to_owned()], ..Default::default() };
    let response = client.call(5, &request).await;
    assert_eq!(response.responses[0].error_code, 0);
}

#[tokio::test]
async fn every_version_leaves_out_what_has_not_changed() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    let topics = Topics::create(&mut client, &["a", "b"]).await;
    for (version, at) in (7..=17).zip(0..) {
        let value = format!("version {version}");
        client.produce("a", batch_of(&[&value])).await;
        let wanted = vec![topics.at("a", at), topics.at("b", at)];
        let (mut session, response) = Session::open(&mut client, version, wanted).await;
        assert_eq!(topics.told(&response), [ok("a", &[&value]), ok("b", &[])], "{value}");
        let response = session.next(&mut client, vec![topics.at("a", at + 1)]).await;
        assert!(topics.told(&response).is_empty(), "{value}");
        client.produce("b", batch_of(&[&value])).await;
        let response = session.next(&mut client, Vec::new()).await;
        assert_eq!(topics.told(&response), [ok("b", &[&value])], "{value}");
        let data = &response.responses[0].partitions[0];
        assert_eq!(
            (data.high_watermark, data.last_stable_offset, data.log_start_offset),
            (at + 1, at + 1, 0)
        );
        let response = session.next(&mut client, vec![topics.at("b", at + 1)]).await;
        assert!(topics.told(&response).is_empty(), "{value}");
    }
    assert_eq!(broker.metric("logagent_broker_fetch_sessions"), 11);
    assert_eq!(broker.metric("logagent_broker_fetch_session_partitions"), 22);
}

#[tokio::test]
async fn what_is_forgotten_is_not_read_and_nothing_left_is_no_session() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    let topics = Topics::create(&mut client, &["a", "b"]).await;
    for version in [BY_NAME, BY_ID] {
        let wanted = vec![topics.at("a", 0), topics.at("b", 0)];
        let (mut session, _) = Session::open(&mut client, version, wanted).await;
        let request =
            FetchRequest { forgotten_topics_data: vec![topics.forget("b")], ..session.request(Vec::new()) };
        client.produce("a", batch_of(&["x"])).await;
        client.produce("b", batch_of(&["x"])).await;
        let response = client.call(version, &request).await;
        let names: Vec<&str> = topics.told(&response).into_iter().map(|(name, ..)| name).collect();
        assert_eq!((response.session_id, names), (session.id, vec!["a"]));
        let last =
            FetchRequest { forgotten_topics_data: vec![topics.forget("a")], ..session.request(Vec::new()) };
        let response = client.call(version, &FetchRequest { max_wait_ms: LONG_MS, ..last }).await;
        assert_eq!((response.error_code, response.session_id, response.responses.len()), (0, 0, 0));
        assert_eq!(session.refused(&mut client).await, ErrorCode::FetchSessionIdNotFound);
    }
    assert_eq!(broker.metric("logagent_broker_fetch_sessions"), 0);
}

#[tokio::test]
async fn only_the_next_epoch_of_a_session_that_is_there_is_served() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    let topics = Topics::create(&mut client, &["a"]).await;
    let (mut session, _) = Session::open(&mut client, BY_NAME, vec![topics.at("a", 0)]).await;
    for (id, epoch, error) in [
        (0, 1, ErrorCode::FetchSessionIdNotFound),
        (session.id ^ 1, 1, ErrorCode::FetchSessionIdNotFound),
        (session.id, 2, ErrorCode::InvalidFetchSessionEpoch),
        (session.id, -2, ErrorCode::InvalidFetchSessionEpoch),
    ] {
        assert_eq!(error_of(&mut client, BY_NAME, &request(id, epoch, Vec::new())).await, error);
    }
    let by_id = request(session.id, 1, Vec::new());
    assert_eq!(error_of(&mut client, BY_ID, &by_id).await, ErrorCode::FetchSessionTopicIdError);
    // none of this has disturbed it, and it is not bound to its connection
    client = broker.client().await;
    session.next(&mut client, Vec::new()).await;
    session.epoch -= 1;
    assert_eq!(session.refused(&mut client).await, ErrorCode::InvalidFetchSessionEpoch);
}

#[tokio::test]
async fn a_full_request_closes_the_session_that_it_names() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    let topics = Topics::create(&mut client, &["a"]).await;
    let wanted = || vec![topics.at("a", 0)];
    let (mut first, _) = Session::open(&mut client, BY_ID, wanted()).await;
    let second = client.call(BY_ID, &request(first.id, 0, wanted())).await;
    assert!(second.session_id != first.id && second.session_id > 0);
    assert_eq!(first.refused(&mut client).await, ErrorCode::FetchSessionIdNotFound);
    let last = client.call(BY_ID, &request(second.session_id, -1, wanted())).await;
    assert_eq!((last.session_id, topics.told(&last)), (0, vec![ok("a", &[])]));
    assert_eq!(broker.metric("logagent_broker_fetch_sessions"), 0);
}

#[tokio::test]
async fn a_session_makes_room_when_it_was_not_used_for_two_minutes() {
    let broker = TestBroker::start_with(&[("max_fetch_sessions", "1")]).await;
    let mut client = broker.client().await;
    let topics = Topics::create(&mut client, &["a"]).await;
    let (mut first, _) = Session::open(&mut client, BY_NAME, vec![topics.at("a", 0)]).await;
    let without = client.call(BY_NAME, &request(0, 0, vec![topics.at("a", 0)])).await;
    assert_eq!((without.session_id, topics.told(&without)), (0, vec![ok("a", &[])]));
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(121)).await;
    tokio::time::resume();
    Session::open(&mut client, BY_NAME, vec![topics.at("a", 0)]).await;
    assert_eq!(first.refused(&mut client).await, ErrorCode::FetchSessionIdNotFound);
    assert_eq!(broker.metric("logagent_broker_fetch_sessions"), 1);
    assert_eq!(broker.metric("logagent_broker_fetch_session_evictions_total"), 1);
}

#[tokio::test]
async fn without_room_for_its_partitions_there_is_no_session() {
    let broker = TestBroker::start_with(&[("max_fetch_session_partitions", "1")]).await;
    let mut client = broker.client().await;
    let topics = Topics::create(&mut client, &["a", "b"]).await;
    let both = vec![topics.at("a", 0), topics.at("b", 0)];
    let without = client.call(BY_ID, &request(0, 0, both)).await;
    assert_eq!((without.session_id, without.responses.len()), (0, 2));
    let (mut session, _) = Session::open(&mut client, BY_ID, vec![topics.at("a", 0)]).await;
    let growing = session.request(vec![topics.at("b", 0)]);
    assert_eq!(error_of(&mut client, BY_ID, &growing).await, ErrorCode::FetchSessionIdNotFound);
    assert_eq!(broker.metric("logagent_broker_fetch_session_partitions"), 0);
}

#[tokio::test]
async fn a_session_that_waits_is_woken_by_any_of_its_partitions() {
    let broker = TestBroker::start().await;
    let mut consumer = broker.client().await;
    let mut producer = broker.client().await;
    let topics = Topics::create(&mut consumer, &["a", "b"]).await;
    for (version, at) in [(BY_NAME, 0), (BY_ID, 1)] {
        let wanted = vec![topics.at("a", 0), topics.at("b", at)];
        let (mut session, _) = Session::open(&mut consumer, version, wanted).await;
        let nothing = FetchRequest { max_wait_ms: 50, ..session.request(Vec::new()) };
        let response = consumer.call(version, &nothing).await;
        assert_eq!((response.session_id, response.responses.len()), (session.id, 0), "the wait has ended");
        let waiting = FetchRequest { max_wait_ms: LONG_MS, ..session.request(Vec::new()) };
        consumer.send(version, &waiting).await;
        producer.produce("b", batch_of(&["woken"])).await;
        let (_, response) = consumer.receive::<FetchRequest>(version).await;
        assert_eq!(topics.told(&response), [ok("b", &["woken"])]);
    }
}

#[tokio::test]
async fn a_waiting_request_that_is_overtaken_is_refused() {
    let broker = TestBroker::start().await;
    let mut first = broker.client().await;
    let mut second = broker.client().await;
    let topics = Topics::create(&mut first, &["a"]).await;
    let (mut session, _) = Session::open(&mut first, BY_NAME, vec![topics.at("a", 0)]).await;
    let waiting = FetchRequest { max_wait_ms: LONG_MS, ..session.request(Vec::new()) };
    first.send(BY_NAME, &waiting).await;
    let next = session.request(Vec::new());
    // it is not its turn before the first has begun
    while second.call(BY_NAME, &next).await.error_code != 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    second.produce("a", batch_of(&["x"])).await;
    let (_, response) = first.receive::<FetchRequest>(BY_NAME).await;
    assert_eq!(ErrorCode::from_code(response.error_code), ErrorCode::InvalidFetchSessionEpoch);
    assert_eq!((response.session_id, response.responses.len()), (session.id, 0));
    let response = session.next(&mut second, Vec::new()).await;
    assert_eq!(topics.told(&response), [ok("a", &["x"])], "what the first was not told");
}

/// The one batch of the first would fill every answer.
#[tokio::test]
async fn partitions_take_turns_when_answers_are_full() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    let topics = Topics::create(&mut client, &["a", "b", "c"]).await;
    for name in ["a", "b", "c"] {
        client.produce(name, batch_of(&[name])).await;
    }
    let wanted = ["a", "b", "c"].map(|name| topics.at(name, 0)).to_vec();
    let (mut session, _) = Session::open(&mut client, BY_ID, wanted).await;
    for name in ["a", "b", "c", "a"] {
        let full = FetchRequest { max_bytes: 1, ..session.request(Vec::new()) };
        let response = client.call(BY_ID, &full).await;
        assert_eq!(topics.told(&response), [ok(name, &[name])]);
    }
}

#[tokio::test]
async fn a_topic_that_is_deleted_fails_until_it_is_forgotten_or_back() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    for (version, error) in
        [(BY_NAME, ErrorCode::UnknownTopicOrPartition), (BY_ID, ErrorCode::UnknownTopicId)]
    {
        let topics = Topics::create(&mut client, &["a", "b"]).await;
        let wanted = vec![topics.at("a", 0), topics.at("b", 0)];
        let (mut session, _) = Session::open(&mut client, version, wanted).await;
        let waiting = FetchRequest { max_wait_ms: LONG_MS, ..session.request(Vec::new()) };
        client.send(version, &waiting).await;
        let mut admin = broker.client().await;
        delete(&mut admin, "a").await;
        let (_, response) = client.receive::<FetchRequest>(version).await;
        assert_eq!(topics.told(&response), [failed("a", error)], "a request that waits is woken");
        let response = session.next(&mut client, Vec::new()).await;
        assert_eq!(topics.told(&response), [failed("a", error)], "and so it is told each time");

        let again = Topics::create(&mut client, &["a"]).await;
        client.produce("a", batch_of(&["new"])).await;
        let response = session.next(&mut client, Vec::new()).await;
        if version == BY_NAME {
            assert_eq!(topics.told(&response), [ok("a", &["new"])]);
        } else {
            assert_eq!(topics.told(&response), [failed("a", error)], "another topic of that name is another");
            let moved = session.request(vec![again.at("a", 0)]);
            let moved = FetchRequest { forgotten_topics_data: vec![topics.forget("a")], ..moved };
            let response = client.call(version, &moved).await;
            assert_eq!(again.told(&response), [ok("a", &["new"])]);
        }
        delete(&mut admin, "a").await;
        delete(&mut admin, "b").await;
    }
}
