//! The pause before a repeat: doubling up to a limit, with jitter so that many that failed together do not return
//! together.

use std::time::Duration;

use rand::Rng;

/// Pauses of one thing that is tried again and again.
#[derive(Debug, Clone)]
pub(crate) struct Backoff {
    initial_ms: u64,
    max_ms: u64,
    next_ms: u64,
}

impl Backoff {
    pub(crate) fn new(initial_ms: u64, max_ms: u64) -> Self {
        Self { initial_ms, max_ms, next_ms: initial_ms }
    }

    /// The next pause: between half of what is due and all of it.
    pub(crate) fn next_pause(&mut self) -> Duration {
        let due = self.next_ms.max(1);
        self.next_ms = due.saturating_mul(2).min(self.max_ms);
        Duration::from_millis(rand::rng().random_range(due.div_ceil(2)..=due))
    }

    /// It went on: the next pause is the first again.
    pub(crate) fn reset(&mut self) {
        self.next_ms = self.initial_ms;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_to_the_limit_and_start_over() {
        let mut backoff = Backoff::new(100, 350);
        for due in [100, 200, 350, 350] {
            let pause = backoff.next_pause();
            assert!((due / 2..=due).contains(&(pause.as_millis() as u64)), "{pause:?} for {due}");
        }
        backoff.reset();
        assert!(backoff.next_pause() <= Duration::from_millis(100));
    }
}
