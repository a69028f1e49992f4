//! The collect list: what is refused and how it is said, the cache, the file, and a real etcd.

mod cached;
mod etcd;
mod etcd_server;
mod file;
mod list;
mod settings;

use std::time::Duration;

use daemon::Context;
use tempfile::TempDir;

use super::{CollectItem, Config, Receiver};
use crate::metrics::AgentMetrics;

/// Longer than anything takes: what hangs is seen as hanging.
const LONG: Duration = Duration::from_secs(60);

/// A followed source.
struct Watched {
    receiver: Receiver,
    metrics: AgentMetrics,
    ctx: Context,
}

impl Watched {
    fn start(config: &Config, data_dir: &TempDir) -> Self {
        let metrics = AgentMetrics::default();
        let ctx = Context::for_tests();
        let receiver = super::watch(config, "web-1", data_dir.path(), &metrics, &ctx);
        Self { receiver, metrics, ctx }
    }

    /// Waits until the list in force is this one.
    async fn until(&mut self, expected: &[(&str, &str)]) {
        let expected: Vec<CollectItem> = expected.iter().map(|(path, topic)| item(path, topic)).collect();
        let waiting = self.receiver.wait_for(|items| **items == expected);
        tokio::time::timeout(LONG, waiting)
            .await
            .expect("the list comes into force")
            .expect("it is followed");
    }

    /// Waits until so many lists were refused.
    async fn until_rejected(&self, count: u64) {
        self.until_counted(|metrics| metrics.collect_rejected.get() >= count).await;
    }

    /// Waits until so many lists were applied.
    async fn until_applied(&self, count: u64) {
        self.until_counted(|metrics| metrics.collect_applied.get() >= count).await;
    }

    async fn until_counted(&self, reached: impl Fn(&AgentMetrics) -> bool) {
        let counting = async {
            while !reached(&self.metrics) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(LONG, counting).await.expect("it is counted");
    }

    /// Waits until the source was looked at, whatever came of it.
    async fn until_ready(&self) {
        let mut changes = self.ctx.health.changes();
        while !self.ctx.health.is_ready() {
            changes.changed().await.unwrap();
        }
    }

    /// The list in force, as (path, topic).
    fn now(&self) -> Vec<(String, String)> {
        self.receiver.borrow().iter().map(|item| (item.path.clone(), item.topic.clone())).collect()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.ctx.shutdown.cancel();
    }
}

fn item(path: &str, topic: &str) -> CollectItem {
    CollectItem { path: path.to_owned(), topic: topic.to_owned() }
}
