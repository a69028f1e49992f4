//! The entries of the index files, compared with the batches of the segment as they are met.

use wire::record::BatchHeader;

use crate::log::segment::time_index::NO_TIMESTAMP;
use crate::log::segment::txn_index::{self, AbortedTxn};
use crate::log::segment::{index, time_index};

/// The first thing that is wrong with an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    /// The entry's number, from 0 on; `None` for the file as a whole.
    pub(super) entry: Option<usize>,
    pub(super) problem: String,
}

/// An index on its way along the segment. `E` is an entry: a pair that must ascend.
#[derive(Debug)]
struct Walk<A, B> {
    entries: Vec<(A, B)>,
    at: usize,
    fault: Option<Fault>,
}

impl<A: PartialOrd + Copy, B: PartialOrd + Copy> Walk<A, B> {
    /// Entries behind one that does not ascend are not looked at.
    fn new(mut entries: Vec<(A, B)>, rest: usize) -> Self {
        let mut fault = None;
        let ascends = |pair: &[(A, B)]| matches!(pair, [a, b] if a.0 < b.0 && a.1 < b.1);
        if let Some(at) = entries.windows(2).position(|pair| !ascends(pair)) {
            let problem = "it is not beyond the entry before it".to_owned();
            fault = Some(Fault { entry: Some(at + 1), problem });
            entries.truncate(at + 1);
        } else if rest > 0 {
            fault =
                Some(Fault { entry: None, problem: format!("{rest} bytes at its end are no whole entry") });
        }
        Walk { entries, at: 0, fault }
    }

    fn next(&self) -> Option<(A, B)> {
        self.entries.get(self.at).copied()
    }

    /// Goes on to the next entry; `problem` is what is wrong with this one.
    fn pass(&mut self, problem: Option<String>) {
        if let Some(problem) = problem {
            self.fault.get_or_insert(Fault { entry: Some(self.at), problem });
        }
        self.at += 1;
    }
}

/// The offset index.
#[derive(Debug)]
pub(super) struct Offsets(Walk<i64, u32>);

impl Offsets {
    pub(super) fn new(bytes: &[u8], base_offset: i64) -> Self {
        let (entries, rest) = bytes.as_chunks();
        let entries = entries.iter().map(|entry| {
            let entry = index::decode(base_offset, *entry);
            (entry.last_offset, entry.position)
        });
        Offsets(Walk::new(entries.collect(), rest.len()))
    }

    pub(super) fn meet(&mut self, position: u32, header: &BatchHeader) {
        while let Some((offset, at)) = self.0.next().filter(|(_, at)| *at <= position) {
            let problem = if at < position {
                Some(format!("it points to byte {at}, where no batch begins"))
            } else if offset != header.last_offset() {
                let last = header.last_offset();
                Some(format!("it says offset {offset}, and the batch at byte {at} ends with {last}"))
            } else {
                None
            };
            self.0.pass(problem);
        }
    }

    pub(super) fn finish(mut self) -> Option<Fault> {
        if let Some((_, at)) = self.0.next() {
            self.0.pass(Some(format!("it points to byte {at}, behind the last batch")));
        }
        self.0.fault
    }
}

/// The time index.
#[derive(Debug)]
pub(super) struct Times {
    walk: Walk<i64, i64>,
    newest: i64,
}

impl Times {
    pub(super) fn new(bytes: &[u8], base_offset: i64) -> Self {
        let (entries, rest) = bytes.as_chunks();
        let entries = entries.iter().map(|entry| {
            let entry = time_index::decode(base_offset, *entry);
            (entry.timestamp, entry.offset)
        });
        Times { walk: Walk::new(entries.collect(), rest.len()), newest: NO_TIMESTAMP }
    }

    pub(super) fn meet(&mut self, header: &BatchHeader) {
        let last = header.last_offset();
        while let Some((time, offset)) = self.walk.next().filter(|(_, offset)| *offset <= last) {
            let problem = if offset < last {
                Some(format!("no batch ends with offset {offset}"))
            } else if header.max_timestamp != time {
                let found = header.max_timestamp;
                Some(format!("it says time {time}, and the batch that ends with {offset} has {found}"))
            } else if self.newest >= time {
                Some(format!("batches before offset {offset} are as young as {}", self.newest))
            } else {
                None
            };
            self.walk.pass(problem);
        }
        self.newest = self.newest.max(header.max_timestamp);
    }

    /// `complete` says that the segment no longer grows, so that its largest timestamp must be the last entry.
    pub(super) fn finish(mut self, complete: bool) -> Option<Fault> {
        if let Some((_, offset)) = self.walk.next() {
            self.walk.pass(Some(format!("it names offset {offset}, behind the last batch")));
        }
        let last = self.walk.entries.last().map_or(NO_TIMESTAMP, |(time, _)| *time);
        if complete && last < self.newest && self.walk.fault.is_none() {
            let problem = format!("it ends with time {last}, and the segment with {}", self.newest);
            return Some(Fault { entry: None, problem });
        }
        self.walk.fault
    }
}

/// The transaction index.
#[derive(Debug)]
pub(super) struct Aborted {
    entries: Vec<AbortedTxn>,
    at: usize,
    fault: Option<Fault>,
}

impl Aborted {
    /// Entries behind one whose version is not known are not looked at.
    pub(super) fn new(bytes: &[u8]) -> Self {
        let (whole, rest) = bytes.as_chunks::<{ txn_index::ENTRY }>();
        let entries: Vec<AbortedTxn> =
            whole.iter().map_while(|entry| AbortedTxn::decode(entry.as_slice())).collect();
        let fault = if entries.len() < whole.len() {
            Some(Fault { entry: Some(entries.len()), problem: "its version is not known".to_owned() })
        } else if rest.is_empty() {
            None
        } else {
            let problem = format!("{} bytes at its end are no whole entry", rest.len());
            Some(Fault { entry: None, problem })
        };
        Aborted { entries, at: 0, fault }
    }

    pub(super) fn meet(&mut self, header: &BatchHeader) {
        let last = header.last_offset();
        while let Some(entry) = self.entries.get(self.at).copied().filter(|entry| entry.last_offset <= last) {
            let AbortedTxn { producer_id, first_offset, last_offset, .. } = entry;
            // as it is indexed: a marker is its batch's only record, whatever the header says of others
            let is_marker =
                header.is_control() && last_offset == header.base_offset && header.producer_id == producer_id;
            if !is_marker {
                self.fail(format!("no transaction of producer {producer_id} ends with offset {last_offset}"));
            } else if first_offset >= last_offset {
                self.fail(format!("its transaction begins at {first_offset}, behind its end"));
            }
            self.at += 1;
        }
    }

    fn fail(&mut self, problem: String) {
        self.fault.get_or_insert(Fault { entry: Some(self.at), problem });
    }

    pub(super) fn finish(mut self) -> Option<Fault> {
        if let Some(entry) = self.entries.get(self.at).copied() {
            self.fail(format!("it names offset {}, behind the last batch", entry.last_offset));
        }
        self.fault
    }
}
