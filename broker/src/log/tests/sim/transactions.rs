//! Transactional producers and their coordinator, as steps: batches that interleave with all others, markers that are
//! repeated until they are durable, producers that are replaced, transactions that hang.
//!
//! The coordinator's own memory is not simulated: what it has decided holds whatever becomes of the log.

use std::collections::BTreeMap;

use rand::Rng;
use wire::record::{EndMarker, batch};

use super::ensure;
use super::model::View;
use super::world::{Client, World};
use crate::log::config::TimestampType;
use crate::log::error::AppendError;
use crate::log::{Appended, Verification};

/// Where a producer's transaction stands, for its coordinator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Idle,
    Open,
    /// It is decided, and its marker is not known to be durable.
    Ending {
        committed: bool,
    },
}

/// A transactional producer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Transactional {
    client: Client,
    stage: Stage,
}

impl World {
    /// A producer goes on: it sends, ends its transaction, is replaced, or is never heard of again.
    pub(super) fn transact(&mut self) -> Result<(), String> {
        if self.transactional.len() < 3 {
            let client = Client { id: self.next_id, epoch: 0, next_sequence: 0, transactional: true };
            self.transactional.push(Transactional { client, stage: Stage::Idle });
            self.next_id += 1;
        }
        let at = self.random.random_range(0..self.transactional.len());
        match (self.transactional[at].stage, self.random.random_range(0..100)) {
            (Stage::Idle, _) | (Stage::Open, 0..=49) => self.send(at),
            (Stage::Open, 50..=87) => {
                let committed = self.random.random_bool(0.5);
                self.decide(at, committed)
            }
            (Stage::Open, 88..=95) => self.replace(at),
            (Stage::Open, _) => {
                let hanging = self.transactional.remove(at);
                self.say(format!("producer {} is never heard of again", hanging.client.id));
                self.hanging.push(hanging);
                Ok(())
            }
            (Stage::Ending { .. }, _) => self.write_marker(at),
        }
    }

    /// An administrator has a transaction aborted that hangs, or its time is up.
    pub(super) fn abort_hanging(&mut self) -> Result<(), String> {
        let Some(hanging) = self.hanging.pop() else { return self.transact() };
        self.transactional.push(hanging);
        self.replace(self.transactional.len() - 1)
    }

    /// Ends all transactions; the disk is sound.
    pub(super) fn settle(&mut self) -> Result<(), String> {
        while !self.hanging.is_empty() {
            self.abort_hanging()?;
        }
        for at in 0..self.transactional.len() {
            match self.transactional[at].stage {
                Stage::Idle => {}
                Stage::Open => self.decide(at, at % 2 == 0)?,
                Stage::Ending { .. } => self.write_marker(at)?,
            }
        }
        let (stable, end) = (self.partition().last_stable_offset(), self.model.end());
        ensure!(stable == end, "no transaction is open, and what is from {stable} to {end} is not stable");
        Ok(())
    }

    fn send(&mut self, at: usize) -> Result<(), String> {
        let (client, count) = (self.transactional[at].client, self.random.random_range(1..4));
        let sent = self.batch(Some(client), count);
        self.say(format!("producer {} sends {count} records in a transaction", client.id));
        // the coordinator knows the partition before anything is appended
        self.transactional[at].stage = Stage::Open;
        let appended = self.append_with(&sent, |partition, stored| {
            partition.append_verified(stored, partition.unverified(client.id))
        })?;
        let Some(appended) = appended else { return Ok(()) };
        ensure!(
            !appended.duplicate,
            "a new batch of producer {} is taken for one at {}",
            client.id,
            appended.base_offset
        );
        let is_open = self.partition().unverified(client.id).is_none();
        ensure!(is_open, "producer {} has no transaction open after its batch", client.id);
        self.transactional[at].client.next_sequence = batch::increment_sequence(client.next_sequence, count);
        if self.random.random_bool(0.4) { self.wait(appended.last_offset + 1) } else { Ok(()) }
    }

    /// A new instance of a producer has its transaction aborted, and fences it.
    fn replace(&mut self, at: usize) -> Result<(), String> {
        let client = &mut self.transactional[at].client;
        (client.epoch, client.next_sequence) = (client.epoch + 1, 0);
        self.decide(at, false)
    }

    fn decide(&mut self, at: usize, committed: bool) -> Result<(), String> {
        let producer = &mut self.transactional[at];
        producer.stage = Stage::Ending { committed };
        self.model.decided.insert(producer.client.id, committed);
        self.write_marker(at)
    }

