//! What the commands that talk to a broker share: the address, the client, and errors that people understand.
//!
//! The client is librdkafka, so these commands work with any Kafka. What its binding lacks is spoken in [`direct`].

pub(crate) mod assignment;
pub(crate) mod direct;
pub(crate) mod groups;

use std::collections::BTreeMap;
use std::time::Duration;

use clap::Args;
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::{ClientConfig, FromClientConfig};
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::{Offset, TopicPartitionList};

use crate::fail::Failure;

/// What brokers call us.
const CLIENT_ID: &str = "logagent-cli";
/// A consumer that reads without joining needs a name all the same; it never commits.
const NO_GROUP: &str = "logagent-cli";

/// Where the broker is.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Connection")]
pub(crate) struct Connection {
    /// Brokers to ask first, as HOST:PORT, comma-separated.
    #[arg(long, short, value_name = "ADDRS", env = "LOGAGENT_BOOTSTRAP", default_value = "localhost:9092")]
    bootstrap: String,
    /// How long to wait for the broker.
    #[arg(long, value_name = "MS", default_value_t = 10_000)]
    timeout_ms: u64,
}

/// Messages waiting in partitions, from first to last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Watermarks {
    /// The first offset still kept.
    pub(crate) start: i64,
    /// The offset that the next record gets.
    pub(crate) end: i64,
}

impl Watermarks {
    /// The offset, or the nearest one that can be read from.
    pub(crate) fn clamp(self, offset: i64) -> i64 {
        offset.min(self.end).max(self.start)
    }
}

