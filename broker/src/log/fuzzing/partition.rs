//! A partition's directory, opened and opened again.
//!
//! The first byte of an input says how the directory is opened, see [`Way`].

use std::path::Path;
use std::sync::Arc;

use uuid::Uuid;
use wire::record::{BatchBuilder, Compression, batch};

use super::{LOG, NOON, Scratch, mend};
use crate::log::clock::ManualClock;
use crate::log::config::{CleanupPolicy, LogConfig};
use crate::log::disk::RealDisk;
use crate::log::epochs;
use crate::log::manager::names::{PARTITION_METADATA, partition_metadata};
use crate::log::partition::{Origin, Partition, RecoveryReport};
use crate::log::verify;

/// The directory's name.
pub(super) const DIR: &str = "t-0";

/// How a directory is opened: the bits of an input's first byte.
#[derive(Debug, Clone, Copy)]
pub(super) struct Way(pub(super) u8);

impl Way {
    /// The stop was clean: files are trusted.
    pub(super) const CLEAN: u8 = 1;
    /// The topic is compacted: offsets may have gaps.
    pub(super) const COMPACT: u8 = 2;
    /// All segments but the last were durable.
    pub(super) const DURABLE: u8 = 4;
    /// Checksums are made right first.
    pub(super) const MEND: u8 = 8;
    /// Batches are made to follow each other first.
    pub(super) const RENUMBER: u8 = 16;
    /// Indexes have few entries.
    pub(super) const SPARSE: u8 = 32;

    fn has(self, bit: u8) -> bool {
        self.0 & bit != 0
    }

    /// Whether every batch's checksum is looked at.
    fn verifies(self) -> bool {
        !self.has(Way::CLEAN) && !self.has(Way::DURABLE)
    }

    fn mend(self, log: &mut [u8], base_offset: i64) {
        if self.has(Way::RENUMBER) {
            mend::offsets(log, base_offset);
        }
        if self.has(Way::MEND) {
            mend::checksums(log);
        }
    }

    pub(super) fn origin(self, dir: &Path) -> Origin {
        let compact = self.has(Way::COMPACT);
        let config = LogConfig {
            segment_bytes: 1000,
            index_interval_bytes: if self.has(Way::SPARSE) { 4096 } else { 100 },
            cleanup_policy: if compact { CleanupPolicy::COMPACT } else { CleanupPolicy::DELETE },
            ..LogConfig::default()
        };
        Origin {
            name: DIR.to_owned(),
            dir: dir.to_owned(),
            disk: Arc::new(RealDisk),
            clock: Arc::new(ManualClock::at(NOON)),
            config: Arc::new(config),
            clean: self.has(Way::CLEAN),
            recovery_point: if self.has(Way::DURABLE) { i64::MAX } else { 0 },
            log_start: 0,
            first_dirty: 0,
        }
    }
}

/// Bytes as the only segment of a partition, without indexes.
pub fn segment(bytes: &[u8]) {
    let Some((way, log)) = bytes.split_first() else { return };
    let (way, mut log) = (Way(*way), log.to_vec());
    way.mend(&mut log, 0);
    let scratch = Scratch::new();
    scratch.write(&format!("{DIR}/{LOG}"), &log);
    check(&scratch, way, true);
}

/// Bytes as all files of a partition, one after the other, each behind its kind, its base offset and the two bytes of
/// its length.
pub fn partition(bytes: &[u8]) {
    let Some((way, mut rest)) = bytes.split_first() else { return };
    let way = Way(*way);
    let scratch = Scratch::new();
    let mut knows_producers = true;
    while let Some(([kind, base, high, low], behind)) = rest.split_first_chunk() {
        let len = usize::from(u16::from_be_bytes([*high, *low])).min(behind.len());
        let (content, behind) = behind.split_at(len);
        let (name, mut content) = (file_name(*kind, *base), content.to_vec());
        if name.ends_with(".log") || name.ends_with(".swap") {
            way.mend(&mut content, if name.ends_with(".log") { (*base).into() } else { 0 });
        } else if name.ends_with(".snapshot") {
            knows_producers = false;
            if way.has(Way::MEND) {
                mend::snapshot(&mut content);
            }
        }
        scratch.write(&format!("{DIR}/{name}"), &content);
        rest = behind;
    }
    check(&scratch, way, knows_producers);
}

/// The endings of [`partition`]'s kinds; one more is the list of epochs.
pub(super) const KINDS: [&str; 6] = ["log", "index", "timeindex", "txnindex", "snapshot", "cleaned"];

fn file_name(kind: u8, base: u8) -> String {
    match KINDS.get(usize::from(kind) % (KINDS.len() + 2)) {
        Some(suffix) => format!("{base:020}.{suffix}"),
        None if usize::from(kind) % (KINDS.len() + 2) == KINDS.len() => epochs::FILE.to_owned(),
        None => format!("{:020}-{base:020}.swap", 0),
    }
}

