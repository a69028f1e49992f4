//! From a topic to its format and index; one record into the batch.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use jiff::tz::TimeZone;
use rdkafka::message::{BorrowedMessage, Headers, Message};
use tracing::warn;

use crate::batch::{Builder, Original, Target};
use crate::config::{Config, Format};
use crate::metrics::Metrics;
use crate::parse::{self, Line};
use crate::record::{Origin, Record};

/// What becomes of each topic's records.
#[derive(Debug, Clone)]
pub(crate) struct Routes {
    zone: TimeZone,
    routes: HashMap<String, Route>,
}

#[derive(Debug, Clone)]
struct Route {
    topic: Arc<str>,
    index: String,
    format: Format,
}

impl Routes {
    /// Of a valid config: an unknown zone becomes UTC.
    pub(crate) fn new(config: &Config) -> Self {
        let route = |topic: &crate::config::Topic| Route {
            topic: Arc::from(topic.name.as_str()),
            index: topic.index.clone(),
            format: topic.format,
        };
        Self {
            zone: config.zone().unwrap_or(TimeZone::UTC),
            routes: config.topics.iter().map(|topic| (topic.name.clone(), route(topic))).collect(),
        }
    }

    /// The topics' names, sorted.
    pub(crate) fn topics(&self) -> Vec<&str> {
        let mut topics: Vec<&str> = self.routes.keys().map(String::as_str).collect();
        topics.sort_unstable();
        topics
    }

    /// Parses a record and puts its document into the batch; `false` when its topic is not (any more) among these.
    pub(crate) fn push(
        &self,
        message: &BorrowedMessage<'_>,
        builder: &mut Builder,
        metrics: &Metrics,
    ) -> bool {
        let Some(route) = self.routes.get(message.topic()) else { return false };
        let headers = read_headers(message);
        let mut origin = Origin::default();
        for (name, value) in &headers {
            origin.header(name, *value);
        }
        let value = message.payload();
        let record = Record {
            topic: &route.topic,
            partition: message.partition(),
            offset: message.offset(),
            timestamp_ms: message.timestamp().to_millis(),
            value: value.unwrap_or_default(),
            origin,
        };
        let line = parse::parse(route.format, record.value, &self.zone);
        if matches!(line, Line::Unparsed(_)) {
            metrics.unparsed_lines.inc();
        }
        let original = Original { key: message.key(), headers, value };
        builder.push(Target { topic: &route.topic, index: &route.index }, &record, &line, &original);
        true
    }
}

/// The record's headers. rdkafka panics over a header whose name is not UTF-8, which any producer may send: such a
/// record counts as one without headers.
fn read_headers<'a>(message: &'a BorrowedMessage<'_>) -> Vec<(&'a str, Option<&'a [u8]>)> {
    let Some(headers) = message.headers() else { return Vec::new() };
    let read = || headers.iter().map(|header| (header.key, header.value)).collect();
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| {
        let (topic, partition, offset) = (message.topic(), message.partition(), message.offset());
        warn!(
            topic,
            partition, offset, "record has a header whose name is not UTF-8: its headers are not read"
        );
        Vec::new()
    })
}
