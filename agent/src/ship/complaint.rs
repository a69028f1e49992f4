//! Says the same thing once in a while instead of each time.

use std::time::Duration;

use tokio::time::Instant;

/// How often a lasting trouble is reported.
const PAUSE: Duration = Duration::from_secs(30);

/// One trouble that may last.
#[derive(Debug, Default)]
pub(super) struct Complaint {
    said: Option<Instant>,
    repeats: u64,
}

impl Complaint {
    /// Calls `log` with the number of times it was not called since, when it is time.
    pub(super) fn say(&mut self, log: impl FnOnce(u64)) {
        if self.said.is_none_or(|said| said.elapsed() >= PAUSE) {
            log(self.repeats);
            self.said = Some(Instant::now());
            self.repeats = 0;
        } else {
            self.repeats += 1;
        }
    }

    /// The trouble is over: whether it had been reported.
    pub(super) fn settle(&mut self) -> bool {
        self.repeats = 0;
        self.said.take().is_some()
    }
}
