//! What clients, the broker's upkeep and fate do to the log, step by step.

use rand::Rng;
use wire::record::{BatchBuilder, Compression};

use super::ensure;
use super::world::{Client, World};
use crate::log::checkpoint;
use crate::log::error::AppendError;
use crate::log::partition::{Appended, Partition};

/// Operations of a disk until the power fails, at most.
const FUSE: u32 = 40;

impl World {
    /// One step, drawn at random.
    pub(super) fn step(&mut self) -> Result<(), String> {
        match self.random.random_range(0..100) {
            0..=11 => self.append(),
            12..=27 => self.produce(),
            28..=51 => self.transact(),
            52..=53 => self.abort_hanging(),
            54..=57 => self.send_again(),
            58..=59 => self.bump_epoch(),
            60 => self.refused(),
            61..=65 => self.flush(),
            66..=76 => self.tick(),
            77 => self.look(),
            78..=79 => self.delete_records(),
            80..=82 => {
                let power = self.random.random_bool(0.3);
                let stop = self.close(power);
                self.open(stop)
            }
            83..=85 => {
                let stop = self.stop(false);
                self.open(stop)
            }
            86..=89 => {
                let stop = self.stop(true);
                self.open(stop)
            }
            90..=95 => {
                let fuse = self.random.random_range(0..FUSE);
                self.say(format!("the power will fail in {fuse} operations"));
                self.disk.set_fuse(Some(fuse));
                Ok(())
            }
            _ => {
                self.stir();
                Ok(())
            }
        }?;
        self.survive()
    }

    /// Starts the broker again when its disk has failed it.
    fn survive(&mut self) -> Result<(), String> {
        let partition = self.partition();
        if self.disk.is_dead() || partition.is_offline() {
            drop(partition);
            let power = self.random.random_bool(0.3);
            let stop = self.stop(power);
            return self.open(stop);
        }
        self.model.durable = self.model.durable.max(partition.flushed_offset());
        Ok(())
    }

    /// A batch of `count` records, of a producer if there is one.
    pub(super) fn batch(&mut self, client: Option<Client>, count: i32) -> Vec<u8> {
        let codec = if self.random.random_bool(0.1) { Compression::Lz4 } else { Compression::None };
        let mut builder = BatchBuilder::new(codec);
        if let Some(client) = client {
            builder = builder.producer(client.id, client.epoch, client.next_sequence);
            if client.transactional {
                builder = builder.transactional();
            }
        }
        let keyed = self.config.cleanup_policy.compact || self.random.random_bool(0.2);
        for _ in 0..count {
            self.number += 1;
            let filler = "x".repeat(self.random.random_range(0..150));
            let value = format!("{} {filler}", self.number);
            let key = keyed.then(|| format!("key-{}", self.random.random_range(0..8)));
            let value = (!keyed || self.random.random_bool(0.8)).then_some(value);
            let timestamp = self.now_ms() + self.random.random_range(-20_000..5_000);
            let (key, value) = (key.as_deref().map(str::as_bytes), value.as_deref().map(str::as_bytes));
            builder.append(timestamp, key, value, &[]).unwrap();
        }
        builder.finish().unwrap().to_vec()
    }

    /// Appends; `None` when that failed, or nobody knows.
    fn try_append(&mut self, sent: &[u8]) -> Result<Option<Appended>, String> {
        self.append_with(sent, |partition, stored| partition.append(stored))
    }

    /// As [`try_append`](Self::try_append), by `append`, which makes of its bytes what the log has then.
    pub(super) fn append_with(
        &mut self,
        sent: &[u8],
        append: impl FnOnce(&Partition, &mut [u8]) -> Result<Appended, AppendError>,
    ) -> Result<Option<Appended>, String> {
        let partition = self.partition();
        let mut stored = sent.to_vec();
        match append(&partition, &mut stored) {
            Ok(appended) if appended.duplicate => Ok(Some(appended)),
            Ok(appended) => {
                self.model.note(sent, &stored)?;
                let (told, end) = (appended.last_offset + 1, self.model.end());
                ensure!(
                    told == end && partition.log_end_offset() == end,
                    "the log ends at {told}, not {end}"
                );
                Ok(Some(appended))
            }
            Err(AppendError::Storage(_)) if self.disk.is_dead() || partition.is_offline() => {
                self.say("nobody knows whether it was appended");
                self.model.doubt(sent, &stored);
                Ok(None)
            }
            Err(AppendError::Storage(error)) => {
                let (found, end) = (partition.log_end_offset(), self.model.end());
                ensure!(found == end, "an append failed ({error}) and the log ends at {found}, not {end}");
                self.say(format!("not appended: {error}"));
                self.model.doubt(sent, &stored);
                Ok(None)
            }
            Err(AppendError::LargerThanSegment { .. }) => Ok(None),
            Err(error) => Err(format!("an append was refused: {error}")),
        }
    }

