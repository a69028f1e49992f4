//! The transfer's settings. Defaults and their meaning are in `configs/transfer.yaml`.

use std::collections::HashSet;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use daemon::config::{Invalid, Section};
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer};
use url::Url;

pub use crate::parse::Format;

/// The transfer's settings.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Address of `/metrics`, `/healthz` and `/readyz`.
    pub admin: Option<String>,
    /// Kafka brokers, comma-separated `host:port`.
    pub bootstrap: String,
    /// The consumer group.
    pub group: String,
    /// Static membership's name of this instance.
    pub group_instance_id: Option<String>,
    /// What is consumed.
    #[serde(deserialize_with = "topics")]
    pub topics: Vec<Topic>,
    /// IANA name of the zone of times that do not say theirs.
    pub time_zone: Option<String>,
    /// Where documents go.
    pub elasticsearch: Elasticsearch,
    /// Where documents go without Elasticsearch.
    pub data_dir: PathBuf,
    /// Appended to a topic's name for its dead letters.
    pub dead_letter_suffix: String,
    /// librdkafka's `queued.max.messages.kbytes`.
    pub queued_max_kbytes: u32,
    /// librdkafka's `fetch.max.bytes`.
    pub fetch_max_bytes: u32,
    /// librdkafka's `fetch.message.max.bytes`.
    pub fetch_partition_max_bytes: u32,
    /// librdkafka's `session.timeout.ms`.
    pub session_timeout_ms: u32,
    /// Between two commits of offsets.
    pub commit_interval_ms: u64,
    /// Limit on waiting for bulk requests when partitions move and at a stop.
    pub drain_timeout_ms: u64,
    /// Between two measurements of the lag.
    pub lag_interval_ms: u64,
}

/// Where and how documents are indexed.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Elasticsearch {
    /// Base addresses, comma-separated; `None` for files instead.
    pub url: Option<String>,
    /// Basic authentication.
    pub username: Option<String>,
    /// Basic authentication.
    pub password: Option<Secret>,
    /// API key in its encoded form.
    pub api_key: Option<Secret>,
    /// PEM file of the authority to trust.
    pub ca_file: Option<PathBuf>,
    /// Whether index templates are created and updated.
    pub manage_template: bool,
    /// Primary shards of each index.
    pub number_of_shards: u32,
    /// How soon a document can be found.
    pub refresh_interval_ms: u64,
    /// A bulk body is sent at this size.
    pub bulk_max_bytes: usize,
    /// A bulk body is sent with this many documents.
    pub bulk_max_documents: usize,
    /// A bulk body is sent at this age.
    pub linger_ms: u64,
    /// Bulk requests at a time.
    pub max_in_flight: usize,
    /// Limit on a request.
    pub request_timeout_ms: u64,
    /// The first pause before a repeat.
    pub backoff_initial_ms: u64,
    /// The longest pause before a repeat.
    pub backoff_max_ms: u64,
}

/// A topic and what becomes of its records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topic {
    /// The topic's name.
    pub name: String,
    /// The index's name, without the day.
    pub index: String,
    /// How lines are read.
    pub format: Format,
}

/// A text that is shown nowhere.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// The text itself, for the one who has to send it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

impl Section for Config {
    const DEFAULTS: &'static str = include_str!("../../configs/transfer.yaml");

    fn validate(&self) -> Result<(), Invalid> {
        not_empty("bootstrap", &self.bootstrap)?;
        not_empty("group", &self.group)?;
        self.validate_topics()?;
        self.zone().map_err(|rule| Invalid::new("time_zone", rule))?;
        self.elasticsearch.validate()?;
        if !self.dead_letter_suffix.bytes().all(is_topic_byte) || self.dead_letter_suffix.is_empty() {
            return Err(Invalid::new("dead_letter_suffix", "must be letters, digits, '.', '_' or '-'"));
        }
        within("queued_max_kbytes", self.queued_max_kbytes, 64, 1 << 20)?;
        within("fetch_max_bytes", self.fetch_max_bytes, 1024, 1 << 29)?;
        within("fetch_partition_max_bytes", self.fetch_partition_max_bytes, 1024, 1 << 29)?;
        within("session_timeout_ms", self.session_timeout_ms, 1000, 1_800_000)?;
        within("commit_interval_ms", self.commit_interval_ms, 10, 600_000)?;
        within("drain_timeout_ms", self.drain_timeout_ms, 0, 120_000)?;
        within("lag_interval_ms", self.lag_interval_ms, 100, 600_000)
    }
}

