//! Where a group is to read on, and what becomes of that in one partition.

use crate::kafka::Watermarks;

/// Where a group is to read on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    Earliest,
    Latest,
    Offset(i64),
    /// At the first record that is as new, in milliseconds since 1970.
    Time(i64),
    /// So many records further, or back.
    Shift(i64),
}

/// What is known of a partition.
#[derive(Clone, Copy, Debug)]
pub(super) struct Partition {
    pub(super) bounds: Watermarks,
    pub(super) committed: Option<i64>,
    /// The offset that a [`Target::Time`] was found at; none if all records are older.
    pub(super) at_time: Option<i64>,
}

/// The new offset, and why it is not the one that was asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Destination {
    pub(super) offset: i64,
    pub(super) note: Option<String>,
}

/// Nothing was committed that could be shifted.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NothingToShift;

impl Target {
    /// What becomes of it, moved into the log's range as Kafka's own tool does.
    pub(super) fn destination(self, partition: Partition) -> Result<Destination, NothingToShift> {
        let Partition { bounds, committed, at_time } = partition;
        let wanted = match (self, at_time) {
            (Self::Earliest, _) => bounds.start,
            (Self::Latest, _) => bounds.end,
            (Self::Offset(offset), _) | (Self::Time(_), Some(offset)) => offset,
            (Self::Time(_), None) => {
                let note = Some("all records are older: the log's end".to_owned());
                return Ok(Destination { offset: bounds.end, note });
            }
            (Self::Shift(by), _) => committed.ok_or(NothingToShift)?.saturating_add(by),
        };
        let offset = bounds.clamp(wanted);
        let note = match offset.cmp(&wanted) {
            std::cmp::Ordering::Equal => None,
            std::cmp::Ordering::Greater => Some(format!("{wanted} is before the log's start")),
            std::cmp::Ordering::Less => Some(format!("{wanted} is beyond the log's end")),
        };
        Ok(Destination { offset, note })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Watermarks = Watermarks { start: 100, end: 200 };

    fn go(target: Target, committed: Option<i64>, at_time: Option<i64>) -> (i64, Option<String>) {
        let destination = target.destination(Partition { bounds: BOUNDS, committed, at_time }).unwrap();
        (destination.offset, destination.note)
    }

    #[test]
    fn each_target_has_its_offset() {
        assert_eq!(go(Target::Earliest, Some(150), None), (100, None));
        assert_eq!(go(Target::Latest, None, None), (200, None));
        assert_eq!(go(Target::Offset(120), Some(150), None), (120, None));
        assert_eq!(go(Target::Time(5), Some(150), Some(170)), (170, None));
        assert_eq!(go(Target::Shift(-10), Some(150), None), (140, None));
        assert_eq!(go(Target::Shift(50), Some(150), None), (200, None));
    }

    #[test]
    fn an_offset_outside_the_log_is_moved_inside_with_a_note() {
        let before = Some("99 is before the log's start".to_owned());
        let beyond = Some("201 is beyond the log's end".to_owned());
        assert_eq!(go(Target::Offset(99), None, None), (100, before.clone()));
        assert_eq!(go(Target::Offset(201), None, None), (200, beyond.clone()));
        assert_eq!(go(Target::Shift(-51), Some(150), None), (100, before));
        assert_eq!(go(Target::Shift(51), Some(150), None), (200, beyond));
        assert_eq!(go(Target::Shift(i64::MAX), Some(150), None).0, 200);
    }

    #[test]
    fn a_time_after_all_records_is_the_end_with_a_note() {
        let (offset, note) = go(Target::Time(5), Some(150), None);
        assert_eq!(offset, 200);
        assert!(note.unwrap().contains("older"));
    }

    #[test]
    fn what_was_never_committed_cannot_be_shifted() {
        let partition = Partition { bounds: BOUNDS, committed: None, at_time: None };
        assert_eq!(Target::Shift(1).destination(partition), Err(NothingToShift));
    }
}