    /// Writes the marker of what is decided, once more if it is not known to be durable.
    fn write_marker(&mut self, at: usize) -> Result<(), String> {
        let Transactional { client, stage: Stage::Ending { committed } } = self.transactional[at] else {
            return Ok(());
        };
        self.coordinator_epoch += i32::from(self.random.random_bool(0.1));
        let before = self.partition().unverified(client.id);
        let Some(appended) = self.mark(client, committed)? else { return Ok(()) };
        self.check_late(client, before)?;
        self.check_older(client)?;
        if self.random.random_bool(0.7) {
            self.wait(appended.last_offset + 1)?;
        }
        if self.model.durable > appended.last_offset {
            self.transactional[at].stage = Stage::Idle;
            self.model.decided.remove(&client.id);
        }
        Ok(())
    }

    fn mark(&mut self, client: Client, committed: bool) -> Result<Option<Appended>, String> {
        let marker = EndMarker { committed, coordinator_epoch: self.coordinator_epoch };
        self.say(format!("producer {} of epoch {}: {marker:?}", client.id, client.epoch));
        let now_ms = self.now_ms();
        let sent = marker.batch(client.id, client.epoch, now_ms).unwrap().to_vec();
        let has_append_time = self.config.message_timestamp_type == TimestampType::LogAppendTime;
        self.append_with(&sent, |partition, stored| {
            // the partition makes the batch itself: this is what it will be
            batch::set_base_offset(stored, partition.log_end_offset());
            batch::set_leader_epoch(stored, partition.leader_epoch());
            if has_append_time {
                batch::set_log_append_time(stored, now_ms);
            }
            partition.append_marker(client.id, client.epoch, marker)
        })
    }

    /// The transaction has ended: a batch that comes late begins none with what the coordinator has said before.
    fn check_late(&mut self, client: Client, before: Option<Verification>) -> Result<(), String> {
        let partition = self.partition();
        ensure!(
            partition.unverified(client.id).is_some(),
            "producer {} has a transaction open behind its marker",
            client.id
        );
        let late = partition.append_verified(&mut self.batch(Some(client), 1), before);
        let is_refused = matches!(late, Err(AppendError::InvalidTxnState { .. }));
        ensure!(is_refused, "a batch of producer {} came behind the marker: {late:?}", client.id);
        Ok(())
    }

    /// An older instance of a producer is refused, even if the coordinator speaks for it.
    fn check_older(&mut self, current: Client) -> Result<(), String> {
        if current.epoch == 0 {
            return Ok(());
        }
        let older = Client { epoch: current.epoch - 1, ..current };
        let partition = self.partition();
        let verification = partition.unverified(older.id);
        let answer = partition.append_verified(&mut self.batch(Some(older), 1), verification);
        let is_fenced = matches!(answer, Err(AppendError::InvalidProducerEpoch { .. }));
        ensure!(is_fenced, "epoch {} of producer {} came back: {answer:?}", older.epoch, older.id);
        Ok(())
    }

    /// What was fenced before the log was opened again still is, where the log says so.
    pub(super) fn check_fences(&mut self, views: &BTreeMap<i64, View>, found: &[i64]) -> Result<(), String> {
        let compacted = self.config.cleanup_policy.compact;
        let is_there = |base: &i64| found.binary_search(base).is_ok();
        for (id, view) in views {
            let Some((marker, coordinator_epoch)) = view.marker else { continue };
            // compaction may have left nothing of a marker that can be read
            let has_marker = !compacted && is_there(&marker);
            if has_marker || view.batches.back().is_some_and(is_there) {
                let (epoch, next_sequence) = (view.epoch, view.next_sequence);
                self.check_older(Client { id: *id, epoch, next_sequence, transactional: true })?;
            }
            if has_marker && coordinator_epoch > 0 {
                let older = EndMarker { committed: true, coordinator_epoch: coordinator_epoch - 1 };
                let answer = self.partition().append_marker(*id, view.epoch, older);
                let is_fenced = matches!(answer, Err(AppendError::CoordinatorFenced { .. }));
                ensure!(
                    is_fenced,
                    "an older coordinator has ended a transaction of producer {id}: {answer:?}"
                );
            }
        }
        Ok(())
    }

    /// Producers go on where the log ends. One whose newest batch was deleted takes a new epoch, as the log may not know
    /// its sequence any more; what it has open is aborted.
    pub(super) fn resume(&mut self, views: &BTreeMap<i64, View>, found: &[i64]) {
        for Transactional { client, stage } in &mut self.transactional {
            let view = views.get(&client.id).filter(|view| view.epoch == client.epoch);
            let newest = view.and_then(|view| view.batches.back());
            if newest.is_none_or(|base| found.binary_search(base).is_ok()) {
                client.next_sequence = view.map_or(0, |view| view.next_sequence);
                continue;
            }
            (client.epoch, client.next_sequence) = (client.epoch + 1, 0);
            if *stage == Stage::Open {
                *stage = Stage::Ending { committed: false };
                self.model.decided.insert(client.id, false);
            }
        }
    }
}
