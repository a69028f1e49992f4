//! What must be in the log: every batch that was ever appended, what was promised of it, and the comparison with what
//! is read.

use std::collections::{BTreeMap, VecDeque};

use wire::record::{BatchHeader, EndMarker, batch};

use super::ensure;
use super::ledger::{Fate, Ledger};
use crate::log::config::LogConfig;
use crate::log::partition::Partition;

/// A batch as it was sent, and as the log has it.
#[derive(Debug, Clone)]
pub(super) struct Written {
    pub(super) header: BatchHeader,
    pub(super) sent: Vec<u8>,
    stored: Vec<u8>,
}

impl Written {
    /// The marker, if it is one.
    pub(super) fn marker(&self) -> Option<EndMarker> {
        self.header.is_control().then(|| EndMarker::read(&self.stored).unwrap().unwrap())
    }
}

/// How the log was left before it was opened again.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stop {
    /// The stop was clean and nothing came in between.
    pub(super) clean: bool,
    /// The power failed, so that what was not durable may be lost.
    pub(super) power: bool,
    /// A sync has failed, so that the page cache had what the disk had not.
    pub(super) sync_failed: bool,
}

/// A record that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Line {
    timestamp: i64,
    key: Option<Vec<u8>>,
    value: Option<Vec<u8>>,
}

/// What was found in the log.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The base offsets of the batches.
    pub(super) batches: Vec<i64>,
    pub(super) headers: Vec<BatchHeader>,
    records: BTreeMap<i64, Line>,
}

impl Found {
    /// Whether a batch begins at `base`.
    pub(super) fn has(&self, base: i64) -> bool {
        self.batches.binary_search(&base).is_ok()
    }
}

/// A producer as its batches in the log describe it.
#[derive(Debug, Clone, Default)]
pub(super) struct View {
    pub(super) epoch: i16,
    pub(super) next_sequence: i32,
    /// Base offsets of the last five batches of the epoch, oldest first.
    pub(super) batches: VecDeque<i64>,
    /// The base offset of the last marker, whatever its epoch, and the epoch of its coordinator.
    pub(super) marker: Option<(i64, i32)>,
}

/// The log as it should be.
#[derive(Debug, Default)]
pub(super) struct Model {
    /// By base offset. What retention has deleted stays here: a crash may bring it back.
    pub(super) written: BTreeMap<i64, Written>,
    /// The transactions that are to be committed (or else aborted) whose markers are not known to be durable, by producer:
    /// what has seen a marker that was lost knows already.
    pub(super) decided: BTreeMap<i64, bool>,
    /// Appended or not: the answer did not come, or it was that the write had failed, and its being cut off was not durable.
    doubtful: Vec<Written>,
    /// Everything before it was said to be durable.
    pub(super) durable: i64,
    pub(super) log_start: i64,
    /// What is before it was deleted once.
    pub(super) solid_start: i64,
    /// The log's start as the checkpoint has it.
    pub(super) start_on_disk: i64,
    /// The end of a log that has lost everything that it had.
    empty_end: i64,
}

/// Each batch of `sent` with its bytes in `stored`.
fn pairs(sent: &[u8], stored: &[u8]) -> Vec<Written> {
    let both = batch::batches(sent).zip(batch::batches(stored));
    both.map(|(sent, stored)| {
        let (_, sent) = sent.unwrap();
        let (header, stored) = stored.unwrap();
        Written { header, sent: sent.to_vec(), stored: stored.to_vec() }
    })
    .collect()
}

impl Model {
    /// The offset that the next record gets.
    pub(super) fn end(&self) -> i64 {
        let last = self.written.last_key_value().map_or(0, |(_, last)| last.header.last_offset() + 1);
        last.max(self.empty_end)
    }

    /// Notes batches that were appended.
    pub(super) fn note(&mut self, sent: &[u8], stored: &[u8]) -> Result<(), String> {
        for written in pairs(sent, stored) {
            let base = written.header.base_offset;
            ensure!(base == self.end(), "a batch got offset {base}, and the log ended at {}", self.end());
            self.written.insert(base, written);
        }
        Ok(())
    }

    /// Notes batches that may have been appended at the log's end.
    pub(super) fn doubt(&mut self, sent: &[u8], stored: &[u8]) {
        let batches = pairs(sent, stored);
        if batches.first().is_some_and(|first| first.header.base_offset == self.end()) {
            self.doubtful.extend(batches);
        }
    }

