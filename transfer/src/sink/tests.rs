use std::sync::mpsc;
use std::time::Duration;

use daemon::Context;

use super::*;
use crate::batch::{Builder, Original, Shape, Target};
use crate::fake_index::FakeIndex;
use crate::parse::Line;
use crate::record::Record;
use crate::tests::settings;

const LIMIT: Duration = Duration::from_secs(60);

fn open(config: &Config, ctx: &Context) -> Result<Sink, Error> {
    Sink::open(config, Metrics::register(&ctx.metrics), ctx.health.component("transfer index"))
}

fn batch(builder: &mut Builder, offset: i64) -> Batch {
    let topic: Arc<str> = Arc::from("t");
    let record = Record { topic: &topic, offset, value: b"x", ..Record::default() };
    builder.push(Target { topic: &topic, index: "logs" }, &record, &Line::Plain, &Original::default());
    builder.finish()
}

#[tokio::test]
async fn each_index_gets_its_template_once() {
    let (index, ctx) = (FakeIndex::start(vec![]).await, Context::for_tests());
    let mut config = settings(&[("elasticsearch.url", &index.url()), ("topics", "a,b,c")]);
    config.topics[1].index = "shared".to_owned();
    config.topics[2].index = "shared".to_owned();
    let sink = open(&config, &ctx).unwrap();
    assert!(!ctx.health.is_ready());
    assert!(sink.prepare(&config, &ctx.shutdown).await);
    assert!(ctx.health.is_ready());
    assert_eq!(index.templates().into_keys().collect::<Vec<_>>(), ["logagent-a", "logagent-shared"]);
}

#[tokio::test]
async fn a_template_is_asked_for_until_it_is_taken() {
    let (index, ctx) = (FakeIndex::start(vec![]).await, Context::for_tests());
    index.refuse_templates(&[503, 429, 403, 500]);
    let backoff = [("elasticsearch.backoff_initial_ms", "1"), ("elasticsearch.backoff_max_ms", "2")];
    let url = index.url();
    let config = settings(&[("elasticsearch.url", url.as_str()), backoff[0], backoff[1]]);
    let sink = open(&config, &ctx).unwrap();
    let prepared = tokio::time::timeout(LIMIT, sink.prepare(&config, &ctx.shutdown)).await;
    assert!(prepared.unwrap());
    assert_eq!(index.templates().len(), 1);
}

#[tokio::test]
async fn templates_can_be_left_to_others() {
    let (index, ctx) = (FakeIndex::start(vec![]).await, Context::for_tests());
    let mut config = settings(&[("elasticsearch.url", &index.url())]);
    config.elasticsearch.manage_template = false;
    assert!(open(&config, &ctx).unwrap().prepare(&config, &ctx.shutdown).await);
    assert!(index.templates().is_empty());
}

#[tokio::test]
async fn a_stop_ends_the_wait_for_the_index() {
    let ctx = Context::for_tests();
    let config = settings(&[("elasticsearch.url", "http://127.0.0.1:1")]);
    let sink = open(&config, &ctx).unwrap();
    ctx.shutdown.cancel();
    assert!(!tokio::time::timeout(LIMIT, sink.prepare(&config, &ctx.shutdown)).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_fails_is_tried_again_and_makes_the_part_not_ready() {
    let dir = tempfile::tempdir().unwrap();
    let obstacle = dir.path().join("logs-1970.01.01.ndjson");
    let ctx = Context::for_tests();
    let config = settings(&[
        ("data_dir", dir.path().to_str().unwrap()),
        ("elasticsearch.backoff_initial_ms", "1"),
        ("elasticsearch.backoff_max_ms", "2"),
    ]);
    let sink = open(&config, &ctx).unwrap();
    assert!(sink.prepare(&config, &ctx.shutdown).await);
    std::fs::create_dir(&obstacle).unwrap();
    let (batches, to_sink) = tokio::sync::mpsc::channel(4);
    let (answer, answers) = mpsc::channel();
    let work = tokio::spawn(sink.run(to_sink, answer, ctx.shutdown.clone()));
    let mut builder = Builder::new(Shape::Ndjson);
    batches.send(batch(&mut builder, 7)).await.unwrap();
    let mut changes = ctx.health.changes();
    while ctx.health.is_ready() {
        tokio::time::timeout(LIMIT, changes.changed()).await.unwrap().unwrap();
    }
    assert!(ctx.health.waiting_for().unwrap().contains("cannot write documents"));
    std::fs::remove_dir(&obstacle).unwrap();
    tokio::time::timeout(LIMIT, ctx.health.ready()).await.unwrap();
    assert_eq!(answers.recv_timeout(LIMIT), Ok(0));
    drop(batches);
    tokio::time::timeout(LIMIT, work).await.unwrap().unwrap();
    assert!(std::fs::read_to_string(&obstacle).unwrap().starts_with("{\"_id\":\"t:0:7\""));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_ends_the_wait_for_the_disk_and_answers_nothing() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("logs-1970.01.01.ndjson")).unwrap();
    let ctx = Context::for_tests();
    let config = settings(&[("data_dir", dir.path().to_str().unwrap())]);
    let sink = open(&config, &ctx).unwrap();
    let (batches, to_sink) = tokio::sync::mpsc::channel(4);
    let (answer, answers) = mpsc::channel();
    batches.send(batch(&mut Builder::new(Shape::Ndjson), 7)).await.unwrap();
    ctx.shutdown.cancel();
    tokio::time::timeout(LIMIT, sink.run(to_sink, answer, ctx.shutdown.clone())).await.unwrap();
    assert!(answers.recv().is_err());
}

#[test]
fn a_directory_that_cannot_be_used_is_named() {
    let ctx = Context::for_tests();
    let error = open(&settings(&[("data_dir", "/proc/no/such")]), &ctx).unwrap_err();
    assert!(error.to_string().contains("/proc/no"), "{error}");
}
