//! One partition: a directory of segments, appended to at the end, read anywhere, deleted from the front.
//!
//! Appends come under one lock, `writer`; readers do not take it: they see the list of segments, each segment's
//! published size and the log's end, which is published before the size. So a reader never waits for the disk on
//! behalf of a writer, and a segment that retention deletes stays readable for whoever found it before.
//!
//! | file | what it does |
//! |---|---|
//! | `append` | gives batches offsets, writes them |
//! | `check` | which batches may be appended |
//! | `recompress` | gives batches the topic's codec |
//! | `roll` | closes the active segment and begins the next |
//! | `flush` | one fdatasync for all that wait |
//! | `read`, `times` | finds file ranges by offset, offsets by timestamp |
//! | `transactions` | markers, the last stable offset, reading what is committed |
//! | `retain` | deletes old segments |
//! | `maintenance` | who may remove or replace segments, and what goes on meanwhile |
//! | `traffic` | bytes in and out |
//! | `create` | a new partition's first files |
//! | `recover`, `recover_producers` | opens the directory after a clean stop or a crash |

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, AtomicI64, AtomicU8, Ordering};

use parking_lot::{Mutex, RwLock};
use tokio::sync::watch;
use wire::record::BatchHeader;

use self::flush::Flusher;
use self::maintenance::Maintenance;
use self::traffic::Traffic;
use super::clock::Clock;
use super::config::LogConfig;
use super::disk::Disk;
use super::epochs::LeaderEpochs;
use super::error::StorageError;
use super::producer::{KnownProducer, Producers, snapshot};
use super::segment::Segment;

mod append;
mod check;
mod create;
mod flush;
mod maintenance;
mod read;
mod recompress;
mod recover;
mod recover_producers;
mod retain;
mod roll;
#[cfg(test)]
mod tests;
mod times;
mod traffic;
mod transactions;

pub use append::Appended;
pub use flush::Durable;
pub use read::ReadSlice;
pub(crate) use recover::Origin;
pub use recover::RecoveryReport;
pub use times::TimestampOffset;

/// Bytes that the records of one batch may decompress to where the log itself looks into a batch.
pub(crate) const RECORDS_BYTES_MAX: usize = 128 << 20;

const OPEN: u8 = 0;
const OFFLINE: u8 = 1;
const CLOSED: u8 = 2;

/// One partition of a topic.
#[derive(Debug)]
pub struct Partition {
    /// `topic-0`, as the directory is called.
    name: String,
    dir: PathBuf,
    disk: Arc<dyn Disk>,
    clock: Arc<dyn Clock>,
    config: RwLock<Arc<LogConfig>>,
    segments: RwLock<BTreeMap<i64, Arc<Segment>>>,
    log_start: AtomicI64,
    log_end: AtomicI64,
    /// Where the oldest open transaction begins, or `STABLE`.
    first_unstable: AtomicI64,
    /// What is appended is stamped with this epoch.
    leader_epoch: AtomicI32,
    writer: Mutex<Writer>,
    status: AtomicU8,
    high_watermark: watch::Sender<i64>,
    flusher: Flusher,
    maintenance: Maintenance,
    /// Segments that are no longer part of the log, oldest first, whose files are still to be removed.
    retired: Mutex<VecDeque<Arc<Segment>>>,
    traffic: Traffic,
}

/// What only appends use.
#[derive(Debug)]
struct Writer {
    active: Arc<Segment>,
    /// The largest timestamp of the active segment's first batch, milliseconds.
    first_timestamp: Option<i64>,
    /// When the active segment was created or opened, milliseconds.
    active_since_ms: i64,
    /// A roll has failed and may have left the next segment's files: nothing may be appended before that segment.
    must_roll: bool,
    producers: Producers,
    epochs: LeaderEpochs,
}

impl Partition {
    /// `topic-0`, as the directory is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where the files are.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The first offset there is.
    pub fn log_start_offset(&self) -> i64 {
        self.log_start.load(Ordering::Acquire)
    }

    /// The offset that the next record will get.
    pub fn log_end_offset(&self) -> i64 {
        self.log_end.load(Ordering::Acquire)
    }

    /// The offset before which records may be consumed: the log's end, as long as there is one replica.
    pub fn high_watermark(&self) -> i64 {
        self.log_end_offset()
    }

    /// The high watermark as it grows, for fetches that wait. Subscribe before reading, so that no append is
    /// missed in between.
    pub fn watch_high_watermark(&self) -> watch::Receiver<i64> {
        self.high_watermark.subscribe()
    }

    /// The epoch of the leader, which stamps what it appends.
    pub fn leader_epoch(&self) -> i32 {
        self.leader_epoch.load(Ordering::Acquire)
    }

    /// The end offset of a leader epoch, as OffsetForLeaderEpoch answers it: the epoch itself or the largest
    /// known one below it, and the offset at which the next began. `None` when it is newer than all that are known.
    pub fn end_offset_of_epoch(&self, epoch: i32) -> Option<(i32, i64)> {
        self.writer.lock().epochs.end_offset(epoch, self.log_end_offset())
    }

