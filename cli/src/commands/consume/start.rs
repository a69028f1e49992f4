//! Where reading begins in a partition when no group says so.

use crate::kafka::Watermarks;

/// Where reading begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    Beginning,
    End,
    /// At this offset; so many before the end where it is negative.
    Offset(i64),
    /// At the first record that is as new, in milliseconds since 1970.
    Time(i64),
}

impl Start {
    /// The offset in a partition of these bounds, in which [`Start::Time`] was found at `at_time`; none if all its records
    /// are older.
    pub(super) fn offset(self, bounds: Watermarks, at_time: Option<i64>) -> i64 {
        let wanted = match self {
            Self::Beginning => bounds.start,
            Self::End => bounds.end,
            Self::Offset(offset) if offset < 0 => bounds.end.saturating_add(offset),
            Self::Offset(offset) => offset,
            Self::Time(_) => at_time.unwrap_or(bounds.end),
        };
        bounds.clamp(wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_negative_offset_counts_from_the_end() {
        let bounds = Watermarks { start: 100, end: 200 };
        for (start, offset) in [
            (Start::Beginning, 100),
            (Start::End, 200),
            (Start::Offset(150), 150),
            (Start::Offset(7), 100),
            (Start::Offset(201), 200),
            (Start::Offset(-1), 199),
            (Start::Offset(-100), 100),
            (Start::Offset(-101), 100),
            (Start::Offset(i64::MIN), 100),
        ] {
            assert_eq!(start.offset(bounds, None), offset, "{start:?}");
        }
    }

    #[test]
    fn a_time_after_all_records_is_the_end() {
        let bounds = Watermarks { start: 100, end: 200 };
        assert_eq!(Start::Time(5).offset(bounds, Some(130)), 130);
        assert_eq!(Start::Time(5).offset(bounds, None), 200);
    }
}
