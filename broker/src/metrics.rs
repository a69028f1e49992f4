//! The broker's metrics. Counters of the hot path are looked up once, not for each request.

use daemon::Metrics;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use wire::{ApiKey, ErrorCode};

use crate::page::Totals;

/// Which API.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ApiLabel {
    api: &'static str,
}

/// What is counted of fetch sessions. Clones share the counters.
#[derive(Debug, Clone, Default)]
pub(crate) struct FetchSessionMetrics {
    pub(crate) sessions: Gauge,
    pub(crate) partitions: Gauge,
    pub(crate) evictions: Counter,
}

/// What the broker counts. Clones share the counters.
#[derive(Debug, Clone, Default)]
pub(crate) struct BrokerMetrics {
    appended_records: Counter,
    appended_bytes: Counter,
    fetched_bytes: Counter,
    connections: Gauge,
    connections_refused: Counter,
    requests: Family<ApiLabel, Counter>,
    request_errors: Family<ApiLabel, Counter>,
    crc_failures: Counter,
    recovered_truncated_bytes: Counter,
    disk_free_bytes: Gauge,
    fetch_sessions: FetchSessionMetrics,
    /// The counters of `requests`, by API key.
    by_key: Vec<(ApiKey, Counter)>,
}

impl BrokerMetrics {
    /// Registers everything.
    pub(crate) fn new(metrics: &Metrics, served: impl Iterator<Item = ApiKey>) -> Self {
        let mut own = BrokerMetrics::default();
        own.by_key = served.map(|key| (key, own.requests.get_or_create(&label(key)).clone())).collect();
        let all = own.clone();
        metrics.register(|registry| {
            let name = |suffix: &str| format!("logagent_broker_{suffix}");
            registry.register(name("appended_records"), "Records appended", all.appended_records);
            registry.register(name("appended_bytes"), "Bytes of record batches appended", all.appended_bytes);
            registry.register(name("fetched_bytes"), "Bytes of record batches sent", all.fetched_bytes);
            registry.register(name("connections"), "Connections open", all.connections);
            registry.register(
                name("connections_refused"),
                "Connections closed at once, because there are too many",
                all.connections_refused,
            );
            registry.register(name("requests"), "Requests begun", all.requests);
            registry.register(
                name("request_errors"),
                "Requests that closed their connection, and partitions refused in Produce",
                all.request_errors,
            );
            registry.register(name("crc_failures"), "Record batches refused as corrupt", all.crc_failures);
            registry.register(
                name("recovered_truncated_bytes"),
                "Bytes cut off at the start, because they were no whole batches",
                all.recovered_truncated_bytes,
            );
            registry.register(
                name("disk_free_bytes"),
                "Bytes free in the file system of data_dir",
                all.disk_free_bytes,
            );
            let sessions = all.fetch_sessions;
            registry.register(name("fetch_sessions"), "Fetch sessions open", sessions.sessions);
            registry.register(
                name("fetch_session_partitions"),
                "Partitions of all fetch sessions",
                sessions.partitions,
            );
            registry.register(
                name("fetch_session_evictions"),
                "Fetch sessions that had to make room for others",
                sessions.evictions,
            );
        });
        own
    }

    pub(crate) fn appended(&self, records: u64, bytes: u64) {
        self.appended_records.inc_by(records);
        self.appended_bytes.inc_by(bytes);
    }

    pub(crate) fn fetched(&self, bytes: u64) {
        self.fetched_bytes.inc_by(bytes);
    }

    pub(crate) fn connected(&self) {
        self.connections.inc();
    }

    pub(crate) fn disconnected(&self) {
        self.connections.dec();
    }

    pub(crate) fn connection_refused(&self) {
        self.connections_refused.inc();
    }

    pub(crate) fn request(&self, key: ApiKey) {
        if let Some((_, counter)) = self.by_key.iter().find(|(counted, _)| *counted == key) {
            counter.inc();
        }
    }

    pub(crate) fn request_error(&self, key: ApiKey) {
        self.request_errors.get_or_create(&label(key)).inc();
    }

    pub(crate) fn produce_error(&self, error: ErrorCode) {
        self.request_error(ApiKey::Produce);
        if error == ErrorCode::CorruptMessage {
            self.crc_failures.inc();
        }
    }

    pub(crate) fn free_space(&self, bytes: u64) {
        self.disk_free_bytes.set(i64::try_from(bytes).unwrap_or(i64::MAX));
    }

    /// The counters of fetch sessions.
    pub(crate) fn fetch_sessions(&self) -> FetchSessionMetrics {
        self.fetch_sessions.clone()
    }

    pub(crate) fn recovered_truncated(&self, bytes: u64) {
        self.recovered_truncated_bytes.inc_by(bytes);
    }

    /// What was counted so far, for rates.
    pub(crate) fn totals(&self) -> Totals {
        Totals {
            requests: self.by_key.iter().map(|(_, counter)| counter.get()).sum(),
            records_in: self.appended_records.get(),
            bytes_in: self.appended_bytes.get(),
            bytes_out: self.fetched_bytes.get(),
        }
    }
}

fn label(key: ApiKey) -> ApiLabel {
    ApiLabel { api: key.name() }
}
