//! A broker that lives through crashes, and an agent that can be killed at any point of a batch's way to it.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use daemon::config::Section;
use parking_lot::Mutex;
use tempfile::TempDir;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::super::{Parts, Supervisor};
use crate::checkpoint::Checkpoint;
use crate::collect::CollectItem;
use crate::config::{Config, TailConfig};
use crate::metrics::AgentMetrics;
use crate::model::{Chunk, FileRef, GenerationId, Intent, LaneId, Producer, Proof, Shape};
use crate::run::Ship;

/// How long anything may take before a test is given up.
const PATIENCE: Duration = Duration::from_secs(60);

/// A record as the topic holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) file: Arc<FileRef>,
    pub(super) offset: u64,
    pub(super) value: String,
    pub(super) shape: Shape,
}

/// Where the agent dies on a batch's way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Death {
    BeforeIntent,
    BeforeSend,
    BeforeAnswer,
    AfterAnswer,
}

#[derive(Default)]
struct Log {
    records: Vec<Record>,
    next_sequence: HashMap<LaneId, i32>,
    answering: bool,
    death: Option<(usize, Death)>,
    lost: Vec<Intent>,
}

/// Takes a batch once, however often it is sent, and none out of order.
pub(super) struct Broker {
    log: Mutex<Log>,
    changed: Notify,
}

impl Broker {
    fn new() -> Self {
        Self { log: Mutex::new(Log { answering: true, ..Log::default() }), changed: Notify::new() }
    }

    /// Away from now on, or back.
    pub(super) fn set_answering(&self, answering: bool) {
        self.log.lock().answering = answering;
        self.changed.notify_waiters();
    }

    /// The agent dies at this point of the `batches`-th batch from now.
    pub(super) fn kill_at(&self, batches: usize, death: Death) {
        self.log.lock().death = Some((batches, death));
    }

    /// Ends [`Broker::kill_at`].
    pub(super) fn spare(&self) {
        self.log.lock().death = None;
    }

    pub(super) fn records(&self) -> Vec<Record> {
        self.log.lock().records.clone()
    }

    pub(super) fn values(&self) -> Vec<String> {
        self.records().into_iter().map(|record| record.value).collect()
    }

    /// Intents whose ranges could not be read again.
    pub(super) fn lost(&self) -> usize {
        self.log.lock().lost.len()
    }

    fn append(&self, lane: &LaneId, sequence: i32, records: Vec<Record>) {
        let log = &mut *self.log.lock();
        let next = log.next_sequence.entry(lane.clone()).or_default();
        assert!(sequence <= *next, "sequence {sequence} leaves a gap after {next}");
        if sequence == *next {
            *next += records.len() as i32;
            log.records.extend(records);
        }
    }

    /// What can no longer be sent leaves no gap: the shipper numbers what follows anew.
    fn give_up(&self, intent: Intent) {
        let log = &mut *self.log.lock();
        let next = log.next_sequence.entry(intent.lane.clone()).or_default();
        *next = (*next).max(intent.base_sequence + intent.count as i32);
        log.lost.push(intent);
    }

    /// Waits until the condition holds; it is looked at whenever something changes, and now and then.
    pub(super) async fn until(&self, what: &str, condition: impl Fn() -> bool) {
        let waiting = async {
            while !condition() {
                let _ = tokio::time::timeout(Duration::from_millis(20), self.changed.notified()).await;
            }
        };
        if tokio::time::timeout(PATIENCE, waiting).await.is_err() {
            panic!("in vain awaited: {what}; the topic has {:?}", self.values());
        }
    }
}

/// The lanes of one life of the agent: one partition, one batch at a time.
struct FakeShip {
    broker: Arc<Broker>,
    checkpoint: Arc<Checkpoint>,
    metrics: AgentMetrics,
    /// The next sequence of each lane; held while a batch is on its way.
    lanes: tokio::sync::Mutex<HashMap<LaneId, i32>>,
    killed: CancellationToken,
}

impl FakeShip {
    async fn die(&self) {
        self.killed.cancel();
        self.broker.changed.notify_waiters();
        std::future::pending().await
    }

    fn dies(&self, at: Death) -> bool {
        let death = self.broker.log.lock().death;
        let now = death.is_some_and(|(batches, death)| batches == 0 && death == at);
        if now {
            self.broker.log.lock().death = None;
        }
        now
    }

    async fn answering(&self) {
        while !self.broker.log.lock().answering {
            let _ = tokio::time::timeout(Duration::from_millis(20), self.broker.changed.notified()).await;
        }
    }

    async fn send(&self, intent: &Intent, data: &Bytes) {
        self.answering().await;
        if self.dies(Death::BeforeSend) {
            self.die().await;
        }
        let records = records(intent, data);
        assert_eq!(records.len(), intent.count as usize, "lines were miscounted");
        self.broker.append(&intent.lane, intent.base_sequence, records);
        self.broker.changed.notify_waiters();
        if self.dies(Death::BeforeAnswer) {
            self.die().await;
        }
        self.checkpoint.acknowledge(&intent.lane, intent.base_sequence);
        self.metrics.shipped_bytes.inc_by(data.len() as u64);
        self.broker.changed.notify_waiters();
    }
}

