//! librdkafka's client, and what it says in callbacks. Those run inside a poll; they only take notes, and the consumer
//! acts on them when the poll has returned.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use daemon::health::Component;
use parking_lot::Mutex;
use rdkafka::TopicPartitionList;
use rdkafka::client::ClientContext;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::types::RDKafkaRespErr;
use tracing::{debug, warn};

use crate::config::Config;

/// An error that repeats is logged again after this long.
const QUIET: Duration = Duration::from_secs(30);

/// What the group told.
#[derive(Debug)]
pub(crate) enum Event {
    /// These partitions are this member's, once it has assigned them to itself.
    Assigned(TopicPartitionList),
    /// All partitions have to be given up.
    Revoked,
}

/// Notes of callbacks.
pub(crate) struct Events {
    queue: Mutex<VecDeque<Event>>,
    closing: AtomicBool,
    health: Component,
    last_error: Mutex<Option<LastError>>,
}

struct LastError {
    code: RDKafkaErrorCode,
    logged_at: Instant,
    suppressed: u64,
}

/// A client that has not subscribed yet. Nothing is sent before.
pub(crate) fn connect(config: &Config, health: Component) -> KafkaResult<Arc<BaseConsumer<Events>>> {
    let events = Events {
        queue: Mutex::default(),
        closing: AtomicBool::new(false),
        health,
        last_error: Mutex::new(None),
    };
    client_config(config).create_with_context(events).map(Arc::new)
}

fn client_config(config: &Config) -> ClientConfig {
    let session_ms = config.session_timeout_ms;
    let mut client = ClientConfig::new();
    client
        .set_log_level(RDKafkaLogLevel::Warning)
        .set("client.id", "logagent-transfer")
        .set("bootstrap.servers", &config.bootstrap)
        .set("group.id", &config.group)
        // offsets are committed by hand, when the index has answered
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("auto.offset.reset", "earliest")
        // the classic protocol with all partitions revoked at once: every broker has it, and a revocation settles everything
        .set("partition.assignment.strategy", "range,roundrobin")
        .set("session.timeout.ms", session_ms.to_string())
        .set("heartbeat.interval.ms", (session_ms / 3).clamp(1, 3000).to_string())
        .set("max.poll.interval.ms", session_ms.max(300_000).to_string())
        // memory
        .set("queued.min.messages", "20000")
        .set("queued.max.messages.kbytes", config.queued_max_kbytes.to_string())
        .set("fetch.max.bytes", config.fetch_max_bytes.to_string())
        // a limit on what is produced, but librdkafka refuses to fetch less at a time
        .set("message.max.bytes", config.fetch_max_bytes.clamp(1000, 1_000_000).to_string())
        .set("fetch.message.max.bytes", config.fetch_partition_max_bytes.to_string())
        // with a small queue the default of a second would leave it empty for most of that
        .set("fetch.queue.backoff.ms", "10")
        .set("fetch.error.backoff.ms", "200")
        .set("check.crcs", "true")
        // a topic that comes into being, and a broker that returns, are seen soon
        .set("allow.auto.create.topics", "true")
        .set("topic.metadata.refresh.interval.ms", "10000")
        .set("reconnect.backoff.max.ms", "2000");
    if let Some(instance) = &config.group_instance_id {
        client.set("group.instance.id", instance);
    }
    client
}

impl Events {
    /// The oldest note that was not acted on.
    pub(crate) fn next_event(&self) -> Option<Event> {
        self.queue.lock().pop_front()
    }

    /// From now on partitions are given up at once: nobody acts on notes any more.
    pub(crate) fn close(&self) {
        self.closing.store(true, Ordering::Release);
        self.queue.lock().clear();
    }
}

impl ClientContext for Events {
    /// librdkafka repeats here what comes as an error as well.
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        debug!(?level, facility, message, "librdkafka");
    }

    fn error(&self, error: KafkaError, reason: &str) {
        let code = error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Unknown);
        if matches!(code, RDKafkaErrorCode::AllBrokersDown | RDKafkaErrorCode::BrokerTransportFailure) {
            self.health.not_ready(format!("connecting to kafka: {reason}"));
        }
        let mut last = self.last_error.lock();
        match &mut *last {
            Some(last) if last.code == code && last.logged_at.elapsed() < QUIET => last.suppressed += 1,
            _ => {
                let suppressed = last.take().map_or(0, |last| last.suppressed);
                warn!(?code, reason, suppressed, "kafka client has an error and tries again");
                *last = Some(LastError { code, logged_at: Instant::now(), suppressed: 0 });
            }
        }
    }
}

impl ConsumerContext for Events {
    fn rebalance(
        &self,
        consumer: &BaseConsumer<Self>,
        code: RDKafkaRespErr,
        partitions: &mut TopicPartitionList,
    ) {
        let assigned = code == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
        if self.closing.load(Ordering::Acquire) {
            if let Err(error) = consumer.unassign() {
                debug!(%error, "cannot give up partitions");
            }
        } else if assigned {
            self.queue.lock().push_back(Event::Assigned(partitions.clone()));
        } else {
            self.queue.lock().push_back(Event::Revoked);
        }
    }
}

#[cfg(test)]
mod tests;
