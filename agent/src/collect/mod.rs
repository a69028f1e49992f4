//! The collect list: which files go to which topics, kept up to date while the agent runs.
//!
//! One source, etcd or a file, is followed. What it holds is taken as a whole or refused as a whole with a message that names
//! the place; a refused or missing list leaves the last good one in force, also over a restart (see `cache`). What the agent
//! does with a new list is not known here.

mod cache;
mod config;
mod etcd;
mod file;
mod force;
pub(crate) mod fuzzing;
mod item;
mod yaml;

#[cfg(test)]
mod tests;

use std::path::Path;
use std::time::Duration;

use daemon::Context;

pub use config::{Config, EtcdConfig};
pub use etcd::{EtcdError, connect};
pub use force::Receiver;
pub use item::{CollectError, CollectItem, MAX_BYTES, MAX_ITEMS, parse, parse_bytes};

use crate::metrics::AgentMetrics;

/// Follows the configured source in a task that ends with `ctx.shutdown`. The list is empty until one is in force: within
/// moments the source's own, or the cached one when the source does not answer.
pub fn watch(
    config: &Config,
    host: &str,
    data_dir: &Path,
    metrics: &AgentMetrics,
    ctx: &Context,
) -> Receiver {
    let shutdown = ctx.shutdown.clone();
    if let Some(path) = config.file() {
        let cache = cache::Cache::new(data_dir, format!("file:{}", path.display()));
        let (force, receiver) = force::Force::new(cache, metrics.clone(), ctx);
        let poll = Duration::from_millis(config.file_poll_ms);
        tokio::spawn(file::follow(path, poll, force, shutdown));
        return receiver;
    }
    let cache = cache::Cache::new(data_dir, format!("etcd:{}", config.etcd.key(host)));
    let (force, receiver) = force::Force::new(cache, metrics.clone(), ctx);
    tokio::spawn(etcd::follow(config.etcd.clone(), host.to_owned(), force, shutdown));
    receiver
}
