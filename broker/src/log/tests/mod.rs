//! What the tests of the log share: a partition in a temporary directory with a clock and a disk that obey, and
//! short ways to write and read records.

use std::path::PathBuf;
use std::sync::Arc;

use tempfile::TempDir;
use wire::record::{BatchBuilder, Compression, batch};

use super::clock::ManualClock;
use super::config::LogConfig;
use super::disk::Disk;
use super::error::StorageError;
use super::partition::{Origin, Partition, RecoveryReport};

pub(crate) use faulty_disk::{Fault, FaultyDisk};
pub(crate) use sim::SimDisk;
pub(crate) use transactional::{abort, commit, committed, send};

mod checkpoints;
mod cleaning;
mod configs;
mod faulty_disk;
mod open_files;
mod power;
mod room;
mod sim;
pub(crate) mod transactional;

/// When the tests' clock starts, milliseconds.
pub(crate) const NOON: i64 = 1_790_000_000_000;

/// A partition's surroundings.
pub(crate) struct Lab {
    pub(crate) dir: TempDir,
    pub(crate) disk: Arc<FaultyDisk>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) config: LogConfig,
}

impl Lab {
    pub(crate) fn new() -> Self {
        Lab::with(LogConfig::default())
    }

    pub(crate) fn with(config: LogConfig) -> Self {
        Lab {
            dir: TempDir::new().unwrap(),
            disk: Arc::default(),
            clock: Arc::new(ManualClock::at(NOON)),
            config,
        }
    }

    /// Small segments, and an index entry for nearly every batch.
    pub(crate) fn small() -> Self {
        Lab::with(LogConfig { segment_bytes: 1000, index_interval_bytes: 100, ..LogConfig::default() })
    }

    /// Opens the partition as after a crash that left nothing known to be durable.
    pub(crate) fn open(&self) -> Partition {
        self.open_as(false, 0).0
    }

    pub(crate) fn open_clean(&self) -> (Partition, RecoveryReport) {
        self.open_as(true, 0)
    }

    pub(crate) fn open_as(&self, clean: bool, recovery_point: i64) -> (Partition, RecoveryReport) {
        Partition::open(self.origin(clean, recovery_point)).unwrap()
    }

    pub(crate) fn try_open(&self) -> Result<(Partition, RecoveryReport), StorageError> {
        Partition::open(self.origin(false, 0))
    }

    pub(crate) fn origin(&self, clean: bool, recovery_point: i64) -> Origin {
        let disk: Arc<dyn Disk> = self.disk.clone();
        Origin {
            name: "t-0".to_owned(),
            dir: self.dir.path().to_path_buf(),
            disk,
            clock: self.clock.clone(),
            config: Arc::new(self.config.clone()),
            clean,
            recovery_point,
            log_start: 0,
            first_dirty: 0,
        }
    }

    /// The path of a file in the partition's directory.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The names of the files with an ending, in order.
    pub(crate) fn files(&self, suffix: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.dir.path()).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.retain(|name| name.ends_with(&format!(".{suffix}")));
        names.sort();
        names
    }
}

/// A batch of values without keys, timestamp [`NOON`].
pub(crate) fn values(values: &[&str]) -> Vec<u8> {
    values_at(NOON, values)
}

/// A batch of values without keys, the timestamps counting up from `timestamp`.
pub(crate) fn values_at(timestamp: i64, values: &[&str]) -> Vec<u8> {
    let mut builder = BatchBuilder::new(Compression::None);
    for (timestamp, value) in (timestamp..).zip(values) {
        builder.append(timestamp, None, Some(value.as_bytes()), &[]).unwrap();
    }
    builder.finish().unwrap().to_vec()
}

/// A batch of `count` records of an idempotent producer.
pub(crate) fn produced(id: i64, epoch: i16, base_sequence: i32, count: i32) -> Vec<u8> {
    let mut builder = BatchBuilder::new(Compression::None).producer(id, epoch, base_sequence);
    for number in 0..count {
        let value = format!("{id}/{epoch}/{}", base_sequence.wrapping_add(number));
        builder.append(NOON, None, Some(value.as_bytes()), &[]).unwrap();
    }
    builder.finish().unwrap().to_vec()
}

/// A batch of keys with values; no value is a tombstone.
pub(crate) fn keyed(timestamp: i64, compression: Compression, records: &[(&str, Option<&str>)]) -> Vec<u8> {
    let mut builder = BatchBuilder::new(compression);
    for (key, value) in records {
        builder.append(timestamp, Some(key.as_bytes()), value.map(str::as_bytes), &[]).unwrap();
    }
    builder.finish().unwrap().to_vec()
}

/// A record as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Read {
    pub(crate) offset: i64,
    pub(crate) key: Option<String>,
    pub(crate) value: Option<String>,
}

/// All records from `offset` on, fetched `max_bytes` at a time, with every CRC checked.
pub(crate) fn read_from(partition: &Partition, offset: i64, max_bytes: u32) -> Vec<Read> {
    let mut records: Vec<Read> = Vec::new();
    let mut next = offset;
    while next < partition.log_end_offset() {
        let slice = partition.read(next, max_bytes, true).unwrap();
        if slice.len == 0 {
            break;
        }
        let bytes = slice.read_bytes().unwrap();
        // the last batch may be cut off
        for (header, bytes) in batch::batches(&bytes).map_while(Result::ok) {
            batch::verify_crc(bytes).unwrap();
            let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
            for record in batch::records(bytes, 1 << 20).unwrap().iter().map(Result::unwrap) {
                let (key, value) = (record.key.map(text), record.value.map(text));
                if record.offset >= offset {
                    records.push(Read { offset: record.offset, key, value });
                }
            }
            next = header.last_offset() + 1;
        }
    }
    records
}

/// All values with their offsets.
pub(crate) fn read_values(partition: &Partition) -> Vec<(i64, String)> {
    let records = read_from(partition, partition.log_start_offset(), 300);
    records.into_iter().map(|record| (record.offset, record.value.unwrap_or_default())).collect()
}