    /// Forgets what a crash was allowed to take, and complains of anything else that is missing.
    pub(super) fn reopened(&mut self, partition: &Partition, stop: Stop) -> Result<(), String> {
        let (start, end) = (partition.log_start_offset(), partition.log_end_offset());
        ensure!(
            end >= self.durable,
            "what was before {} was durable, and the log ends at {end}",
            self.durable
        );
        for batch in std::mem::take(&mut self.doubtful) {
            let base = batch.header.base_offset;
            let is_known = self.written.get(&base).is_some_and(|known| known.stored == batch.stored);
            if !is_known && is_at(partition, base, &batch.stored) {
                // what took its place is lost then, with all behind it
                self.written.split_off(&base);
                self.written.insert(base, batch);
            }
        }
        let all = self.end();
        self.written.retain(|_, batch| batch.header.last_offset() < end);
        let may_lose = stop.power || stop.sync_failed;
        ensure!(may_lose || end == all, "the log ended at {all}, and nothing but {end} is left");
        let is_empty = start == end;
        if is_empty {
            self.empty_end = end;
        }
        ensure!(self.end() == end, "the log ends at {end}, in the middle of a batch or beyond all");
        let exact = stop.clean && start != self.log_start;
        let (low, high) = (self.start_on_disk, self.log_start);
        ensure!(
            !exact && low <= start && start <= high.max(low),
            "the log starts at {start}, expected {low}..={high}"
        );
        self.log_start = start;
        // recovery has made it durable, or says so
        self.durable = end;
        ensure!(partition.flushed_offset() == end, "recovery says {} is durable", partition.flushed_offset());
        Ok(())
    }

    /// Compares all that can be read with what was written.
    pub(super) fn check(&self, partition: &Partition, config: &LogConfig) -> Result<Found, String> {
        let (start, end) = (partition.log_start_offset(), partition.log_end_offset());
        ensure!(start == self.log_start, "the log starts at {start}, expected {}", self.log_start);
        ensure!(end == self.end(), "the log ends at {end}, expected {}", self.end());
        ensure!(partition.high_watermark() == end, "the high watermark is not the log's end");
        let durable = partition.flushed_offset();
        ensure!((self.durable..=end).contains(&durable), "{durable} is said to be durable");
        let mut found = Found::default();
        let compacted = config.cleanup_policy.compact;
        for (header, bytes) in read_all(partition, start, end)? {
            let base = header.base_offset;
            ensure!(found.batches.last().is_none_or(|last| *last < base), "offset {base} comes twice");
            let Some(written) = self.written.get(&base) else {
                return Err(format!("there is a batch at {base} that nobody has written there"));
            };
            ensure!(
                compacted || bytes == written.stored,
                "the batch at {base} is not the one that was written"
            );
            ensure!(
                batch::verify_crc(&bytes).is_ok() && same_place(&header, &written.header),
                "the batch at {base} is damaged"
            );
            found.batches.push(base);
            found.headers.push(header);
            for (offset, line) in lines(&bytes)? {
                found.records.insert(offset, line);
            }
        }
        self.check_complete(&found, start, compacted)?;
        check_times(partition, &found, start)?;
        self.check_transactions(partition, &found, compacted)?;
        Ok(found)
    }

    /// Nothing is missing but what was deleted, or superseded in a compacted log.
    fn check_complete(&self, found: &Found, start: i64, compacted: bool) -> Result<(), String> {
        let from = start.max(self.solid_start);
        let wanted = self.written.values().filter(|batch| batch.header.last_offset() >= from);
        if !compacted {
            for batch in wanted {
                let base = batch.header.base_offset;
                ensure!(found.batches.binary_search(&base).is_ok(), "the batch at {base} is missing");
            }
            return Ok(());
        }
        let ledger = self.ledger();
        let mut newest = BTreeMap::new();
        let mut all = BTreeMap::new();
        for batch in wanted {
            let fate = self.fate_for_compaction(&ledger, &batch.header);
            for (offset, line) in lines(&batch.stored)? {
                let is_there = offset < from || found.records.contains_key(&offset);
                ensure!(fate != Fate::Open || is_there, "{offset} of an open transaction is missing");
                // what was aborted supersedes nothing, nor does what may still be
                if fate == Fate::Visible {
                    newest.insert(line.key.clone(), (offset, line.clone()));
                }
                all.insert(offset, line);
            }
        }
        for (offset, line) in &found.records {
            let same = *offset < from || all.get(offset) == Some(line);
            ensure!(same, "the record at {offset} is not the one that was written");
        }
        for (offset, line) in newest.into_values().filter(|(offset, _)| *offset >= from) {
            let is_there = found.records.contains_key(&offset);
            ensure!(
                is_there || line.value.is_none(),
                "the newest record of its key, at {offset}, is missing"
            );
            let mut older = found.records.range(from..offset);
            let back = older.find(|(_, older)| !is_there && older.key == line.key);
            ensure!(back.is_none(), "the tombstone at {offset} went before what it deletes");
        }
        Ok(())
    }