/// Opens the directory, again after a kill, and once more after a clean stop: what was there at first stays. Unless the
/// files were trusted it is sound. `knows_producers`: no snapshot tells what the log does not.
fn check(scratch: &Scratch, way: Way, knows_producers: bool) {
    scratch.write(&format!("{DIR}/{PARTITION_METADATA}"), partition_metadata(Uuid::nil()).as_bytes());
    let dir = scratch.path().join(DIR);
    let (first, _) = open(way.origin(&dir));
    let found = content(&first, way);
    look_around(&first, way.verifies());
    let span = (first.log_start_offset(), first.log_end_offset());
    assert!((0..=1 << 32).contains(&span.1) && span.0 <= span.1, "the log is from {} to {}", span.0, span.1);
    drop(first);

    let (second, report) = open(way.origin(&dir));
    assert_eq!((report.truncated_bytes, report.segments_deleted), (0, 0), "recovery was not complete");
    assert_eq!((second.log_start_offset(), second.log_end_offset()), span, "recovery comes to the same");
    assert!(content(&second, way) == found, "recovery leaves the same");

    let appended = second.append(&mut one_batch());
    assert_eq!(
        appended.map(|appended| appended.base_offset).ok(),
        Some(span.1),
        "the log goes on at its end"
    );
    let grown = content(&second, way);
    assert_eq!(second.close().map_err(|error| error.to_string()), Ok(()), "what was recovered can be closed");
    verified(&dir, way, knows_producers);
    drop(second);

    let mut origin = way.origin(&dir);
    origin.clean = true;
    let (third, report) = open(origin);
    // with a snapshot that tells of a transaction behind its own offset, the index of the aborted ones stays implausible
    let is_trusted = report == RecoveryReport::default();
    assert!(is_trusted || !knows_producers, "what was closed is not trusted: {report:?}");
    assert!(content(&third, way) == grown, "what was closed is there");
}

/// Whatever is in its files, a partition can be opened.
fn open(origin: Origin) -> (Partition, RecoveryReport) {
    Partition::open(origin).unwrap_or_else(|error| unreachable!("cannot open a partition: {error}"))
}

/// All batches. When they were verified each is whole, and none is missing but at the end of a compacted log.
fn content(partition: &Partition, way: Way) -> Vec<Vec<u8>> {
    let sound = way.verifies();
    let (mut next, end) = (partition.log_start_offset(), partition.log_end_offset());
    let mut batches = Vec::new();
    while next < end {
        let Ok(slice) = partition.read(next, 300, true) else { break };
        let bytes = slice.read_bytes().unwrap_or_default();
        let before = next;
        // the last batch may be cut off
        for (header, one) in batch::batches(&bytes).map_while(Result::ok) {
            assert!(!sound || batch::verify_crc(one).is_ok(), "a batch at {next} is damaged");
            assert!(!sound || header.last_offset() >= next, "offsets do not ascend at {next}");
            next = header.last_offset().saturating_add(1);
            batches.push(one.to_vec());
        }
        if next <= before {
            break;
        }
    }
    let is_whole = next == end || way.has(Way::COMPACT);
    assert!(!sound || is_whole, "the log ends at {end}, and can be read to {next}");
    batches
}

/// What consumers and administrators ask for.
fn look_around(partition: &Partition, sound: bool) {
    let start = partition.log_start_offset();
    for timestamp in [i64::MIN, 0, NOON, i64::MAX] {
        let found = partition.offset_for_timestamp(timestamp);
        assert!(!sound || found.is_ok(), "no offset for time {timestamp}: {found:?}");
    }
    let newest = partition.max_timestamp();
    assert!(!sound || newest.is_ok(), "no largest timestamp: {newest:?}");
    let committed = partition.read_committed(start, 1 << 20, true);
    assert!(!sound || committed.is_ok(), "no committed records: {committed:?}");
    let (stable, end) = (partition.last_stable_offset(), partition.log_end_offset());
    assert!((start..=end).contains(&stable), "the last stable offset is {stable} of {start}..{end}");
    let _ = partition.producers();
}

fn one_batch() -> Vec<u8> {
    let mut builder = BatchBuilder::new(Compression::None);
    let appended = builder.append(NOON, Some(b"key"), Some(b"value"), &[]);
    assert_eq!(appended, Ok(()), "a small record fits");
    builder.finish().map(Vec::from).unwrap_or_default()
}

/// Nothing is wrong with what recovery has left.
fn verified(dir: &Path, way: Way, knows_producers: bool) {
    let report = verify::check_partition(dir, !way.has(Way::COMPACT));
    assert!(report.is_ok(), "cannot verify: {report:?}");
    let findings = report.map(|report| report.findings).unwrap_or_default();
    let is_snapshot = |path: &Path| path.extension().is_some_and(|suffix| suffix == "snapshot");
    let damage =
        |finding: &&verify::Finding| finding.is_damage() && (knows_producers || !is_snapshot(&finding.path));
    let damage: Vec<String> = findings.iter().filter(damage).map(ToString::to_string).collect();
    assert!(!way.verifies() || damage.is_empty(), "recovery has left damage: {damage:?}");
}
