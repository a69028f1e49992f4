//! An index for tests: `_bulk` and `_index_template` over HTTP, kept in memory, with faults on order.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, RawQuery, State};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{post, put};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::sync::watch;

/// What goes wrong with a request to `_bulk`; each is used up by one request, in order.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// This status for everything, nothing indexed.
    Whole(u16),
    /// This status for these items, the others are indexed.
    Items { status: u16, ids: Vec<&'static str> },
    /// Status 200 and no bulk answer.
    Garbage,
    /// The connection breaks before anything is indexed.
    Cut,
    /// The connection breaks when everything is indexed.
    CutAfterIndexing,
    /// Everything is indexed, and no answer ever comes.
    StallAfterIndexing,
}

#[derive(Default)]
struct Inner {
    documents: BTreeMap<String, String>,
    templates: BTreeMap<String, Value>,
    faults: VecDeque<Fault>,
    sizes: Vec<usize>,
    /// Of each request to `_bulk`: its `Authorization`, its query.
    seen: Vec<(String, String)>,
    template_faults: VecDeque<u16>,
    poison: Vec<&'static str>,
    poison_requests: Vec<&'static str>,
    max_documents: Option<usize>,
    hold_after: Option<usize>,
}

#[derive(Clone)]
struct Shared {
    inner: Arc<Mutex<Inner>>,
    /// Whether a request is being held.
    held: Arc<watch::Sender<bool>>,
    released: Arc<watch::Sender<bool>>,
}

/// The server; it ends with the test's runtime.
pub(crate) struct FakeIndex {
    address: SocketAddr,
    shared: Shared,
}

