//! The coordinator over real logs in a temporary directory, with a clock that the test moves and a broker that dies where
//! the test says.

mod crash;
mod formats;
mod power;
mod requests;
mod states;
mod time;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tempfile::TempDir;
use wire::ErrorCode;

use super::markers::{WriteMarkers, Written};
use super::{Coordinator, LogMarkers, Marker, Partitions, Producer, TxnConfig};
use crate::group;
use crate::group::{ConsumerConfig, GroupConfig, OFFSETS_TOPIC};
use crate::log::tests::{committed, send};
use crate::log::{Disk, LogConfig, LogManager, ManagerOptions, ManualClock, Partition, RealDisk};
use crate::producer_ids::ProducerIds;

const START_MS: i64 = 1_700_000_000_000;
const TIMEOUT_MS: i32 = 10_000;

/// Writes so many markers, and fails from then on, as if the broker had died.
#[derive(Debug)]
struct DyingMarkers {
    inner: LogMarkers,
    left: Arc<AtomicUsize>,
}

impl WriteMarkers for DyingMarkers {
    fn write(&self, marker: Marker, partitions: &[(&str, i32)]) -> Vec<Written> {
        let write = |place: &(&str, i32)| {
            let left = self.left.load(Ordering::SeqCst);
            if left == 0 {
                return Err(ErrorCode::KafkaStorageError);
            }
            self.left.store(left - 1, Ordering::SeqCst);
            self.inner.write(marker, &[*place]).remove(0)
        };
        partitions.iter().map(write).collect()
    }
}

/// A coordinator, its surroundings, and two topics of two partitions.
struct Fixture {
    coordinator: Coordinator,
    groups: Arc<group::Coordinator>,
    logs: Arc<LogManager>,
    clock: Arc<ManualClock>,
    /// Markers until the broker dies.
    left: Arc<AtomicUsize>,
    dir: Arc<TempDir>,
}

fn config() -> TxnConfig {
    TxnConfig {
        max_timeout_ms: 60_000,
        id_expiration_ms: 1_000_000,
        abort_interval_ms: 1000,
        expiration_interval_ms: 1000,
        max_ids: 5,
        max_partitions: 6,
        log_partitions: 2,
        log: [("cleanup.policy".to_owned(), "compact".to_owned())].into(),
    }
}

fn group_config() -> GroupConfig {
    GroupConfig {
        min_session_timeout_ms: 1_000,
        max_session_timeout_ms: 60_000,
        initial_rebalance_delay_ms: 0,
        max_members: 3,
        max_groups: 4,
        offsets_retention_ms: 60_000,
        offset_metadata_max_bytes: 16,
        consumer: ConsumerConfig::default(),
    }
}

impl Fixture {
    fn new() -> Self {
        Self::with(config())
    }

    fn with(config: TxnConfig) -> Self {
        let clock = Arc::new(ManualClock::at(START_MS));
        Self::open(Arc::new(TempDir::new().unwrap()), clock, config)
    }

    fn open(dir: Arc<TempDir>, clock: Arc<ManualClock>, config: TxnConfig) -> Self {
        Self::open_on(Arc::new(RealDisk), dir, clock, config)
    }

    fn open_on(disk: Arc<dyn Disk>, dir: Arc<TempDir>, clock: Arc<ManualClock>, config: TxnConfig) -> Self {
        let options = ManagerOptions {
            data_dir: dir.path().to_owned(),
            node_id: 0,
            defaults: LogConfig::default(),
            partitions_max: 20,
            recovery_threads: 1,
            clock: clock.clone(),
            disk: disk.clone(),
        };
        let logs = Arc::new(LogManager::open(options).unwrap().0);
        for (topic, policy) in [("a", "delete"), ("b", "delete"), (OFFSETS_TOPIC, "compact")] {
            if logs.topic(topic).is_none() {
                logs.create_topic(topic, 2, [("cleanup.policy".into(), policy.into())].into()).unwrap();
            }
        }
        let offsets = logs.topic(OFFSETS_TOPIC).unwrap().partitions().to_vec();
        let groups = Arc::new(group::Coordinator::load(offsets, group_config(), clock.clone()).unwrap());
        let left = Arc::new(AtomicUsize::new(usize::MAX));
        let inner = LogMarkers { logs: logs.clone(), groups: groups.clone() };
        let markers = Box::new(DyingMarkers { inner, left: left.clone() });
        let ids = Arc::new(ProducerIds::open(disk, dir.path()).unwrap());
        let coordinator = Coordinator::load(logs.clone(), markers, ids, config, clock.clone()).unwrap();
        Fixture { coordinator, groups, logs, clock, left, dir }
    }

    /// The broker after it died without any of its good byes.
    fn restarted(self) -> Self {
        let Fixture { coordinator, groups, logs, clock, dir, .. } = self;
        drop((coordinator, groups, logs));
        Self::open(dir, clock, config())
    }

    fn partition(&self, topic: &str, index: i32) -> Arc<Partition> {
        self.logs.partition(topic, index).unwrap()
    }

    /// A producer of the transactional id "tx" that has just been given its id and epoch.
    fn init(&self) -> (i64, i16) {
        self.coordinator.init_producer_id("tx", TIMEOUT_MS, None).unwrap()
    }

    fn add(&self, producer: (i64, i16), places: &[(&str, i32)]) -> Result<(), ErrorCode> {
        self.coordinator.add_partitions(tx(producer), &partitions(places))
    }

    /// Adds a partition and sends a record to it.
    fn send(&self, producer: (i64, i16), place: (&str, i32), sequence: i32, value: &str) {
        self.add(producer, &[place]).unwrap();
        let (id, epoch) = producer;
        send(&self.partition(place.0, place.1), (id, epoch, sequence), "k", value).unwrap();
    }

    fn end(&self, producer: (i64, i16), is_commit: bool) -> Result<(), ErrorCode> {
        self.coordinator.end(tx(producer), is_commit)
    }

    /// What consumers of committed records see of all partitions.
    fn seen(&self) -> Vec<String> {
        let mut seen = Vec::new();
        for place in PLACES {
            seen.extend(
                committed(&self.partition(place.0, place.1), 1 << 20).into_iter().map(|(_, value)| value),
            );
        }
        seen
    }

    fn state(&self) -> &'static str {
        self.coordinator.state_of("tx").unwrap().name()
    }

    /// Whether no partition has a transaction open.
    fn is_settled(&self) -> bool {
        PLACES.iter().all(|(topic, index)| {
            let partition = self.partition(topic, *index);
            partition.last_stable_offset() == partition.log_end_offset()
        })
    }
}

const PLACES: [(&str, i32); 4] = [("a", 0), ("a", 1), ("b", 0), ("b", 1)];

fn tx((id, epoch): (i64, i16)) -> Producer<'static> {
    Producer { transactional_id: "tx", id, epoch }
}

fn partitions(places: &[(&str, i32)]) -> Partitions {
    let mut partitions = Partitions::new();
    for (topic, index) in places {
        partitions.entry((*topic).to_owned()).or_default().insert(*index);
    }
    partitions
}
