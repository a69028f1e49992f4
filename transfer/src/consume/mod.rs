//! The group's member: takes records, turns them into batches, hands these out, and commits what comes back as safe.
//!
//! It runs on a thread of its own, because librdkafka is polled, and because parsing should not hold up the runtime. The
//! poll is never blocked by the index: when every slot for a batch is taken and the next one is full, the thread waits
//! for answers; when that lasts, it pauses its partitions and goes on polling, so that the group does not miss it.
//! (Pausing throws away what librdkafka has fetched in advance, so it is not done at every short wait.)

mod commit;
mod events;
pub(crate) mod lag;
mod rebalance;
mod routes;
mod tracker;

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use daemon::health::Component;
use rdkafka::TopicPartitionList;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::KafkaError;
use rdkafka::message::BorrowedMessage;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

pub(crate) use events::{Event, Events, connect};
pub(crate) use routes::Routes;

use crate::batch::{Batch, Builder, Shape};
use crate::config::Config;
use crate::metrics::Metrics;
use crate::ndjson::Store;
use commit::Committer;
use tracker::Tracker;

/// How long the thread sleeps when there is nothing to do: bounds how late it sees a stop or a reload.
const TICK: Duration = Duration::from_millis(100);
/// The same while an answer is due.
const SHORT_TICK: Duration = Duration::from_millis(5);
/// How long the index may be behind before partitions are paused.
const PAUSE_AFTER: Duration = Duration::from_secs(1);
/// Records taken between two looks at everything else.
const BURST: usize = 500;

/// The consumer's ends of its channels.
pub(crate) struct Channels {
    /// Batches to be made safe; has room for as many as may be under way.
    pub(crate) batches: mpsc::Sender<Batch>,
    /// Ids of batches that are safe.
    pub(crate) answers: Receiver<u64>,
    /// Other routes, after a reload.
    pub(crate) routes: Receiver<Routes>,
}

/// The consumer's limits, from the config.
#[derive(Debug, Clone)]
struct Limits {
    bytes: usize,
    documents: usize,
    in_flight: usize,
    linger: Duration,
    drain: Duration,
    commit_interval: Duration,
}

/// A member of the group.
pub(crate) struct Consumer {
    kafka: Arc<BaseConsumer<Events>>,
    channels: Channels,
    routes: Routes,
    limits: Limits,
    store: Option<Arc<Store>>,
    metrics: Metrics,
    health: Component,
    builder: Builder,
    /// When the batch under construction got its first record.
    opened_at: Option<Instant>,
    tracker: Tracker,
    in_flight: usize,
    assigned: TopicPartitionList,
    blocked_since: Option<Instant>,
    paused: bool,
    committer: Committer,
    committed_at: Instant,
}

impl Consumer {
    /// A member that has not joined yet. With a `store` it starts from the store's positions.
    ///
    /// # Errors
    /// When the system has no thread left.
    pub(crate) fn new(
        kafka: Arc<BaseConsumer<Events>>,
        config: &Config,
        routes: Routes,
        channels: Channels,
        store: Option<Arc<Store>>,
        observers: (Metrics, Component),
    ) -> io::Result<Self> {
        let committer = Committer::start(&kafka)?;
        let elastic = &config.elasticsearch;
        let limits = Limits {
            bytes: elastic.bulk_max_bytes,
            documents: elastic.bulk_max_documents,
            in_flight: elastic.max_in_flight,
            linger: elastic.linger(),
            drain: Duration::from_millis(config.drain_timeout_ms),
            commit_interval: Duration::from_millis(config.commit_interval_ms),
        };
        let shape = if store.is_some() { Shape::Ndjson } else { Shape::Bulk };
        let (metrics, health) = observers;
        Ok(Self {
            kafka,
            channels,
            routes,
            limits,
            store,
            metrics,
            health,
            builder: Builder::new(shape),
            opened_at: None,
            tracker: Tracker::default(),
            in_flight: 0,
            assigned: TopicPartitionList::new(),
            blocked_since: None,
            paused: false,
            committer,
            committed_at: Instant::now(),
        })
    }

    /// Works until `shutdown`, then gives the partitions back.
    ///
    /// # Errors
    /// When librdkafka says that the client cannot go on (the group fenced this instance).
    pub(crate) fn run(mut self, shutdown: &CancellationToken) -> Result<(), KafkaError> {
        self.subscribe()?;
        let result = loop {
            if shutdown.is_cancelled() {
                break Ok(());
            }
            self.health.beat();
            self.take_routes();
            self.take_answers();
            self.take_commit();
            self.serve_events();
            self.send_if_due();
            if let Err(error) = self.advance() {
                break Err(error);
            }
            if self.committed_at.elapsed() >= self.limits.commit_interval {
                self.commit();
            }
        };
        self.leave();
        result
    }

    fn subscribe(&self) -> Result<(), KafkaError> {
        let topics = self.routes.topics();
        info!(?topics, "subscribing to topics");
        self.kafka.subscribe(&topics)
    }

