//! The whole transfer between librdkafka's own mock of a cluster and an index that is faulty on order.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use daemon::Context;
use daemon::config::{Live, Section as _, Source};
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::message::{Header, Headers, Message, OwnedHeaders};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::{DefaultProducerContext, FutureProducer, FutureRecord};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use tokio::task::JoinHandle;

use crate::fake_index::{FakeIndex, Fault};
use crate::{Config, Error, run};

const LIMIT: Duration = Duration::from_secs(60);

pub(crate) type Cluster = MockCluster<'static, DefaultProducerContext>;

/// The shipped settings with these changed: numbers as numbers, everything else as text.
pub(crate) fn settings(changes: &[(&str, &str)]) -> Config {
    let source = Source::new(Config::DEFAULTS);
    let set = |source: Source, (key, value): &(&str, &str)| match value.parse::<i64>() {
        Ok(_) => source.set(*key, *value),
        Err(_) => source.set_text(*key, value),
    };
    changes.iter().fold(source, set).load().unwrap()
}

pub(crate) fn mock_cluster(topic: &str, partitions: i32) -> Cluster {
    let cluster = MockCluster::new(1).unwrap();
    cluster.create_topic(topic, partitions, 1).unwrap();
    cluster
}

/// The first `count` records of a topic: value, and headers as text.
pub(crate) fn letters_in(
    bootstrap: &str,
    topic: &str,
    count: usize,
) -> Vec<(Option<String>, HashMap<String, String>)> {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let consumer: BaseConsumer =
        ClientConfig::new().set("bootstrap.servers", bootstrap).set("group.id", "test").create().unwrap();
    let metadata = consumer.fetch_metadata(Some(topic), LIMIT).unwrap();
    let mut assignment = TopicPartitionList::new();
    for partition in metadata.topics()[0].partitions() {
        assignment.add_partition_offset(topic, partition.id(), Offset::Beginning).unwrap();
    }
    consumer.assign(&assignment).unwrap();
    let mut letters = Vec::new();
    while letters.len() < count {
        let message = consumer.poll(LIMIT).expect("a letter in time").unwrap();
        let headers = message.headers().into_iter().flat_map(|headers| headers.iter());
        let headers =
            headers.map(|header| (header.key.to_owned(), text(header.value.unwrap_or_default()))).collect();
        letters.push((message.payload().map(text), headers));
    }
    letters
}

/// Appends lines `from..to` to a topic's partitions in turn, as the agent does.
pub(crate) async fn produce(cluster: &Cluster, topic: &str, partitions: i32, lines: std::ops::Range<i64>) {
    let producer: FutureProducer =
        ClientConfig::new().set("bootstrap.servers", cluster.bootstrap_servers()).create().unwrap();
    let sends = lines.map(|line| {
        let producer = producer.clone();
        async move {
            let value = format!(
                "192.0.2.1 - - [21/Nov/2026:08:50:46 +0000] \"GET /{line} HTTP/1.1\" 200 1 \"-\" \"test\""
            );
            let offset = (line * 100).to_string();
            let mut headers = OwnedHeaders::new();
            for (key, value) in [("host", "web-1"), ("path", "/log"), ("file", "f00d"), ("offset", &offset)] {
                headers = headers.insert(Header { key, value: Some(value) });
            }
            let record = FutureRecord::<(), _>::to(topic).payload(&value).headers(headers);
            let record = record.partition(i32::try_from(line).unwrap() % partitions).timestamp(1);
            producer.send(record, LIMIT).await.unwrap();
        }
    });
    futures_util::future::join_all(sends).await;
}

pub(crate) fn ids(lines: std::ops::Range<i64>) -> Vec<String> {
    let mut ids: Vec<String> = lines.map(|line| format!("web-1:f00d:{}", line * 100)).collect();
    ids.sort_unstable();
    ids
}

/// A running transfer.
pub(crate) struct Running {
    pub(crate) ctx: Context,
    task: JoinHandle<Result<(), Error>>,
}

/// A test that fails ends the transfer too: the runtime would wait for its thread for ever.
impl Drop for Running {
    fn drop(&mut self) {
        self.ctx.shutdown.cancel();
    }
}

impl Running {
    pub(crate) fn start(config: Config) -> Self {
        Self::start_live(Live::fixed(config))
    }

