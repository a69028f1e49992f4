use std::io::ErrorKind;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::*;
use crate::pages;

async fn start(ctx: &Context) -> SocketAddr {
    let admin = bind("127.0.0.1:0").await.unwrap();
    let address = admin.local_addr();
    tokio::spawn(admin.run(ctx.clone()));
    address
}

async fn get(address: SocketAddr, path: &str) -> (String, String) {
    ask(address, &format!("GET {path} HTTP/1.1\r\nhost: {address}")).await
}

/// The head in small letters and the body of what is answered to a request line with headers.
async fn ask(address: SocketAddr, request: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("{request}\r\nconnection: close\r\n\r\n");
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
    assert!(get(address, "/nothing").await.0.starts_with("http/1.1 404"));
    assert!(get(address, "/metrics/../etc").await.0.starts_with("http/1.1 404"));
    for path in ["/", "/metrics", "/nothing"] {
        let (head, _) = ask(address, &format!("POST {path} HTTP/1.1\r\nhost: {address}")).await;
        assert!(head.starts_with("http/1.1 405"), "{head}");
    }
}

/// Shows what it is asked for.
#[derive(Debug)]
struct Echo;

#[derive(Serialize)]
struct Echoed {
    below: String,
    name: String,
}

impl pages::View for Echoed {
    fn title(&self) -> String {
        format!("Echo of {}", self.name)
    }

    fn html(&self, request: &pages::Request, out: &mut String) -> std::fmt::Result {
        let link = request.link("below", &[("name", &self.name)]);
        pages::facts(out, &[("name", pages::Cell::Link(&self.name, link))])
    }
}

impl pages::Page for Echo {
    fn show(&self, request: &pages::Request) -> Result<pages::Shown, pages::PageError> {
        let name = request.get("name").unwrap_or("nobody").to_owned();
        match request.below() {
            "none" => Err(pages::PageError::NotFound(format!("there is no {name}"))),
            "gone" => Err(pages::PageError::Unavailable("it has stopped")),
            below => pages::Shown::of(&Echoed { below: below.to_owned(), name }, request),
        }
    }
}

#[tokio::test]
async fn a_page_is_html_and_the_same_as_json_and_is_listed() {
    let ctx = Context::for_tests();
    let address = start(&ctx).await;
    assert!(get(address, "/echo").await.0.starts_with("http/1.1 404"));
    // a part may come after the server
    ctx.pages.register("echo", "What was asked", Echo);
    let (head, body) = get(address, "/").await;
    assert!(
        head.starts_with("http/1.1 200") && body.contains("<a href=\"echo\">What was asked</a>"),
        "{body}"
    );
    assert!(body.contains("<a href=\"metrics\">"), "{body}");

    let (head, body) = get(address, "/echo?name=me").await;
    assert!(head.starts_with("http/1.1 200"), "{head}");
    assert!(head.contains("content-type: text/html; charset=utf-8"), "{head}");
    assert!(body.starts_with("<!doctype html>") && body.contains("<h1>Echo of me</h1>"), "{body}");
    assert!(body.contains("<a href=\"echo/below?name=me\">me</a>"), "{body}");

    let (head, body) = get(address, "/echo/below.json?name=me").await;
    assert!(head.contains("content-type: application/json"), "{head}");
    let shown: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(shown, serde_json::json!({ "below": "below", "name": "me" }));
}

#[tokio::test]
async fn what_comes_from_outside_is_no_markup_and_could_do_nothing() {
    let ctx = Context::for_tests();
    ctx.pages.register("echo", "What was asked", Echo);
    let address = start(&ctx).await;
    for path in ["/echo?name=%3Cscript%3E%22'&x=1", "/echo/none?name=%3Cscript%3E%22'"] {
        let (head, body) = get(address, path).await;
        assert!(!body.contains("<script") && body.contains("&lt;script&gt;&quot;&#39;"), "{body}");
        let nonce = body.split_once("<style nonce=\"").unwrap().1.split_once('"').unwrap().0;
        assert!(head.contains(&format!("default-src 'none'; style-src 'nonce-{nonce}'; ")), "{head}");
        assert!(head.contains("x-content-type-options: nosniff"), "{head}");
    }
    let (head, body) = get(address, "/echo/none.json?name=%3Cscript%3E").await;
    assert!(head.starts_with("http/1.1 404") && head.contains("application/json"), "{head}");
    assert_eq!(serde_json::from_str::<Value>(&body).unwrap()["error"], "there is no <script>");
    assert!(get(address, "/echo/gone").await.0.starts_with("http/1.1 503"));
}

#[tokio::test]
async fn head_is_answered_without_a_body() {
    let ctx = Context::for_tests();
    ctx.pages.register("echo", "What was asked", Echo);
    let address = start(&ctx).await;
    for path in ["/", "/echo", "/echo.json"] {
        let (head, body) = ask(address, &format!("HEAD {path} HTTP/1.1\r\nhost: {address}")).await;
        assert!(head.starts_with("http/1.1 200") && body.is_empty(), "{head}\n{body}");
    }
}

#[tokio::test]
async fn pages_are_not_given_to_the_visitors_of_a_site_that_leads_its_name_here() {
    let ctx = Context::for_tests();
    ctx.pages.register("echo", "What was asked", Echo);
    let address = start(&ctx).await;
    for path in ["/", "/echo", "/echo.json", "/nothing"] {
        let (head, _) = ask(address, &format!("GET {path} HTTP/1.1\r\nhost: evil.example")).await;
        assert!(head.starts_with("http/1.1 421"), "{path}: {head}");
    }
    let (head, _) = ask(address, "GET /metrics HTTP/1.1\r\nhost: evil.example").await;
    assert!(head.starts_with("http/1.1 200"), "those who scrape may call it as they like: {head}");
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
