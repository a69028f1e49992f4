//! Which sessions there are, and which go when there are too many.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use super::Limits;
use super::session::Session;

/// How long a session is safe: from being evicted at all after its last use, from larger ones after its beginning.
const SAFE_FOR: Duration = Duration::from_secs(120);

/// A session, which its requests share with the cache.
pub(super) type Shared = Arc<Mutex<Session>>;

/// All sessions by id.
#[derive(Debug, Default)]
pub(super) struct Cache {
    slots: HashMap<i32, Slot>,
    /// The sizes of all slots together.
    partitions: usize,
}

/// A session's place in the cache.
#[derive(Debug)]
struct Slot {
    session: Shared,
    /// Its partitions, or as many as it was opened with if that request named some twice.
    size: usize,
    opened: Instant,
    used: Instant,
}

impl Cache {
    /// The number of sessions.
    pub(super) fn sessions(&self) -> usize {
        self.slots.len()
    }

    /// The number of partitions of all sessions.
    pub(super) fn partitions(&self) -> usize {
        self.partitions
    }

    /// A session, which is used now.
    pub(super) fn take_up(&mut self, id: i32, now: Instant) -> Option<Shared> {
        let slot = self.slots.get_mut(&id)?;
        slot.used = now;
        Some(Arc::clone(&slot.session))
    }

    /// Takes a session of `size` partitions in; returns its id and what it has evicted, `None` if there is no room.
    pub(super) fn insert(
        &mut self,
        session: Shared,
        size: usize,
        limits: Limits,
        now: Instant,
    ) -> Option<(i32, Vec<Shared>)> {
        let evicted = self.make_room(None, size, limits, now)?;
        let id = self.new_id();
        self.slots.insert(id, Slot { session, size, opened: now, used: now });
        self.partitions += size;
        Some((id, evicted))
    }

    /// Gives a session another size; returns what it has evicted, `None` if there is no room or no such session.
    pub(super) fn resize(
        &mut self,
        id: i32,
        size: usize,
        limits: Limits,
        now: Instant,
    ) -> Option<Vec<Shared>> {
        let held = self.slots.get(&id)?.size;
        let evicted = if size > held { self.make_room(Some(id), size, limits, now)? } else { Vec::new() };
        let slot = self.slots.get_mut(&id)?;
        slot.size = size;
        self.partitions = self.partitions.saturating_sub(held).saturating_add(size);
        Some(evicted)
    }

    /// Takes a session out.
    pub(super) fn remove(&mut self, id: i32) -> Option<Shared> {
        let slot = self.slots.remove(&id)?;
        self.partitions = self.partitions.saturating_sub(slot.size);
        Some(slot.session)
    }

    /// Evicts what has to go for a session of `size` partitions, which is new or grows. `None` when it would not fit all
    /// the same; then nothing goes.
    fn make_room(
        &mut self,
        growing: Option<i32>,
        size: usize,
        limits: Limits,
        now: Instant,
    ) -> Option<Vec<Shared>> {
        if size > limits.partitions_each.min(limits.partitions) {
            return None;
        }
        let held = growing.and_then(|id| self.slots.get(&id)).map_or(0, |slot| slot.size);
        let mut sessions = self.slots.len();
        let mut partitions = self.partitions.saturating_sub(held).saturating_add(size);
        let fits = |sessions: usize, partitions: usize| {
            partitions <= limits.partitions && (growing.is_some() || sessions < limits.sessions)
        };
        if fits(sessions, partitions) {
            return Some(Vec::new());
        }
        let mut candidates = self.evictable(growing, size, now).into_iter();
        let mut doomed = Vec::new();
        while !fits(sessions, partitions) {
            let (id, freed) = candidates.next()?;
            sessions = sessions.saturating_sub(1);
            partitions = partitions.saturating_sub(freed);
            doomed.push(id);
        }
        Some(doomed.into_iter().filter_map(|id| self.remove(id)).collect())
    }

    /// The ids and sizes of the sessions that may go for one of `size` partitions. First those that are not in use, the one
    /// that was used last the longest ago before the others; then the smallest.
    fn evictable(&self, growing: Option<i32>, size: usize, now: Instant) -> Vec<(i32, usize)> {
        let is_past = |since: Instant| now.saturating_duration_since(since) > SAFE_FOR;
        let mut ranked = Vec::new();
        for (id, slot) in &self.slots {
            let is_idle = is_past(slot.used);
            let may_go = is_idle || (is_past(slot.opened) && slot.size < size);
            if may_go && Some(*id) != growing {
                let last_used = is_idle.then_some(slot.used);
                let rank = (!is_idle, last_used, slot.size, *id);
                ranked.push((rank, slot.size));
            }
        }
        ranked.sort_unstable();
        ranked.into_iter().map(|((.., id), size)| (id, size)).collect()
    }

    /// An id that nobody can guess and no session has.
    fn new_id(&self) -> i32 {
        loop {
            let id = rand::random_range(1..=i32::MAX);
            if !self.slots.contains_key(&id) {
                return id;
            }
        }
    }
}
