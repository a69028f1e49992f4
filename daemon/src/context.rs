//! What a daemon is given when it starts.

use tokio_util::sync::CancellationToken;

use crate::{Health, Metrics, Pages};

/// Handed to every part: when to stop, where to count, where to say how it is, where to show what it has.
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// Cancelled when the process is asked to stop. A part then finishes what it has accepted and returns.
    pub shutdown: CancellationToken,
    /// Where metrics are registered.
    pub metrics: Metrics,
    /// Where components say that they are ready and alive.
    pub health: Health,
    /// Where parts show what they have.
    pub pages: Pages,
}

impl Context {
    /// A context of its own, with nothing behind it: for tests and benchmarks.
    pub fn for_tests() -> Self {
        Self::default()
    }

    /// The same metrics, health and pages with a shutdown that can be cancelled alone, and follows this one's.
    pub fn child(&self) -> Self {
        Self { shutdown: self.shutdown.child_token(), ..self.clone() }
    }
}