impl Config {
    fn validate_topics(&self) -> Result<(), Invalid> {
        if self.topics.is_empty() {
            return Err(Invalid::new("topics", "must name at least one topic"));
        }
        let mut names = HashSet::new();
        for (at, topic) in self.topics.iter().enumerate() {
            let name = &topic.name;
            if name.is_empty() || name.len() > 249 || !name.bytes().all(is_topic_byte) {
                let rule = "must be 1 to 249 letters, digits, '.', '_' or '-'";
                return Err(Invalid::new(format!("topics[{at}].name"), rule));
            }
            if !names.insert(name) {
                return Err(Invalid::new(format!("topics[{at}].name"), "is there twice"));
            }
            if let Err(rule) = index_name(&topic.index) {
                return Err(Invalid::new(format!("topics[{at}].index"), rule));
            }
        }
        Ok(())
    }

    /// The zone of times that do not say theirs.
    pub(crate) fn zone(&self) -> Result<TimeZone, String> {
        match &self.time_zone {
            None => Ok(TimeZone::system()),
            Some(name) => {
                TimeZone::get(name).map_err(|_| format!("{name:?} is no time zone that this host knows"))
            }
        }
    }

    /// The names of top-level settings that differ and only take effect after a restart.
    pub(crate) fn needs_restart(&self, newer: &Self) -> Vec<&'static str> {
        let pairs = [
            ("admin", self.admin != newer.admin),
            ("bootstrap", self.bootstrap != newer.bootstrap),
            ("group", self.group != newer.group),
            ("group_instance_id", self.group_instance_id != newer.group_instance_id),
            ("elasticsearch", self.elasticsearch != newer.elasticsearch),
            ("data_dir", self.data_dir != newer.data_dir),
            ("dead_letter_suffix", self.dead_letter_suffix != newer.dead_letter_suffix),
            ("queued_max_kbytes", self.queued_max_kbytes != newer.queued_max_kbytes),
            ("fetch_max_bytes", self.fetch_max_bytes != newer.fetch_max_bytes),
            ("fetch_partition_max_bytes", self.fetch_partition_max_bytes != newer.fetch_partition_max_bytes),
            ("session_timeout_ms", self.session_timeout_ms != newer.session_timeout_ms),
            ("commit_interval_ms", self.commit_interval_ms != newer.commit_interval_ms),
            ("drain_timeout_ms", self.drain_timeout_ms != newer.drain_timeout_ms),
            ("lag_interval_ms", self.lag_interval_ms != newer.lag_interval_ms),
        ];
        pairs.into_iter().filter_map(|(name, differs)| differs.then_some(name)).collect()
    }
}

impl Elasticsearch {
    fn validate(&self) -> Result<(), Invalid> {
        if self.url.is_some() && self.urls().is_err() {
            // not the parser's own words: the address may hold a password
            return Err(Invalid::new(
                "elasticsearch.url",
                "must be one or more http:// or https:// addresses",
            ));
        }
        if self.username.is_some() != self.password.is_some() {
            return Err(Invalid::new("elasticsearch.password", "must be there with username, and only then"));
        }
        if self.username.is_some() && self.api_key.is_some() {
            return Err(Invalid::new("elasticsearch.api_key", "must not be there with username"));
        }
        within("elasticsearch.number_of_shards", self.number_of_shards, 1, 1024)?;
        within("elasticsearch.refresh_interval_ms", self.refresh_interval_ms, 1, 3_600_000)?;
        within("elasticsearch.bulk_max_bytes", self.bulk_max_bytes, 1024, 95 << 20)?;
        within("elasticsearch.bulk_max_documents", self.bulk_max_documents, 1, 1_000_000)?;
        within("elasticsearch.linger_ms", self.linger_ms, 0, 60_000)?;
        within("elasticsearch.max_in_flight", self.max_in_flight, 1, 64)?;
        within("elasticsearch.request_timeout_ms", self.request_timeout_ms, 100, 3_600_000)?;
        within("elasticsearch.backoff_initial_ms", self.backoff_initial_ms, 1, 60_000)?;
        within("elasticsearch.backoff_max_ms", self.backoff_max_ms, self.backoff_initial_ms, 3_600_000)
    }

