//! What the transfer counts.

use daemon::Metrics as Registry;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;

/// Handles on the transfer's metrics; clones count into the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Metrics {
    pub(crate) consumed_records: Counter,
    pub(crate) indexed_documents: Counter,
    pub(crate) duplicate_documents: Counter,
    pub(crate) dead_letters: Counter,
    pub(crate) unparsed_lines: Counter,
    pub(crate) retries: Family<Retry, Counter>,
    pub(crate) lag_records: Gauge,
}

/// Why something is tried again.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Retry {
    pub(crate) reason: &'static str,
}

impl Metrics {
    pub(crate) fn register(registry: &Registry) -> Self {
        let metrics = Self::default();
        registry.register(|registry| {
            let mut counter =
                |name: &str, help: &str, counter: &Counter| registry.register(name, help, counter.clone());
            counter(
                "logagent_transfer_consumed_records",
                "Records read from topics",
                &metrics.consumed_records,
            );
            counter(
                "logagent_transfer_indexed_documents",
                "Documents that were added",
                &metrics.indexed_documents,
            );
            counter(
                "logagent_transfer_duplicate_documents",
                "Documents that were there already",
                &metrics.duplicate_documents,
            );
            counter(
                "logagent_transfer_dead_letters",
                "Records sent to dead-letter topics",
                &metrics.dead_letters,
            );
            counter(
                "logagent_transfer_unparsed_lines",
                "Lines that are none of their format",
                &metrics.unparsed_lines,
            );
            registry.register(
                "logagent_transfer_retries",
                "Documents (of a refused item) and requests sent again, by reason",
                metrics.retries.clone(),
            );
            registry.register(
                "logagent_transfer_lag_records",
                "Records in the assigned partitions that are not indexed yet",
                metrics.lag_records.clone(),
            );
        });
        metrics
    }

    /// Counts a repeat of `count` documents or requests.
    pub(crate) fn retried(&self, reason: &'static str, count: usize) {
        self.retries.get_or_create(&Retry { reason }).inc_by(count as u64);
    }
}
