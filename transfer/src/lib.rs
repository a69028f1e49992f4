//! Records to documents: consumes topics in a group, parses each line into ECS fields, indexes it, and commits what the
//! index has taken. It speaks Kafka's protocol on one side and Elasticsearch's on the other, and knows neither files of
//! logs nor the inside of any broker.
//!
//! ```text
//! consume ──record──> parse ──line──> document ──> batch ──> elastic::send ──> _bulk
//!    ^                                                            └─refused──> dead_letter
//!    └────────────────────── committed when answered ─────────────────┘        (or ndjson: files)
//! ```

mod batch;
pub mod config;
mod consume;
mod dead_letter;
mod document;
mod elastic;
#[cfg(test)]
mod fake_index;
#[doc(hidden)]
pub mod fuzzing;
mod json;
mod metrics;
mod ndjson;
mod parse;
mod record;
mod sink;

use std::sync::{Arc, mpsc as std_mpsc};
use std::time::Duration;

use daemon::Context;
use daemon::config::Live;
use rdkafka::error::KafkaError;
use tokio::sync::mpsc;
use tracing::{debug, info, warn};

pub use config::Config;
pub use elastic::ClientError;
pub use ndjson::NdjsonError;

use consume::{Channels, Consumer, Routes};
use metrics::Metrics;
use sink::Sink;

/// How long a stop waits for the last question to a broker.
const LEAVE_TIMEOUT: Duration = Duration::from_secs(3);

/// Why the transfer cannot start or go on. Everything that may pass by itself is tried for ever instead.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The Kafka client refuses its settings, or the group refuses this instance.
    #[error("kafka client cannot go on: {0}")]
    Kafka(#[from] KafkaError),
    /// The settings of Elasticsearch cannot be used.
    #[error(transparent)]
    Elasticsearch(#[from] ClientError),
    /// The directory for files cannot be used.
    #[error(transparent)]
    Ndjson(#[from] NdjsonError),
    /// The system gives no thread.
    #[error("cannot start a thread: {0}")]
    Thread(#[from] std::io::Error),
    /// A thread of the transfer ended by a defect.
    #[error("transfer stopped by a defect: {0}")]
    Defect(#[from] tokio::task::JoinError),
}

/// Transfers until `ctx.shutdown`. Then records that were taken are given `drain_timeout_ms` to be indexed, what is safe
/// is committed, and the group is left; the rest is read again by the next member.
///
/// # Errors
/// When it cannot start (see [`Error`]), or the group has fenced this instance.
pub async fn run(config: Live<Config>, ctx: Context) -> Result<(), Error> {
    let settings = config.current();
    let metrics = Metrics::register(&ctx.metrics);
    let health = ctx.health.component("transfer");
    let kafka = consume::connect(&settings, health.clone())?;
    let sink = Sink::open(&settings, metrics.clone(), ctx.health.component("transfer index"))?;
    health.not_ready("waiting for the index");
    if !sink.prepare(&settings, &ctx.shutdown).await {
        return Ok(());
    }
    health.not_ready("joining the group");

    let (batches, to_sink) = mpsc::channel(settings.elasticsearch.max_in_flight);
    let (answer, answers) = std_mpsc::channel();
    let (reroute, routes) = std_mpsc::channel();
    let channels = Channels { batches, answers, routes };
    let observers = (metrics.clone(), health.clone());
    let consumer =
        Consumer::new(kafka.clone(), &settings, Routes::new(&settings), channels, sink.store(), observers)?;

    let lag_interval = Duration::from_millis(settings.lag_interval_ms);
    let lag = consume::lag::watch(
        Arc::downgrade(&kafka),
        lag_interval,
        metrics,
        health.clone(),
        ctx.shutdown.clone(),
    );
    drop(kafka);
    let lag = tokio::spawn(lag);
    let delivery = tokio::spawn(sink.clone().run(to_sink, answer, ctx.shutdown.clone()));
    let reload = tokio::spawn(follow(config, sink, reroute, ctx.clone()));

    let shutdown = ctx.shutdown.clone();
    let consumed = tokio::task::spawn_blocking(move || consumer.run(&shutdown)).await;
    health.not_ready("stopped");
    reload.abort();
    delivery.abort();
    // it may hold the client's last handle, with which the group is left; a broker that is away is not waited for
    if tokio::time::timeout(LEAVE_TIMEOUT, lag).await.is_err() {
        debug!("the group is left without a word");
    }
    Ok(consumed??)
}

/// Puts reloads into force as far as that is possible.
async fn follow(mut config: Live<Config>, sink: Sink, reroute: std_mpsc::Sender<Routes>, ctx: Context) {
    let mut current = config.current();
    loop {
        let newer = config.changed().await;
        let restart = current.needs_restart(&newer);
        if !restart.is_empty() {
            warn!(keys = restart.join(","), "these settings take effect after a restart");
        }
        if (&current.topics, &current.time_zone) != (&newer.topics, &newer.time_zone) {
            if !sink.prepare(&newer, &ctx.shutdown).await || reroute.send(Routes::new(&newer)).is_err() {
                return;
            }
            info!(topics = newer.topics.len(), "topics reloaded");
        }
        current = newer;
    }
}

#[cfg(test)]
mod tests;