impl FakeIndex {
    pub(crate) async fn start(faults: Vec<Fault>) -> Self {
        let inner = Inner { faults: faults.into(), ..Inner::default() };
        let shared = Shared {
            inner: Arc::new(Mutex::new(inner)),
            held: Arc::new(watch::Sender::new(false)),
            released: Arc::new(watch::Sender::new(false)),
        };
        let app = Router::new()
            .route("/_bulk", post(bulk))
            .route("/prefix/_bulk", post(bulk))
            .route("/_index_template/{name}", put(template))
            .layer(DefaultBodyLimit::disable())
            .with_state(shared.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { address, shared }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// `_id` to the document's line.
    pub(crate) fn documents(&self) -> BTreeMap<String, String> {
        self.shared.inner.lock().documents.clone()
    }

    pub(crate) fn templates(&self) -> BTreeMap<String, Value> {
        self.shared.inner.lock().templates.clone()
    }

    /// Requests for templates are answered with these first.
    pub(crate) fn refuse_templates(&self, statuses: &[u16]) {
        self.shared.inner.lock().template_faults.extend(statuses);
    }

    /// `Authorization` and query of each bulk request so far.
    pub(crate) fn seen(&self) -> Vec<(String, String)> {
        self.shared.inner.lock().seen.clone()
    }

    pub(crate) fn requests(&self) -> usize {
        self.shared.inner.lock().sizes.len()
    }

    /// Documents in each request so far.
    pub(crate) fn sizes(&self) -> Vec<usize> {
        self.shared.inner.lock().sizes.clone()
    }

    /// The document with this id is refused for good.
    pub(crate) fn poison(&self, id: &'static str) {
        self.shared.inner.lock().poison.push(id);
    }

    /// A whole request with this document is refused.
    pub(crate) fn poison_requests(&self, id: &'static str) {
        self.shared.inner.lock().poison_requests.push(id);
    }

    /// Larger requests are answered with 413.
    pub(crate) fn limit_documents(&self, count: usize) {
        self.shared.inner.lock().max_documents = Some(count);
    }

    /// Requests after this many wait for [`FakeIndex::release`], and meet no more faults then.
    pub(crate) fn hold_after(&self, count: usize) {
        self.shared.inner.lock().hold_after = Some(count);
    }

    /// Returns when a request is held.
    pub(crate) async fn held(&self) {
        self.shared.held.subscribe().wait_for(|held| *held).await.unwrap();
    }

    pub(crate) fn release(&self) {
        {
            let mut inner = self.shared.inner.lock();
            inner.hold_after = None;
            inner.faults.clear();
        }
        self.shared.released.send_replace(true);
    }
}

async fn template(State(shared): State<Shared>, Path(name): Path<String>, body: Bytes) -> Response {
    let mut inner = shared.inner.lock();
    if let Some(status) = inner.template_faults.pop_front() {
        return (StatusCode::from_u16(status).unwrap(), "no templates today").into_response();
    }
    inner.templates.insert(name, serde_json::from_slice(&body).unwrap());
    axum::Json(json!({ "acknowledged": true })).into_response()
}

async fn bulk(State(shared): State<Shared>, query: RawQuery, headers: HeaderMap, body: Bytes) -> Response {
    let lines: Vec<&str> = std::str::from_utf8(&body).unwrap().lines().collect();
    let documents: Vec<(String, &str)> = lines.chunks(2).map(|pair| (id_of(pair[0]), pair[1])).collect();
    let hold = {
        let mut inner = shared.inner.lock();
        let authorization = headers.get(AUTHORIZATION).map(|value| value.to_str().unwrap().to_owned());
        inner.seen.push((authorization.unwrap_or_default(), query.0.unwrap_or_default()));
        inner.sizes.push(documents.len());
        inner.hold_after.is_some_and(|count| inner.sizes.len() > count)
    };
    if hold {
        shared.held.send_replace(true);
        shared.released.subscribe().wait_for(|released| *released).await.unwrap();
    }
    let fault = shared.inner.lock().faults.pop_front();
    match fault {
        Some(Fault::Whole(status)) => StatusCode::from_u16(status).unwrap().into_response(),
        Some(Fault::Garbage) => "<html>it works</html>".into_response(),
        Some(Fault::Cut) => cut(),
        Some(Fault::CutAfterIndexing) => {
            shared.inner.lock().index(&documents, &[], 0);
            cut()
        }
        Some(Fault::StallAfterIndexing) => {
            shared.inner.lock().index(&documents, &[], 0);
            std::future::pending().await
        }
        Some(Fault::Items { status, ids }) => shared.inner.lock().index(&documents, &ids, status),
        None => shared.inner.lock().index(&documents, &[], 0),
    }
}

fn id_of(action: &str) -> String {
    let action: Value = serde_json::from_str(action).unwrap();
    action["create"]["_id"].as_str().unwrap().to_owned()
}

/// An answer whose body breaks off.
fn cut() -> Response {
    let broken = futures_util::stream::iter([
        Ok(Bytes::from_static(b"{\"errors\":")),
        Err(std::io::Error::other("cut")),
    ]);
    axum::body::Body::from_stream(broken).into_response()
}

impl Inner {
    fn index(&mut self, documents: &[(String, &str)], refused: &[&str], status: u16) -> Response {
        if self.max_documents.is_some_and(|max| documents.len() > max) {
            return StatusCode::PAYLOAD_TOO_LARGE.into_response();
        }
        if documents.iter().any(|(id, _)| self.poison_requests.contains(&id.as_str())) {
            let error = json!({ "error": { "type": "action_request_validation_exception", "reason": "x" }, "status": 400 });
            return (StatusCode::BAD_REQUEST, axum::Json(error)).into_response();
        }
        let items: Vec<Value> =
            documents.iter().map(|(id, line)| self.item(id, line, refused, status)).collect();
        axum::Json(json!({ "errors": false, "items": items })).into_response()
    }

    fn item(&mut self, id: &str, line: &str, refused: &[&str], status: u16) -> Value {
        let error = |status: u16, kind: &str, reason: &str| json!({ "create": { "status": status, "error": { "type": kind, "reason": reason } } });
        if refused.contains(&id) {
            return error(status, "es_rejected_execution_exception", "queue is full");
        }
        if self.poison.contains(&id) {
            return error(400, "mapper_parsing_exception", "failed to parse field");
        }
        if self.documents.contains_key(id) {
            return error(409, "version_conflict_engine_exception", "document already exists");
        }
        self.documents.insert(id.to_owned(), line.to_owned());
        json!({ "create": { "status": 201 } })
    }
}
