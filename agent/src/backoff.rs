//! Waiting times between attempts: doubling up to a limit, with jitter so that a fleet does not knock in step.

use std::time::Duration;

/// The waits after successive failures.
#[derive(Clone, Debug)]
pub(crate) struct Backoff {
    first_ms: u64,
    max_ms: u64,
    next_ms: u64,
}

impl Backoff {
    /// The first wait is about `first_ms`, no wait is longer than `max_ms`.
    pub(crate) fn new(first_ms: u64, max_ms: u64) -> Self {
        Self { first_ms, max_ms, next_ms: first_ms }
    }

    /// The wait after one more failure: between half and the whole of the current step.
    pub(crate) fn next(&mut self) -> Duration {
        let step = self.next_ms.min(self.max_ms);
        self.next_ms = step.saturating_mul(2);
        Duration::from_millis(rand::random_range(step / 2..=step))
    }

    /// It worked: the next failure waits as the first did.
    pub(crate) fn reset(&mut self) {
        self.next_ms = self.first_ms;
    }
}

#[cfg(test)]
mod tests {
    use super::Backoff;

    #[test]
    fn waits_double_up_to_the_limit_and_start_over_after_a_success() {
        let mut backoff = Backoff::new(100, 1000);
        let bounds = [(50, 100), (100, 200), (200, 400), (400, 800), (500, 1000), (500, 1000)];
        for (low, high) in bounds {
            let wait = backoff.next().as_millis();
            assert!((low..=high).contains(&wait), "{wait} ms is not within {low} to {high}");
        }
        backoff.reset();
        assert!(backoff.next().as_millis() <= 100);
    }
}
