//! What the model's batches say of transactions, compared with what the partition says: which are open, the last stable
//! offset, the index of the aborted ones, and what a consumer of committed records is given.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use wire::record::{BatchHeader, EndMarker, batch};

use super::ensure;
use super::model::{Found, Model, Written};
use crate::log::AbortedTxn;
use crate::log::partition::Partition;

/// What a batch is to a consumer of committed records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is part of no transaction, or of a committed one.
    Visible,
    Open,
    Aborted,
    Marker,
}

/// A producer's transaction.
#[derive(Debug)]
struct Transaction {
    producer_id: i64,
    /// The base offsets of its batches; there is one.
    batches: Vec<i64>,
    /// The offset of its marker, and whether that commits it.
    end: Option<(i64, bool)>,
}

/// All transactions of a log.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    transactions: Vec<Transaction>,
    fates: BTreeMap<i64, Fate>,
    /// Whoever has written a marker or a transactional batch.
    producers: BTreeSet<i64>,
}

impl Ledger {
    /// Goes through all batches, from the first that was ever written.
    pub(super) fn of(written: &BTreeMap<i64, Written>) -> Self {
        let mut ledger = Ledger::default();
        let mut open: BTreeMap<i64, usize> = BTreeMap::new();
        for (base, batch) in written {
            let producer_id = batch.header.producer_id;
            let fate = if let Some(marker) = batch.marker() {
                if let Some(at) = open.remove(&producer_id) {
                    ledger.end(at, *base, marker.committed);
                }
                Fate::Marker
            } else if batch.header.is_transactional() {
                let at = *open.entry(producer_id).or_insert(ledger.transactions.len());
                if at == ledger.transactions.len() {
                    ledger.transactions.push(Transaction { producer_id, batches: Vec::new(), end: None });
                }
                ledger.transactions[at].batches.push(*base);
                Fate::Open
            } else {
                Fate::Visible
            };
            if fate != Fate::Visible {
                ledger.producers.insert(producer_id);
            }
            ledger.fates.insert(*base, fate);
        }
        ledger
    }

    fn end(&mut self, at: usize, offset: i64, committed: bool) {
        let ended = &mut self.transactions[at];
        ended.end = Some((offset, committed));
        let fate = if committed { Fate::Visible } else { Fate::Aborted };
        self.fates.extend(ended.batches.iter().map(|base| (*base, fate)));
    }

    /// The fate of the batch that begins at `base`.
    pub(super) fn fate(&self, base: i64) -> Fate {
        self.fates[&base]
    }
}

impl Model {
    /// What the partition says of transactions follows from the batches that are in it.
    pub(super) fn check_transactions(
        &self,
        partition: &Partition,
        found: &Found,
        compacted: bool,
    ) -> Result<(), String> {
        let ledger = self.ledger();
        check_open(&ledger, partition, found)?;
        // of what was deleted once, some segments may be back without their index
        let from = partition.log_start_offset().max(self.solid_start);
        check_index(&ledger, partition, found, (from, compacted))?;
        check_committed(&ledger, partition, found, from)
    }
}

/// Which transactions are open, and the last stable offset. One whose first records were deleted may be open from a later
/// record on; one that has no records left may be forgotten.
fn check_open(ledger: &Ledger, partition: &Partition, found: &Found) -> Result<(), String> {
    let (start, end) = (partition.log_start_offset(), partition.log_end_offset());
    let (mut low, mut high) = (end, end);
    let mut open = BTreeSet::new();
    for transaction in ledger.transactions.iter().filter(|transaction| transaction.end.is_none()) {
        let (id, first) = (transaction.producer_id, transaction.batches[0]);
        open.insert(id);
        let left = transaction.batches.iter().copied().find(|base| found.has(*base));
        let is_known = left.is_none() || partition.unverified(id).is_none();
        ensure!(is_known, "the transaction of producer {id} from {first} on is not open any more");
        low = low.min(first.max(start));
        high = high.min(left.map_or(end, |left| left.max(start)));
    }
    for id in ledger.producers.difference(&open) {
        ensure!(partition.unverified(*id).is_some(), "producer {id} has a transaction open that has ended");
    }
    let stable = partition.last_stable_offset();
    ensure!(
        (low..=high).contains(&stable),
        "the last stable offset is {stable}, expected {low}..={high} in a log that ends at {end}"
    );
    Ok(())
}