    /// The addresses; empty without any.
    pub(crate) fn urls(&self) -> Result<Vec<Url>, url::ParseError> {
        let texts =
            self.url.iter().flat_map(|url| url.split(',')).map(str::trim).filter(|url| !url.is_empty());
        let urls = texts.map(Url::parse).collect::<Result<Vec<_>, _>>()?;
        match urls.iter().all(|url| matches!(url.scheme(), "http" | "https") && url.has_host()) {
            true => Ok(urls),
            false => Err(url::ParseError::EmptyHost),
        }
    }

    /// How long a partial batch waits for more.
    pub(crate) fn linger(&self) -> Duration {
        Duration::from_millis(self.linger_ms)
    }
}

fn not_empty(key: &str, value: &str) -> Result<(), Invalid> {
    if value.is_empty() { Err(Invalid::new(key, "must not be empty")) } else { Ok(()) }
}

fn within<N: PartialOrd + fmt::Display>(key: &str, value: N, least: N, most: N) -> Result<(), Invalid> {
    if (&least..=&most).contains(&&value) {
        return Ok(());
    }
    Err(Invalid::new(key, format!("must be at least {least} and at most {most}")))
}

fn is_topic_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-')
}

/// Elasticsearch's rules for names, with room for the day.
fn index_name(name: &str) -> Result<(), &'static str> {
    const FORBIDDEN: &str = "\\/*?\"<>| ,#:";
    if name.is_empty() || name.len() > 200 {
        return Err("must be 1 to 200 bytes long");
    }
    if name.starts_with(['-', '_', '+', '.']) {
        return Err("must not begin with '-', '_', '+' or '.'");
    }
    if name.chars().any(|c| c.is_uppercase() || c.is_control() || FORBIDDEN.contains(c)) {
        return Err(
            "must be lower case and without \\ / * ? \" < > | , # : and spaces; set it if the topic's name is not",
        );
    }
    Ok(())
}

/// A list of topics, or one text of comma-separated names.
fn topics<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Topic>, D::Error> {
    struct Topics;
    impl<'de> Visitor<'de> for Topics {
        type Value = Vec<Topic>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list of topics or a text of comma-separated names")
        }
        fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
            Ok(text.split(',').map(str::trim).filter(|name| !name.is_empty()).map(Topic::named).collect())
        }
        fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
            let mut topics = Vec::new();
            while let Some(topic) = items.next_element()? {
                topics.push(topic);
            }
            Ok(topics)
        }
    }
    from.deserialize_any(Topics)
}

impl Topic {
    /// With the defaults of the rest.
    pub fn named(name: &str) -> Self {
        Self { name: name.to_owned(), index: name.to_owned(), format: Format::Auto }
    }
}

impl<'de> Deserialize<'de> for Topic {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Entry {
            name: String,
            #[serde(default)]
            index: Option<String>,
            #[serde(default)]
            format: Format,
        }
        struct NameOrEntry;
        impl<'de> Visitor<'de> for NameOrEntry {
            type Value = Topic;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a topic's name, or a map of name, index and format")
            }
            fn visit_str<E>(self, name: &str) -> Result<Topic, E> {
                Ok(Topic::named(name))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Topic, A::Error> {
                let entry = Entry::deserialize(MapAccessDeserializer::new(map))?;
                let index = entry.index.unwrap_or_else(|| entry.name.clone());
                Ok(Topic { name: entry.name, index, format: entry.format })
            }
        }
        from.deserialize_any(NameOrEntry)
    }
}

#[cfg(test)]
mod tests;