impl Ship for FakeShip {
    async fn resend(&self, intent: Intent, data: Option<Bytes>) {
        let _one_at_a_time = self.lanes.lock().await;
        match data {
            Some(data) => {
                self.send(&intent, &data).await;
            }
            None => {
                self.checkpoint.abandon(&intent.file, intent.start, intent.end).unwrap();
                self.checkpoint.acknowledge(&intent.lane, intent.base_sequence);
                self.broker.give_up(intent);
            }
        }
    }

    async fn ship(&self, chunk: Chunk) {
        let mut lanes = self.lanes.lock().await;
        if self.dies(Death::BeforeIntent) {
            self.die().await;
        }
        let lane = LaneId { topic: chunk.file.topic.clone(), partition: 0 };
        let next = lanes.entry(lane.clone()).or_default();
        let intent = Intent {
            lane,
            base_sequence: *next,
            count: chunk.lines,
            file: chunk.file.clone(),
            start: chunk.start,
            end: chunk.end,
            shape: chunk.shape,
            timestamp_ms: chunk.timestamp_ms,
            proof: Proof::of(chunk.start, &chunk.data),
        };
        self.checkpoint.intend(&intent).unwrap();
        *next += chunk.lines as i32;
        self.send(&intent, &chunk.data).await;
        let dies = self.dies(Death::AfterAnswer);
        if let Some((batches, _)) = &mut self.broker.log.lock().death {
            *batches = batches.saturating_sub(1);
        }
        if dies {
            self.die().await;
        }
    }

    async fn drain(&self, _deadline: Duration) {}
}

fn records(intent: &Intent, data: &Bytes) -> Vec<Record> {
    let record = |at: usize, value: &[u8]| Record {
        file: intent.file.clone(),
        offset: intent.start + at as u64,
        value: String::from_utf8(value.to_vec()).unwrap(),
        shape: intent.shape,
    };
    if intent.shape != Shape::Lines {
        return vec![record(0, data)];
    }
    assert_eq!(data.last(), Some(&b'\n'));
    let mut at = 0;
    let lines = data[..data.len() - 1].split(|&byte| byte == b'\n').map(|line| {
        let record = record(at, line);
        at += line.len() + 1;
        record
    });
    lines.collect()
}

/// A host with log files, an agent, and a broker somewhere.
pub(super) struct World {
    pub(super) broker: Arc<Broker>,
    pub(super) metrics: AgentMetrics,
    pub(super) config: TailConfig,
    root: TempDir,
    items: watch::Sender<Arc<Vec<CollectItem>>>,
    agent: Option<Agent>,
    written: Vec<String>,
}

struct Agent {
    task: JoinHandle<()>,
    killed: CancellationToken,
    shutdown: CancellationToken,
    checkpoint: Arc<Checkpoint>,
}

