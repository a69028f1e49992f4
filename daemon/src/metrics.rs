//! The process's metrics: one registry for all parts, encoded as OpenMetrics text.

use std::sync::Arc;

use parking_lot::Mutex;
use prometheus_client::registry::Registry;

use crate::process;

/// The media type of [`Metrics::encode`]'s text.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// A handle on the one registry of the process; clones share it.
#[derive(Clone, Debug)]
pub struct Metrics {
    registry: Arc<Mutex<Registry>>,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::default();
        process::register(&mut registry);
        Self { registry: Arc::new(Mutex::new(registry)) }
    }
}

impl Metrics {
    /// Lets `add` register metrics. Names are complete (`logagent_agent_read_bytes`); a counter's `_total` is
    /// appended by the encoder.
    pub fn register<R>(&self, add: impl FnOnce(&mut Registry) -> R) -> R {
        add(&mut self.registry.lock())
    }

    /// Every metric's present value, as OpenMetrics text.
    pub fn encode(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail; what could is a collector, whose part is then missing.
        if let Err(error) = prometheus_client::encoding::text::encode(&mut text, &self.registry.lock()) {
            tracing::warn!(%error, "cannot encode metrics");
        }
        text
    }
}
