use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use daemon::Context;
use prometheus_client::metrics::counter::Counter;

use super::*;
use crate::batch::{Builder, Original, Shape, Target};
use crate::fake_index::{FakeIndex, Fault};
use crate::metrics::Retry;
use crate::parse::Line;
use crate::record::Record;
use crate::tests::{letters_in, mock_cluster, settings};

const LIMIT: Duration = Duration::from_secs(60);

fn batch(count: i64) -> Batch {
    let topic: Arc<str> = Arc::from("logs");
    let mut builder = Builder::new(Shape::Bulk);
    for offset in 0..count {
        let value = format!("line {offset}");
        let record = Record { topic: &topic, offset, value: value.as_bytes(), ..Record::default() };
        let original =
            Original { key: None, headers: vec![("host", Some(b"h"))], value: Some(value.as_bytes()) };
        builder.push(Target { topic: &topic, index: "logs" }, &record, &Line::Plain, &original);
    }
    builder.finish()
}

struct Bench {
    index: FakeIndex,
    sender: Sender,
    metrics: Metrics,
    health: daemon::Health,
}

impl Bench {
    async fn new(faults: Vec<Fault>) -> Self {
        Self::with_bootstrap(faults, "127.0.0.1:1").await
    }

    async fn with_bootstrap(faults: Vec<Fault>, bootstrap: &str) -> Self {
        let index = FakeIndex::start(faults).await;
        let config = settings(&[
            ("elasticsearch.url", index.url().as_str()),
            ("elasticsearch.backoff_initial_ms", "1"),
            ("elasticsearch.backoff_max_ms", "5"),
            ("elasticsearch.request_timeout_ms", "500"),
        ]);
        let ctx = Context::for_tests();
        let metrics = Metrics::register(&ctx.metrics);
        let client = Client::new(&config.elasticsearch).unwrap();
        let letters = Arc::new(DeadLetters::new(bootstrap, ".dead", Backoff::new(1, 100)));
        let health = ctx.health.component("transfer index");
        let sender = Sender::new(client, &config.elasticsearch, letters, metrics.clone(), health);
        Self { index, sender, metrics, health: ctx.health }
    }

    async fn deliver(&self, batch: Batch) {
        tokio::time::timeout(LIMIT, self.sender.deliver(batch)).await.unwrap();
    }

    fn retries(&self, reason: &'static str) -> u64 {
        self.metrics.retries.get_or_create(&Retry { reason }).get()
    }

    /// Each document is there, and was added once.
    fn assert_complete(&self, count: u64, duplicates: u64) {
        let ids: Vec<String> = (0..count).map(|offset| format!("logs:0:{offset}")).collect();
        let held: BTreeMap<String, String> = self.index.documents();
        let mut expected = ids.clone();
        expected.sort_unstable();
        assert_eq!(held.keys().cloned().collect::<Vec<_>>(), expected);
        let counted = |counter: &Counter| counter.get();
        assert_eq!(counted(&self.metrics.indexed_documents), count - duplicates);
        assert_eq!(counted(&self.metrics.duplicate_documents), duplicates);
    }
}

#[tokio::test]
async fn documents_arrive_as_they_are() {
    let bench = Bench::new(vec![]).await;
    bench.deliver(batch(10)).await;
    bench.assert_complete(10, 0);
    assert!(bench.index.documents()["logs:0:3"].contains("\"message\":\"line 3\""));
    assert!(bench.health.is_ready());
    assert_eq!(bench.index.requests(), 1);
}

#[tokio::test]
async fn items_refused_with_429_inside_a_200_are_sent_again_and_only_those() {
    let bench = Bench::new(vec![Fault::Items { status: 429, ids: vec!["logs:0:2", "logs:0:5"] }]).await;
    bench.deliver(batch(6)).await;
    bench.assert_complete(6, 0);
    assert_eq!(bench.index.sizes(), [6, 2]);
    assert_eq!(bench.retries("429"), 2);
}

#[tokio::test]
async fn documents_that_are_there_already_count_as_duplicates() {
    let bench = Bench::new(vec![]).await;
    bench.deliver(batch(5)).await;
    bench.deliver(batch(7)).await;
    assert_eq!(bench.metrics.indexed_documents.get(), 7);
    assert_eq!(bench.metrics.duplicate_documents.get(), 5);
    assert_eq!(bench.index.documents().len(), 7);
}

#[tokio::test]
async fn an_answer_lost_after_indexing_duplicates_nothing() {
    let bench = Bench::new(vec![Fault::CutAfterIndexing, Fault::StallAfterIndexing]).await;
    bench.deliver(batch(5)).await;
    bench.assert_complete(5, 5);
    assert_eq!(bench.index.requests(), 3);
    assert_eq!((bench.retries("connection"), bench.retries("timeout")), (1, 1));
}

