//! The list in force: takes what a source found, refuses what is bad, publishes and caches what is good.

use std::sync::Arc;

use daemon::Context;
use daemon::health::Component;
use prometheus_client::metrics::gauge::Gauge;
use tokio::sync::watch;
use tracing::{error, info, warn};

use super::cache::{Cache, Stamp};
use super::item::{self, CollectItem};
use crate::metrics::AgentMetrics;

/// The receiving end: the list in force; empty as long as there is none.
pub type Receiver = watch::Receiver<Arc<Vec<CollectItem>>>;

/// Decides which list is in force.
pub(super) struct Force {
    sender: watch::Sender<Arc<Vec<CollectItem>>>,
    cache: Cache,
    /// The cached list, until something else is in force.
    cached: Option<Vec<CollectItem>>,
    /// The last good version: of the list in force, or of the cached one.
    known: Option<Stamp>,
    /// The version of this run that is in force. A cached one does not count: a file's versions are numbered anew in each run.
    applied: Option<Stamp>,
    /// A version that was refused, so that it is refused once.
    refused: Option<Stamp>,
    /// What was last said about the source, so that it is said once.
    complaint: Option<String>,
    /// Whether it was said that there is no list yet.
    waiting: bool,
    metrics: AgentMetrics,
    revision: Gauge,
    health: Component,
}

impl Force {
    /// Nothing is in force yet; the cache is read and kept ready.
    pub(super) fn new(cache: Cache, metrics: AgentMetrics, ctx: &Context) -> (Self, Receiver) {
        let (sender, receiver) = watch::channel(Arc::default());
        let revision = Gauge::default();
        ctx.metrics.register(|registry| {
            let help =
                "etcd's revision of the collect list in force; for a file, how many versions were seen";
            registry.register("logagent_agent_collect_revision", help, revision.clone());
        });
        let health = ctx.health.component("collect");
        health.not_ready("no collect list yet");
        let loaded = cache.load().unwrap_or_else(|error| {
            warn!(path = %cache.path().display(), %error, "cannot read the cached collect list");
            None
        });
        let (cached, known) = loaded.map_or((None, None), |(items, stamp)| (Some(items), Some(stamp)));
        let force = Self {
            sender,
            cache,
            cached,
            known,
            applied: None,
            refused: None,
            complaint: None,
            waiting: false,
            metrics,
            revision,
            health,
        };
        (force, receiver)
    }

    /// The source holds `bytes`, last written at `stamp.revision`.
    pub(super) fn found(&mut self, bytes: &[u8], stamp: Stamp) {
        self.source_answers();
        if self.applied == Some(stamp) || self.refused == Some(stamp) {
            return;
        }
        match item::parse_bytes(bytes) {
            Ok(items) => self.put_in_force(items, &String::from_utf8_lossy(bytes), stamp),
            Err(reason) => {
                error!(revision = stamp.revision, error = %reason, "refusing a collect list, the last good one stays");
                self.metrics.collect_rejected.inc();
                self.refused = Some(stamp);
                self.fall_back();
            }
        }
    }

    /// The key was deleted at `stamp`: the operator wants nothing collected.
    pub(super) fn deleted(&mut self, stamp: Stamp) {
        self.source_answers();
        warn!(revision = stamp.revision, "the collect list was deleted, collecting nothing");
        self.put_in_force(Vec::new(), "[]", stamp);
    }

    /// The source answers, but has no list at `stamp`.
    pub(super) fn absent(&mut self, stamp: Stamp) {
        match self.known {
            Some(known) if stamp.follows(known) => {
                let already_empty = self.cached.is_none() && self.sender.borrow().is_empty();
                if !already_empty {
                    self.deleted(stamp);
                }
            }
            // an etcd that was set up anew or restored from an old backup: its silence is no one's decision
            Some(_) => {
                self.source_failed("it has no list and has forgotten the one in force");
                self.outlive_history();
            }
            None => {
                self.source_answers();
                if !self.waiting {
                    info!("no collect list for this host yet, waiting for one");
                }
                self.waiting = true;
                self.health.ready();
            }
        }
    }

    /// The source cannot be read: the list in force stays, at the start the cached one is put in force.
    pub(super) fn source_failed(&mut self, reason: &str) {
        if self.complaint.as_deref() != Some(reason) {
            warn!(reason, "no collect list from its source, the last good one stays");
            self.complaint = Some(reason.to_owned());
        }
        self.fall_back();
        // an agent whose etcd is away is as ready as it can be: systemd must not wait for etcd
        self.health.ready();
    }

    /// The source's history is not the one that our list is from: however long it grows, the list's absence says nothing.
    fn outlive_history(&mut self) {
        let stamp = Stamp { revision: i64::MAX, ..self.known.unwrap_or_default() };
        if self.known != Some(stamp) {
            self.known = Some(stamp);
            let list = serde_json::to_string(&**self.sender.borrow()).unwrap_or_default();
            self.store(&list, stamp);
        }
    }

    fn store(&self, list: &str, stamp: Stamp) {
        if let Err(error) = self.cache.store(list, stamp) {
            warn!(path = %self.cache.path().display(), %error, "cannot cache the collect list");
        }
    }

    fn source_answers(&mut self) {
        if self.complaint.take().is_some() {
            info!("the collect list's source answers again");
        }
    }

    fn fall_back(&mut self) {
        if let Some(items) = self.cached.take() {
            info!(items = items.len(), path = %self.cache.path().display(), "using the cached collect list");
            self.publish(items);
        }
    }

    fn put_in_force(&mut self, items: Vec<CollectItem>, text: &str, stamp: Stamp) {
        self.store(text, stamp);
        info!(items = items.len(), revision = stamp.revision, "collect list in force");
        self.metrics.collect_applied.inc();
        self.cached = None;
        self.known = Some(stamp);
        self.applied = Some(stamp);
        self.refused = None;
        self.publish(items);
    }

    fn publish(&mut self, items: Vec<CollectItem>) {
        let revision = self.known.map_or(0, |stamp| stamp.revision);
        self.revision.set(if revision == i64::MAX { 0 } else { revision });
        self.health.ready();
        self.sender.send_if_modified(|current| {
            let changed = **current != items;
            if changed {
                *current = Arc::new(items);
            }
            changed
        });
    }
}