    /// Waits for the flush, as acks=all does.
    pub(super) fn wait(&mut self, offset: i64) -> Result<(), String> {
        let partition = self.partition();
        if partition.flush_to(offset).is_ok() {
            ensure!(partition.flushed_offset() >= offset, "{offset} was flushed and is not durable");
            self.model.durable = self.model.durable.max(offset);
            self.say(format!("durable up to {offset}"));
        }
        Ok(())
    }

    fn append(&mut self) -> Result<(), String> {
        let batches = self.random.random_range(1..4);
        let mut sent = Vec::new();
        for _ in 0..batches {
            let count = self.random.random_range(1..5);
            sent.extend(self.batch(None, count));
        }
        self.say(format!("append {batches} batches, {} bytes", sent.len()));
        let appended = self.try_append(&sent)?;
        match appended.filter(|_| self.random.random_bool(0.4)) {
            Some(appended) => self.wait(appended.last_offset + 1),
            None => Ok(()),
        }
    }

    /// The next batch of a producer, who may be new.
    fn produce(&mut self) -> Result<(), String> {
        if self.clients.len() < 3 {
            let next_sequence = if self.random.random_bool(0.2) { i32::MAX - 5 } else { 0 };
            self.clients.push(Client { id: self.next_id, epoch: 0, next_sequence, transactional: false });
            self.next_id += 1;
        }
        let at = self.random.random_range(0..self.clients.len());
        let (client, count) = (self.clients[at], self.random.random_range(1..5));
        let sent = self.batch(Some(client), count);
        self.say(format!("producer {} sends {count} records from {}", client.id, client.next_sequence));
        let Some(appended) = self.try_append(&sent)? else { return Ok(()) };
        ensure!(
            !appended.duplicate,
            "a new batch of producer {} is taken for one at {}",
            client.id,
            appended.base_offset
        );
        self.clients[at].next_sequence = wire::record::batch::increment_sequence(client.next_sequence, count);
        if self.random.random_bool(0.6) { self.wait(appended.last_offset + 1) } else { Ok(()) }
    }

    /// A batch of which the answer was lost.
    fn send_again(&mut self) -> Result<(), String> {
        let views = self.model.producers();
        for client in self.clients.clone() {
            let Some(newest) = views.get(&client.id).and_then(|view| view.batches.back()) else { continue };
            let written = self.model.written[newest].clone();
            let appended = self.try_append(&written.sent)?;
            let right = appended.is_some_and(|again| again.duplicate && again.base_offset == *newest);
            ensure!(right, "the batch of producer {} at {newest} was sent again: {appended:?}", client.id);
        }
        Ok(())
    }

    /// A new instance of a producer fences the old one.
    fn bump_epoch(&mut self) -> Result<(), String> {
        let Some(old) = self.clients.pop() else { return Ok(()) };
        let new = Client { epoch: old.epoch + 1, next_sequence: 0, ..old };
        let sent = self.batch(Some(new), 2);
        self.say(format!("producer {} has epoch {}", new.id, new.epoch));
        let Some(_) = self.try_append(&sent)? else { return Ok(()) };
        let answer = self.partition().append(&mut self.batch(Some(old), 1));
        let fenced = matches!(answer, Err(AppendError::InvalidProducerEpoch { .. }));
        ensure!(fenced, "epoch {} of producer {} came back: {answer:?}", old.epoch, old.id);
        self.clients.push(Client { next_sequence: 2, ..new });
        Ok(())
    }