    fn start_live(config: Live<Config>) -> Self {
        let ctx = Context::for_tests();
        let task = tokio::spawn(run(config, ctx.clone()));
        Self { ctx, task }
    }

    /// A counter's or gauge's present value.
    pub(crate) fn metric(&self, name: &str) -> i64 {
        let text = self.ctx.metrics.encode();
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')).unwrap_or("0");
        line.parse().unwrap()
    }

    pub(crate) async fn until(&self, what: &str, condition: impl Fn(&Self) -> bool) {
        let reached = async {
            while !condition(self) {
                assert!(!self.task.is_finished(), "the transfer ended while waiting for {what}");
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        if tokio::time::timeout(LIMIT, reached).await.is_err() {
            panic!("no {what} in time: {}\n{:?}", self.ctx.metrics.encode(), self.ctx.health.waiting_for());
        }
    }

    pub(crate) async fn until_indexed(&self, count: i64) {
        let documents = |running: &Self| {
            running.metric("logagent_transfer_indexed_documents_total")
                + running.metric("logagent_transfer_duplicate_documents_total")
        };
        self.until("documents", |running| documents(running) >= count).await;
    }

    pub(crate) async fn stop(mut self) {
        self.ctx.shutdown.cancel();
        tokio::time::timeout(LIMIT, &mut self.task).await.unwrap().unwrap().unwrap();
    }
}

/// Settings for tests: small batches, quick repeats.
pub(crate) fn quick(cluster: &Cluster, changes: &[(&str, &str)]) -> Config {
    let bootstrap = cluster.bootstrap_servers();
    let mut all = vec![
        ("bootstrap", bootstrap.as_str()),
        ("topics", "logs"),
        ("elasticsearch.linger_ms", "10"),
        ("elasticsearch.bulk_max_bytes", "4096"),
        ("elasticsearch.backoff_initial_ms", "1"),
        ("elasticsearch.backoff_max_ms", "20"),
        ("commit_interval_ms", "50"),
        ("lag_interval_ms", "100"),
    ];
    all.extend_from_slice(changes);
    settings(&all)
}

pub(crate) fn held(index: &FakeIndex) -> Vec<String> {
    index.documents().into_keys().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_record_becomes_one_document_and_is_committed() {
    let cluster = mock_cluster("logs", 3);
    let index = FakeIndex::start(vec![]).await;
    produce(&cluster, "logs", 3, 0..500).await;
    let config = quick(&cluster, &[("elasticsearch.url", &index.url())]);
    let running = Running::start(config.clone());
    running.until_indexed(500).await;
    running
        .until("lag of nothing", |running| {
            running.metric("logagent_transfer_consumed_records_total") == 500
                && running.metric("logagent_transfer_lag_records") == 0
                && running.ctx.health.is_ready()
        })
        .await;
    assert_eq!(held(&index), ids(0..500));
    assert!(index.requests() > 10, "batches are bounded by bytes: {}", index.requests());
    assert!(index.templates().contains_key("logagent-logs"));
    running.stop().await;

    // a second member begins where the first stopped
    produce(&cluster, "logs", 3, 500..510).await;
    let running = Running::start(config);
    running.until_indexed(10).await;
    assert_eq!(held(&index), ids(0..510));
    assert_eq!(running.metric("logagent_transfer_consumed_records_total"), 10);
    assert_eq!(running.metric("logagent_transfer_duplicate_documents_total"), 0);
    running.stop().await;
}

/// The index is away: what is in memory stays within its bounds, nothing is committed, and all of it is there afterwards.
#[tokio::test(flavor = "multi_thread")]
async fn while_the_index_is_away_nothing_is_committed_and_little_is_taken() {
    let cluster = mock_cluster("logs", 2);
    let index = FakeIndex::start(vec![]).await;
    index.hold_after(0);
    produce(&cluster, "logs", 2, 0..2000).await;
    let url = index.url();
    let config =
        quick(&cluster, &[("elasticsearch.url", &url), ("elasticsearch.request_timeout_ms", "3600000")]);
    let running = Running::start(config);
    index.held().await;
    // pausing is what happens last: from there on nothing is taken
    running.until("the lag", |running| running.metric("logagent_transfer_lag_records") == 2000).await;
    let taken = running.metric("logagent_transfer_consumed_records_total");
    assert!(taken < 100, "{taken} records in memory, with two requests of 4 KiB and one batch waiting");
    index.release();
    running.until_indexed(2000).await;
    assert_eq!(held(&index), ids(0..2000));
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn records_whose_answer_was_not_seen_are_read_again_and_stand_once() {
    let cluster = mock_cluster("logs", 1);
    let index = FakeIndex::start(vec![Fault::StallAfterIndexing, Fault::StallAfterIndexing]).await;
    produce(&cluster, "logs", 1, 0..100).await;
    let url = index.url();
    let changes = [("elasticsearch.url", url.as_str()), ("drain_timeout_ms", "0")];
    let running = Running::start(quick(&cluster, &changes));
    running.until("a stalled request", |_| !index.documents().is_empty()).await;
    running.stop().await;
    let running = Running::start(quick(&cluster, &changes));
    running.until_indexed(100).await;
    assert_eq!(held(&index), ids(0..100));
    assert!(running.metric("logagent_transfer_duplicate_documents_total") > 0);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_that_is_not_there_yet_is_waited_for() {
    let cluster = mock_cluster("logs", 1);
    let config = quick(&cluster, &[("elasticsearch.url", "http://127.0.0.1:1")]);
    let running = Running::start(config);
    running
        .until("a reason", |running| {
            running.ctx.health.waiting_for().is_some_and(|reason| reason.contains("template"))
        })
        .await;
    assert!(running.ctx.health.is_alive());
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_changes_the_topics() {
    let cluster = mock_cluster("logs", 1);
    cluster.create_topic("more", 1, 1).unwrap();
    let index = FakeIndex::start(vec![]).await;
    let url = index.url();
    produce(&cluster, "logs", 1, 0..5).await;
    let (change, live) = Live::changing(quick(&cluster, &[("elasticsearch.url", &url)]));
    let running = Running::start_live(live);
    running.until_indexed(5).await;
    change.set(quick(&cluster, &[("elasticsearch.url", &url), ("topics", "logs,more")]));
    produce(&cluster, "more", 1, 5..10).await;
    running.until_indexed(10).await;
    assert_eq!(held(&index), ids(0..10));
    assert!(index.templates().contains_key("logagent-more"));
    running.stop().await;
}

fn lines_by_id(dir: &std::path::Path) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    let text = std::fs::read_to_string(dir.join("logs-2026.11.21.ndjson")).unwrap_or_default();
    for line in text.lines() {
        let document: serde_json::Value = serde_json::from_str(line).unwrap();
        *counts.entry(document["_id"].as_str().unwrap().to_owned()).or_insert(0) += 1;
    }
    counts
}

/// Without Elasticsearch. The positions are the files', so what the group has committed does not matter.
#[tokio::test(flavor = "multi_thread")]
async fn files_hold_each_document_once_over_restarts() {
    let cluster = mock_cluster("logs", 2);
    let dir = tempfile::tempdir().unwrap();
    let data_dir = dir.path().to_str().unwrap();
    let never = [("data_dir", data_dir), ("commit_interval_ms", "600000")];
    produce(&cluster, "logs", 2, 0..300).await;
    let running = Running::start(quick(&cluster, &never));
    running.until_indexed(100).await;
    running.stop().await;
    // the commits of the first run are undone, as if it had been killed before
    let config = quick(&cluster, &[("data_dir", data_dir), ("group", "another")]);
    let running = Running::start(config);
    produce(&cluster, "logs", 2, 300..400).await;
    running.until("all lines", |_| lines_by_id(dir.path()).len() == 400).await;
    running.stop().await;
    let counts = lines_by_id(dir.path());
    assert!(counts.values().all(|count| *count == 1));
    assert_eq!(counts.into_keys().collect::<Vec<_>>(), ids(0..400));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_broker_it_waits_says_so_and_stops_when_asked() {
    let index = FakeIndex::start(vec![]).await;
    let url = index.url();
    let running = Running::start(settings(&[("bootstrap", "127.0.0.1:1"), ("elasticsearch.url", &url)]));
    running
        .until("a reason", |running| {
            running.ctx.health.waiting_for().is_some_and(|reason| reason.contains("connecting to kafka"))
        })
        .await;
    assert!(running.ctx.health.is_alive());
    running.stop().await;
}
