//! A set of byte ranges, kept sorted and merged.

/// Disjoint ranges in ascending order. As long as ranges are added in order it holds one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ranges(Vec<(u64, u64)>);

impl Ranges {
    /// Adds `[start, end)`; an empty range changes nothing.
    pub fn insert(&mut self, start: u64, end: u64) {
        if start >= end {
            return;
        }
        let first = self.0.partition_point(|&(_, e)| e < start);
        let last = self.0.partition_point(|&(s, _)| s <= end);
        let touched = self.0.get(first..last).unwrap_or_default();
        let start = touched.first().map_or(start, |&(s, _)| s.min(start));
        let end = touched.last().map_or(end, |&(_, e)| e.max(end));
        self.0.splice(first..last.max(first), [(start, end)]);
    }

    /// The end of the run that begins at 0.
    pub fn prefix(&self) -> u64 {
        self.0.first().filter(|&&(start, _)| start == 0).map_or(0, |&(_, end)| end)
    }

    /// The end of the last range.
    pub fn end(&self) -> u64 {
        self.0.last().map_or(0, |&(_, end)| end)
    }

    /// Bytes in the set.
    pub fn bytes(&self) -> u64 {
        self.0.iter().map(|&(start, end)| end - start).sum()
    }

    /// What is missing below [`Ranges::end`].
    pub fn gaps(&self) -> Vec<(u64, u64)> {
        let ends = std::iter::once(0).chain(self.0.iter().map(|&(_, end)| end));
        let starts = self.0.iter().map(|&(start, _)| start);
        ends.zip(starts).filter(|&(end, start)| end < start).collect()
    }

    /// The ranges in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.0.iter().copied()
    }
}
