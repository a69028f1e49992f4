//! Starting, stopping, starting again; and starts that cannot be.

use std::sync::Arc;

use broker::log::RealDisk;
use daemon::Context;
use daemon::config::Live;
use wire::ErrorCode;
use wire::message::fetch::FetchRequest;
use wire::message::init_producer_id::InitProducerIdRequest;
use wire::message::metadata::MetadataRequest;

use super::support::{
    TestBroker, batch_from, batch_of, config, error_of, fetch_request, numbered, produce_request,
};

#[tokio::test]
async fn a_restart_keeps_topics_records_producers_and_ids() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    client.create("t", 2).await;
    let id = client.call(4, &InitProducerIdRequest::default()).await.producer_id;
    client.produce("t", batch_from(id, 0, 0, &["a", "b"])).await;
    client.produce("t", batch_from(id, 0, 2, &["c"])).await;
    let all = MetadataRequest { topics: None, ..Default::default() };
    let before = client.call(12, &all).await;
    let dir = broker.stop().await;

    let broker = TestBroker::start_in(dir, &[], Arc::new(RealDisk)).await;
    let mut client = broker.client().await;
    let after = client.call(12, &all).await;
    assert_eq!((&after.cluster_id, &after.topics), (&before.cluster_id, &before.topics));
    assert_eq!(client.consume("t").await, numbered(&["a", "b", "c"]));
    let repeated = client.try_produce("t", -1, batch_from(id, 0, 2, &["c"])).await;
    assert_eq!(
        (repeated.error_code, repeated.base_offset),
        (0, 2),
        "the producer's last batch is still known"
    );
    assert_eq!(client.produce("t", batch_from(id, 0, 3, &["d"])).await, 3);
    let next = client.call(4, &InitProducerIdRequest::default()).await.producer_id;
    assert!(next > id);
}

/// The task is dropped in the middle, as a kill would leave it: no clean stop, no flush.
#[tokio::test]
async fn what_was_acknowledged_survives_a_stop_that_is_not_clean() {
    let dir = Arc::new(tempfile::tempdir().unwrap());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let shared = dir.clone();
    let served = runtime.spawn(async move {
        let broker = TestBroker::start_in(shared, &[], Arc::new(RealDisk)).await;
        let mut client = broker.client().await;
        client.create("t", 1).await;
        for value in ["a", "b"] {
            assert_eq!(client.try_produce("t", -1, batch_of(&[value])).await.error_code, 0);
        }
        std::mem::forget(broker);
    });
    served.await.unwrap();
    tokio::task::spawn_blocking(move || drop(runtime)).await.unwrap();

    let broker = TestBroker::start_in(dir, &[], Arc::new(RealDisk)).await;
    let mut client = broker.client().await;
    assert_eq!(client.consume("t").await, numbered(&["a", "b"]));
    assert_eq!(client.produce("t", batch_of(&["c"])).await, 2);
}

#[tokio::test]
async fn a_stop_ends_long_polls_at_once_and_refuses_newcomers() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    client.create("t", 1).await;
    client.send(12, &FetchRequest { max_wait_ms: 600_000, ..fetch_request("t", 0) }).await;
    while broker.metric("logagent_broker_requests_total{api=\"Fetch\"}") == 0 {
        tokio::task::yield_now().await;
    }
    let addr = broker.addr;
    broker.stop().await;
    assert!(client.frame().await.is_some(), "the long poll was answered");
    assert!(tokio::net::TcpStream::connect(addr).await.is_err());
}

#[tokio::test]
async fn a_port_in_use_is_named() {
    let broker = TestBroker::start().await;
    let dir = tempfile::tempdir().unwrap();
    let config = broker::Config { listen: broker.addr, ..config(dir.path(), &[]) };
    let error = broker::bind(Live::fixed(config), Context::for_tests()).await.unwrap_err().to_string();
    assert!(error.contains(&broker.addr.to_string()) && error.contains("in use"), "{error}");
    assert!(std::fs::read_dir(dir.path()).unwrap().next().is_none(), "the directory was not touched");
}

#[tokio::test]
async fn a_data_directory_that_cannot_be_used_is_named() {
    let broker = TestBroker::start().await;
    let path = broker.dir.path();
    let cases =
        [(config(path, &[]), "in use"), (config(std::path::Path::new("/proc/broker"), &[]), "/proc/broker")];
    for (config, expected) in cases {
        let error = broker::bind(Live::fixed(config), Context::for_tests()).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    let dir = broker.stop().await;
    let config = config(dir.path(), &[("broker_id", "7")]);
    let error = broker::bind(Live::fixed(config), Context::for_tests()).await.unwrap_err().to_string();
    assert!(error.contains("belongs to node 1"), "{error}");
}

#[tokio::test]
async fn readiness_follows_the_broker() {
    let broker = TestBroker::start().await;
    let health = broker.ctx.health.clone();
    health.ready().await;
    assert!(health.is_alive());
    broker.stop().await;
    assert!(!health.is_ready());
}

/// A reload that changes a topic's defaults is in force without a restart.
#[tokio::test]
async fn changed_settings_reach_the_logs() {
    let dir = tempfile::tempdir().unwrap();
    let (change, live) = Live::changing(config(dir.path(), &[]));
    let ctx = Context::for_tests();
    let bound = broker::bind(live, ctx.clone()).await.unwrap();
    let mut client_of = super::support::Client::connect(bound.local_addr()).await;
    let running = tokio::spawn(bound.run());
    client_of.create("t", 1).await;
    let large = batch_of(&["x".repeat(5000).as_str()]);
    assert_eq!(client_of.try_produce("t", 1, large.clone()).await.error_code, 0);
    change.set(config(dir.path(), &[("max_message_bytes", "4000")]));
    while client_of.try_produce("t", 1, large.clone()).await.error_code == 0 {
        tokio::task::yield_now().await;
    }
    ctx.shutdown.cancel();
    running.await.unwrap().unwrap();
}

/// As for want of disk space: what is there can be read, and groups go on.
#[tokio::test]
async fn below_the_floor_of_free_space_producers_are_refused_and_consumers_served() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    client.create("t", 1).await;
    client.produce("t", batch_of(&["a"])).await;
    assert!(broker.metric("logagent_broker_disk_free_bytes") > 0);
    let floor = [("storage_min_free_bytes", "9223372036854775807")];
    let broker = TestBroker::start_in(broker.stop().await, &floor, Arc::new(RealDisk)).await;
    let mut client = broker.client().await;
    let refused = client.try_produce("t", -1, batch_of(&["b"])).await;
    assert_eq!(error_of(&refused), ErrorCode::KafkaStorageError);
    let old = client.call(3, &produce_request("t", 1, batch_of(&["b"]))).await;
    assert_eq!(error_of(&old.responses[0].partition_responses[0]), ErrorCode::NotLeaderOrFollower);
    assert_eq!(client.consume("t").await, numbered(&["a"]));

    let broker = TestBroker::start_in(broker.stop().await, &[], Arc::new(RealDisk)).await;
    let mut client = broker.client().await;
    assert_eq!(client.produce("t", batch_of(&["b"])).await, 1);
}
