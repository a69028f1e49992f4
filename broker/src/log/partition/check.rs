//! What comes before batches are appended and needs no lock: a timestamp that a client left out is computed; the batches are
//! whole and sound, and allowed on this topic.

use wire::record::batch::{self, BatchHeader};
use wire::record::{Record, RecordError};

use super::RECORDS_BYTES_MAX;
use crate::log::config::{LogConfig, TimestampType};
use crate::log::error::{AppendError, BrokenRule, FarTimestamp, RefusedRecords};
use crate::log::producer::AppendOrigin;

/// Sets the largest timestamp of batches whose client has left it out, as sarama 1.19 does: limits, look-ups by time and
/// retention go by it. Kafka computes that of every batch.
pub(super) fn complete_timestamps(records: &mut [u8], config: &LogConfig) -> Result<(), AppendError> {
    let mut rest = records;
    while let Ok(header) = BatchHeader::parse(rest) {
        let Some((bytes, behind)) = rest.split_at_mut_checked(header.size()) else { break };
        // a batch that is too large is refused without its being looked into
        if header.max_timestamp < header.base_timestamp && bytes.len() <= config.max_message_bytes as usize {
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

/// The headers of the batches in `records`, if all may be appended.
pub(super) fn check(
    records: &[u8],
    config: &LogConfig,
    now_ms: i64,
    origin: AppendOrigin,
) -> Result<Vec<BatchHeader>, AppendError> {
    let rules = Rules::of(config, now_ms, origin);
    let mut headers = Vec::with_capacity(1);
    for batch in batch::batches(records) {
        let (header, bytes) = batch.map_err(refusal)?;
        let max = config.max_message_bytes as usize;
        if header.size() > max {
            return Err(AppendError::TooLarge { size: header.size(), max });
        }
        let header = match origin {
            AppendOrigin::Client(_) => batch::validate_shallow(bytes).map_err(refusal)?,
            AppendOrigin::Coordinator(_) | AppendOrigin::Marker(_) => {
                batch::validate_whole(bytes).map_err(refusal)?
            }
        };
        rules.check(&header, bytes)?;
        headers.push(header);
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

/// What the topic demands of single records.
struct Rules {
    needs_keys: bool,
    times: Option<TimeLimits>,
}

/// How far the records' own time may be from the broker's.
struct TimeLimits {
    now_ms: i64,
    before_max_ms: i64,
    after_max_ms: i64,
}

impl Rules {
    /// The time of records is checked where clients give it, and where it stays.
    fn of(config: &LogConfig, now_ms: i64, origin: AppendOrigin) -> Self {
        let keeps_time = config.message_timestamp_type == TimestampType::CreateTime;
        let times = TimeLimits {
            now_ms,
            before_max_ms: config.message_timestamp_before_max_ms,
            after_max_ms: config.message_timestamp_after_max_ms,
        };
        let is_checked = keeps_time && matches!(origin, AppendOrigin::Client(_));
        Rules { needs_keys: config.cleanup_policy.compact, times: is_checked.then_some(times) }
    }

    /// Refuses a batch with all its records that break a rule. They are looked at only if it matters.
    fn check(&self, header: &BatchHeader, batch: &[u8]) -> Result<(), AppendError> {
        // the header has the largest timestamp; the smallest is only in the records
        let late = self.times.as_ref().and_then(|times| times.after(header.max_timestamp));
        let may_be_early = self.times.as_ref().is_some_and(|times| times.before_max_ms != i64::MAX);
        if !self.needs_keys && !may_be_early && late.is_none() {
            return Ok(());
        }
        let mut refused = RefusedRecords::default();
        for (index, record) in (0..).zip(batch::records(batch, RECORDS_BYTES_MAX).map_err(refusal)?.iter()) {
            if let Some(rule) = self.broken_by(&record.map_err(refusal)?) {
                refused.add(index, rule);
            }
        }
        if refused.count > 0 {
            return Err(AppendError::InvalidRecords(refused));
        }
        late.map_or(Ok(()), |claimed| Err(AppendError::InvalidTimestamp(claimed)))
    }

    fn broken_by(&self, record: &Record<'_>) -> Option<BrokenRule> {
        if self.needs_keys && record.key.is_none() {
            return Some(BrokenRule::NoKey);
        }
        let times = self.times.as_ref()?;
        let far = times.after(record.timestamp).or_else(|| times.before(record.timestamp));
        far.map(BrokenRule::Timestamp)
    }
}

impl TimeLimits {
    fn after(&self, timestamp: i64) -> Option<FarTimestamp> {
        let is_far = timestamp.saturating_sub(self.now_ms) > self.after_max_ms;
        is_far.then_some(self.far(timestamp, "after", self.after_max_ms))
    }

    /// A record without a timestamp (-1) passes.
    fn before(&self, timestamp: i64) -> Option<FarTimestamp> {
        let is_far = timestamp >= 0 && self.now_ms.saturating_sub(timestamp) > self.before_max_ms;
        is_far.then_some(self.far(timestamp, "before", self.before_max_ms))
    }

    fn far(&self, timestamp: i64, side: &'static str, max_ms: i64) -> FarTimestamp {
        FarTimestamp { timestamp, now_ms: self.now_ms, side, max_ms }
    }
}

/// Damaged bytes are corrupt and may be sent again; what was meant that way is invalid.
pub(super) fn refusal(error: RecordError) -> AppendError {
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
