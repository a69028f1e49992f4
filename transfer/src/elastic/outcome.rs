//! What an answer means: the one place that decides between done, again, smaller, and never.
//!
//! **A request as a whole**
//!
//! | answer | verdict |
//! |---|---|
//! | none: refused, cut off, timed out | again |
//! | 200 | look at each item; an answer that does not fit the request: again |
//! | 413 | smaller; a single document: dead letter |
//! | 400 with Elasticsearch's own error | smaller, until the document that it is about is alone: dead letter |
//! | 429, 5xx, and everything else (401, 403, 404, a proxy's 400) | again |
//!
//! **An item**
//!
//! | status | verdict |
//! |---|---|
//! | 200, 201 | done |
//! | 409 | done: the document is there already, `create` repeats nothing |
//! | 429, 5xx, 401, 403, 404, 408 | again |
//! | 4xx of a type that speaks of the cluster's state rather than the document ([`TRANSIENT`]) | again |
//! | other 4xx | dead letter |
//! | anything else | again |
//!
//! The rule behind it: a document is given up only when the index says that this document is wrong. What an operator can
//! put right (a password, a blocked index, too many shards) is tried for ever, loudly.

use serde::Deserialize;

use super::client::{Answer, RequestError};

/// Error types that come with a 4xx status and yet pass: blocks and closed indices are opened again, limits raised.
const TRANSIENT: [&str; 8] = [
    "es_rejected_execution_exception",
    "rejected_execution_exception",
    "circuit_breaking_exception",
    "cluster_block_exception",
    "index_closed_exception",
    "index_not_found_exception",
    "unavailable_shards_exception",
    // the limit on the cluster's shards, when a new day's index would be created
    "validation_exception",
];

/// What to do with a request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Each item has its own.
    Items(Vec<ItemVerdict>),
    /// Send it again later. `why` names the metric's label, `detail` is for the log.
    Again { why: &'static str, detail: String },
    /// Send it in halves; a single document is refused for this.
    Smaller(Refusal),
}

/// What to do with one document.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ItemVerdict {
    /// It was added.
    Added,
    /// It was there.
    Duplicate,
    /// Send it again later.
    Again { why: &'static str, kind: String },
    /// The index will never take it.
    Refused(Refusal),
}

/// Why a document cannot be indexed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    /// Elasticsearch's name of the error.
    pub(crate) kind: String,
    pub(crate) reason: String,
}

/// Decides on an answer to a bulk request of `count` documents.
pub(crate) fn judge(answer: &Answer, count: usize) -> Verdict {
    match answer.status {
        200 => judge_items(&answer.body, count),
        413 => Verdict::Smaller(Refusal {
            status: 413,
            kind: "request_entity_too_large".into(),
            reason: "the document alone is larger than the index accepts in a request".into(),
        }),
        400 => match error_of(&answer.body) {
            Some(error) if !is_transient(&error) => Verdict::Smaller(refusal(400, error)),
            _ => again("400", answer),
        },
        429 => again("429", answer),
        401 | 403 => again("denied", answer),
        500.. => again("5xx", answer),
        _ => again("status", answer),
    }
}

/// Decides when there was no answer.
pub(crate) fn judge_failure(error: &RequestError) -> Verdict {
    let why = match error {
        RequestError::Http(error) if error.is_timeout() => "timeout",
        RequestError::Http(_) => "connection",
        RequestError::TooLong => "answer",
    };
    Verdict::Again { why, detail: with_sources(error) }
}

fn again(why: &'static str, answer: &Answer) -> Verdict {
    let mut detail = format!("status {}", answer.status);
    let error = error_of(&answer.body).unwrap_or_default();
    for text in [error.kind, error.reason].into_iter().flatten() {
        detail.push(' ');
        detail.extend(text.chars().take(200));
    }
    Verdict::Again { why, detail }
}

fn judge_items(body: &[u8], count: usize) -> Verdict {
    let answer: BulkAnswer = match serde_json::from_slice(body) {
        Ok(answer) => answer,
        Err(error) => return Verdict::Again { why: "answer", detail: format!("unreadable answer: {error}") },
    };
    if answer.items.len() != count {
        let detail = format!("answer has {} items for {count} documents", answer.items.len());
        return Verdict::Again { why: "answer", detail };
    }
    Verdict::Items(answer.items.into_iter().map(|item| judge_item(item.create)).collect())
}

fn judge_item(item: ItemAnswer) -> ItemVerdict {
    let ItemAnswer { status, error } = item;
    let error = error.unwrap_or_default();
    let why = match status {
        200 | 201 => return ItemVerdict::Added,
        409 => return ItemVerdict::Duplicate,
        429 => "429",
        401 | 403 => "denied",
        500.. => "5xx",
        404 | 408 => "status",
        400..500 if is_transient(&error) => "transient",
        400..500 => return ItemVerdict::Refused(refusal(status, error)),
        _ => "status",
    };
    ItemVerdict::Again { why, kind: error.kind.unwrap_or_default() }
}

fn is_transient(error: &ErrorAnswer) -> bool {
    error.kind.as_deref().is_some_and(|kind| TRANSIENT.contains(&kind))
}

fn refusal(status: u16, error: ErrorAnswer) -> Refusal {
    Refusal { status, kind: error.kind.unwrap_or_default(), reason: error.reason.unwrap_or_default() }
}

/// Elasticsearch's own error, if the body is one: `{"error":{"type":…,"reason":…},"status":…}`.
fn error_of(body: &[u8]) -> Option<ErrorAnswer> {
    #[derive(Deserialize)]
    struct Whole {
        error: ErrorAnswer,
    }
    serde_json::from_slice::<Whole>(body).ok().map(|whole| whole.error)
}

/// The error's text with those behind it: the HTTP client names the cause only there.
fn with_sources(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

#[derive(Deserialize)]
struct BulkAnswer {
    #[serde(default)]
    items: Vec<Operation>,
}

#[derive(Deserialize)]
struct Operation {
    create: ItemAnswer,
}

#[derive(Deserialize)]
struct ItemAnswer {
    status: u16,
    #[serde(default)]
    error: Option<ErrorAnswer>,
}

/// Some exceptions have no text at all: it is null then.
#[derive(Deserialize, Default)]
struct ErrorAnswer {
    #[serde(rename = "type", default)]
    kind: Option<String>,
    #[serde(default)]
    reason: Option<String>,
}

#[cfg(test)]
mod tests;
