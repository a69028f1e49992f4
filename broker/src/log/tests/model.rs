//! One partition against a model, over random histories: appends of plain and idempotent batches, rolls, retention,
//! clean stops, crashes that cut files at random places, leave garbage behind or lose indexes and snapshots.
//!
//! What must hold after every step: each record that is read is the one that was written at that offset; there is
//! no gap between the log's start and its end; what a crash may lose is only what was not flushed; the producers'
//! memory agrees with the log.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;

use proptest::prelude::*;

use super::{Lab, NOON, produced, read_from, values_at};
use crate::log::config::LogConfig;
use crate::log::error::AppendError;
use crate::log::partition::{Origin, Partition};

/// What may be done to a partition.
#[derive(Debug, Clone)]
enum Step {
    /// A batch of so many records.
    Append {
        records: usize,
        value_bytes: usize,
    },
    /// The next batch of a producer.
    Produce {
        producer: i64,
        records: i32,
    },
    /// A producer's last batch again.
    Repeat {
        producer: i64,
    },
    /// A batch that leaves out a sequence.
    Gap {
        producer: i64,
    },
    Flush,
    Tick {
        advance_ms: i64,
    },
    DeleteRecords {
        per_mille: i64,
    },
    CleanStop,
    /// A crash that damages what was not flushed, and files that can be rebuilt.
    Crash {
        damage: Damage,
        at: u64,
    },
}

#[derive(Debug, Clone, Copy)]
enum Damage {
    Nothing,
    CutLog,
    GarbageTail,
    FlipBit,
    LoseIndex,
    LoseTimeIndex,
    CutIndex,
    LoseSnapshots,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let damage = prop_oneof![
        Just(Damage::Nothing),
        Just(Damage::CutLog),
        Just(Damage::GarbageTail),
        Just(Damage::FlipBit),
        Just(Damage::LoseIndex),
        Just(Damage::LoseTimeIndex),
        Just(Damage::CutIndex),
        Just(Damage::LoseSnapshots),
    ];
    let step = prop_oneof![
        8 => (1..6usize, 0..120usize)
            .prop_map(|(records, value_bytes)| Step::Append { records, value_bytes }),
        8 => (0..3i64, 1..4i32).prop_map(|(producer, records)| Step::Produce { producer, records }),
        3 => (0..3i64).prop_map(|producer| Step::Repeat { producer }),
        2 => (0..3i64).prop_map(|producer| Step::Gap { producer }),
        3 => Just(Step::Flush),
        1 => (0..2000i64).prop_map(|advance_ms| Step::Tick { advance_ms }),
        1 => (0..1000i64).prop_map(|per_mille| Step::DeleteRecords { per_mille }),
        1 => Just(Step::CleanStop),
        3 => (damage, any::<u64>()).prop_map(|(damage, at)| Step::Crash { damage, at }),
    ];
    prop::collection::vec(step, 1..60)
}

/// A producer as its client sees it: its id, the next sequence, and its last batch (sequence, records, offset).
#[derive(Debug, Default, Clone)]
struct Client {
    id: i64,
    next_sequence: i32,
    last: Option<(i32, i32, i64)>,
}

struct Model {
    lab: Lab,
    partition: Partition,
    records: BTreeMap<i64, String>,
    clients: BTreeMap<i64, Client>,
    next_id: i64,
    log_start: i64,
    appended: usize,
}

impl Model {
    fn new() -> Self {
        let config = LogConfig {
            segment_bytes: 700,
            index_interval_bytes: 80,
            retention_ms: 3000,
            ..LogConfig::default()
        };
        let lab = Lab::with(config);
        let partition = lab.open();
        Model {
            lab,
            partition,
            records: BTreeMap::new(),
            clients: BTreeMap::new(),
            next_id: 0,
            log_start: 0,
            appended: 0,
        }
    }

    fn apply(&mut self, step: &Step) {
        match step {
            Step::Append { records, value_bytes } => self.append(*records, *value_bytes),
            Step::Produce { producer, records } => self.produce(*producer, *records),
            Step::Repeat { producer } => self.repeat(*producer),
            Step::Gap { producer } => self.gap(*producer),
            Step::Flush => self.partition.flush_to(i64::MAX).unwrap(),
            Step::Tick { advance_ms } => {
                self.lab.clock.advance(*advance_ms);
                let now_ms = crate::log::Clock::now_ms(self.lab.clock.as_ref());
                self.partition.flush_if_due(now_ms).unwrap();
                self.partition.apply_retention(now_ms).unwrap();
                self.log_start = self.partition.log_start_offset();
            }
            Step::DeleteRecords { per_mille } => {
                let (start, end) = (self.partition.log_start_offset(), self.partition.log_end_offset());
                self.log_start =
                    self.partition.delete_records_before(start + (end - start) * per_mille / 1000).unwrap();
            }
            Step::CleanStop => {
                self.partition.close().unwrap();
                self.reopen(true);
            }
            Step::Crash { damage, at } => self.crash(*damage, *at),
        }
        self.check();
    }

    fn append(&mut self, records: usize, value_bytes: usize) {
        let filler = "x".repeat(value_bytes);
        let texts: Vec<String> = (0..records).map(|n| format!("{}.{n} {filler}", self.appended)).collect();
        self.appended += 1;
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let timestamp = crate::log::Clock::now_ms(self.lab.clock.as_ref());
        let appended = match self.partition.append(&mut values_at(timestamp, &texts)) {
            Ok(appended) => appended,
            Err(AppendError::LargerThanSegment { .. }) => return,
            Err(error) => panic!("{error}"),
        };
        self.note(appended.base_offset, texts.into_iter().map(str::to_owned));
    }

