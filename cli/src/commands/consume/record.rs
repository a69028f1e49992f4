//! A record as it is shown.

use rdkafka::message::{BorrowedMessage, Headers as _, Message as _};
use serde_json::{Map, Value, json};

/// A record with everything that is known of it.
#[derive(Clone, Debug)]
pub(super) struct Record<'a> {
    pub(super) topic: &'a str,
    pub(super) partition: i32,
    pub(super) offset: i64,
    /// Milliseconds since 1970.
    pub(super) timestamp: Option<i64>,
    pub(super) key: Option<&'a [u8]>,
    pub(super) value: Option<&'a [u8]>,
    pub(super) headers: Vec<(&'a str, Option<&'a [u8]>)>,
}

impl<'a> Record<'a> {
    pub(super) fn of(message: &'a BorrowedMessage<'_>) -> Self {
        let headers = message.headers().map(|headers| {
            headers.iter().map(|header| (header.key, header.value)).collect::<Vec<(&str, Option<&[u8]>)>>()
        });
        Self {
            topic: message.topic(),
            partition: message.partition(),
            offset: message.offset(),
            timestamp: message.timestamp().to_millis(),
            key: message.key(),
            value: message.payload(),
            headers: headers.unwrap_or_default(),
        }
    }

    /// One JSON object. Bytes that are no UTF-8 are shown as replacement characters.
    pub(super) fn json(&self) -> Value {
        let text = |bytes: Option<&[u8]>| bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        let headers: Map<String, Value> =
            self.headers.iter().map(|(key, value)| ((*key).to_owned(), json!(text(*value)))).collect();
        json!({
            "topic": self.topic,
            "partition": self.partition,
            "offset": self.offset,
            "timestamp": self.timestamp,
            "key": text(self.key),
            "value": text(self.value),
            "headers": headers,
        })
    }
}
