//! Appending: check (`check`), compress as the topic wants it (`recompress`), assign offsets in place, one write, then let
//! readers know.

use std::sync::atomic::Ordering;

use wire::record::batch::{self, BatchHeader};

use super::check::{check, complete_timestamps};
use super::recompress::recompress;
use super::transactions::STABLE;
use super::{Partition, Writer};
use crate::log::config::{LogConfig, TimestampType};
use crate::log::error::AppendError;
use crate::log::producer::{AppendOrigin, ProducerBatch, Verdict};

/// Where batches were appended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// The first record's offset.
    pub base_offset: i64,
    /// The last record's offset; `acks=all` waits until what is before `last_offset + 1` is durable.
    pub last_offset: i64,
    /// The timestamp that the broker gave the records, milliseconds; -1 when they keep their own.
    pub log_append_time: i64,
    /// The first offset of the log.
    pub log_start_offset: i64,
    /// Whether the batch was in the log already: it was not appended again, and the offsets are those it has.
    pub duplicate: bool,
}

impl Partition {
    /// Appends one or more record batches (magic 2), with their base offsets, leader epoch and, if the topic says
    /// so, timestamps set in place; batches that have to be compressed again leave `records` without them. One that an
    /// idempotent producer sent before is answered with the offsets it has. On an error nothing was appended.
    ///
    /// The records are in the page cache afterwards; [`flush_to`](Self::flush_to) makes them durable. Blocks for
    /// the write, and for a flush when `flush_messages` says so.
    pub fn append(&self, records: &mut [u8]) -> Result<Appended, AppendError> {
        self.append_from(records, AppendOrigin::Client(None))
    }

    pub(super) fn append_from(
        &self,
        records: &mut [u8],
        origin: AppendOrigin,
    ) -> Result<Appended, AppendError> {
        let config = self.config();
        complete_timestamps(records, &config)?;
        let mut batches = check(records, &config, self.now_ms(), origin)?;
        let mut recompressed = recompress(records, &mut batches, &config)?;
        let records = recompressed.as_deref_mut().unwrap_or(records);
        let mut writer = self.writer.lock();
        self.check_open()?;
        if let Some(original) = known_duplicate(&writer, &batches, origin)? {
            return Ok(self.answer_duplicate(original, &config));
        }
        let now_ms = self.now_ms();
        let base_offset = self.log_end_offset();
        let next_offset = self.assign_offsets(records, &mut batches, &config, now_ms)?;
        self.roll_if_due(&mut writer, &batches, records.len(), &config)?;
        let indexed = self.index_aborted(&writer, batches.first(), origin.marker())?;
        let written = self.write(&mut writer, records, &batches, &config);
        if written.is_err() && indexed {
            self.take_back_index(&writer);
        }
        written?;
        for header in &batches {
            match origin.marker() {
                Some(marker) => writer.producers.end(header, marker, now_ms),
                None => writer.producers.note(header, now_ms),
            }
        }
        writer.producers.limit(config.producer_ids_max);
        let first_unstable = writer.producers.first_unstable_offset().unwrap_or(STABLE);
        self.first_unstable.store(first_unstable, Ordering::Release);
        self.log_end.store(next_offset, Ordering::Release);
        writer.active.publish(records.len() as u32);
        self.traffic.count_appended(records.len());
        drop(writer);
        self.announce(next_offset);
        if next_offset.saturating_sub(self.flushed_offset()) >= config.flush_messages {
            self.flush_to(next_offset)?;
        }
        Ok(Appended {
            base_offset,
            last_offset: next_offset - 1,
            log_append_time: append_time(&config, now_ms),
            log_start_offset: self.log_start_offset(),
            duplicate: false,
        })
    }

    /// Gives every batch its offsets and the leader's epoch; returns the offset after the last one.
    fn assign_offsets(
        &self,
        records: &mut [u8],
        batches: &mut [BatchHeader],
        config: &LogConfig,
        now_ms: i64,
    ) -> Result<i64, AppendError> {
        let mut next_offset = self.log_end_offset();
        let mut rest = records;
        for header in batches {
            let Some((bytes, behind)) = rest.split_at_mut_checked(header.size()) else { break };
            batch::set_base_offset(bytes, next_offset);
            batch::set_leader_epoch(bytes, self.leader_epoch());
            if config.message_timestamp_type == TimestampType::LogAppendTime {
                batch::set_log_append_time(bytes, now_ms);
            }
            *header = BatchHeader::parse(bytes)?;
            next_offset = next_offset
                .checked_add(i64::from(header.last_offset_delta) + 1)
                .ok_or_else(|| AppendError::Invalid("the partition has no more offsets".to_owned()))?;
            rest = behind;
        }
        Ok(next_offset)
    }

    fn write(
        &self,
        writer: &mut Writer,
        records: &[u8],
        batches: &[BatchHeader],
        config: &LogConfig,
    ) -> Result<(), AppendError> {
        writer.epochs.begin(self.disk(), &self.dir, self.leader_epoch(), self.log_end_offset())?;
        let written = writer.active.append(self.disk(), records, batches, config.index_interval_bytes);
        written.map_err(|failed| {
            if failed.torn {
                self.go_offline(&failed.error);
            }
            AppendError::from(failed.error)
        })?;
        if let Some(first) = batches.first() {
            writer.first_timestamp.get_or_insert(first.max_timestamp);
        }
        Ok(())
    }

    /// The marker of an index entry could not be written. If the entry cannot be taken back either, a restart removes it.
    fn take_back_index(&self, writer: &Writer) {
        if let Err(error) = writer.active.txns().pop(self.disk()) {
            self.go_offline(&error);
        }
    }

    /// Wakes those that wait for records. Announcements may overtake each other, so the larger one wins.
    fn announce(&self, next_offset: i64) {
        self.high_watermark.send_if_modified(|announced| {
            let grown = next_offset > *announced;
            *announced = next_offset.max(*announced);
            grown
        });
    }

    fn answer_duplicate(&self, original: ProducerBatch, config: &LogConfig) -> Appended {
        Appended {
            base_offset: original.base_offset,
            last_offset: original.last_offset,
            log_append_time: append_time(config, original.timestamp),
            log_start_offset: self.log_start_offset(),
            duplicate: true,
        }
    }
}

fn append_time(config: &LogConfig, timestamp: i64) -> i64 {
    match config.message_timestamp_type {
        TimestampType::CreateTime => -1,
        TimestampType::LogAppendTime => timestamp,
    }
}

/// The batch's first appearance, if it is there already. An idempotent producer's batch comes alone.
fn known_duplicate(
    writer: &Writer,
    batches: &[BatchHeader],
    origin: AppendOrigin,
) -> Result<Option<ProducerBatch>, AppendError> {
    match batches {
        [one] if one.producer_id >= 0 => match writer.producers.judge(one, origin)? {
            Verdict::Append => Ok(None),
            Verdict::Duplicate(original) => Ok(Some(original)),
        },
        _ => Ok(None),
    }
}