impl Connection {
    pub(crate) fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms)
    }

    /// Settings that all clients share.
    pub(crate) fn config(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", &self.bootstrap)
            .set("client.id", CLIENT_ID)
            .set("socket.timeout.ms", self.timeout_ms.clamp(10, 300_000).to_string())
            .set("reconnect.backoff.max.ms", "500");
        config
    }

    /// Creates a client.
    pub(crate) fn client<T: FromClientConfig>(&self, config: &ClientConfig) -> Result<T, Failure> {
        config.create().map_err(|error| self.failure("cannot create a Kafka client", &error))
    }

    /// The client of administration, and how long it may take.
    pub(crate) fn admin(&self) -> Result<(AdminClient<DefaultClientContext>, AdminOptions), Failure> {
        let timeout = Some(self.timeout());
        let options = AdminOptions::new().request_timeout(timeout).operation_timeout(timeout);
        Ok((self.client(&self.config())?, options))
    }

    /// A consumer for asking: metadata, offsets, groups. It belongs to `group` without joining it.
    pub(crate) fn asker(&self, group: Option<&str>) -> Result<BaseConsumer, Failure> {
        let mut config = self.config();
        config.set("group.id", group.unwrap_or(NO_GROUP)).set("enable.auto.commit", "false");
        // Looking at a topic must not bring it into being.
        config.set("allow.auto.create.topics", "false");
        self.client(&config)
    }

    /// A topic's partitions.
    pub(crate) fn partitions(&self, asker: &BaseConsumer, topic: &str) -> Result<Vec<i32>, Failure> {
        let what = format!("cannot describe topic {topic}");
        let metadata =
            asker.fetch_metadata(Some(topic), self.timeout()).map_err(|error| self.failure(&what, &error))?;
        let found = metadata.topics().iter().find(|found| found.name() == topic);
        match found {
            Some(found) if found.error().is_none() && !found.partitions().is_empty() => {
                Ok(found.partitions().iter().map(|partition| partition.id()).collect())
            }
            _ => Err(no_topic(topic)),
        }
    }

    /// Those of a topic's partitions that are wanted; all without any wanted.
    pub(crate) fn chosen(
        &self,
        asker: &BaseConsumer,
        topic: &str,
        wanted: &[i32],
    ) -> Result<Vec<i32>, Failure> {
        let partitions = self.partitions(asker, topic)?;
        if let Some(missing) = wanted.iter().find(|wanted| !partitions.contains(wanted)) {
            let count = partitions.len();
            let message = format!("topic {topic} has {count} partition(s), and no partition {missing}");
            return Err(Failure::new(message).remedy(format!("see `logagent topics describe {topic}`")));
        }
        Ok(if wanted.is_empty() { partitions } else { wanted.to_vec() })
    }

    /// The bounds of each partition.
    pub(crate) fn watermarks(
        &self,
        asker: &BaseConsumer,
        topic: &str,
        partitions: &[i32],
    ) -> Result<BTreeMap<i32, Watermarks>, Failure> {
        let bounds = partitions.iter().map(|partition| {
            let (start, end) =
                asker.fetch_watermarks(topic, *partition, self.timeout()).map_err(|error| {
                    self.failure(&format!("cannot read the offsets of {topic}-{partition}"), &error)
                })?;
            Ok((*partition, Watermarks { start, end }))
        });
        bounds.collect()
    }

    /// The offset of the first record of each partition that is as new as a time, in milliseconds since 1970; none where
    /// all are older.
    pub(crate) fn offsets_at(
        &self,
        asker: &BaseConsumer,
        topic: &str,
        partitions: &[i32],
        time_ms: i64,
    ) -> Result<BTreeMap<i32, Option<i64>>, Failure> {
        let what = format!("cannot look up a time in {topic}");
        let failed = |error: KafkaError| self.failure(&what, &error);
        let mut times = TopicPartitionList::new();
        for partition in partitions {
            // The binding takes the time where the answer will have the offset.
            times.add_partition_offset(topic, *partition, Offset::Offset(time_ms)).map_err(failed)?;
        }
        let found = asker.offsets_for_times(times, self.timeout()).map_err(failed)?;
        let mut offsets = BTreeMap::new();
        for element in found.elements() {
            element.error().map_err(failed)?;
            let offset = match element.offset() {
                Offset::Offset(offset) => Some(offset),
                _ => None,
            };
            offsets.insert(element.partition(), offset);
        }
        Ok(offsets)
    }

    /// A sentence for an error of the client.
    pub(crate) fn failure(&self, what: &str, error: &KafkaError) -> Failure {
        let code = match error {
            KafkaError::AdminOp(code) => Some(*code),
            other => other.rdkafka_error_code(),
        };
        if code.is_some_and(is_unreachable) {
            return self.nobody(what);
        }
        let cause = code.map_or_else(|| error.to_string(), |code| code.to_string());
        Failure::new(format!("{what}: {}", plain(&cause)))
    }

    /// No broker answers.
    fn nobody(&self, what: &str) -> Failure {
        Failure::new(format!("{what}: no broker answers at {}", self.bootstrap))
            .remedy("start one with `logagent broker` or `logagent up`, or name another with --bootstrap")
    }
}

/// There is no such topic.
pub(crate) fn no_topic(topic: &str) -> Failure {
    Failure::new(format!("there is no topic {topic:?}"))
        .remedy("see `logagent topics list`, or create it with `logagent topics create`")
}

/// librdkafka's ways of saying that nobody answers.
fn is_unreachable(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode::{AllBrokersDown, BrokerTransportFailure, OperationTimedOut, Resolve};
    matches!(code, AllBrokersDown | BrokerTransportFailure | OperationTimedOut | Resolve)
}

/// `UnknownTopic (Broker: Unknown topic or partition)` is for programmers; what stands inside is for people.
pub(crate) fn plain(text: &str) -> String {
    let inner = text.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')')).unwrap_or(text);
    inner.trim_start_matches("Broker: ").trim_start_matches("Local: ").to_owned()
}

/// Runs a command's future on this thread.
pub(crate) fn block_on<T>(future: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| Failure::new(format!("cannot start: {error}")))?.block_on(future)
}

#[cfg(test)]
mod tests;
