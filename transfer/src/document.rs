//! The document of a line: ECS fields, its `_id` and the day of its index. Written straight into the body's buffer.
//!
//! | field | of | from |
//! |---|---|---|
//! | `@timestamp` | all | the line's own time; the record's timestamp when the line says none |
//! | `event.original` | all | the line, byte for byte (what is no UTF-8 as `\xNN`) |
//! | `event.kind` `.category` `.type` `.module` `.dataset` | nginx | constants |
//! | `event.outcome` | access | `success` below status 400, else `failure` |
//! | `message` | error, plain, unparsed | the message; for plain and unparsed the whole line |
//! | `tags` `error.message` | unparsed | `_parse_failure`, the reason |
//! | `host.name` `log.file.path` `log.file.fingerprint` `log.offset` | all | headers `host`, `path`, `file`, `offset` |
//! | `log.flags` | all | header `flags`, and `non_utf8` |
//! | `source.address`, `source.ip` | nginx | the client; `ip` only when it is one |
//! | `user.name` | access | the authenticated user |
//! | `http.request.method` `.referrer`, `http.version` | nginx | the request |
//! | `http.response.status_code` `.body.bytes` | access | the answer |
//! | `url.original` `.path` `.query` | nginx | the request's target |
//! | `user_agent.original` | access | |
//! | `log.level` `process.pid` `process.thread.id` `nginx.error.connection_id` | error | |
//! | `nginx.error.server` `.subrequest` `.upstream` `.host` | error | the attributes that ECS has no name for |
//!
//! `_id` is `host:file:offset`: the line's place at its origin, whatever happened to it on the way. When that is longer
//! than [`MAX_ID_LEN`], or no UTF-8, it is the xxh3 hash of 128 bits, in hex. A record that does not say its origin is identified by its
//! place in the topic, `topic:partition:offset`, which is only unique as long as the topic is not deleted and created anew.

use std::net::IpAddr;
use std::str::FromStr;

use crate::json::{self, Object};
use crate::parse::escape::unescape;
use crate::parse::request::Request;
use crate::parse::{Access, ErrorEntry, Line, time};
use crate::record::Record;

/// Elasticsearch refuses an `_id` of more than 512 bytes.
pub(crate) const MAX_ID_LEN: usize = 400;

/// The instant that decides on `@timestamp` and the index: the line's own, else the record's.
pub(crate) fn event_time_ms(record: &Record<'_>, line: &Line<'_>) -> i64 {
    time::clamp(line.time_ms().or(record.timestamp_ms).unwrap_or(0))
}

/// Replaces `id` by the record's `_id`, which is UTF-8 and not yet escaped for JSON.
pub(crate) fn write_id(id: &mut Vec<u8>, record: &Record<'_>) {
    id.clear();
    let origin = &record.origin;
    if let (Some(host), Some(file), Some(offset)) = (origin.host, origin.file, origin.offset) {
        id.extend_from_slice(host);
        id.push(b':');
        id.extend_from_slice(file);
        id.push(b':');
        json::integer(id, offset);
    } else {
        id.extend_from_slice(record.topic.as_bytes());
        id.push(b':');
        json::integer(id, i64::from(record.partition));
        id.push(b':');
        json::integer(id, record.offset);
    }
    // what is no UTF-8 would be written as `\xNN`, four times as long, and the same as for whoever is called so
    if id.len() > MAX_ID_LEN || std::str::from_utf8(id).is_err() {
        let hash = format!("{:032x}", xxhash_rust::xxh3::xxh3_128(id));
        id.clear();
        id.extend_from_slice(hash.as_bytes());
    }
}

/// Writes the document's members into an object that the caller has opened, and closes it. `scratch` is any buffer.
pub(crate) fn write_members(
    mut root: Object<'_>,
    record: &Record<'_>,
    line: &Line<'_>,
    time_ms: i64,
    scratch: &mut Vec<u8>,
) {
    write_time(&mut root, time_ms);
    match line {
        Line::Access(access) => {
            let outcome = if access.status < 400 { ACCESS_SUCCESS } else { ACCESS_FAILURE };
            write_event(&mut root, outcome, record);
            write_access(&mut root, access, scratch);
            write_origin(&mut root, record, None);
        }
        Line::Error(entry) => {
            write_event(&mut root, ERROR, record);
            root.string("message", entry.message);
            write_error(&mut root, entry);
            write_origin(&mut root, record, Some(entry.level));
        }
        Line::Plain => {
            write_event(&mut root, EVENT, record);
            root.string("message", record.value);
            write_origin(&mut root, record, None);
        }
        Line::Unparsed(reason) => {
            write_event(&mut root, EVENT, record);
            root.string("message", record.value);
            root.key("tags").extend_from_slice(b"[\"_parse_failure\"]");
            let mut error = root.object("error");
            error.string("message", reason.to_string().as_bytes());
            error.close();
            write_origin(&mut root, record, None);
        }
    }
    root.close();
}

// The constant beginnings of `event`, open for `original`.
const EVENT: &[u8] = br#"{"kind":"event""#;
const ACCESS_SUCCESS: &[u8] = br#"{"kind":"event","category":["web"],"type":["access"],"module":"nginx","dataset":"nginx.access","outcome":"success""#;
const ACCESS_FAILURE: &[u8] = br#"{"kind":"event","category":["web"],"type":["access"],"module":"nginx","dataset":"nginx.access","outcome":"failure""#;
const ERROR: &[u8] =
    br#"{"kind":"event","category":["web"],"type":["error"],"module":"nginx","dataset":"nginx.error""#;

