//! The agent as a daemon: wires the list, the tails and the lanes.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use daemon::Context;
use daemon::config::Live;
use tokio::runtime::Handle;
use tracing::info;

use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::collect;
use crate::config::Config;
use crate::metrics::AgentMetrics;
use crate::model::{Chunk, Intent};
use crate::ship::Shipper;
use crate::supervise::{Parts, Supervisor};

/// How often sizes are compared and acknowledgements written down.
const TICK: Duration = Duration::from_secs(1);

/// Where chunks go.
pub trait Ship: Send + Sync + 'static {
    /// Takes over a batch whose fate was open when the agent stopped; called for each open intent, in order for each lane,
    /// before anything is shipped. `None`: its range cannot be read any more.
    fn resend(&self, intent: Intent, data: Option<Bytes>) -> impl Future<Output = ()> + Send;
    /// Takes over a chunk, and waits while its lane is busy.
    fn ship(&self, chunk: Chunk) -> impl Future<Output = ()> + Send;
    /// Takes no more, and waits until all is acknowledged, but not longer than `deadline`.
    fn drain(&self, deadline: Duration) -> impl Future<Output = ()> + Send;
}

impl Ship for Shipper {
    async fn resend(&self, intent: Intent, data: Option<Bytes>) {
        Self::resend(self, intent, data).await;
    }

    async fn ship(&self, chunk: Chunk) {
        Self::ship(self, chunk).await;
    }

    async fn drain(&self, deadline: Duration) {
        Self::drain(self, deadline).await;
    }
}

/// Why the agent cannot run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The data directory cannot be used.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// A glob of `tail.exclude` is not valid.
    #[error("tail.exclude: {0}")]
    Exclude(#[from] globset::Error),
    /// The supervisor ended before its time.
    #[error("the supervisor of the tails failed: {0}")]
    Supervisor(#[from] tokio::task::JoinError),
}

/// Collects and ships until `ctx.shutdown`. What is not acknowledged when it returns is sent at the next start.
pub async fn run(config: Live<Config>, ctx: Context) -> Result<(), Error> {
    let config = config.current();
    let metrics = AgentMetrics::default();
    ctx.metrics.register(|registry| metrics.register(registry));
    let (checkpoint, state) = Checkpoint::open(&config.data_dir)?;
    let checkpoint = Arc::new(checkpoint);
    let host = config.host();
    info!(host, files = state.files.len(), open_batches = state.intents.len(), "starting to collect");
    let ship = Shipper::start(config.ship.clone(), checkpoint.clone(), &state, metrics.clone());
    let items = collect::watch(&config.collect, &host, &config.data_dir, &metrics, &ctx);
    let parts = Parts {
        config: config.tail.clone(),
        data_dir: config.data_dir.clone(),
        host: host.into(),
        ship,
        checkpoint,
        metrics,
        items,
        tick: TICK,
        health: ctx.health.component("agent"),
        shutdown: ctx.shutdown.clone(),
    };
    let supervisor = Supervisor::new(parts)?;
    let drain = Duration::from_millis(config.drain_timeout_ms);
    let runtime = Handle::current();
    // it does its file operations where it stands, so it gets a thread that may block
    tokio::task::spawn_blocking(move || runtime.block_on(supervisor.run(state, drain))).await?;
    Ok(())
}