    /// The transactions of the batches that are in the log or were.
    pub(super) fn ledger(&self) -> Ledger {
        Ledger::of(&self.written)
    }

    /// What compaction may have taken a batch for: its transaction may have had a marker that was lost.
    fn fate_for_compaction(&self, ledger: &Ledger, header: &BatchHeader) -> Fate {
        match (ledger.fate(header.base_offset), self.decided.get(&header.producer_id)) {
            (Fate::Open, Some(true)) => Fate::Visible,
            (Fate::Open, Some(false)) => Fate::Aborted,
            (fate, _) => fate,
        }
    }

    /// What the log must know of each producer, by the batches that are in it or were.
    pub(super) fn producers(&self) -> BTreeMap<i64, View> {
        let mut views: BTreeMap<i64, View> = BTreeMap::new();
        for (base, batch) in self.written.iter().filter(|(_, batch)| batch.header.producer_id >= 0) {
            let view = views.entry(batch.header.producer_id).or_default();
            if view.epoch != batch.header.producer_epoch {
                let (epoch, marker) = (batch.header.producer_epoch, view.marker);
                *view = View { epoch, marker, ..View::default() };
            }
            if let Some(marker) = batch.marker() {
                view.marker = Some((*base, marker.coordinator_epoch));
                continue;
            }
            if view.batches.len() == 5 {
                view.batches.pop_front();
            }
            view.batches.push_back(*base);
            view.next_sequence = batch.header.last_sequence().checked_add(1).unwrap_or(0);
        }
        views
    }
}

/// Whether two headers say the same but for what compaction changes.
fn same_place(found: &BatchHeader, written: &BatchHeader) -> bool {
    let place = |header: &BatchHeader| {
        (header.last_offset(), header.producer_id, header.producer_epoch, header.base_sequence)
    };
    place(found) == place(written)
}

/// Whether the log has the very bytes of a batch at `base`.
fn is_at(partition: &Partition, base: i64, stored: &[u8]) -> bool {
    let read = partition.read(base, stored.len() as u32, true);
    read.is_ok_and(|slice| slice.read_bytes().is_ok_and(|bytes| bytes.starts_with(stored)))
}

/// All batches between two offsets, read in small pieces.
fn read_all(partition: &Partition, start: i64, end: i64) -> Result<Vec<(BatchHeader, Vec<u8>)>, String> {
    let (mut all, mut next) = (Vec::new(), start);
    while next < end {
        let slice =
            partition.read(next, 700, true).map_err(|error| format!("cannot read {next}: {error}"))?;
        let bytes = slice.read_bytes().map_err(|error| format!("cannot read {next}: {error}"))?;
        let before = next;
        // the last batch may be cut off
        for (header, bytes) in batch::batches(&bytes).map_while(Result::ok) {
            next = header.last_offset() + 1;
            all.push((header, bytes.to_vec()));
        }
        if slice.len == 0 {
            break;
        }
        ensure!(next > before, "reading {before} gives nothing that ends behind it");
    }
    Ok(all)
}

fn lines(bytes: &[u8]) -> Result<Vec<(i64, Line)>, String> {
    let records = batch::records(bytes, 1 << 20).map_err(|error| error.to_string())?;
    let owned = |bytes: Option<&[u8]>| bytes.map(<[u8]>::to_vec);
    let line = |record: &wire::record::Record<'_>| Line {
        timestamp: record.timestamp,
        key: owned(record.key),
        value: owned(record.value),
    };
    let lines = records.iter().map(|record| record.map(|record| (record.offset, line(&record))));
    lines.collect::<Result<_, _>>().map_err(|error| error.to_string())
}

/// The time index finds what a walk over all records finds.
fn check_times(partition: &Partition, found: &Found, start: i64) -> Result<(), String> {
    let some = found.records.values().step_by(found.records.len() / 4 + 1);
    let wanted: Vec<i64> = some.flat_map(|line| [line.timestamp, line.timestamp + 1]).collect();
    for timestamp in wanted {
        let first = found.records.range(start..).find(|(_, line)| line.timestamp >= timestamp);
        let first = first.map(|(offset, line)| (*offset, line.timestamp));
        let answer = partition.offset_for_timestamp(timestamp).map_err(|error| error.to_string())?;
        let answer = answer.map(|answer| (answer.offset, answer.timestamp));
        ensure!(
            answer == first,
            "time {timestamp} is at {answer:?} by the index, at {first:?} by the records"
        );
    }
    Ok(())
}
