//! The memory of requests, shared by all connections.
//!
//! A frame's buffer grows with the bytes that have arrived, never with the size that was announced, and every
//! growth is paid for here first:
//!
//! - the first [`FREE_BYTES`] of each connection cost nothing, so that small requests (everything but
//!   Produce) get through whatever the others do; `max_connections` bounds their sum;
//! - what is beyond is drawn from `queued_max_request_bytes`; when that is used up, connections wait in line;
//! - a frame that is larger than a quarter of it would starve the rest: such frames take turns, one at a time,
//!   outside of the budget. Their memory is bounded by `socket_request_max_bytes`.
//!
//! Records that are converted for old clients have a budget of their own, of the same size and the same rules, so
//! that readers who are slow to take theirs do not hold up producers; see [`Conversions`](crate::api::Conversions).
//!
//! A connection that holds memory for an unfinished frame while others wait for some gets only
//! a grace period (see [`frame`](super::frame)), so half-sent frames cannot block the rest for long.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bytes of a connection's buffer that are not counted.
pub(crate) const FREE_BYTES: usize = 16 * 1024;

/// What one permit of the semaphore stands for.
const UNIT_BYTES: usize = 1024;

/// The memory that all connections share. One for each server.
#[derive(Debug)]
pub(crate) struct Budget {
    shared: Arc<Semaphore>,
    /// The turn of the large frames.
    large: Arc<Semaphore>,
    large_from: usize,
    waiting: AtomicUsize,
}

/// What one connection holds; given back when dropped.
#[derive(Debug, Default)]
pub(crate) struct Reservation {
    shared: Option<OwnedSemaphorePermit>,
    large: Option<OwnedSemaphorePermit>,
}

impl Reservation {
    /// Whether nothing is held.
    pub(crate) fn is_empty(&self) -> bool {
        self.shared.is_none() && self.large.is_none()
    }

    /// Whether this is the turn of a large frame.
    pub(crate) fn is_large(&self) -> bool {
        self.large.is_some()
    }

    /// Gives back what a buffer of `capacity` bytes does not need.
    pub(crate) fn shrink(&mut self, capacity: usize) {
        if capacity <= FREE_BYTES {
            *self = Reservation::default();
        } else if let Some(shared) = &mut self.shared {
            let surplus = shared.num_permits().saturating_sub(units_beyond_free(capacity));
            drop(shared.split(surplus));
        }
    }

    fn units(&self) -> usize {
        self.shared.as_ref().map_or(0, OwnedSemaphorePermit::num_permits)
    }
}

/// What a buffer of `capacity` bytes costs.
fn units_beyond_free(capacity: usize) -> usize {
    capacity.saturating_sub(FREE_BYTES).div_ceil(UNIT_BYTES)
}

impl Budget {
    /// A budget of `bytes`.
    pub(crate) fn new(bytes: usize) -> Self {
        let units = (bytes / UNIT_BYTES).clamp(1, Semaphore::MAX_PERMITS);
        Budget {
            shared: Arc::new(Semaphore::new(units)),
            large: Arc::new(Semaphore::new(1)),
            large_from: (units * UNIT_BYTES / 4).max(FREE_BYTES),
            waiting: AtomicUsize::new(0),
        }
    }

    /// Whether somebody waits for memory, so that nobody should keep what he can do without.
    pub(crate) fn is_contended(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) > 0
    }

    /// Waits until `reservation` covers a buffer of `capacity` bytes for a frame of `frame` bytes. Cancel safe:
    /// what was reserved before stays reserved, nothing else is.
    pub(crate) async fn reserve(&self, reservation: &mut Reservation, capacity: usize, frame: usize) {
        if reservation.is_large() || capacity <= FREE_BYTES {
            return;
        }
        if frame > self.large_from {
            reservation.large = self.acquire(&self.large, 1).await;
            reservation.shared = None;
            return;
        }
        let missing = units_beyond_free(capacity).saturating_sub(reservation.units());
        let missing = u32::try_from(missing).unwrap_or(u32::MAX);
        if missing == 0 {
            return;
        }
        match (self.acquire(&self.shared, missing).await, &mut reservation.shared) {
            (Some(more), Some(held)) => held.merge(more),
            (more, held) => *held = more,
        }
    }

    /// Permits, which a semaphore that is never closed always yields in the end.
    async fn acquire(&self, of: &Arc<Semaphore>, permits: u32) -> Option<OwnedSemaphorePermit> {
        if let Ok(permit) = of.clone().try_acquire_many_owned(permits) {
            return Some(permit);
        }
        let _waiting = Waiting::new(&self.waiting);
        of.clone().acquire_many_owned(permits).await.ok()
    }
}

/// Counts one who waits, also when the wait is cancelled.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Waiting(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
