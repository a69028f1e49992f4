//! Random faults, random kills, several files and partitions: at the end each line is in its topic once, in its file's order.
//!
//! A failing case prints its seed; `LOGAGENT_SEEDS=7..8` runs it alone, `LOGAGENT_SEEDS=0..1000` looks further.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use wire::error_code::ErrorCode;

use super::broker::Fault;
use super::{Agent, Broker, LINE, LONG, assert_exactly, config, file, text};
use crate::checkpoint::State;
use crate::model::FileRef;
use crate::ship::{Config, Shipper};

const SEEDS: std::ops::Range<u64> = 0..40;
const FILES: u64 = 3;
const LINES: usize = 120;

/// Faults after which the same producer id goes on, so that nothing may repeat.
const FAULTS: [Fault; 9] = [
    Fault::CloseBefore,
    Fault::CloseAfter,
    Fault::CloseAfter,
    Fault::Garbage,
    Fault::Refuse(ErrorCode::NotLeaderOrFollower),
    Fault::Refuse(ErrorCode::NotEnoughReplicas),
    Fault::Refuse(ErrorCode::CorruptMessage),
    Fault::AppendAndRefuse(ErrorCode::RequestTimedOut),
    Fault::AppendAndRefuse(ErrorCode::NotEnoughReplicasAfterAppend),
];

/// What the tails remember, were they real: how far each file was handed over.
type Positions = BTreeMap<u64, usize>;

struct Run {
    random: StdRng,
    agent: Agent,
    broker: Broker,
    files: Vec<Arc<FileRef>>,
}

impl Run {
    async fn new(seed: u64) -> Self {
        let broker = Broker::start().await;
        broker.world.lock().topics.insert("app".to_owned(), 2);
        let files = (0..FILES).map(|generation| file("app", generation)).collect();
        Self { random: StdRng::seed_from_u64(seed), agent: Agent::new(), broker, files }
    }

    fn settings(&mut self) -> Config {
        let max_in_flight = self.random.random_range(1..=5);
        // always under what the broker takes, and never the same: intents must not depend on it
        let max_batch_bytes = self.random.random_range(1024..4096);
        Config { max_in_flight, max_batch_bytes, ..config(&self.broker) }
    }

    fn plan_faults(&mut self) {
        let faults: Vec<_> = (0..self.random.random_range(0..30))
            .map(|_| {
                let index = self.random.random_range(0..FAULTS.len() * 2);
                FAULTS.get(index).copied()
            })
            .collect();
        self.broker.world.lock().faults = faults.into();
    }

    /// Hands the open intents over and says where each file goes on.
    async fn resume(&self, shipper: &Shipper, state: &State, acknowledged: &Positions) -> Positions {
        let mut positions = acknowledged.clone();
        for intent in &state.intents {
            let contents = text(0, LINES);
            let data =
                Bytes::copy_from_slice(&contents.as_bytes()[intent.start as usize..intent.end as usize]);
            shipper.resend(intent.clone(), Some(data)).await;
            let end = (intent.end / LINE) as usize;
            let position = positions.entry(intent.file.generation.0).or_default();
            *position = end.max(*position);
        }
        positions
    }

    /// Ships for a while; returns whether all was shipped.
    async fn ship(&mut self, shipper: &Shipper, positions: &mut Positions) -> bool {
        for _ in 0..self.random.random_range(1..40) {
            let file = self.files[self.random.random_range(0..self.files.len())].clone();
            let position = positions.entry(file.generation.0).or_default();
            let count = self.random.random_range(1..=20).min(LINES - *position);
            if count > 0 {
                let chunk = self.agent.chunk(&file, *position as u64 * LINE, &text(*position, count));
                *position += count;
                shipper.ship(chunk).await;
            }
        }
        positions.len() == FILES as usize && positions.values().all(|position| *position == LINES)
    }

    /// How far each file was recorded: acknowledged or in an open intent. What was handed over but not recorded is read
    /// again.
    fn recorded(&self, positions: &Positions) -> Positions {
        let state = self.agent.state();
        positions
            .keys()
            .map(|generation| {
                let unsent = state.unsent(&file("app", *generation).key());
                (*generation, (unsent.from / LINE) as usize)
            })
            .collect()
    }

    fn check(&self) {
        for file in &self.files {
            let all = [self.broker.lines("app", 0), self.broker.lines("app", 1)].concat();
            let of_file: Vec<_> =
                all.into_iter().filter(|line| line.header("file") == file.generation.to_string()).collect();
            assert_exactly(&of_file, LINES);
        }
        assert_eq!(self.broker.world.lock().producer_ids, 1);
    }
}

async fn run(seed: u64) {
    let mut run = Run::new(seed).await;
    let mut recorded = Positions::new();
    loop {
        run.plan_faults();
        let settings = run.settings();
        let (shipper, state) = run.agent.start(settings);
        run.agent.track(&run.files);
        let mut positions = run.resume(&shipper, &state, &recorded).await;
        let all = run.ship(&shipper, &mut positions).await;
        if all {
            shipper.drain(LONG).await;
            return run.check();
        }
        // let some of it happen before the kill
        tokio::time::sleep(Duration::from_micros(run.random.random_range(0..5000))).await;
        run.agent.kill(shipper).await;
        recorded = run.recorded(&positions);
    }
}

fn seeds() -> std::ops::Range<u64> {
    let Ok(range) = std::env::var("LOGAGENT_SEEDS") else { return SEEDS };
    let (first, end) = range.split_once("..").expect("LOGAGENT_SEEDS is FIRST..END");
    first.parse().unwrap()..end.parse().unwrap()
}

#[tokio::test]
async fn every_line_is_appended_once_whatever_happens() {
    for seed in seeds() {
        println!("seed {seed}");
        run(seed).await;
    }
}
