//! What every request's handler can reach: the logs, the settings, the metrics.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use daemon::config::Live;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::api::Conversions;
use crate::config::Config;
use crate::fetch_sessions::FetchSessions;
use crate::free_space::FreeSpace;
use crate::group::{Coordinator, OFFSETS_TOPIC};
use crate::log::{LogManager, Partition};
use crate::metrics::BrokerMetrics;
use crate::page::Rates;
use crate::producer_ids::ProducerIds;
use crate::server::clients::Clients;
use crate::settings::DynamicSettings;
use crate::txn::{self, TXN_TOPIC};

pub(crate) use crate::log::Topic;

/// Whether only the broker itself writes to a topic.
pub(crate) fn is_internal(topic: &str) -> bool {
    topic == OFFSETS_TOPIC || topic == TXN_TOPIC
}

/// The broker without its sockets.
#[derive(Debug)]
pub(crate) struct Broker {
    /// This broker's id.
    pub(crate) node_id: i32,
    /// The address to tell clients; without one, each is told the address that it used.
    pub(crate) advertised: Option<(String, u16)>,
    /// The settings in force: the file's, with what was changed by request.
    pub(crate) config: Live<Config>,
    pub(crate) settings: DynamicSettings,
    pub(crate) logs: Arc<LogManager>,
    pub(crate) producer_ids: Arc<ProducerIds>,
    pub(crate) groups: Arc<Coordinator>,
    pub(crate) txns: Arc<txn::Coordinator>,
    pub(crate) fetch_sessions: FetchSessions,
    pub(crate) metrics: BrokerMetrics,
    pub(crate) free_space: FreeSpace,
    pub(crate) rates: Rates,
    pub(crate) clients: Clients,
    /// When it was started.
    pub(crate) started: Instant,
    /// What conversions of records for old clients may take.
    pub(crate) conversions: Conversions,
    /// Cancelled when the broker stops: what waits for records then answers with what there is.
    pub(crate) shutdown: CancellationToken,
}

impl Broker {
    /// Where a client that reached us at `local` finds us again.
    pub(crate) fn advertised(&self, local: SocketAddr) -> (String, u16) {
        match &self.advertised {
            Some(configured) => configured.clone(),
            None => (local.ip().to_canonical().to_string(), local.port()),
        }
    }

    /// Looks whether producers may be served, and counts what is free. May block.
    pub(crate) fn look_at_free_space(&self) {
        let floor = self.config.current().storage_min_free_bytes;
        match self.free_space.look(self.logs.data_dir(), floor) {
            Ok(available) => self.metrics.free_space(available),
            Err(error) => tracing::warn!(%error, "cannot tell how much disk space is free"),
        }
    }

    /// A topic by name.
    pub(crate) fn topic(&self, name: &str) -> Option<Arc<Topic>> {
        self.logs.topic(name)
    }

    /// A topic by id.
    pub(crate) fn topic_by_id(&self, id: Uuid) -> Option<Arc<Topic>> {
        self.logs.topic_by_id(id)
    }

    /// Sees to it that everything before `end` gets flushed, without waiting: one flush serves all that ask meanwhile.
    pub(crate) fn start_flush(&self, partition: &Arc<Partition>, end: i64) {
        if partition.request_flush(end) {
            let partition = partition.clone();
            tokio::task::spawn_blocking(move || partition.run_flushes());
        }
    }

    /// Starts a flush when more than `flush_messages` records have not been flushed. A topic that has such a setting of
    /// its own was flushed by the append.
    pub(crate) fn flush_by_count(&self, partition: &Arc<Partition>, end: i64) {
        if partition.config().flushes_by_own_count() {
            return;
        }
        if end.saturating_sub(partition.flushed_offset()) >= self.config.current().flush_messages {
            self.start_flush(partition, end);
        }
    }
}