    /// Bytes of all segments.
    pub fn size_bytes(&self) -> u64 {
        self.segments.read().values().map(|segment| u64::from(segment.size())).sum()
    }

    /// The number of segments.
    pub fn segment_count(&self) -> usize {
        self.segments.read().len()
    }

    /// The number of idempotent producers that are remembered.
    pub fn producer_count(&self) -> usize {
        self.writer.lock().producers.len()
    }

    /// The idempotent producers that are remembered, by id.
    pub(crate) fn producers(&self) -> Vec<KnownProducer> {
        let mut known: Vec<KnownProducer> = self.writer.lock().producers.describe().collect();
        known.sort_unstable_by_key(|producer| producer.id);
        known
    }

    /// The settings in force.
    pub fn config(&self) -> Arc<LogConfig> {
        Arc::clone(&self.config.read())
    }

    /// Replaces the settings; they hold from the next append, read and tick on.
    pub fn set_config(&self, config: Arc<LogConfig>) {
        *self.config.write() = config;
    }

    /// Whether a disk failure has taken the partition out of service.
    pub fn is_offline(&self) -> bool {
        self.status.load(Ordering::Acquire) == OFFLINE
    }

    /// Completes the indexes, flushes everything and remembers the producers, so that the next start trusts the
    /// files. Appends after it are refused. A compaction that is going on gives way and is not waited for any longer.
    pub fn close(&self) -> Result<(), StorageError> {
        let _maintenance = self.maintenance();
        let writer = self.writer.lock();
        self.check_open()?;
        writer.active.close(self.disk.as_ref())?;
        self.flush_to(self.log_end_offset())?;
        // the next start trusts these too, even if the power fails meanwhile; also of a segment that was closed when it was durable
        // already, which no flush has come by since
        self.segments().iter().try_for_each(|segment| segment.sync_indexes(self.disk.as_ref()))?;
        snapshot::write(self.disk.as_ref(), &self.dir, self.log_end_offset(), &writer.producers)?;
        self.status.store(CLOSED, Ordering::Release);
        Ok(())
    }

    /// Refuses everything from now on; the files are about to be deleted.
    pub(crate) fn abandon(&self) {
        // who is removing or replacing files does so by names that may soon be those of another topic's
        let _maintenance = self.maintenance();
        let _writer = self.writer.lock();
        self.status.store(CLOSED, Ordering::Release);
        // the directory's name may soon be that of another topic's: no reader may open an index by it
        self.segments().iter().for_each(|segment| segment.detach());
        self.flusher.fail();
        // whoever waits for records learns from the next read that there will be none
        self.high_watermark.send_modify(|_| {});
    }

    /// Forgets the idempotent producers that have been silent for too long.
    pub(crate) fn expire_producers(&self, now_ms: i64) {
        let expiration_ms = self.config().producer_id_expiration_ms;
        self.writer.lock().producers.expire(now_ms, expiration_ms);
    }

    pub(crate) fn disk(&self) -> &dyn Disk {
        self.disk.as_ref()
    }

    pub(crate) fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    /// Refuses when the partition is offline or closed.
    pub(crate) fn check_open(&self) -> Result<(), StorageError> {
        match self.status.load(Ordering::Acquire) {
            OPEN => Ok(()),
            OFFLINE => Err(StorageError::Offline(self.name.clone())),
            _ => Err(StorageError::Closed(self.name.clone())),
        }
    }

    /// Takes the partition out of service: what is on the disk is no longer known.
    pub(crate) fn go_offline(&self, error: &StorageError) {
        tracing::error!(partition = %self.name, %error, "partition goes offline");
        self.status.store(OFFLINE, Ordering::Release);
        self.flusher.fail();
    }

    /// Whether `batch` holds the newest sequence of an idempotent producer.
    pub(crate) fn is_newest_of_producer(&self, batch: &BatchHeader) -> bool {
        batch.producer_id >= 0 && self.writer.lock().producers.is_newest_of_producer(batch)
    }

    /// Puts `new` in the place of a run of closed segments, for who has the right to.
    pub(crate) fn exchange_segments(&self, old: &[Arc<Segment>], new: Arc<Segment>) {
        let mut segments = self.segments.write();
        for segment in old {
            segments.remove(&segment.base_offset());
        }
        segments.insert(new.base_offset(), new);
    }

    /// All segments, oldest first.
    pub(crate) fn segments(&self) -> Vec<Arc<Segment>> {
        self.segments.read().values().cloned().collect()
    }

    /// The segments that no longer grow and in which every transaction has ended, oldest first.
    pub(crate) fn stable_segments(&self) -> Vec<Arc<Segment>> {
        let last_stable = self.last_stable_offset();
        let segments = self.segments();
        let followed = segments.iter().zip(segments.iter().skip(1));
        let stable = followed.take_while(|(_, next)| next.base_offset() <= last_stable);
        stable.map(|(segment, _)| Arc::clone(segment)).collect()
    }
}
