//! Random histories of writing, rotation, crashes and outages; the seed is printed.

use std::fs::File;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::{Death, World};

/// How logrotate is configured in a history.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Rotation {
    Rename,
    CopyTruncate,
}

struct Storm {
    world: World,
    random: StdRng,
    writer: File,
    lines: usize,
    rotations: usize,
    rotation: Rotation,
    /// The agent may not have seen what is in the file: renamed or copied out of the glob now, it would never be known.
    fresh: bool,
}

impl Storm {
    fn new(seed: u64, rotation: Rotation, glob: &str) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let mut world = World::new(&[(glob, "app")]);
        world.config.read_block_bytes = random.random_range(512..4096);
        world.config.max_line_bytes = 400;
        // half a line is never left behind here, so it is never sent as one
        world.config.partial_line_timeout_ms = 3_600_000;
        let writer = File::options().create(true).append(true).open(world.path("app.log")).unwrap();
        world.start();
        Self { world, random, writer, lines: 0, rotations: 0, rotation, fresh: true }
    }

    fn write(&mut self) {
        let count = self.random.random_range(1..40);
        for _ in 0..count {
            let line = format!("line {} {}", self.lines, "x".repeat(self.random.random_range(0..300)));
            self.lines += 1;
            self.world.write_to(&mut self.writer, &[&line]);
        }
    }

    async fn rotate(&mut self) {
        if self.fresh {
            self.seen().await;
            if self.fresh {
                return;
            }
        }
        self.rotations += 1;
        let name = format!("app.log.{}", self.rotations);
        match self.rotation {
            Rotation::Rename => {
                self.world.rename("app.log", &name);
                // the writer goes on with the old file for a while
                if self.random.random() {
                    self.write();
                }
                let path = self.world.path("app.log");
                self.writer = File::options().create(true).append(true).open(path).unwrap();
                self.fresh = true;
            }
            Rotation::CopyTruncate => {
                self.world.copytruncate("app.log", &name);
                self.write();
                // what is written into the file between two truncations is only safe once it was seen
                self.seen().await;
            }
        }
    }

    /// Waits until the agent, if it lives, knows the file as it is now.
    async fn seen(&mut self) {
        // an empty file is not looked for by what arrives
        self.write();
        let world = &self.world;
        world.broker.set_answering(true);
        world.broker.until("it arrives", || world.is_dead() || world.has_arrived()).await;
        self.fresh = world.is_dead();
    }

    async fn crash(&mut self) {
        if self.random.random() {
            let points = [Death::BeforeIntent, Death::BeforeSend, Death::BeforeAnswer, Death::AfterAnswer];
            let point = points[self.random.random_range(0..4)];
            self.world.broker.kill_at(self.random.random_range(0..3), point);
            self.write();
            self.world.broker.set_answering(true);
            let world = &self.world;
            world.broker.until("it dies or is done", || world.is_dead() || world.has_arrived()).await;
            self.world.broker.spare();
        }
        self.world.kill().await;
        if self.rotation == Rotation::Rename && self.random.random() {
            self.write();
            self.rotate().await;
        }
        self.world.start();
    }

    async fn run(mut self, steps: usize) {
        for _ in 0..steps {
            match self.random.random_range(0..10) {
                0..5 => self.write(),
                5..7 => self.rotate().await,
                7 => self.crash().await,
                8 => self.world.broker.set_answering(self.random.random()),
                _ => tokio::task::yield_now().await,
            }
        }
        self.world.broker.set_answering(true);
        self.world.each_line_arrives_once().await;
        assert_eq!(self.world.broker.lost(), 0);
        assert_eq!(self.world.metrics.abandoned_bytes.get(), 0);
        self.world.stop().await;
    }
}

async fn storms(rotation: Rotation, glob: &str) {
    let first: u64 = std::env::var("LOGAGENT_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    for seed in first..first + 6 {
        println!("{rotation:?} of {glob} with LOGAGENT_SEED={seed}");
        Storm::new(seed, rotation, glob).run(30).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn renaming_under_crashes_and_outages_repeats_and_loses_nothing() {
    storms(Rotation::Rename, "app.log").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn renaming_within_the_glob_repeats_and_loses_nothing() {
    storms(Rotation::Rename, "app.log*").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn truncating_under_crashes_and_outages_repeats_and_loses_nothing() {
    storms(Rotation::CopyTruncate, "app.log").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn truncating_within_the_glob_repeats_and_loses_nothing() {
    storms(Rotation::CopyTruncate, "app.log*").await;
}
