//! Log lines that a client can cause come at most once in a while; the next one says how many were left out.

use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// How often the same kind of line may come.
const EVERY: Duration = Duration::from_secs(1);

/// The rate of one kind of log line.
#[derive(Debug, Default)]
pub(crate) struct LogLimit {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    last: Option<Instant>,
    suppressed: u64,
}

impl LogLimit {
    /// Whether a line may come now: then with the number of lines that were suppressed before it.
    pub(crate) fn permit(&self) -> Option<u64> {
        self.permit_at(Instant::now())
    }

    fn permit_at(&self, now: Instant) -> Option<u64> {
        let mut state = self.state.lock();
        if state.last.is_some_and(|last| now.saturating_duration_since(last) < EVERY) {
            state.suppressed += 1;
            return None;
        }
        state.last = Some(now);
        Some(std::mem::take(&mut state.suppressed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_becomes_one_line_a_second_with_a_count() {
        let limit = LogLimit::default();
        let start = Instant::now();
        assert_eq!(limit.permit_at(start), Some(0));
        for ms in 1..=50 {
            assert_eq!(limit.permit_at(start + Duration::from_millis(ms)), None);
        }
        assert_eq!(limit.permit_at(start + EVERY), Some(50));
        assert_eq!(limit.permit_at(start + EVERY * 3), Some(0));
    }
}
