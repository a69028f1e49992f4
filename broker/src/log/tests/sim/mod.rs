//! The log under a simulated disk: random histories of appends, upkeep, restarts and losses of power, each of which
//! follows from a seed.
//!
//! | file | what it is |
//! |---|---|
//! | `node` | what the disk has of a file and of a directory, and what a crash leaves of it |
//! | `disk` | the disk: page cache, faults, the moment the power fails |
//! | `model` | what must be in the log |
//! | `ledger` | what must be said of its transactions |
//! | `world` | a data directory with clients: opening it, stopping it, comparing it with the model |
//! | `steps` | what is done to it |
//! | `transactions` | what transactional producers and their coordinator do to it |
//! | `planted` | bugs that must be found |
//!
//! What must hold, after each opening and at the end: nothing that was said to be durable is lost but by retention and
//! compaction; no offset is given twice; what is read is what was written, byte for byte; indexes and snapshots
//! agree with the segments; a batch that is in the log is recognised when it is sent again, a gap is refused; the
//! log's start moves only by retention and DeleteRecords, and back no further than to its checkpoint. Of transactions:
//! those are open that have batches in the log and no marker, and the last stable offset is where the first of them
//! begins; consumers of committed records are given those and no others; older producers and coordinators stay fenced.
//!
//! A violation prints its seed and the history. `LOGAGENT_SEEDS=7..8` runs it alone, `LOGAGENT_SEEDS=0..100000` looks
//! further, `LOGAGENT_SOAK_MINUTES=60` goes on from the first seed for so long; `make soak` does either.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use self::disk::{Counts, Lie};
use self::model::Stop;
use self::world::World;

mod disk;
mod ledger;
mod model;
mod node;
mod planted;
mod steps;
mod transactions;
mod world;

pub(crate) use self::disk::SimDisk;

const SEEDS: Range<u64> = 0..1000;
const STEPS: u32 = 40;

/// Returns a sentence when something does not hold.
macro_rules! ensure {
    ($holds:expr, $($sentence:tt)+) => {
        if !$holds {
            return Err(format!($($sentence)+));
        }
    };
}
use ensure;

/// Lives through a history; the error is the first violation and what led to it.
fn run(seed: u64, lie: Option<Lie>) -> Result<Counts, String> {
    let mut world = World::new(seed, lie);
    let live = |world: &mut World| -> Result<(), String> {
        world.stir();
        world.open(Stop { clean: false, power: false, sync_failed: false })?;
        for _ in 0..STEPS {
            world.step()?;
        }
        world.finish()
    };
    let lived = catch_unwind(AssertUnwindSafe(|| live(&mut world)));
    let lived = lived.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Err(text.unwrap_or_default())
    });
    match lived {
        Ok(()) => Ok(world.counts()),
        Err(violation) => {
            Err(format!("seed {seed}: {violation}\n{:#?}\n  {}", world.config, world.trace.join("\n  ")))
        }
    }
}

/// The seeds to run and for how long.
struct Plan {
    seeds: Range<u64>,
    until: Option<Instant>,
}

impl Plan {
    /// As the environment says.
    fn read() -> Self {
        let variable = |name| std::env::var(name).ok().filter(|text| !text.is_empty());
        let minutes = variable("LOGAGENT_SOAK_MINUTES").map(|text| text.parse::<f64>().unwrap());
        let seeds = variable("LOGAGENT_SEEDS").map(|range| {
            let (first, end) = range.split_once("..").expect("LOGAGENT_SEEDS is FIRST..END");
            first.parse().unwrap()..end.parse().unwrap()
        });
        // a soak without seeds goes where none has been
        let fresh = || std::time::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_secs() * 1000);
        match minutes {
            Some(minutes) => {
                let first = seeds.map_or_else(fresh, |seeds| seeds.start);
                let until = Instant::now() + Duration::from_secs_f64(60.0 * minutes);
                Plan { seeds: first..u64::MAX, until: Some(until) }
            }
            None => Plan { seeds: seeds.unwrap_or(SEEDS), until: None },
        }
    }
}

fn add(total: &mut Counts, more: Counts) {
    total.crashes += more.crashes;
    total.errors += more.errors;
    total.full += more.full;
    total.sync_errors += more.sync_errors;
    total.syncs += more.syncs;
}

/// Runs the plan on all processors; returns the number of seeds, the last one, and what happened in them.
fn run_all(plan: &Plan) -> Result<(u64, u64, Counts), String> {
    let next = AtomicU64::new(plan.seeds.start);
    let stop = AtomicBool::new(false);
    let result = Mutex::new((Counts::default(), None));
    let work = || {
        while !stop.load(Ordering::Relaxed) && plan.until.is_none_or(|until| Instant::now() < until) {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= plan.seeds.end {
                return;
            }
            match run(seed, None) {
                Ok(counts) => add(&mut result.lock().0, counts),
                Err(violation) => {
                    stop.store(true, Ordering::Relaxed);
                    result.lock().1.get_or_insert(violation);
                }
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    let end = next.into_inner().min(plan.seeds.end);
    match result.into_inner() {
        (_, Some(violation)) => Err(violation),
        (counts, None) => Ok((end - plan.seeds.start, end.saturating_sub(1), counts)),
    }
}

#[test]
fn what_was_acknowledged_survives_whatever_the_disk_does() {
    let plan = Plan::read();
    let begin = Instant::now();
    let (seeds, last, counts) = run_all(&plan).unwrap_or_else(|violation| panic!("{violation}"));
    let per_second = seeds as f64 / begin.elapsed().as_secs_f64();
    println!("{seeds} seeds, {per_second:.1} a second, the last one {last}: {counts:?}");
    // a simulation in which nothing goes wrong proves nothing
    if seeds >= 100 {
        assert!(counts.crashes > seeds && counts.errors > 0 && counts.full > 0 && counts.sync_errors > 0);
    }
}

#[test]
fn a_seed_is_one_history() {
    for seed in 0..20 {
        assert_eq!(format!("{:?}", run(seed, None)), format!("{:?}", run(seed, None)), "seed {seed}");
    }
}