impl World {
    /// With the agent not started yet.
    pub(super) fn new(items: &[(&str, &str)]) -> Self {
        let config: Config =
            daemon::config::Source { defaults: Config::DEFAULTS, file: None, overrides: vec![] }
                .load()
                .unwrap();
        let mut config = config.tail;
        config.rescan_interval_ms = 200;
        config.partial_line_timeout_ms = 150;
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("log")).unwrap();
        let world = Self {
            broker: Arc::new(Broker::new()),
            metrics: AgentMetrics::default(),
            config,
            root,
            items: watch::Sender::default(),
            agent: None,
            written: Vec::new(),
        };
        world.collect(items);
        world
    }

    /// The path of a log file.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.root.path().join("log").join(name)
    }

    /// Puts a list in force.
    pub(super) fn collect(&self, items: &[(&str, &str)]) {
        let item = |&(path, topic): &(&str, &str)| CollectItem {
            path: self.path(path).to_str().unwrap().to_owned(),
            topic: topic.to_owned(),
        };
        self.items.send_replace(Arc::new(items.iter().map(item).collect()));
    }

    /// Starts the agent on what its last life left.
    pub(super) fn start(&mut self) {
        let (checkpoint, state) = Checkpoint::open(&self.root.path().join("data")).unwrap();
        let checkpoint = Arc::new(checkpoint);
        if state.producer.is_none() {
            let boot_id = "boot".to_owned();
            checkpoint.set_producer(Producer { id: 1, epoch: 0, boot_id }).unwrap();
        }
        let (killed, shutdown) = (CancellationToken::new(), CancellationToken::new());
        let ship = FakeShip {
            broker: self.broker.clone(),
            checkpoint: checkpoint.clone(),
            metrics: self.metrics.clone(),
            lanes: tokio::sync::Mutex::new(state.lanes.clone()),
            killed: killed.clone(),
        };
        let parts = Parts {
            config: self.config.clone(),
            data_dir: self.root.path().join("data"),
            host: "web-1".into(),
            ship,
            checkpoint: checkpoint.clone(),
            metrics: self.metrics.clone(),
            items: self.items.subscribe(),
            tick: Duration::from_millis(50),
            health: daemon::Health::default().component("agent"),
            shutdown: shutdown.clone(),
        };
        let supervisor = Supervisor::new(parts).unwrap();
        let task = tokio::spawn(supervisor.run(state, Duration::ZERO));
        self.agent = Some(Agent { task, killed, shutdown, checkpoint });
    }

    /// Ends the agent at once; nothing more gets out of it.
    pub(super) async fn kill(&mut self) {
        let agent = self.agent.take().unwrap();
        agent.task.abort();
        let _ = agent.task.await;
        Self::gone(agent.checkpoint).await;
    }

    /// Stops the agent as systemd does.
    pub(super) async fn stop(&mut self) {
        let agent = self.agent.take().unwrap();
        agent.shutdown.cancel();
        agent.task.await.unwrap();
        Self::gone(agent.checkpoint).await;
    }

    async fn gone(checkpoint: Arc<Checkpoint>) {
        while Arc::strong_count(&checkpoint) > 1 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// Waits until the agent has died as [`Broker::kill_at`] said, and clears it away.
    pub(super) async fn await_death(&mut self) {
        let killed = self.agent.as_ref().unwrap().killed.clone();
        tokio::time::timeout(PATIENCE, killed.cancelled()).await.expect("the agent lives on");
        self.kill().await;
    }

    pub(super) fn is_dead(&self) -> bool {
        self.agent.as_ref().is_none_or(|agent| agent.killed.is_cancelled())
    }

    /// What the checkpoint knows now.
    pub(super) fn checkpoint(&self) -> &Checkpoint {
        &self.agent.as_ref().unwrap().checkpoint
    }

    /// Appends lines as a writer does who opens the file by its name.
    pub(super) fn write(&mut self, name: &str, lines: &[&str]) {
        let mut file = OpenOptions::new().create(true).append(true).open(self.path(name)).unwrap();
        self.write_to(&mut file, lines);
    }

    /// Appends lines to a file that is held open.
    pub(super) fn write_to(&mut self, file: &mut File, lines: &[&str]) {
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        file.write_all(text.as_bytes()).unwrap();
        self.expect(lines);
    }

    /// Lines that must arrive.
    pub(super) fn expect(&mut self, lines: &[&str]) {
        self.written.extend(lines.iter().map(|line| (*line).to_owned()));
    }

    /// copytruncate, as logrotate does it.
    pub(super) fn copytruncate(&self, name: &str, copy: &str) {
        std::fs::copy(self.path(name), self.path(copy)).unwrap();
        File::options().write(true).open(self.path(name)).unwrap().set_len(0).unwrap();
    }

    /// What logrotate's `compress` does.
    pub(super) fn compress(&self, name: &str) {
        let target = File::create(self.path(&format!("{name}.gz"))).unwrap();
        let mut gzip = flate2::write::GzEncoder::new(target, flate2::Compression::default());
        gzip.write_all(&std::fs::read(self.path(name)).unwrap()).unwrap();
        gzip.finish().unwrap();
        std::fs::remove_file(self.path(name)).unwrap();
    }

    pub(super) fn rename(&self, from: &str, to: &str) {
        std::fs::rename(self.path(from), self.path(to)).unwrap();
    }

    /// Waits until as many records are there as lines were written.
    pub(super) async fn all_arrived(&self) {
        let expected = self.written.len();
        self.broker.until("all lines", || self.broker.records().len() >= expected).await;
    }

    pub(super) fn has_arrived(&self) -> bool {
        self.broker.records().len() >= self.written.len()
    }

    /// Removes the checkpoint's files.
    pub(super) fn lose_the_checkpoint(&self) {
        std::fs::remove_dir_all(self.root.path().join("data")).unwrap();
        // the broker gives the new producer an id and sequences of its own
        self.broker.log.lock().next_sequence.clear();
    }

    /// Each line that was written is there once; lines of a generation are in order and do not overlap.
    pub(super) async fn each_line_arrives_once(&self) {
        self.all_arrived().await;
        let (mut expected, mut values) = (self.written.clone(), self.broker.values());
        expected.sort();
        values.sort();
        assert_eq!(values, expected);
        self.generations_are_in_order();
    }

    fn generations_are_in_order(&self) {
        let mut ends: HashMap<(GenerationId, Arc<str>), u64> = HashMap::new();
        for record in self.broker.records() {
            let end = ends.entry((record.file.generation, record.file.topic.clone())).or_default();
            assert!(record.offset >= *end, "{record:?} comes after {end}");
            *end = record.offset + record.value.len() as u64;
        }
    }
}