    /// Takes records, or waits for an answer when there is no room for more.
    fn advance(&mut self) -> Result<(), KafkaError> {
        if !self.is_full() {
            self.blocked_since = None;
            self.resume();
            return self.fill();
        }
        self.wait_for_answer(if self.paused { TICK } else { SHORT_TICK });
        let since = *self.blocked_since.get_or_insert_with(Instant::now);
        if since.elapsed() >= PAUSE_AFTER {
            self.pause();
            self.poll(Duration::ZERO)?;
        }
        Ok(())
    }

    fn fill(&mut self) -> Result<(), KafkaError> {
        let mut timeout = self.idle_time();
        for _ in 0..BURST {
            if !self.poll(timeout)? || self.is_ripe() {
                break;
            }
            timeout = Duration::ZERO;
        }
        Ok(())
    }

    /// How long to wait for a record before something else is due.
    fn idle_time(&self) -> Duration {
        match self.opened_at {
            None => TICK,
            Some(at) => self.limits.linger.saturating_sub(at.elapsed()).clamp(SHORT_TICK, TICK),
        }
    }

    /// Serves the client; says whether there was a record, which is then in the batch.
    fn poll(&mut self, timeout: Duration) -> Result<bool, KafkaError> {
        let kafka = self.kafka.clone();
        match kafka.poll(timeout) {
            None => Ok(false),
            Some(Ok(message)) => {
                self.take(&message);
                Ok(true)
            }
            Some(Err(error @ KafkaError::MessageConsumptionFatal(_))) => Err(error),
            // logged where it came from: librdkafka tries again by itself
            Some(Err(error)) => {
                debug!(%error, "no record");
                Ok(false)
            }
        }
    }

    /// Puts a record into the batch.
    fn take(&mut self, message: &BorrowedMessage<'_>) {
        if self.routes.push(message, &mut self.builder, &self.metrics) {
            self.metrics.consumed_records.inc();
            self.opened_at.get_or_insert_with(Instant::now);
        }
    }

    fn is_ripe(&self) -> bool {
        self.builder.body_len() >= self.limits.bytes || self.builder.len() >= self.limits.documents
    }

    fn is_full(&self) -> bool {
        self.is_ripe() && self.in_flight >= self.limits.in_flight
    }

    fn send_if_due(&mut self) {
        let lingered = self.opened_at.is_some_and(|at| at.elapsed() >= self.limits.linger);
        if (self.is_ripe() || lingered) && self.in_flight < self.limits.in_flight {
            self.send();
        }
    }

    fn send(&mut self) {
        let batch = self.builder.finish();
        self.opened_at = None;
        self.tracker.sent(batch.id, &batch.partitions);
        self.in_flight += 1;
        // there is room for max_in_flight; the other end is gone only when the process ends
        if self.channels.batches.try_send(batch).is_err() {
            debug!("nobody takes batches any more");
        }
    }

    fn take_answers(&mut self) {
        while let Ok(batch) = self.channels.answers.try_recv() {
            self.answered(batch);
        }
    }

    fn wait_for_answer(&mut self, timeout: Duration) {
        match self.channels.answers.recv_timeout(timeout) {
            Ok(batch) => self.answered(batch),
            Err(RecvTimeoutError::Timeout) => {}
            // without anyone to answer there is nothing to wait for, but the group's timing stays
            Err(RecvTimeoutError::Disconnected) => std::thread::sleep(timeout),
        }
    }

    fn answered(&mut self, batch: u64) {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.tracker.done(batch);
    }

    /// Commits what is safe, without waiting for the answer; what becomes safe meanwhile waits for the next time.
    fn commit(&mut self) {
        if self.committer.is_busy() {
            return;
        }
        self.committed_at = Instant::now();
        let offsets = self.tracker.uncommitted();
        if !offsets.is_empty() {
            self.committer.commit(offsets);
        }
    }

    fn take_commit(&mut self) {
        if let Some(Err(error)) = self.committer.answer() {
            warn!(%error, "cannot commit offsets yet");
            self.tracker.commit_failed();
        }
    }

    fn pause(&mut self) {
        if !std::mem::replace(&mut self.paused, true) && self.assigned.count() > 0 {
            debug!("index is behind, pausing partitions");
            self.log_failure("pause", self.kafka.pause(&self.assigned));
        }
    }

    fn resume(&mut self) {
        if std::mem::replace(&mut self.paused, false) && self.assigned.count() > 0 {
            debug!("resuming partitions");
            self.log_failure("resume", self.kafka.resume(&self.assigned));
        }
    }

    fn log_failure(&self, action: &'static str, result: Result<(), KafkaError>) {
        if let Err(error) = result {
            warn!(action, %error, "kafka client refuses");
        }
    }

    /// After a reload.
    fn take_routes(&mut self) {
        let Ok(routes) = self.channels.routes.try_recv() else { return };
        let same_topics = routes.topics() == self.routes.topics();
        self.routes = routes;
        if !same_topics {
            self.log_failure("subscribe", self.subscribe());
        }
    }
}

#[cfg(test)]
mod tests;
