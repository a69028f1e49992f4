//! Pages over HTTP: what there is at `/`, and the pages of the parts. GET and HEAD only.

use std::fmt::Write as _;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing;
use serde_json::json;

use super::hosts::Hosts;
use crate::pages::document::{Document, NO_DOCUMENT, document};
use crate::pages::html::Text;
use crate::pages::{Form, PageError, Pages, Request, Shown};

/// What every process has beside the pages of its parts.
const OWN: [(&str, &str); 3] = [
    ("metrics", "Metrics, as Prometheus reads them"),
    ("readyz", "Whether every part can do its work, and what is missing"),
    ("healthz", "Whether every part is alive"),
];

const JSON: &str = "application/json";
const HTML: &str = "text/html; charset=utf-8";

#[derive(Debug, Clone)]
struct Front {
    pages: Pages,
    hosts: Hosts,
}

/// Routes whatever has no route of its own. Parts may register their pages later.
pub(super) fn router(pages: Pages, hosts: Hosts) -> Router {
    Router::new()
        .route("/", routing::get(index))
        .route("/{*path}", routing::get(page))
        .with_state(Front { pages, hosts })
}

async fn index(State(front): State<Front>, headers: HeaderMap) -> Response {
    if !front.hosts.admit(&headers) {
        return misdirected();
    }
    let mut body = "<ul>\n".to_owned();
    for (path, title) in front.pages.list().iter().chain(&OWN) {
        // Writing to a string cannot fail.
        let _ = writeln!(body, "<li><a href=\"{}\">{}</a></li>", Text(path), Text(title));
    }
    body.push_str("</ul>\n");
    html(StatusCode::OK, document("logagent", &body, None))
}

async fn page(State(front): State<Front>, uri: Uri, headers: HeaderMap) -> Response {
    if !front.hosts.admit(&headers) {
        return misdirected();
    }
    let request = Request::new(uri.path(), uri.query().unwrap_or_default());
    match front.pages.show(&request).await {
        Ok(Shown::Html { title, body }) => html(StatusCode::OK, document(&title, &body, Some(&request))),
        Ok(Shown::Json(json)) => answer(StatusCode::OK, JSON, NO_DOCUMENT.to_owned(), json),
        Err(error) => refuse(&error, request.form()),
    }
}

fn refuse(error: &PageError, form: Form) -> Response {
    let code = match error {
        PageError::NotFound(_) => StatusCode::NOT_FOUND,
        PageError::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        PageError::Html(_) | PageError::Json(_) | PageError::Failed(_) => {
            tracing::error!(%error, "cannot show a page");
            StatusCode::INTERNAL_SERVER_ERROR
        }
    };
    let text = error.to_string();
    match form {
        Form::Json => {
            let body = format!("{:#}\n", json!({ "error": text }));
            answer(code, JSON, NO_DOCUMENT.to_owned(), body.into_bytes())
        }
        Form::Html => html(code, document("Nothing to show", &format!("<p>{}</p>\n", Text(&text)), None)),
    }
}

fn misdirected() -> Response {
    let text = "this address is not known by that name; ask for it by its IP address or as localhost\n";
    (StatusCode::MISDIRECTED_REQUEST, text).into_response()
}

fn html(code: StatusCode, document: Document) -> Response {
    answer(code, HTML, document.policy, document.html.into_bytes())
}

fn answer(code: StatusCode, media_type: &str, policy: String, body: Vec<u8>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, media_type.to_owned()),
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (header::REFERRER_POLICY, "no-referrer".to_owned()),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    (code, headers, body).into_response()
}
