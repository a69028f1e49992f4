//! The pause before a repeat: doubling up to a limit, with jitter so that many that failed together do not return
//! together.

use std::time::Duration;

/// Pauses of one thing that is tried again and again.
#[derive(Clone, Debug)]
pub struct Backoff {
    first_ms: u64,
    max_ms: u64,
    next_ms: u64,
}

impl Backoff {
    /// The first pause is about `first_ms`, none is longer than `max_ms`.
    pub fn new(first_ms: u64, max_ms: u64) -> Self {
        Self { first_ms, max_ms, next_ms: first_ms }
    }

    /// The pause after one more failure: between half of what is due and all of it.
    pub fn next_pause(&mut self) -> Duration {
        let due_ms = self.next_ms.min(self.max_ms).max(1);
        self.next_ms = due_ms.saturating_mul(2);
        Duration::from_millis(rand::random_range(due_ms.div_ceil(2)..=due_ms))
    }

    /// It worked: the next pause is the first again.
    pub fn reset(&mut self) {
        self.next_ms = self.first_ms;
    }
}

#[cfg(test)]
mod tests {
    use super::Backoff;

    #[test]
    fn pauses_double_up_to_the_limit_and_start_over_after_a_success() {
        let mut backoff = Backoff::new(100, 1000);
        for (low, high) in [(50, 100), (100, 200), (200, 400), (400, 800), (500, 1000), (500, 1000)] {
            let pause = backoff.next_pause().as_millis();
            assert!((low..=high).contains(&pause), "{pause} ms is not within {low} to {high}");
        }
        backoff.reset();
        assert!(backoff.next_pause().as_millis() <= 100);
    }
}
