//! One simulated history: a broker's data directory with one partition, clients that use it, and a disk that fails.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tempfile::TempDir;
use wire::record::batch::increment_sequence;

use super::disk::{Counts, Lie, Odds, SimDisk};
use super::ensure;
use super::model::{Model, Stop};
use super::transactions::Transactional;
use crate::log::config::{CleanupPolicy, LogConfig, TimestampType};
use crate::log::partition::Partition;
use crate::log::tests::NOON;
use crate::log::{Clock, LogManager, ManagerOptions, ManualClock, verify};

const TOPIC: &str = "t";
/// Attempts to open the log on a disk that goes on failing; then the disk is sound.
const ATTEMPTS: u32 = 4;

/// An idempotent producer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Client {
    pub(super) id: i64,
    pub(super) epoch: i16,
    pub(super) next_sequence: i32,
    /// Whether its batches belong into transactions.
    pub(super) transactional: bool,
}

/// The history and all that is in it.
pub(super) struct World {
    pub(super) random: StdRng,
    pub(super) disk: Arc<SimDisk>,
    pub(super) clock: Arc<ManualClock>,
    pub(super) config: LogConfig,
    pub(super) model: Model,
    pub(super) clients: Vec<Client>,
    pub(super) transactional: Vec<Transactional>,
    /// Transactions that nobody goes on with.
    pub(super) hanging: Vec<Transactional>,
    pub(super) coordinator_epoch: i32,
    pub(super) next_id: i64,
    pub(super) number: u64,
    /// What was done, for whoever reads the report of a violation.
    pub(super) trace: Vec<String>,
    logs: Option<LogManager>,
    partition: Option<Arc<Partition>>,
    created: bool,
    cluster_id: Option<String>,
    sync_errors: u64,
    dir: TempDir,
}

/// A directory in memory if there is one.
fn temporary() -> TempDir {
    let memory = Path::new("/dev/shm");
    let in_memory = memory.is_dir().then(|| TempDir::new_in(memory).ok()).flatten();
    in_memory.unwrap_or_else(|| TempDir::new().unwrap())
}

fn draw_config(random: &mut StdRng) -> LogConfig {
    let both = CleanupPolicy { delete: true, compact: true };
    let policies = [CleanupPolicy::DELETE, CleanupPolicy::DELETE, CleanupPolicy::COMPACT, both];
    LogConfig {
        segment_bytes: random.random_range(500..4000),
        segment_ms: if random.random_bool(0.3) { 50_000 } else { i64::MAX },
        segment_index_bytes: if random.random_bool(0.2) { 48 } else { 10 << 20 },
        index_interval_bytes: random.random_range(0..400),
        retention_ms: if random.random_bool(0.5) { 150_000 } else { -1 },
        retention_bytes: if random.random_bool(0.3) { random.random_range(1000..8000) } else { -1 },
        flush_messages: if random.random_bool(0.2) { 3 } else { i64::MAX },
        flush_ms: if random.random_bool(0.3) { 10_000 } else { i64::MAX },
        cleanup_policy: policies[random.random_range(0..policies.len())],
        message_timestamp_type: match random.random_bool(0.2) {
            true => TimestampType::LogAppendTime,
            false => TimestampType::CreateTime,
        },
        delete_retention_ms: random.random_range(0..100_000),
        min_cleanable_dirty_ratio: 0.01,
        dedupe_buffer_bytes: if random.random_bool(0.3) { 64 * 4 } else { 1 << 20 },
        ..LogConfig::default()
    }
}

