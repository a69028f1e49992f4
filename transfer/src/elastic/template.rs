//! The index template of `<index>-*`: which fields can be searched, sorted and counted, and at what cost.
//!
//! The mapping is lean: indexing is most of what a document costs the cluster, so a field is indexed only if dashboards or
//! searches need it. `dynamic: false`: a field that is not in the mapping stays in `_source`, is shown, but is not indexed; so no
//! document can conflict with what another one of an unknown field looked like, and no log line can grow the mapping.
//!
//! | field | indexed as |
//! |---|---|
//! | `@timestamp` | date |
//! | `event.dataset`, `event.outcome`, `host.name`, `log.file.path`, `log.level`, `http.request.method`, `tags`, `user.name` | keyword |
//! | `url.path`, `http.request.referrer`, `user_agent.original` | keyword, the first 1,024 characters |
//! | `source.ip` | ip; what is none is left out |
//! | `http.response.status_code` | short |
//! | `http.response.body.bytes`, `log.offset` | long, to sum and sort by, not to search |
//! | `message`, `error.message` | text, without norms and positions |
//! | `nginx.error.connection_id`, `process.pid` | long |
//! | `event.original`, `url.original`, `url.query` and the rest | not indexed |

use bytes::Bytes;
use serde_json::{Value, json};

use super::client::{Answer, Client, RequestError};
use crate::config::Elasticsearch;

/// Stands above the templates that Elasticsearch ships (100), so that an index `logs-x` is not made a data stream.
const PRIORITY: u32 = 200;

/// Why a template was not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TemplateError {
    #[error("no answer: {0}")]
    Request(#[from] RequestError),
    #[error("status {status}: {body}")]
    Status { status: u16, body: String },
}

/// Creates or replaces the template of an index.
pub(crate) async fn put(client: &Client, index: &str, config: &Elasticsearch) -> Result<(), TemplateError> {
    let body = Bytes::from(template(index, config).to_string());
    let Answer { status, body } = client.put(&format!("_index_template/logagent-{index}"), body).await?;
    if (200..300).contains(&status) {
        return Ok(());
    }
    let body = String::from_utf8_lossy(&body[..body.len().min(300)]).into_owned();
    Err(TemplateError::Status { status, body })
}

fn template(index: &str, config: &Elasticsearch) -> Value {
    json!({
        "index_patterns": [format!("{index}-*")],
        "priority": PRIORITY,
        "template": {
            "settings": {
                "index": {
                    "number_of_shards": config.number_of_shards,
                    "auto_expand_replicas": "0-1",
                    "refresh_interval": format!("{}ms", config.refresh_interval_ms),
                }
            },
            "mappings": mappings(),
        },
        "_meta": { "managed_by": "logagent" },
    })
}

fn mappings() -> Value {
    let keyword = json!({ "type": "keyword" });
    let long_keyword = json!({ "type": "keyword", "ignore_above": 1024 });
    let stored = json!({ "type": "keyword", "index": false, "doc_values": false });
    let number = json!({ "type": "long", "ignore_malformed": true });
    let quantity = json!({ "type": "long", "index": false, "ignore_malformed": true });
    let text = json!({ "type": "text", "norms": false, "index_options": "freqs" });
    json!({
        "dynamic": false,
        "properties": {
            "@timestamp": { "type": "date" },
            "message": text,
            "tags": keyword,
            "error": { "properties": { "message": text } },
            "event": { "properties": {
                "dataset": keyword, "outcome": keyword, "original": stored,
            } },
            "host": { "properties": { "name": keyword } },
            "log": { "properties": {
                "level": keyword,
                "offset": quantity,
                "file": { "properties": { "path": keyword } },
            } },
            "source": { "properties": {
                "address": stored,
                "ip": { "type": "ip", "ignore_malformed": true },
            } },
            "user": { "properties": { "name": long_keyword } },
            "http": { "properties": {
                "request": { "properties": { "method": keyword, "referrer": long_keyword } },
                "response": { "properties": {
                    "status_code": { "type": "short", "ignore_malformed": true },
                    "body": { "properties": { "bytes": quantity } },
                } },
            } },
            "url": { "properties": { "original": stored, "path": long_keyword, "query": stored } },
            "user_agent": { "properties": { "original": long_keyword } },
            "process": { "properties": { "pid": number } },
            "nginx": { "properties": { "error": { "properties": { "connection_id": number } } } },
        }
    })
}

#[cfg(test)]
mod tests;
