//! The agent's counters and gauges, under the names that `docs` and dashboards use (prefix `logagent_agent_`).

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// Label of the per-file counters.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct PathLabel {
    /// The collected path.
    pub path: String,
}

/// Everything the agent counts. Cloning shares the counters.
#[derive(Clone, Debug, Default)]
pub struct AgentMetrics {
    /// Bytes read from files and framed.
    pub read_bytes: Counter,
    /// Records framed.
    pub read_lines: Counter,
    /// Records acknowledged by the broker.
    pub shipped_lines: Counter,
    /// File bytes acknowledged by the broker.
    pub shipped_bytes: Counter,
    /// Files held open.
    pub files_open: Gauge,
    /// How often each collected path was opened.
    pub file_opens: Family<PathLabel, Counter>,
    /// Bytes found in collected files but not yet acknowledged.
    pub lag_bytes: Gauge,
    /// Collect lists that took effect.
    pub collect_applied: Counter,
    /// Collect lists that were refused.
    pub collect_rejected: Counter,
    /// Bytes given up: cut from over-long lines, gone with a file, refused by the broker.
    pub abandoned_bytes: Counter,
}

impl AgentMetrics {
    /// Registers all of them; call once for a registry.
    pub fn register(&self, registry: &mut Registry) {
        let registry = registry.sub_registry_with_prefix("logagent_agent");
        registry.register("read_bytes", "Bytes read from files and framed", self.read_bytes.clone());
        registry.register("read_lines", "Records framed", self.read_lines.clone());
        registry.register("shipped_lines", "Records acknowledged by the broker", self.shipped_lines.clone());
        registry.register(
            "shipped_bytes",
            "File bytes acknowledged by the broker",
            self.shipped_bytes.clone(),
        );
        registry.register("files_open", "Files held open", self.files_open.clone());
        registry.register("file_opens", "Opens of each collected path", self.file_opens.clone());
        registry.register("lag_bytes", "Bytes found but not yet acknowledged", self.lag_bytes.clone());
        registry.register("collect_applied", "Collect lists that took effect", self.collect_applied.clone());
        registry.register(
            "collect_rejected",
            "Collect lists that were refused",
            self.collect_rejected.clone(),
        );
        registry.register("abandoned_bytes", "Bytes given up", self.abandoned_bytes.clone());
    }

    /// Counts an open of `path`.
    pub fn opened(&self, path: &str) {
        self.file_opens.get_or_create(&PathLabel { path: path.to_owned() }).inc();
    }

    /// No file of `path` is followed any more.
    pub fn forget(&self, path: &str) {
        self.file_opens.remove(&PathLabel { path: path.to_owned() });
    }

    /// How often `path` was opened.
    #[cfg(test)]
    pub(crate) fn file_opens_of(&self, path: &std::path::Path) -> u64 {
        self.file_opens.get_or_create(&PathLabel { path: path.display().to_string() }).get()
    }
}
