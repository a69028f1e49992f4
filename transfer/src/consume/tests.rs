use rdkafka::ClientConfig;
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};

use crate::config::Config;
use crate::fake_index::FakeIndex;
use crate::tests::{Cluster, Running, held, ids, letters_in, mock_cluster, produce, quick};

/// Both members work, the one that leaves has committed what is indexed, and every line stands once.
#[tokio::test(flavor = "multi_thread")]
async fn partitions_move_between_members_without_a_loss() {
    let cluster = mock_cluster("logs", 4);
    let index = FakeIndex::start(vec![]).await;
    let url = index.url();
    let config = quick(&cluster, &[("elasticsearch.url", &url), ("session_timeout_ms", "6000")]);
    produce(&cluster, "logs", 4, 0..100).await;
    let first = Running::start(config.clone());
    first.until_indexed(100).await;
    let second = Running::start(config);
    // until the second one has partitions: what it is given shows in its count
    let mut next = 100;
    while second.metric("logagent_transfer_consumed_records_total") == 0 {
        produce(&cluster, "logs", 4, next..next + 40).await;
        next += 40;
    }
    first.stop().await;
    produce(&cluster, "logs", 4, next..next + 40).await;
    next += 40;
    second.until("every document", |_| index.documents().len() as i64 == next).await;
    assert_eq!(held(&index), ids(0..next));
    assert_eq!(second.metric("logagent_transfer_dead_letters_total"), 0);
    second.stop().await;
}

/// An ordinary producer's record: no headers, no value, odd bytes.
#[tokio::test(flavor = "multi_thread")]
async fn records_of_other_producers_are_indexed_under_their_place_in_the_topic() {
    let cluster = mock_cluster("logs", 1);
    let index = FakeIndex::start(vec![]).await;
    let producer: FutureProducer =
        ClientConfig::new().set("bootstrap.servers", cluster.bootstrap_servers()).create().unwrap();
    let values: [Option<&[u8]>; 3] = [Some(b"caf\xe9 \x00"), Some(b""), None];
    for value in values {
        let mut record = FutureRecord::<[u8], [u8]>::to("logs").key(b"k".as_slice()).partition(0);
        record.payload = value;
        producer.send(record, std::time::Duration::from_secs(30)).await.unwrap();
    }
    let running = Running::start(quick(&cluster, &[("elasticsearch.url", &index.url())]));
    running.until_indexed(3).await;
    assert_eq!(held(&index), ["logs:0:0", "logs:0:1", "logs:0:2"]);
    assert!(index.documents()["logs:0:0"].contains(r#""original":"caf\\xe9 \u0000""#));
    assert_eq!(running.metric("logagent_transfer_unparsed_lines_total"), 3);
    running.stop().await;
}

/// What the index has taken is committed in the end, whatever the coordinator says at first.
#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_fails_is_repeated() {
    let cluster = mock_cluster("logs", 1);
    let index = FakeIndex::start(vec![]).await;
    let refused = [RDKafkaRespErr::RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED; 3];
    cluster.request_errors(RDKafkaApiKey::OffsetCommit, &refused);
    produce(&cluster, "logs", 1, 0..10).await;
    let config = quick(&cluster, &[("elasticsearch.url", &index.url())]);
    let running = Running::start(config.clone());
    running.until_indexed(10).await;
    running.stop().await;
    assert_all_committed(&cluster, config, 10).await;
}

/// A broker that goes away and returns: nothing is asked of the operator.
#[tokio::test(flavor = "multi_thread")]
async fn the_broker_may_be_away_for_a_while() {
    let cluster = mock_cluster("logs", 1);
    let index = FakeIndex::start(vec![]).await;
    produce(&cluster, "logs", 1, 0..10).await;
    let running = Running::start(quick(&cluster, &[("elasticsearch.url", &index.url())]));
    running.until_indexed(10).await;
    cluster.broker_down(1).unwrap();
    running
        .until("a reason", |running| {
            running.ctx.health.waiting_for().is_some_and(|reason| reason.contains("connecting to kafka"))
        })
        .await;
    assert!(running.ctx.health.is_alive());
    cluster.broker_up(1).unwrap();
    produce(&cluster, "logs", 1, 10..20).await;
    running.until_indexed(20).await;
    running.until("readiness", |running| running.ctx.health.is_ready()).await;
    assert_eq!(held(&index), ids(0..20));
    running.stop().await;
}

/// Everything that was read is indexed, or read again by the next one: a stop in the middle of work loses nothing.
#[tokio::test(flavor = "multi_thread")]
async fn stops_at_any_moment_lose_nothing() {
    let cluster = mock_cluster("logs", 2);
    let index = FakeIndex::start(vec![]).await;
    produce(&cluster, "logs", 2, 0..3000).await;
    let config = quick(&cluster, &[("elasticsearch.url", &index.url())]);
    for stop_after in [1, 700, 1500] {
        let running = Running::start(config.clone());
        running.until("some documents", |_| index.documents().len() >= stop_after).await;
        running.stop().await;
    }
    let running = Running::start(config);
    running.until("every document", |_| index.documents().len() == 3000).await;
    assert_eq!(held(&index), ids(0..3000));
    // what a stop had indexed it had committed, so nothing was read twice
    assert_eq!(running.metric("logagent_transfer_duplicate_documents_total"), 0);
    running.stop().await;
}

/// Poison does not stop what stands behind it, in the same batch or in later ones.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_waits_behind_a_poison_record() {
    let cluster = mock_cluster("logs", 1);
    let index = FakeIndex::start(vec![]).await;
    let poison = ["web-1:f00d:0", "web-1:f00d:5000", "web-1:f00d:9900"];
    for id in poison {
        index.poison(id);
    }
    produce(&cluster, "logs", 1, 0..100).await;
    let config = quick(&cluster, &[("elasticsearch.url", &index.url())]);
    let running = Running::start(config.clone());
    running.until_indexed(97).await;
    running
        .until("three letters", |running| running.metric("logagent_transfer_dead_letters_total") == 3)
        .await;
    let letters = letters_in(&cluster.bootstrap_servers(), "logs.dead", 3);
    let mut ids: Vec<&str> = letters.iter().map(|(_, headers)| headers["dead_letter.id"].as_str()).collect();
    ids.sort_unstable();
    assert_eq!(ids, poison);
    assert!(letters.iter().all(|(value, _)| value.as_deref().unwrap().starts_with("192.0.2.1 - - ")));
    running.stop().await;
    assert_all_committed(&cluster, config, 100).await;
}

/// A member that comes after has nothing to read but what is new: the line `next`.
async fn assert_all_committed(cluster: &Cluster, config: Config, next: i64) {
    produce(cluster, "logs", 1, next..next + 1).await;
    let running = Running::start(config);
    running.until_indexed(1).await;
    assert_eq!(running.metric("logagent_transfer_consumed_records_total"), 1);
    assert_eq!(running.metric("logagent_transfer_duplicate_documents_total"), 0);
    running.stop().await;
}
