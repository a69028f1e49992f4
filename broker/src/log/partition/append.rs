//! Appending: check, assign offsets in place, one write, then let readers know.

use std::sync::atomic::Ordering;

use wire::record::RecordError;
use wire::record::batch::{self, BatchHeader};

use super::transactions::STABLE;
use super::{Partition, RECORDS_BYTES_MAX, Writer};
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
    /// so, timestamps set in place. One that an idempotent producer sent before is answered with the offsets
    /// it has. On an error nothing was appended.
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
        complete_timestamps(records)?;
        let mut batches = check(records, &config, self.now_ms(), origin)?;
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

/// Sets the largest timestamp of batches whose client has left it out, as sarama 1.19 does: limits, look-ups by time and
/// retention go by it. Kafka computes that of every batch.
fn complete_timestamps(records: &mut [u8]) -> Result<(), AppendError> {
    let mut rest = records;
    while let Ok(header) = BatchHeader::parse(rest) {
        let Some((bytes, behind)) = rest.split_at_mut_checked(header.size()) else { break };
        if header.max_timestamp < header.base_timestamp {
            batch::validate_shallow(bytes).map_err(refusal)?;
            let mut newest = header.max_timestamp;
            for record in batch::records(bytes, RECORDS_BYTES_MAX).map_err(refusal)?.iter() {
                newest = newest.max(record.map_err(refusal)?.timestamp);
            }
            batch::set_max_timestamp(bytes, newest);
        }
        rest = behind;
    }
    Ok(())
}

/// What needs no lock: the batches are whole and sound, and allowed on this topic.
fn check(
    records: &[u8],
    config: &LogConfig,
    now_ms: i64,
    origin: AppendOrigin,
) -> Result<Vec<BatchHeader>, AppendError> {
    let mut headers = Vec::with_capacity(1);
    for batch in batch::batches(records) {
        let (header, bytes) = batch.map_err(refusal)?;
        let max = config.max_message_bytes as usize;
        if header.size() > max {
            return Err(AppendError::TooLarge { size: header.size(), max });
        }
        let header = match origin {
            AppendOrigin::Client(_) => {
                let header = batch::validate_shallow(bytes).map_err(refusal)?;
                check_timestamps(&header, bytes, config, now_ms)?;
                header
            }
            AppendOrigin::Coordinator(_) | AppendOrigin::Marker(_) => {
                batch::validate_whole(bytes).map_err(refusal)?
            }
        };
        headers.push(header);
        if config.cleanup_policy.compact {
            check_keys(bytes)?;
        }
    }
    let invalid = |reason: &str| Err(AppendError::Invalid(reason.to_owned()));
    if headers.is_empty() {
        return invalid("there is no record batch");
    }
    if headers.len() > 1 && headers.iter().any(|header| header.producer_id >= 0) {
        return invalid("an idempotent producer sends one batch at a time");
    }
    let max = config.segment_bytes as usize;
    if records.len() > max {
        return Err(AppendError::LargerThanSegment { size: records.len(), max });
    }
    Ok(headers)
}

/// Refuses records whose own time is too far from the broker's. A record without a timestamp (-1) passes.
fn check_timestamps(
    header: &BatchHeader,
    batch: &[u8],
    config: &LogConfig,
    now_ms: i64,
) -> Result<(), AppendError> {
    if config.message_timestamp_type == TimestampType::LogAppendTime {
        return Ok(());
    }
    let refuse =
        |timestamp, side, max_ms| Err(AppendError::InvalidTimestamp { timestamp, now_ms, side, max_ms });
    let (before, after) = (config.message_timestamp_before_max_ms, config.message_timestamp_after_max_ms);
    // the header has the largest timestamp; the smallest is only in the records, which are looked at if it matters
    if header.max_timestamp.saturating_sub(now_ms) > after {
        return refuse(header.max_timestamp, "after", after);
    }
    if before == i64::MAX {
        return Ok(());
    }
    for record in batch::records(batch, RECORDS_BYTES_MAX).map_err(refusal)?.iter() {
        let timestamp = record.map_err(refusal)?.timestamp;
        if timestamp >= 0 && now_ms.saturating_sub(timestamp) > before {
            return refuse(timestamp, "before", before);
        }
    }
    Ok(())
}

fn check_keys(batch: &[u8]) -> Result<(), AppendError> {
    for record in batch::records(batch, RECORDS_BYTES_MAX).map_err(refusal)?.iter() {
        if record.map_err(refusal)?.key.is_none() {
            return Err(AppendError::Invalid("a record of a compacted topic needs a key".to_owned()));
        }
    }
    Ok(())
}

/// Damaged bytes are corrupt and may be sent again; what was meant that way is invalid.
fn refusal(error: RecordError) -> AppendError {
    match error {
        RecordError::BadMagic(magic) => AppendError::UnsupportedFormat(magic),
        RecordError::BadCount { .. }
        | RecordError::NotAllowed(_)
        | RecordError::UnknownCompression(_)
        | RecordError::TooLarge { .. }
        | RecordError::Empty => AppendError::Invalid(error.to_string()),
        damaged => AppendError::Corrupt(damaged),
    }
}
