//! Ships file ranges as record batches, each exactly once: the agent's own small Kafka producer.
//!
//! It is our own because the caller must own the sequence. Before a batch is sent, its range and its sequence are recorded in
//! the checkpoint; the broker's acknowledgement closes the record. After a crash the ranges that are open are built into the same
//! batches with the same sequences, and the broker recognises those that it has. It needs of the broker what Kafka has had since
//! 0.11: record batches of magic 2 and idempotent producers.
//!
//! | file | what it owns |
//! |---|---|
//! | `lane` | the stream to one partition: sequence, window, order |
//! | `window` | the batches under way |
//! | `recovery` | what a lane does on failures |
//! | `decide` | which failure means what |
//! | `batch` | ranges to record batches |
//! | `partitioner` | files to partitions |
//! | `producer_id` | the id that all lanes share, and its replacement |
//! | `metadata` | brokers, partitions, leaders |
//! | `pool`, `connection` | TCP |

mod batch;
mod complaint;
mod config;
mod connection;
mod decide;
mod lane;
mod metadata;
mod partitioner;
mod pool;
mod producer_id;
mod recovery;
mod window;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use daemon::Backoff;
use parking_lot::Mutex;
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

pub use config::Config;

use crate::checkpoint::{Checkpoint, State};
use crate::metrics::AgentMetrics;
use crate::model::{Chunk, Intent, LaneId, Producer, boot_id};
use complaint::Complaint;
use lane::{Lane, Shared, Work};
use metadata::Metadata;
use producer_id::ProducerIds;

/// Chunks that wait before a lane besides the one that the lane holds; the rest waits at the files, where it costs nothing.
const CHUNKS: usize = 1;
/// Batches of the last run that wait before a lane: as many as can be open, so that a lane that cannot ship does not keep the
/// others from starting.
const RESENT: usize = 5;

/// The way into a lane.
#[derive(Clone)]
struct Entrance {
    work: mpsc::Sender<Work>,
    chunks: Arc<Semaphore>,
}

/// Ships what it is given. Dropping it stops everything at once; what is not acknowledged stays open in the checkpoint.
pub struct Shipper {
    shared: Arc<Shared>,
    /// The way into each lane; `None` when no more is taken.
    lanes: Mutex<Option<HashMap<LaneId, Entrance>>>,
    /// Where the lanes of the last run went on.
    next_sequences: HashMap<LaneId, i32>,
    producer: Option<Producer>,
    tasks: TaskTracker,
    complaint: Mutex<Complaint>,
    stop: CancellationToken,
    _stop_on_drop: DropGuard,
}

impl Shipper {
    /// Starts with what the checkpoint knew when it was opened. No broker needs to be there yet.
    pub fn start(config: Config, checkpoint: Arc<Checkpoint>, state: &State, metrics: AgentMetrics) -> Self {
        let config = Arc::new(config);
        let metadata = Arc::new(Metadata::new(&config));
        let producer = producer_id::usable(state.producer.clone(), &boot_id());
        let ids = ProducerIds::new(producer.clone(), &config, metadata.clone(), checkpoint.clone());
        let buffer = Arc::new(Semaphore::new(config.buffer_bytes as usize));
        let stop = CancellationToken::new();
        Self {
            shared: Arc::new(Shared { config, checkpoint, metrics, metadata, ids, buffer }),
            lanes: Mutex::new(Some(HashMap::new())),
            next_sequences: producer.as_ref().map_or_else(HashMap::new, |_| state.lanes.clone()),
            producer,
            tasks: TaskTracker::new(),
            complaint: Mutex::default(),
            _stop_on_drop: stop.clone().drop_guard(),
            stop,
        }
    }

    /// Takes over a batch whose fate was open when the agent stopped, with the bytes of its range, or without when they cannot
    /// be read any more. To be called for each open intent, in the checkpoint's order, before anything is shipped.
    pub async fn resend(&self, intent: Intent, data: Option<Bytes>) {
        if let Some(entrance) = self.entrance(intent.lane.clone()) {
            // it fails only when all is being stopped
            let _ = entrance.work.send(Work::Resend(intent, data)).await;
        }
    }

    /// Takes over a chunk; waits while its lane is busy. After [`Shipper::drain`] the chunk is dropped: its range was never
    /// begun.
    pub async fn ship(&self, chunk: Chunk) {
        let shipping = async {
            let count = self.partitions(&chunk.file.topic).await;
            let partition =
                partitioner::partition(self.shared.config.partition, chunk.file.generation, count);
            let lane = LaneId { topic: chunk.file.topic.clone(), partition };
            if let Some(entrance) = self.entrance(lane)
                && let Ok(place) = entrance.chunks.acquire_owned().await
            {
                let _ = entrance.work.send(Work::Chunk(chunk, place)).await;
            }
        };
        self.stop.run_until_cancelled(shipping).await;
    }

    /// Takes no more, and waits until all is acknowledged, but not longer than `deadline`. What is still open then stays
    /// open in the checkpoint and is sent again at the next start.
    pub async fn drain(&self, deadline: Duration) {
        self.lanes.lock().take();
        self.tasks.close();
        if tokio::time::timeout(deadline, self.tasks.wait()).await.is_err() {
            info!(
                lanes = self.tasks.len(),
                "stopping before all is acknowledged, the rest is sent at the next start"
            );
        }
        self.stop.cancel();
        if let Err(error) = self.shared.checkpoint.flush() {
            warn!(%error, "cannot write the last acknowledgements, some lines will be sent again and recognised");
        }
    }

    /// The way into a lane, which is opened when it is first needed.
    fn entrance(&self, id: LaneId) -> Option<Entrance> {
        let mut lanes = self.lanes.lock();
        let lanes = lanes.as_mut()?;
        if let Some(entrance) = lanes.get(&id) {
            return Some(entrance.clone());
        }
        let (sender, work) = mpsc::channel(CHUNKS + RESENT);
        let entrance = Entrance { work: sender, chunks: Arc::new(Semaphore::new(CHUNKS)) };
        let next = self.next_sequences.get(&id).copied().unwrap_or_default();
        let lane = Lane::new(id.clone(), self.shared.clone(), work, self.producer.clone(), next);
        let stop = self.stop.clone();
        self.tasks.spawn(async move { stop.run_until_cancelled(lane.run()).await });
        lanes.insert(id, entrance.clone());
        Some(entrance)
    }

    /// The number of partitions of a topic, however long it takes to learn.
    async fn partitions(&self, topic: &Arc<str>) -> i32 {
        let config = &self.shared.config;
        let mut backoff = Backoff::new(config.retry_backoff_ms, config.retry_backoff_max_ms);
        loop {
            match self.shared.metadata.partitions(topic).await {
                Ok(count) => return count,
                Err(error) => self.complaint.lock().say(|repeats| {
                    warn!(%topic, %error, repeats, "cannot learn the topic's partitions, trying again");
                }),
            }
            tokio::time::sleep(backoff.next_pause()).await;
        }
    }
}