fn write_time(root: &mut Object<'_>, time_ms: i64) {
    let out = root.key("@timestamp");
    out.push(b'"');
    time::write_iso(out, time_ms);
    out.push(b'"');
    root.key("ecs").extend_from_slice(br#"{"version":"8.11.0"}"#);
}

fn write_event(root: &mut Object<'_>, constant: &[u8], record: &Record<'_>) {
    let out = root.key("event");
    out.extend_from_slice(constant);
    let mut event = Object::resume(out);
    event.string("original", record.value);
    event.close();
}

fn write_access(root: &mut Object<'_>, access: &Access<'_>, scratch: &mut Vec<u8>) {
    write_source(root, access.address);
    if let Some(name) = access.user {
        let mut user = root.object("user");
        user.string("name", unescape(name, scratch));
        user.close();
    }
    let mut http = root.object("http");
    let mut response = http.object("response");
    response.integer("status_code", i64::from(access.status));
    let mut body = response.object("body");
    body.integer("bytes", i64::try_from(access.body_bytes).unwrap_or(i64::MAX));
    body.close();
    response.close();
    write_http_request(&mut http, access.request.as_ref(), access.referrer, scratch);
    http.close();
    if let Some(request) = &access.request {
        write_url(root, request, scratch);
    }
    if let Some(original) = access.user_agent {
        let mut agent = root.object("user_agent");
        agent.string("original", unescape(original, scratch));
        agent.close();
    }
}

fn write_error(root: &mut Object<'_>, entry: &ErrorEntry<'_>) {
    let mut process = root.object("process");
    process.integer("pid", entry.pid);
    let mut thread = process.object("thread");
    thread.integer("id", entry.tid);
    thread.close();
    process.close();

    let attributes = &entry.attributes;
    let own = [
        ("server", attributes.server),
        ("subrequest", attributes.subrequest),
        ("upstream", attributes.upstream),
        ("host", attributes.host),
    ];
    if entry.connection.is_some() || own.iter().any(|(_, value)| value.is_some()) {
        let mut nginx = root.object("nginx");
        let mut error = nginx.object("error");
        if let Some(connection) = entry.connection {
            error.integer("connection_id", connection);
        }
        for (name, value) in own {
            if let Some(value) = value {
                error.string(name, value);
            }
        }
        error.close();
        nginx.close();
    }
    if let Some(client) = attributes.client {
        write_source(root, client);
    }
    // nothing is escaped in an error log, so nothing is unescaped: the buffer stays empty
    let scratch = &mut Vec::new();
    if attributes.request.is_some() || attributes.referrer.is_some() {
        let mut http = root.object("http");
        write_http_request(&mut http, attributes.request.as_ref(), attributes.referrer, scratch);
        http.close();
    }
    if let Some(request) = &attributes.request {
        write_url(root, request, scratch);
    }
}

fn write_source(root: &mut Object<'_>, address: &[u8]) {
    let mut source = root.object("source");
    source.string("address", address);
    if std::str::from_utf8(address).is_ok_and(|address| IpAddr::from_str(address).is_ok()) {
        source.string("ip", address);
    }
    source.close();
}

fn write_http_request(
    http: &mut Object<'_>,
    request: Option<&Request<'_>>,
    referrer: Option<&[u8]>,
    scratch: &mut Vec<u8>,
) {
    if let Some(version) = request.and_then(|request| request.version) {
        http.string("version", version);
    }
    if request.is_none() && referrer.is_none() {
        return;
    }
    let mut object = http.object("request");
    if let Some(request) = request {
        object.string("method", request.method);
    }
    if let Some(referrer) = referrer {
        object.string("referrer", unescape(referrer, scratch));
    }
    object.close();
}

fn write_url(root: &mut Object<'_>, request: &Request<'_>, scratch: &mut Vec<u8>) {
    let mut url = root.object("url");
    url.string("original", unescape(request.target, scratch));
    let (path, query) = request.path_and_query();
    if let Some(path) = path {
        url.string("path", unescape(path, scratch));
    }
    if let Some(query) = query {
        url.string("query", unescape(query, scratch));
    }
    url.close();
}

/// `host` and `log`: where the line came from.
fn write_origin(root: &mut Object<'_>, record: &Record<'_>, level: Option<&[u8]>) {
    let origin = &record.origin;
    if let Some(name) = origin.host {
        let mut host = root.object("host");
        host.string("name", name);
        host.close();
    }
    let non_utf8 = std::str::from_utf8(record.value).is_err();
    let has_file = origin.path.is_some() || origin.file.is_some();
    if !has_file && origin.offset.is_none() && origin.flags.is_none() && !non_utf8 && level.is_none() {
        return;
    }
    let mut log = root.object("log");
    if let Some(level) = level {
        log.string("level", level);
    }
    if has_file {
        let mut file = log.object("file");
        if let Some(path) = origin.path {
            file.string("path", path);
        }
        if let Some(generation) = origin.file {
            file.string("fingerprint", generation);
        }
        file.close();
    }
    if let Some(offset) = origin.offset {
        log.integer("offset", offset);
    }
    let flags = origin.flags.into_iter().flat_map(|flags| flags.split(|byte| *byte == b','));
    let flags = flags.chain(non_utf8.then_some(b"non_utf8".as_slice())).filter(|flag| !flag.is_empty());
    write_list(&mut log, "flags", flags);
    log.close();
}

/// A list of strings; nothing when there are none.
fn write_list<'a>(object: &mut Object<'_>, name: &'static str, mut values: impl Iterator<Item = &'a [u8]>) {
    let Some(first) = values.next() else { return };
    let out = object.key(name);
    out.push(b'[');
    json::string(out, first);
    for value in values {
        out.push(b',');
        json::string(out, value);
    }
    out.push(b']');
}

#[cfg(test)]
mod tests;