    fn note(&mut self, base_offset: i64, values: impl Iterator<Item = String>) {
        for (offset, value) in (base_offset..).zip(values) {
            assert_eq!(self.records.insert(offset, value), None, "offset {offset} was given twice");
        }
    }

    fn produce(&mut self, producer: i64, count: i32) {
        let fresh = Client { id: self.next_id, ..Client::default() };
        let client = self.clients.entry(producer).or_insert_with(|| {
            self.next_id += 1;
            fresh
        });
        let (id, first) = (client.id, client.next_sequence);
        let appended = self.partition.append(&mut produced(id, 0, first, count)).unwrap();
        assert!(!appended.duplicate);
        client.last = Some((first, count, appended.base_offset));
        client.next_sequence = first + count;
        self.note(appended.base_offset, (first..first + count).map(|n| format!("{id}/0/{n}")));
    }

    fn repeat(&mut self, producer: i64) {
        let Some(client) = self.clients.get(&producer) else { return };
        let Some((first, count, offset)) = client.last else { return };
        let appended = self.partition.append(&mut produced(client.id, 0, first, count)).unwrap();
        assert!(appended.duplicate);
        assert_eq!((appended.base_offset, appended.last_offset), (offset, offset + i64::from(count) - 1));
    }

    fn gap(&mut self, producer: i64) {
        let Some(client) = self.clients.get(&producer) else { return };
        let mut ahead = produced(client.id, 0, client.next_sequence + 1, 1);
        let error = self.partition.append(&mut ahead).unwrap_err();
        assert!(matches!(error, AppendError::OutOfOrderSequence { .. }));
    }

    fn crash(&mut self, damage: Damage, at: u64) {
        let durable = self.partition.flushed_offset();
        self.damage(damage, at, durable.max(self.log_start));
        let recovered = self.reopen(false);
        assert!(
            recovered >= durable,
            "offsets before {durable} were durable, and the log ends at {recovered}"
        );
        self.records.split_off(&recovered);
        // whose last batches are gone takes a new producer id; a log that lost its snapshots has forgotten
        // those whose batches were deleted
        let log_start = self.log_start;
        self.clients.retain(|_, client| {
            client.last.is_some_and(|(_, _, offset)| (log_start..recovered).contains(&offset))
        });
    }

    /// Damages files, but no batch before an offset.
    fn damage(&self, damage: Damage, at: u64, durable: i64) {
        let position = self.partition.read(durable, 1, true).unwrap().position;
        let segments = self.partition.segments();
        let holding = segments.iter().rev().find(|segment| segment.base_offset() <= durable).unwrap();
        let log = OpenOptions::new().write(true).open(holding.path()).unwrap();
        let undurable = u64::from(holding.size()) - position.min(u64::from(holding.size()));
        let somewhere = position + at % undurable.max(1);
        match damage {
            Damage::Nothing => {}
            Damage::CutLog if undurable > 0 => log.set_len(somewhere).unwrap(),
            Damage::FlipBit if undurable > 0 => log.write_all_at(&[at as u8], somewhere).unwrap(),
            Damage::CutLog | Damage::FlipBit => {}
            Damage::GarbageTail => {
                let last = segments.last().unwrap();
                let tail: Vec<u8> = (0..at % 200).map(|n| (n.wrapping_mul(at) % 251) as u8).collect();
                let log = OpenOptions::new().write(true).open(last.path()).unwrap();
                log.write_all_at(&tail, u64::from(last.size())).unwrap();
            }
            Damage::LoseIndex => self.lose("index", at),
            Damage::LoseTimeIndex => self.lose("timeindex", at),
            Damage::CutIndex => {
                for name in self.lab.files("index") {
                    let path = self.lab.path(&name);
                    let len = fs::metadata(&path).unwrap().len();
                    OpenOptions::new().write(true).open(path).unwrap().set_len(at % (len + 1)).unwrap();
                }
            }
            Damage::LoseSnapshots => {
                for name in self.lab.files("snapshot") {
                    fs::remove_file(self.lab.path(&name)).unwrap();
                }
            }
        }
    }

    fn lose(&self, suffix: &str, at: u64) {
        let files = self.lab.files(suffix);
        fs::remove_file(self.lab.path(&files[at as usize % files.len()])).unwrap();
    }

    /// Opens the partition as the checkpoints describe it; returns the log's end.
    fn reopen(&mut self, clean: bool) -> i64 {
        let recovery_point = self.partition.flushed_offset();
        let origin = Origin { log_start: self.log_start, ..self.lab.origin(clean, recovery_point) };
        let (partition, report) = Partition::open(origin).unwrap();
        if clean {
            assert_eq!(report, crate::log::RecoveryReport::default());
        }
        self.partition = partition;
        self.partition.log_end_offset()
    }

    fn check(&self) {
        let (start, end) = (self.partition.log_start_offset(), self.partition.log_end_offset());
        assert_eq!(start, self.log_start);
        let read: Vec<_> = read_from(&self.partition, start, 250)
            .into_iter()
            .map(|r| (r.offset, r.value.unwrap()))
            .collect();
        let wanted: Vec<_> =
            self.records.range(start..).map(|(offset, value)| (*offset, value.clone())).collect();
        assert_eq!(read, wanted);
        assert!(read.len() as i64 == end - start, "{} records in {start}..{end}", read.len());
        if let Some(found) = self.partition.offset_for_timestamp(NOON).unwrap() {
            assert_eq!(found.offset, start);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn a_partition_is_what_was_written_to_it(steps in steps()) {
        let mut model = Model::new();
        for step in &steps {
            model.apply(step);
        }
    }
}