/// The index has the aborted transactions whose records are there, and nothing else. What compaction has removed needs no
/// entry.
fn check_index(
    ledger: &Ledger,
    partition: &Partition,
    found: &Found,
    (from, compacted): (i64, bool),
) -> Result<(), String> {
    let told = partition.aborted_in(from, partition.log_end_offset()).map_err(|error| error.to_string())?;
    let aborted: Vec<(&Transaction, i64)> = ledger
        .transactions
        .iter()
        .filter_map(|transaction| match transaction.end {
            Some((marker, false)) => Some((transaction, marker)),
            _ => None,
        })
        .collect();
    let is_of = |entry: &AbortedTxn, transaction: &Transaction, marker: i64| {
        entry.last_offset == marker
            && entry.producer_id == transaction.producer_id
            && (transaction.batches[0]..marker).contains(&entry.first_offset)
    };
    for entry in &told {
        let is_known = aborted.iter().any(|(transaction, marker)| is_of(entry, transaction, *marker));
        ensure!(is_known, "there is no such aborted transaction as the index says: {entry:?}");
    }
    for (transaction, marker) in aborted.into_iter().filter(|(_, marker)| !compacted && *marker >= from) {
        let left = transaction.batches.iter().copied().find(|base| *base >= from && found.has(*base));
        let Some(left) = left else { continue };
        let first = transaction.batches[0];
        let entry = told.iter().find(|entry| is_of(entry, transaction, marker));
        // where its beginning was deleted, it is found to begin with what is left
        let begins =
            |entry: &AbortedTxn| entry.first_offset == first || first < from && entry.first_offset <= left;
        ensure!(
            entry.is_some_and(begins),
            "producer {} has aborted {first}..{marker}, and the index says {entry:?}",
            transaction.producer_id
        );
    }
    Ok(())
}

/// A consumer of committed records is given all of them before the last stable offset, and no others.
fn check_committed(ledger: &Ledger, partition: &Partition, found: &Found, from: i64) -> Result<(), String> {
    let stable = partition.last_stable_offset();
    // a batch without records is left for its header alone
    let counts = |header: &&BatchHeader| header.records_count > 0 && header.last_offset() >= from;
    let is_due = |header: &&BatchHeader| {
        header.last_offset() < stable && ledger.fate(header.base_offset) == Fate::Visible
    };
    let wanted = found.headers.iter().filter(counts).filter(is_due).map(|header| header.base_offset);
    let wanted: Vec<i64> = wanted.collect();
    let given = consume(partition)?;
    let given: Vec<i64> = given.iter().filter(counts).map(|header| header.base_offset).collect();
    ensure!(given == wanted, "committed are {wanted:?}, and consumers are given {given:?}");
    Ok(())
}

/// The batches that a consumer of committed records takes, as Kafka's clients leave out what they are told was aborted.
fn consume(partition: &Partition) -> Result<Vec<BatchHeader>, String> {
    let (mut given, mut next) = (Vec::new(), partition.log_start_offset());
    loop {
        let read = partition.read_committed(next, 2000, true);
        let (slice, stable, mut aborted) =
            read.map_err(|error| format!("cannot read what is committed from {next} on: {error}"))?;
        if slice.len == 0 {
            return Ok(given);
        }
        let bytes = slice.read_bytes().map_err(|error| format!("cannot read {next}: {error}"))?;
        aborted.sort_by_key(|aborted| aborted.first_offset);
        let mut ahead = aborted.into_iter().peekable();
        let (mut skipped, before) = (HashSet::new(), next);
        for (header, bytes) in batch::batches(&bytes).map_while(Result::ok) {
            let last_offset = header.last_offset();
            ensure!(last_offset < stable, "{last_offset} is given, and stable is what is before {stable}");
            while let Some(begun) = ahead.next_if(|aborted| aborted.first_offset <= last_offset) {
                skipped.insert(begun.producer_id);
            }
            next = last_offset + 1;
            if header.is_control() {
                let marker = EndMarker::read(bytes).map_err(|error| error.to_string())?;
                if marker.is_some_and(|marker| !marker.committed) {
                    skipped.remove(&header.producer_id);
                }
            } else if !(header.is_transactional() && skipped.contains(&header.producer_id)) {
                given.push(header);
            }
        }
        ensure!(
            next > before,
            "reading what is committed from {before} on gives nothing that ends behind it"
        );
    }
}