#[tokio::test]
async fn whole_requests_that_fail_are_sent_again_for_ever() {
    let statuses = [503, 429, 502, 401, 403, 404, 400];
    let faults =
        statuses.iter().map(|status| Fault::Whole(*status)).chain([Fault::Garbage, Fault::Cut]).collect();
    let bench = Bench::new(faults).await;
    bench.deliver(batch(3)).await;
    bench.assert_complete(3, 0);
    assert_eq!(bench.index.requests(), statuses.len() + 3);
    assert_eq!((bench.retries("5xx"), bench.retries("denied"), bench.retries("answer")), (2, 2, 1));
}

#[tokio::test]
async fn a_body_that_is_too_large_is_cut_until_it_fits() {
    let bench = Bench::new(vec![]).await;
    bench.index.limit_documents(3);
    bench.deliver(batch(10)).await;
    bench.assert_complete(10, 0);
    assert_eq!(bench.index.sizes(), [10, 5, 2, 3, 5, 2, 3]);
}

#[tokio::test]
async fn an_index_that_is_away_makes_the_part_not_ready_until_it_returns() {
    let bench = Bench::new(vec![Fault::Whole(503); 30]).await;
    bench.index.hold_after(3);
    let work = tokio::spawn({
        let sender = bench.sender.clone();
        async move { sender.deliver(batch(1)).await }
    });
    tokio::time::timeout(LIMIT, bench.index.held()).await.unwrap();
    let reason = bench.health.waiting_for().unwrap();
    assert!(reason.contains("status 503"), "{reason}");
    bench.index.release();
    tokio::time::timeout(LIMIT, work).await.unwrap().unwrap();
    assert!(bench.health.is_ready());
    bench.assert_complete(1, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poison_document_becomes_a_dead_letter_and_the_rest_goes_on() {
    let cluster = mock_cluster("logs", 1);
    let bench = Bench::with_bootstrap(vec![], &cluster.bootstrap_servers()).await;
    bench.index.poison("logs:0:2");
    bench.deliver(batch(4)).await;
    let held: Vec<String> = bench.index.documents().into_keys().collect();
    assert_eq!(held, ["logs:0:0", "logs:0:1", "logs:0:3"]);
    assert_eq!(bench.metrics.dead_letters.get(), 1);
    let letters = letters_in(&cluster.bootstrap_servers(), "logs.dead", 1);
    let (value, headers) = &letters[0];
    assert_eq!(value.as_deref(), Some("line 2"));
    let header = |name: &str| headers.get(name).map(String::as_str);
    assert_eq!(header("host"), Some("h"));
    assert_eq!(header("dead_letter.topic"), Some("logs"));
    assert_eq!((header("dead_letter.partition"), header("dead_letter.offset")), (Some("0"), Some("2")));
    assert_eq!(
        (header("dead_letter.id"), header("dead_letter.index")),
        (Some("logs:0:2"), Some("logs-1970.01.01"))
    );
    assert_eq!(
        (header("dead_letter.status"), header("dead_letter.type")),
        (Some("400"), Some("mapper_parsing_exception"))
    );
    assert!(header("dead_letter.reason").unwrap().contains("failed to parse"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_refused_for_one_document_is_cut_until_that_one_is_alone() {
    let cluster = mock_cluster("logs", 1);
    let bench = Bench::with_bootstrap(vec![], &cluster.bootstrap_servers()).await;
    bench.index.poison_requests("logs:0:6");
    bench.deliver(batch(8)).await;
    assert_eq!(bench.index.documents().len(), 7);
    let letters = letters_in(&cluster.bootstrap_servers(), "logs.dead", 1);
    assert_eq!(letters[0].0.as_deref(), Some("line 6"));
}

#[test]
fn pieces_keep_every_documents_bytes() {
    let batch = batch(5);
    let text = |piece: &Piece, at: usize| piece.body[piece.items[at].bytes.clone()].to_vec();
    let whole = Piece { body: batch.body.clone(), items: batch.items.clone() };
    let all: Vec<Vec<u8>> = (0..5).map(|at| text(&whole, at)).collect();
    let picked = whole.select(&[1, 3, 4]);
    assert_eq!((0..3).map(|at| text(&picked, at)).collect::<Vec<_>>(), [&*all[1], &*all[3], &*all[4]]);
    let Ok((first, second)) = whole.halves() else { panic!("five documents have halves") };
    let halves: Vec<Vec<u8>> =
        (0..2).map(|at| text(&first, at)).chain((0..3).map(|at| text(&second, at))).collect();
    assert_eq!(halves, all);
    assert!(picked.select(&[0]).halves().is_err());
}
