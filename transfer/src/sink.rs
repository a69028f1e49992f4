//! Where batches go: to Elasticsearch, or into files.

use std::sync::Arc;
use std::sync::mpsc::Sender as Answer;

use daemon::Backoff;
use daemon::health::Component;
use tokio::sync::mpsc::Receiver;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::Error;
use crate::batch::Batch;
use crate::config::Config;
use crate::dead_letter::DeadLetters;
use crate::elastic::{self, Client};
use crate::metrics::Metrics;
use crate::ndjson::Store;

/// The end of the way. Clones are of the same one.
#[derive(Debug, Clone)]
pub(crate) enum Sink {
    Elastic { client: Client, sender: elastic::Sender, health: Component },
    Files { store: Arc<Store>, backoff: Backoff, metrics: Metrics, health: Component },
}

impl Sink {
    /// Elasticsearch when there is an address, else files.
    pub(crate) fn open(config: &Config, metrics: Metrics, health: Component) -> Result<Self, Error> {
        let elastic = &config.elasticsearch;
        let backoff = Backoff::new(elastic.backoff_initial_ms, elastic.backoff_max_ms);
        if elastic.url.is_none() {
            let store = Arc::new(Store::open(&config.data_dir)?);
            info!(data_dir = %config.data_dir.display(), "no elasticsearch.url: documents are written to files");
            return Ok(Self::Files { store, backoff, metrics, health });
        }
        let client = Client::new(elastic)?;
        let letters = DeadLetters::new(&config.bootstrap, &config.dead_letter_suffix, backoff);
        let sender =
            elastic::Sender::new(client.clone(), elastic, Arc::new(letters), metrics, health.clone());
        Ok(Self::Elastic { client, sender, health })
    }

    /// The files' positions, which the consumer starts from.
    pub(crate) fn store(&self) -> Option<Arc<Store>> {
        match self {
            Self::Elastic { .. } => None,
            Self::Files { store, .. } => Some(store.clone()),
        }
    }

    /// Makes the topics' indices ready to be written to, however long that takes; `false` when stopped before.
    pub(crate) async fn prepare(&self, config: &Config, shutdown: &CancellationToken) -> bool {
        match self {
            Self::Elastic { client, health, .. } => {
                let prepared = put_templates(client, config, health);
                let prepared = shutdown.run_until_cancelled(prepared).await.is_some();
                if prepared {
                    health.ready();
                }
                prepared
            }
            Self::Files { health, .. } => {
                health.ready();
                true
            }
        }
    }

    /// Makes batches safe and answers with their ids, until the consumer is gone.
    pub(crate) async fn run(
        self,
        batches: Receiver<Batch>,
        answer: Answer<u64>,
        shutdown: CancellationToken,
    ) {
        match self {
            Self::Elastic { sender, .. } => send(sender, batches, answer).await,
            Self::Files { store, backoff, metrics, health } => {
                let files = Files { store, backoff, metrics, health };
                // ends with the channel; a join error is a panic that the runtime has reported
                let _ended =
                    tokio::task::spawn_blocking(move || files.run(batches, &answer, &shutdown)).await;
            }
        }
    }
}

async fn put_templates(client: &Client, config: &Config, health: &Component) {
    let elastic = &config.elasticsearch;
    if !elastic.manage_template {
        return;
    }
    let mut indices: Vec<&str> = config.topics.iter().map(|topic| topic.index.as_str()).collect();
    indices.sort_unstable();
    indices.dedup();
    for index in indices {
        let mut backoff = Backoff::new(elastic.backoff_initial_ms, elastic.backoff_max_ms);
        let mut failures = 0u32;
        while let Err(error) = elastic::template::put(client, index, elastic).await {
            if failures.is_multiple_of(20) {
                warn!(index, %error, failures, "cannot create the index template yet");
            }
            failures = failures.saturating_add(1);
            health.not_ready(format!("index template of {index} is not created: {error}"));
            tokio::time::sleep(backoff.next_pause()).await;
        }
        info!(index, "index template is in place");
    }
}

/// Each batch is a task. How many there are is bounded by the consumer, which waits for answers.
async fn send(sender: elastic::Sender, mut batches: Receiver<Batch>, answer: Answer<u64>) {
    let mut tasks = JoinSet::new();
    loop {
        tokio::select! {
            batch = batches.recv() => {
                let Some(batch) = batch else { return };
                let (sender, answer) = (sender.clone(), answer.clone());
                tasks.spawn(async move {
                    let id = batch.id;
                    sender.deliver(batch).await;
                    // the consumer may have gone: then nobody has to know
                    let _gone = answer.send(id);
                });
            }
            Some(ended) = tasks.join_next() => {
                if let Err(error) = ended {
                    error!(%error, "a batch was lost by a defect: its records are read again after a restart");
                }
            }
        }
    }
}

/// The thread that writes files.
struct Files {
    store: Arc<Store>,
    backoff: Backoff,
    metrics: Metrics,
    health: Component,
}

impl Files {
    fn run(self, mut batches: Receiver<Batch>, answer: &Answer<u64>, shutdown: &CancellationToken) {
        while let Some(batch) = batches.blocking_recv() {
            if !self.write(&batch, shutdown) || answer.send(batch.id).is_err() {
                return;
            }
        }
    }

    /// Tries until it is done; `false` when stopped before.
    fn write(&self, batch: &Batch, shutdown: &CancellationToken) -> bool {
        use crate::ndjson::Appended;
        let mut backoff = self.backoff.clone();
        loop {
            match self.store.append(batch) {
                Ok(Appended::Written) => {
                    self.metrics.indexed_documents.inc_by(batch.items.len() as u64);
                    self.health.ready();
                    return true;
                }
                Ok(Appended::Stale) => return true,
                Err(error) => {
                    warn!(%error, "cannot write documents to files yet");
                    self.metrics.retried("file", 1);
                    self.health.not_ready(format!("cannot write documents: {error}"));
                }
            }
            if shutdown.is_cancelled() {
                return false;
            }
            std::thread::sleep(backoff.next_pause());
        }
    }
}

#[cfg(test)]
mod tests;