    /// A batch that leaves out a sequence.
    fn refused(&mut self) -> Result<(), String> {
        let views = self.model.producers();
        for client in self.clients.clone().into_iter().filter(|client| views.contains_key(&client.id)) {
            let next_sequence = wire::record::batch::increment_sequence(client.next_sequence, 1);
            let answer =
                self.partition().append(&mut self.batch(Some(Client { next_sequence, ..client }), 1));
            let refused = matches!(answer, Err(AppendError::OutOfOrderSequence { .. }));
            ensure!(refused, "producer {} left out a sequence: {answer:?}", client.id);
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), String> {
        let end = self.model.end();
        self.wait(end)
    }

    /// Some time passes, and what is due is done: flushing by time, retention, checkpoints; then compaction.
    fn tick(&mut self) -> Result<(), String> {
        let passed_ms = self.random.random_range(0..70_000);
        self.clock.advance(passed_ms);
        let now_ms = self.now_ms();
        let report = self.logs().tick();
        let partition = self.partition();
        let start = partition.log_start_offset();
        self.say(format!("a tick after {passed_ms} ms: log start {start}, {report:?}"));
        let before = self.model.log_start;
        ensure!(start >= before, "the log's start went back from {before} to {start}");
        if start > before {
            self.check_retention(before..start, now_ms, partition.size_bytes())?;
        }
        self.model.log_start = start;
        self.model.solid_start = self.model.solid_start.max(start);
        if report.failures == 0 && !self.disk.is_dead() {
            let path = self.data_dir().join(checkpoint::LOG_STARTS);
            let starts = checkpoint::read(&path).map_err(|error| error.to_string())?;
            self.model.start_on_disk = starts.values().next().copied().unwrap_or(0);
        }
        self.clean()
    }

    /// What a thread beside the tick does, here always behind it: a seed is one history.
    fn clean(&mut self) -> Result<(), String> {
        let report = self.logs().clean();
        self.say(format!("compaction: {report:?}"));
        let (before, start) = (self.model.log_start, self.partition().log_start_offset());
        ensure!(start == before, "compaction moved the log's start from {before} to {start}");
        Ok(())
    }

    /// What retention has deleted was too old or too much.
    fn check_retention(
        &self,
        deleted: std::ops::Range<i64>,
        now_ms: i64,
        size_after: u64,
    ) -> Result<(), String> {
        ensure!(self.config.cleanup_policy.delete, "a log that is only compacted lost {deleted:?}");
        if self.config.cleanup_policy.compact {
            // what compaction has taken out may have been younger than what was left to delete
            return Ok(());
        }
        let kept_bytes = u64::try_from(self.config.retention_bytes).unwrap_or(u64::MAX);
        let (kept_ms, is_aged) = (self.config.retention_ms, self.config.retention_ms >= 0);
        let expired = |timestamp: i64| is_aged && now_ms - timestamp > kept_ms;
        let mut batches =
            self.model.written.range(deleted.clone()).map(|(_, batch)| batch.header.max_timestamp);
        let right = size_after >= kept_bytes || batches.clone().all(expired);
        // both may have been at work
        let mixed = kept_bytes < u64::MAX && batches.any(expired);
        ensure!(right || mixed, "{deleted:?} was deleted too early, {size_after} bytes are left");
        Ok(())
    }

    fn delete_records(&mut self) -> Result<(), String> {
        let (start, end) = (self.model.log_start, self.model.end());
        let before = self.random.random_range(start..=end);
        let told = self.partition().delete_records_before(before).map_err(|error| error.to_string())?;
        self.say(format!("delete records before {before}"));
        ensure!(told == before, "records before {told} were deleted, not before {before}");
        self.model.log_start = before;
        self.model.solid_start = self.model.solid_start.max(before);
        Ok(())
    }

    /// The log is looked at while it is in use.
    fn look(&mut self) -> Result<(), String> {
        self.model.check(&self.partition(), &self.config).map(drop)
    }

    /// The disk is sound again: everything works, and goes on working after the power fails.
    pub(super) fn finish(&mut self) -> Result<(), String> {
        self.calm();
        self.survive()?;
        self.append()?;
        self.flush()?;
        let stop = self.stop(true);
        self.open(stop)?;
        self.produce()?;
        self.settle()?;
        let stop = self.close(false);
        ensure!(stop.clean, "a sound disk, and no clean stop");
        self.open(stop)?;
        self.tick()?;
        self.look()
    }
}
