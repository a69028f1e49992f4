//! Which offsets may be committed: those up to which every record of the partition is safe.
//!
//! Batches take records of several partitions, and are answered in any order. For each partition the tracker holds the
//! batches that took from it, in order, and commits up to the end of the last one of the answered ones at the front.
//! It holds as many entries as batches are under way, times partitions.

use std::collections::{BTreeMap, VecDeque};

use crate::batch::Partition;

/// Follows batches from sending to answer.
#[derive(Debug, Default)]
pub(crate) struct Tracker {
    partitions: BTreeMap<Partition, Progress>,
}

#[derive(Debug, Default)]
struct Progress {
    spans: VecDeque<Span>,
    /// The offset after the last record that is safe, with all before it.
    safe: Option<i64>,
    /// What was handed out by [`Tracker::uncommitted`] last.
    committed: Option<i64>,
}

#[derive(Debug)]
struct Span {
    batch: u64,
    next: i64,
    done: bool,
}

impl Tracker {
    /// A batch with these partitions (and the offsets after its last records) is on its way.
    pub(crate) fn sent(&mut self, batch: u64, partitions: &[(Partition, i64)]) {
        for (partition, next) in partitions {
            let progress = self.partitions.entry(partition.clone()).or_default();
            progress.spans.push_back(Span { batch, next: *next, done: false });
        }
    }

    /// The batch is safe. One that was forgotten in the meantime changes nothing.
    pub(crate) fn done(&mut self, batch: u64) {
        for progress in self.partitions.values_mut() {
            for span in progress.spans.iter_mut().filter(|span| span.batch == batch) {
                span.done = true;
            }
            while let Some(span) = progress.spans.pop_front_if(|span| span.done) {
                progress.safe = Some(span.next);
            }
        }
    }

    /// What is safe but was not handed out by this before.
    pub(crate) fn uncommitted(&mut self) -> Vec<(Partition, i64)> {
        let mut offsets = Vec::new();
        for (partition, progress) in &mut self.partitions {
            if let Some(safe) = progress.safe.filter(|_| progress.safe != progress.committed) {
                progress.committed = progress.safe;
                offsets.push((partition.clone(), safe));
            }
        }
        offsets
    }

    /// Whether there is something to hand out.
    pub(crate) fn has_uncommitted(&self) -> bool {
        self.partitions
            .values()
            .any(|progress| progress.safe.is_some() && progress.safe != progress.committed)
    }

    /// A commit failed: everything safe is handed out again.
    pub(crate) fn commit_failed(&mut self) {
        for progress in self.partitions.values_mut() {
            progress.committed = None;
        }
    }

    /// The partitions are another's now.
    pub(crate) fn clear(&mut self) {
        self.partitions.clear();
    }
}

#[cfg(test)]
mod tests;
