//! One log line instead of thousands that say the same.

use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// Lets an event through at most once in a while, and counts those it held back.
///
/// ```
/// use std::time::Duration;
/// static REFUSED: daemon::log::Repeats = daemon::log::Repeats::every(Duration::from_secs(10));
/// if let Some(suppressed) = REFUSED.pass() {
///     tracing::warn!(suppressed, "cannot accept connection");
/// }
/// ```
#[derive(Debug)]
pub struct Repeats {
    every: Duration,
    last: Mutex<Last>,
}

#[derive(Debug)]
struct Last {
    passed: Option<Instant>,
    suppressed: u64,
}

impl Repeats {
    /// At most one event in each `every`.
    pub const fn every(every: Duration) -> Self {
        Self { every, last: Mutex::new(Last { passed: None, suppressed: 0 }) }
    }

    /// `Some` when this event should be logged: with the number that were held back before it.
    pub fn pass(&self) -> Option<u64> {
        self.pass_at(Instant::now())
    }

    pub(super) fn pass_at(&self, now: Instant) -> Option<u64> {
        let mut last = self.last.lock();
        let too_early = last.passed.is_some_and(|passed| now.saturating_duration_since(passed) < self.every);
        if too_early {
            last.suppressed = last.suppressed.saturating_add(1);
            return None;
        }
        last.passed = Some(now);
        Some(std::mem::take(&mut last.suppressed))
    }
}
