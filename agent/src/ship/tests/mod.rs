//! The shipper against a scripted broker whose partitions are the oracle: what is in them, and how often.

mod batches;
mod broker;
mod decisions;
mod faults;
mod log;
mod random;
mod restart;
mod sequences;
mod settings;
mod shipping;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use tempfile::TempDir;
use tokio::sync::Semaphore;

use super::{Config, Shipper};
use crate::checkpoint::{Checkpoint, Head, Place, State};
use crate::metrics::AgentMetrics;
use crate::model::{Chunk, FileRef, GenerationId, Shape};
use broker::Broker;
use log::Line;

/// How long a drain may take: longer than any test, so that what hangs is seen as hanging.
const LONG: Duration = Duration::from_secs(60);

/// The shipped settings with short waits.
fn config(broker: &Broker) -> Config {
    Config {
        bootstrap_servers: broker.address.to_string(),
        retry_backoff_ms: 1,
        retry_backoff_max_ms: 5,
        ..settings::shipped()
    }
}

/// An agent's shipping side with its checkpoint on disk.
struct Agent {
    dir: TempDir,
    metrics: AgentMetrics,
    credit: Arc<Semaphore>,
    /// The checkpoint of the present run; it cannot be opened twice.
    open: Mutex<Weak<Checkpoint>>,
}

impl Agent {
    fn new() -> Self {
        let credit = Arc::new(Semaphore::new(1 << 20));
        let open = Mutex::default();
        Self { dir: TempDir::new().unwrap(), metrics: AgentMetrics::default(), credit, open }
    }

    fn data_dir(&self) -> &Path {
        self.dir.path()
    }

    /// Starts shipping with what the checkpoint has.
    fn start(&self, config: Config) -> (Shipper, State) {
        let (checkpoint, state) = Checkpoint::open(self.data_dir()).unwrap();
        let checkpoint = Arc::new(checkpoint);
        *self.open.lock() = Arc::downgrade(&checkpoint);
        let shipper = Shipper::start(config, checkpoint, &state, self.metrics.clone());
        (shipper, state)
    }

    /// Gives the files a position, as the tails do.
    fn track(&self, files: &[Arc<FileRef>]) {
        let checkpoint = self.open.lock().upgrade().unwrap();
        for file in files {
            let place =
                Place { location: file.path.clone(), device: 1, inode: file.generation.0, birth_ns: 0 };
            checkpoint.track(file, &place, Head::default()).unwrap();
        }
    }

    /// Ends the present run at once, as `kill -9` would, and waits until nothing of it is left.
    async fn kill(&self, shipper: Shipper) {
        drop(shipper);
        while self.open.lock().strong_count() > 0 {
            tokio::task::yield_now().await;
        }
    }

    /// Waits until a batch that ends at `end` is recorded.
    async fn until_recorded(&self, end: u64) {
        let open = self.open.lock().upgrade().unwrap();
        while open.unsent(&file("app", 1).key()).from < end {
            tokio::task::yield_now().await;
        }
    }

    /// What the checkpoint holds while no run is going on.
    fn state(&self) -> State {
        Checkpoint::open(self.data_dir()).unwrap().1
    }

    /// A chunk of whole lines that begins at `start`.
    fn chunk(&self, file: &Arc<FileRef>, start: u64, text: &str) -> Chunk {
        let data = Bytes::copy_from_slice(text.as_bytes());
        Chunk {
            file: file.clone(),
            start,
            end: start + text.len() as u64,
            lines: text.matches('\n').count() as u32,
            data,
            shape: Shape::Lines,
            timestamp_ms: 1_700_000_000_000,
            credit: self.credit.clone().try_acquire_many_owned(text.len() as u32).unwrap(),
        }
    }
}

/// A file generation in a topic.
fn file(topic: &str, generation: u64) -> Arc<FileRef> {
    Arc::new(FileRef {
        host: "web-1".into(),
        path: format!("/var/log/{generation}.log").into(),
        topic: topic.into(),
        generation: GenerationId(generation),
    })
}

/// `count` numbered lines from `first`, and where the text after them begins.
fn text(first: usize, count: usize) -> String {
    (first..first + count).map(|number| format!("line {number:08}\n")).collect()
}

/// How long a line of [`text`] is.
const LINE: u64 = 14;

/// Checks that `lines` are the lines 0..`count` of one file, each once and in order.
#[track_caller]
fn assert_exactly(lines: &[Line], count: usize) {
    let values: Vec<&str> = lines.iter().map(|line| line.value.as_str()).collect();
    let expected: Vec<String> = (0..count).map(|number| format!("line {number:08}")).collect();
    assert_eq!(values, expected);
    let places: BTreeSet<_> = lines.iter().map(Line::place).collect();
    assert_eq!(places.len(), count, "no place occurs twice");
}
