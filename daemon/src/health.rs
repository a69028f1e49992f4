//! Who is ready and who is alive.
//!
//! A *component* says when it is ready to do its work, and why not. If its work goes round in a loop it also
//! gives a *beat* each time round: a beat that is too old means that the loop hangs, and the process is no longer
//! healthy. A component that never beats is not watched.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use serde::Serialize;
use tokio::sync::watch;

/// How old a beat may be unless the component asks for something else.
pub const BEAT_LIMIT: Duration = Duration::from_secs(30);

/// The components of this process; clones share them.
#[derive(Clone, Debug)]
pub struct Health {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    start: Instant,
    components: Mutex<Vec<Arc<State>>>,
    /// Counts changes of readiness, for those who wait for one.
    changes: watch::Sender<u64>,
}

#[derive(Debug)]
struct State {
    name: String,
    limit: Duration,
    /// `None` when ready, else the reason.
    waiting_for: Mutex<Option<String>>,
    /// Milliseconds from `start` to the last beat, plus one; 0 before the first.
    beat: AtomicU64,
}

/// One component's view of [`Health`]. Clones speak for the same component.
#[derive(Clone, Debug)]
pub struct Component {
    state: Arc<State>,
    shared: Arc<Shared>,
}

/// How a component is, as `/healthz` and `/readyz` show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The component's name.
    pub name: String,
    /// Whether it can do its work.
    pub ready: bool,
    /// Why it is not ready.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Whether its last beat is young enough, or it gives none.
    pub alive: bool,
    /// Milliseconds since its last beat.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_beat_ms: Option<u64>,
}

impl Default for Health {
    fn default() -> Self {
        let (changes, _) = watch::channel(0);
        Self { shared: Arc::new(Shared { start: Instant::now(), components: Mutex::default(), changes }) }
    }
}

impl Health {
    /// Adds a component, not ready yet, whose beats may be [`BEAT_LIMIT`] apart.
    pub fn component(&self, name: &str) -> Component {
        self.component_beating(name, BEAT_LIMIT)
    }

    /// Adds a component whose beats may be `limit` apart.
    pub fn component_beating(&self, name: &str, limit: Duration) -> Component {
        let waiting_for = Mutex::new(Some("starting".to_owned()));
        let state = Arc::new(State { name: name.to_owned(), limit, waiting_for, beat: AtomicU64::new(0) });
        self.shared.components.lock().push(state.clone());
        self.shared.changes.send_modify(|count| *count += 1);
        Component { state, shared: self.shared.clone() }
    }

    /// Every component, in the order they were added.
    pub fn report(&self) -> Vec<Report> {
        self.report_at(Instant::now())
    }

    fn report_at(&self, now: Instant) -> Vec<Report> {
        let now_ms = elapsed_ms(self.shared.start, now);
        self.shared.components.lock().iter().map(|state| state.report(now_ms)).collect()
    }

    /// Whether no component's beat is too old.
    pub fn is_alive(&self) -> bool {
        self.report().iter().all(|component| component.alive)
    }

    /// Whether there are components and all are ready.
    pub fn is_ready(&self) -> bool {
        let report = self.report();
        !report.is_empty() && report.iter().all(|component| component.ready)
    }

    /// What the process waits for, as one line; `None` when it is ready.
    pub fn waiting_for(&self) -> Option<String> {
        let report = self.report();
        let waiting: Vec<String> = report
            .into_iter()
            .filter_map(|component| Some(format!("{}: {}", component.name, component.reason?)))
            .collect();
        (!waiting.is_empty()).then(|| waiting.join("; "))
    }

    /// Sees each change of any component's readiness.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.shared.changes.subscribe()
    }

    /// Returns once [`Health::is_ready`].
    pub async fn ready(&self) {
        let mut changes = self.changes();
        // The sender lives in `self`, so the wait cannot fail.
        while !self.is_ready() && changes.changed().await.is_ok() {}
    }
}

impl State {
    fn report(&self, now_ms: u64) -> Report {
        let reason = self.waiting_for.lock().clone();
        let beat = self.beat.load(Ordering::Relaxed).checked_sub(1);
        let last_beat_ms = beat.map(|beat| now_ms.saturating_sub(beat));
        let alive = last_beat_ms.is_none_or(|age| u128::from(age) <= self.limit.as_millis());
        Report { name: self.name.clone(), ready: reason.is_none(), reason, alive, last_beat_ms }
    }
}

impl Component {
    /// It can do its work.
    pub fn ready(&self) {
        self.set(None);
    }

    /// It cannot, and this is why: shown to operators, so a sentence's part such as `connecting to 10.0.0.1:9092`.
    pub fn not_ready(&self, reason: impl Into<String>) {
        self.set(Some(reason.into()));
    }

    /// Its loop goes round. The first beat starts the watch on it.
    pub fn beat(&self) {
        self.beat_at(Instant::now());
    }

    fn beat_at(&self, now: Instant) {
        self.state.beat.store(elapsed_ms(self.shared.start, now).saturating_add(1), Ordering::Relaxed);
    }

    /// Its loop has ended as it should: it is no longer watched.
    pub fn retire(&self) {
        self.state.beat.store(0, Ordering::Relaxed);
    }

    fn set(&self, waiting_for: Option<String>) {
        let mut current = self.state.waiting_for.lock();
        if *current != waiting_for {
            *current = waiting_for;
            drop(current);
            self.shared.changes.send_modify(|count| *count += 1);
        }
    }
}

fn elapsed_ms(start: Instant, now: Instant) -> u64 {
    u64::try_from(now.saturating_duration_since(start).as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
