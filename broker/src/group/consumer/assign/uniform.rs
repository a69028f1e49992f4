//! Everyone gets the same number of partitions, if all subscribe to the same; otherwise as equal as moving one partition
//! after the other makes them.
//!
//! 1. What a member had stays with it, if it still subscribes to the topic.
//! 2. The rest goes to whoever has least, topics with few subscribers first.
//! 3. Partitions are moved from who has more to who has at least two less. With equal subscriptions no partition is moved
//!    that need not be: nobody gives who would not have too many.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::Subscriber;
use crate::group::consumer::partitions::{Partitions, add, each};

/// With equal subscriptions the first pass does it all; long chains of members with overlapping ones could need very many.
const PASSES_MAX: usize = 100;

pub(super) fn assign(members: &[Subscriber<'_>], topics: &BTreeMap<Uuid, i32>) -> Vec<Partitions> {
    let mut plan = Plan::new(members, topics);
    plan.keep(members);
    plan.distribute();
    plan.balance();
    let mut shares = vec![Partitions::new(); members.len()];
    for ((topic, index), owner) in plan.owners {
        if let Some(share) = shares.get_mut(owner) {
            add(share, topic, index);
        }
    }
    shares
}

/// Members are known by their places in the list.
struct Plan<'a> {
    topics: &'a BTreeMap<Uuid, i32>,
    /// Who subscribes to a topic.
    readers: BTreeMap<Uuid, Vec<usize>>,
    owners: BTreeMap<(Uuid, i32), usize>,
    /// How many partitions each member has.
    loads: Vec<usize>,
}

impl<'a> Plan<'a> {
    fn new(members: &[Subscriber<'_>], topics: &'a BTreeMap<Uuid, i32>) -> Self {
        let mut readers: BTreeMap<Uuid, Vec<usize>> = BTreeMap::new();
        for (at, member) in members.iter().enumerate() {
            for topic in member.topics.iter().filter(|topic| topics.contains_key(*topic)) {
                readers.entry(*topic).or_default().push(at);
            }
        }
        Plan { topics, readers, owners: BTreeMap::new(), loads: vec![0; members.len()] }
    }

    /// How many partitions a topic has.
    fn size(&self, topic: Uuid) -> i32 {
        self.topics.get(&topic).copied().unwrap_or(0)
    }

    fn load(&self, member: usize) -> usize {
        self.loads.get(member).copied().unwrap_or(0)
    }

    /// Who has least of those that may read a topic, the first of several.
    fn least_loaded(&self, topic: Uuid) -> Option<usize> {
        self.readers.get(&topic)?.iter().copied().min_by_key(|reader| self.load(*reader))
    }

    fn give(&mut self, place: (Uuid, i32), member: usize) {
        let before = self.owners.insert(place, member);
        if let Some(load) = before.and_then(|before| self.loads.get_mut(before)) {
            *load = load.saturating_sub(1);
        }
        if let Some(load) = self.loads.get_mut(member) {
            *load += 1;
        }
    }

    fn keep(&mut self, members: &[Subscriber<'_>]) {
        for (at, member) in members.iter().enumerate() {
            for (topic, index) in each(member.previous) {
                let exists = (0..self.size(topic)).contains(&index);
                let is_free = !self.owners.contains_key(&(topic, index));
                if exists && is_free && member.topics.contains(&topic) {
                    self.give((topic, index), at);
                }
            }
        }
    }

    fn distribute(&mut self) {
        let mut order: Vec<(usize, Uuid)> =
            self.readers.iter().map(|(topic, readers)| (readers.len(), *topic)).collect();
        order.sort_unstable();
        for (_, topic) in order {
            for index in 0..self.size(topic) {
                if self.owners.contains_key(&(topic, index)) {
                    continue;
                }
                if let Some(member) = self.least_loaded(topic) {
                    self.give((topic, index), member);
                }
            }
        }
    }

    fn balance(&mut self) {
        for _ in 0..PASSES_MAX {
            if !self.even_out() {
                return;
            }
        }
    }

    /// Moves each partition once at most; says whether any was moved. Those who have most give first: else someone could
    /// give what he is given back by those who have more.
    fn even_out(&mut self) -> bool {
        let mut held: Vec<Vec<(Uuid, i32)>> = vec![Vec::new(); self.loads.len()];
        for (place, owner) in &self.owners {
            if let Some(held) = held.get_mut(*owner) {
                held.push(*place);
            }
        }
        let mut has_moved = false;
        let most = self.loads.iter().copied().max().unwrap_or(0);
        for level in (2..=most).rev() {
            for (owner, places) in held.iter_mut().enumerate() {
                while self.load(owner) >= level {
                    // the last one first, so that who was there before keeps the beginning
                    let Some(place) = places.pop() else { break };
                    let Some(least) = self.least_loaded(place.0) else { continue };
                    if self.load(owner) > self.load(least) + 1 {
                        self.give(place, least);
                        has_moved = true;
                    }
                }
            }
        }
        has_moved
    }
}
