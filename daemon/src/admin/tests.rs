use std::io::ErrorKind;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::*;

async fn start(ctx: &Context) -> SocketAddr {
    let admin = bind("127.0.0.1:0").await.unwrap();
    let address = admin.local_addr();
    tokio::spawn(admin.run(ctx.clone()));
    address
}

async fn get(address: SocketAddr, path: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    (head.to_lowercase(), body.to_owned())
}

#[tokio::test]
async fn metrics_are_openmetrics_text() {
    let ctx = Context::for_tests();
    let reloads = prometheus_client::metrics::counter::Counter::<u64>::default();
    ctx.metrics.register(|registry| registry.register("logagent_test_things", "Things", reloads.clone()));
    reloads.inc_by(3);
    let (head, body) = get(start(&ctx).await, "/metrics").await;
    assert!(head.starts_with("http/1.1 200"), "{head}");
    assert!(head.contains("content-type: application/openmetrics-text; version=1.0.0"), "{head}");
    assert!(body.contains("logagent_test_things_total 3\n"), "{body}");
    assert!(body.contains("process_open_fds "), "{body}");
    assert!(body.ends_with("# EOF\n"), "{body}");
}

#[tokio::test]
async fn readyz_names_what_is_missing_and_why() {
    let ctx = Context::for_tests();
    let broker = ctx.health.component("broker");
    let agent = ctx.health.component("agent");
    broker.ready();
    agent.not_ready("connecting to 127.0.0.1:9092");
    let address = start(&ctx).await;

    let (head, body) = get(address, "/readyz").await;
    assert!(head.starts_with("http/1.1 503"), "{head}");
    let answer: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(answer["status"], "not ready");
    assert_eq!(answer["components"][0]["ready"], true);
    assert_eq!(answer["components"][1]["name"], "agent");
    assert_eq!(answer["components"][1]["reason"], "connecting to 127.0.0.1:9092");

    agent.ready();
    let (head, body) = get(address, "/readyz").await;
    assert!(head.starts_with("http/1.1 200"), "{head}");
    assert_eq!(serde_json::from_str::<Value>(&body).unwrap()["status"], "ready");

    ctx.shutdown.cancel();
    let (head, body) = get(address, "/readyz").await;
    assert!(head.starts_with("http/1.1 503"), "{head}");
    assert_eq!(serde_json::from_str::<Value>(&body).unwrap()["status"], "stopping");
}

#[tokio::test]
async fn healthz_is_unhealthy_while_a_loop_hangs() {
    let ctx = Context::for_tests();
    let tail = ctx.health.component_beating("tail", std::time::Duration::ZERO);
    let address = start(&ctx).await;
    assert!(get(address, "/healthz").await.0.starts_with("http/1.1 200"));
    tail.beat();
    while ctx.health.is_alive() {
        tokio::task::yield_now().await;
    }
    let (head, body) = get(address, "/healthz").await;
    assert!(head.starts_with("http/1.1 503"), "{head}");
    assert_eq!(serde_json::from_str::<Value>(&body).unwrap()["components"][0]["alive"], false);
}

#[tokio::test]
async fn other_paths_and_methods_are_refused() {
    let address = start(&Context::for_tests()).await;
    assert!(get(address, "/").await.0.starts_with("http/1.1 404"));
    assert!(get(address, "/metrics/../etc").await.0.starts_with("http/1.1 404"));
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"POST /metrics HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    assert!(text.starts_with("HTTP/1.1 405"), "{text}");
}

#[tokio::test]
async fn endless_headers_end_the_connection_and_leave_the_server_well() {
    let address = start(&Context::for_tests()).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET /metrics HTTP/1.1\r\n").await.unwrap();
    let line = format!("x: {}\r\n", "a".repeat(1000));
    let mut sent = 0;
    // The peer's close is seen as an error of a later write.
    let error = loop {
        match stream.write_all(line.as_bytes()).await {
            Ok(()) => sent += line.len(),
            Err(error) => break error,
        }
        assert!(sent < 64 << 20, "still taking headers after {sent} bytes");
    };
    assert!(matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe), "{error}");
    assert!(get(address, "/healthz").await.0.starts_with("http/1.1 200"));
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_for_a_free_one() {
    let address = start(&Context::for_tests()).await;
    let mut idle = Vec::new();
    for _ in 0..limits::MAX_CONNECTIONS {
        idle.push(TcpStream::connect(address).await.unwrap());
    }
    let waiting = tokio::spawn(get(address, "/healthz"));
    // Connected by the system, not yet accepted: no answer until one of the idle ones goes.
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished());
    drop(idle.pop());
    assert!(waiting.await.unwrap().0.starts_with("http/1.1 200"));
}

#[tokio::test]
async fn a_taken_address_is_named() {
    let first = bind("127.0.0.1:0").await.unwrap();
    let error = bind(&first.local_addr().to_string()).await.unwrap_err().to_string();
    assert!(error.starts_with(&format!("cannot listen on {}", first.local_addr())), "{error}");
    assert!(bind("no port").await.is_err());
}

#[tokio::test]
async fn serving_ends_with_the_shutdown() {
    let ctx = Context::for_tests();
    let serving = tokio::spawn({
        let ctx = ctx.clone();
        async move { serve("127.0.0.1:0", ctx).await }
    });
    ctx.shutdown.cancel();
    serving.await.unwrap().unwrap();
}