impl World {
    /// A world as the seed says, whose disk may lie.
    pub(super) fn new(seed: u64, lie: Option<Lie>) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let clock = Arc::new(ManualClock::at(NOON));
        let dir = temporary();
        let disk = Arc::new(SimDisk::new(dir.path(), seed ^ 0xd15c, clock.clone()));
        let config = draw_config(&mut random);
        if let Some(lie) = lie {
            disk.lie(lie);
        }
        World {
            random,
            disk,
            clock,
            config,
            model: Model::default(),
            clients: Vec::new(),
            transactional: Vec::new(),
            hanging: Vec::new(),
            coordinator_epoch: 0,
            next_id: 1,
            number: 0,
            trace: Vec::new(),
            logs: None,
            partition: None,
            created: false,
            cluster_id: None,
            sync_errors: 0,
            dir,
        }
    }

    pub(super) fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    pub(super) fn counts(&self) -> Counts {
        self.disk.counts()
    }

    pub(super) fn partition(&self) -> Arc<Partition> {
        self.partition.clone().unwrap()
    }

    pub(super) fn logs(&self) -> &LogManager {
        self.logs.as_ref().unwrap()
    }

    pub(super) fn data_dir(&self) -> PathBuf {
        self.dir.path().to_owned()
    }

    pub(super) fn say(&mut self, what: impl Into<String>) {
        self.trace.push(what.into());
    }

    /// Lets the disk fail as often as the seed says, from now on.
    pub(super) fn stir(&mut self) {
        let scale = [0.0, 0.0, 0.002, 0.01, 0.05][self.random.random_range(0..5)];
        let odds = Odds {
            error: scale * self.random.random::<f64>(),
            full: if self.random.random_bool(0.1) { 0.3 } else { scale * self.random.random::<f64>() },
            sync_error: scale * self.random.random::<f64>() * 0.5,
            delay: if self.random.random_bool(0.3) { 0.1 } else { 0.0 },
        };
        self.disk.set_odds(odds);
    }

    /// Ends all failures.
    pub(super) fn calm(&self) {
        self.disk.set_odds(Odds::default());
        self.disk.set_fuse(None);
    }

    /// Ends the process without a word; with `power` the machine goes too.
    pub(super) fn stop(&mut self, power: bool) -> Stop {
        self.partition = None;
        self.logs = None;
        let power = power || self.disk.is_dead();
        if power {
            self.say("the power fails");
            self.disk.crash();
        } else {
            self.say("the process is killed");
        }
        Stop { clean: false, power, sync_failed: self.disk.counts().sync_errors > self.sync_errors }
    }

    /// Stops cleanly if the disk lets it.
    pub(super) fn close(&mut self, then_power: bool) -> Stop {
        let closed = self.logs().close();
        let end = self.model.end();
        if closed.is_err() {
            return self.stop(then_power);
        }
        self.say("stopped cleanly");
        self.model.durable = end;
        let stop = self.stop(then_power);
        Stop { clean: !then_power, ..stop }
    }

    /// Opens the log, whatever the disk does meanwhile, and compares it with the model.
    pub(super) fn open(&mut self, mut stop: Stop) -> Result<(), String> {
        for attempt in 0.. {
            if attempt == ATTEMPTS {
                self.calm();
            }
            let error = match self.try_open() {
                Ok(()) => break,
                Err(error) => error,
            };
            ensure!(
                attempt < ATTEMPTS || self.disk.is_dead(),
                "cannot open the log of a sound disk: {error}"
            );
            self.say(format!("opening failed: {error}"));
            let again = self.stop(false);
            stop = Stop {
                clean: false,
                power: stop.power || again.power,
                sync_failed: stop.sync_failed || again.sync_failed,
            };
        }
        self.sync_errors = self.disk.counts().sync_errors;
        let partition = self.partition();
        self.say(format!("opened {}..{}", partition.log_start_offset(), partition.log_end_offset()));
        self.model.reopened(&partition, stop)?;
        let found = self.model.check(&partition, &self.config)?;
        self.check_files()?;
        self.check_producers(&found.batches, stop)
    }

    fn options(&self) -> ManagerOptions {
        ManagerOptions {
            data_dir: self.data_dir(),
            node_id: 1,
            defaults: self.config.clone(),
            partitions_max: 10,
            recovery_threads: 1,
            clock: self.clock.clone(),
            disk: self.disk.clone(),
        }
    }

    fn try_open(&mut self) -> Result<(), String> {
        let (logs, _) = LogManager::open(self.options()).map_err(|error| error.to_string())?;
        let cluster_id = self.cluster_id.get_or_insert_with(|| logs.cluster_id().to_owned());
        assert_eq!(cluster_id, logs.cluster_id(), "the directory has another identity now");
        if logs.topic(TOPIC).is_none() {
            assert!(!self.created, "the topic was created and is gone");
            logs.create_topic(TOPIC, 1, BTreeMap::new()).map_err(|error| error.to_string())?;
        }
        self.created = true;
        self.partition = logs.partition(TOPIC, 0);
        self.logs = Some(logs);
        Ok(())
    }

    /// What `logagent log verify` says of the partition after recovery: nothing.
    fn check_files(&self) -> Result<(), String> {
        let dir = self.data_dir().join(format!("{TOPIC}-0"));
        for entry in std::fs::read_dir(&dir).map_err(|error| error.to_string())? {
            let path = entry.map_err(|error| error.to_string())?.path();
            let suffix = path.extension().unwrap_or_default();
            let is_leftover = suffix == "tmp" || suffix == "cleaned" || suffix == "swap";
            ensure!(!is_leftover, "recovery has left {}", path.display());
        }
        if self.model.log_start < self.model.solid_start {
            // deleted segments came back, and not all of them
            return Ok(());
        }
        let report = verify::check_partition(&dir, !self.config.cleanup_policy.compact);
        let report = report.map_err(|error| error.to_string())?;
        match report.findings.iter().find(|finding| finding.is_damage()) {
            Some(finding) => Err(format!("after recovery: {finding}")),
            None => Ok(()),
        }
    }

    /// Each batch that is in the log is recognised, and a gap is refused.
    fn check_producers(&mut self, found: &[i64], stop: Stop) -> Result<(), String> {
        let partition = self.partition();
        let views = self.model.producers();
        let is_there = |base: &i64| found.binary_search(base).is_ok();
        for (id, view) in &views {
            let Some(newest) = view.batches.back().filter(|newest| is_there(newest)) else { continue };
            let compacted = self.config.cleanup_policy.compact;
            // compaction keeps only the newest for sure
            let known =
                view.batches.iter().filter(|base| if compacted { *base == newest } else { is_there(base) });
            for base in known {
                let written = &self.model.written[base];
                let answer = partition.append(&mut written.sent.clone());
                let right = answer.as_ref().is_ok_and(|answer| {
                    answer.duplicate
                        && (answer.base_offset, answer.last_offset) == (*base, written.header.last_offset())
                });
                ensure!(right, "the batch of producer {id} at {base} was sent again: {answer:?}");
            }
            let ahead = Client {
                id: *id,
                epoch: view.epoch,
                next_sequence: increment_sequence(view.next_sequence, 1),
                transactional: false,
            };
            let answer = partition.append(&mut self.batch(Some(ahead), 1));
            ensure!(answer.is_err(), "producer {id} left out sequence {}: {answer:?}", view.next_sequence);
        }
        // a client whose newest batch is gone may be forgotten: it asks for a new id
        let keeps = |client: &Client| match views.get(&client.id) {
            Some(view) => stop.clean || view.batches.back().is_some_and(is_there),
            None => false,
        };
        self.clients.retain(keeps);
        for client in &mut self.clients {
            if let Some(view) = views.get(&client.id) {
                (client.epoch, client.next_sequence) = (view.epoch, view.next_sequence);
            }
        }
        self.check_fences(&views, found)?;
        self.resume(&views, found);
        Ok(())
    }
}
