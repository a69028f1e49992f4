//! The header of a record batch (magic 2), its checksum and its in-place patches.
//!
//! All integers are big-endian. Source: Kafka's documentation, "Record Batch", and KIP-98.
//!
//! | at | bytes | field | |
//! |---|---|---|---|
//! | 0 | 8 | base offset | of the first record; 0 from a client, assigned by the broker |
//! | 8 | 4 | batch length | bytes after this field: the whole batch is 12 bytes longer |
//! | 12 | 4 | partition leader epoch | -1 from a client, set by the broker |
//! | 16 | 1 | magic | 2 |
//! | 17 | 4 | crc | CRC-32C (Castagnoli) of everything from `attributes` to the end |
//! | 21 | 2 | attributes | see below |
//! | 23 | 4 | last offset delta | offset of the last record minus base offset |
//! | 27 | 8 | base timestamp | ms; what the records' timestamp deltas count from |
//! | 35 | 8 | max timestamp | ms; the largest of the records, or the append time |
//! | 43 | 8 | producer id | -1: not idempotent |
//! | 51 | 2 | producer epoch | |
//! | 53 | 4 | base sequence | of the first record; the others count on, over i32::MAX to 0 |
//! | 57 | 4 | records count | after compaction fewer than last offset delta + 1 |
//! | 61 | | records | compressed as one block when the attributes say so, see [`Records`](super::Records) |
//!
//! Attributes: bits 0-2 codec, bit 3 timestamp type (0 create time, 1 append time), bit 4
//! transactional, bit 5 control batch, bit 6 the base timestamp is the delete horizon.
//!
//! Base offset and leader epoch stand outside the checksum, so that the broker can append a batch
//! with nothing but these two fields changed.

use super::{Compression, MAGIC_AT, RecordError, Records};

const LENGTH_AT: usize = 8;
const EPOCH_AT: usize = 12;
const CRC_AT: usize = 17;
const ATTRIBUTES_AT: usize = 21;
const MAX_TIMESTAMP_AT: usize = 35;

/// Bytes of an entry before and with its length field, which the length does not count.
pub(super) const LOG_OVERHEAD: usize = 12;

pub(super) const CODEC_MASK: i16 = 0b0111;
pub(super) const LOG_APPEND_TIME: i16 = 1 << 3;
pub(super) const TRANSACTIONAL: i16 = 1 << 4;
pub(super) const CONTROL: i16 = 1 << 5;
pub(super) const DELETE_HORIZON: i16 = 1 << 6;

/// What a record's timestamp says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimestampType {
    /// When the producer made the record.
    CreateTime,
    /// When the broker appended the batch: the same for all its records.
    LogAppendTime,
}

/// The fixed fields of a record batch, as they stand in the bytes; nothing but magic and the
/// smallest length is checked by reading them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the table at the top of this module says what each field is")]
pub struct BatchHeader {
    pub base_offset: i64,
    pub batch_length: i32,
    pub partition_leader_epoch: i32,
    pub magic: i8,
    pub crc: u32,
    pub attributes: i16,
    pub last_offset_delta: i32,
    pub base_timestamp: i64,
    pub max_timestamp: i64,
    pub producer_id: i64,
    pub producer_epoch: i16,
    pub base_sequence: i32,
    pub records_count: i32,
}

impl BatchHeader {
    /// Bytes before the records.
    pub const SIZE: usize = 61;

    /// Reads the header at the front of `bytes`; the records need not be there yet.
    pub fn parse(bytes: &[u8]) -> Result<Self, RecordError> {
        // An older message may be shorter than this header, so the magic is looked at first.
        let magic = super::magic(bytes)?;
        if magic != 2 {
            return Err(RecordError::BadMagic(magic));
        }
        let Some(h) = bytes.first_chunk::<{ Self::SIZE }>() else {
            return Err(RecordError::Incomplete { needed: Self::SIZE, have: bytes.len() });
        };
        let header = Self {
            base_offset: i64::from_be_bytes(field(h, 0)),
            batch_length: i32::from_be_bytes(field(h, LENGTH_AT)),
            partition_leader_epoch: i32::from_be_bytes(field(h, EPOCH_AT)),
            magic,
            crc: u32::from_be_bytes(field(h, CRC_AT)),
            attributes: i16::from_be_bytes(field(h, ATTRIBUTES_AT)),
            last_offset_delta: i32::from_be_bytes(field(h, 23)),
            base_timestamp: i64::from_be_bytes(field(h, 27)),
            max_timestamp: i64::from_be_bytes(field(h, MAX_TIMESTAMP_AT)),
            producer_id: i64::from_be_bytes(field(h, 43)),
            producer_epoch: i16::from_be_bytes(field(h, 51)),
            base_sequence: i32::from_be_bytes(field(h, 53)),
            records_count: i32::from_be_bytes(field(h, 57)),
        };
        match usize::try_from(header.batch_length) {
            Ok(length) if length >= Self::SIZE - LOG_OVERHEAD => Ok(header),
            _ => Err(RecordError::BadLength(header.batch_length.into())),
        }
    }

    /// Writes the header over the first [`SIZE`](Self::SIZE) bytes of a batch, its `crc` as it stands.
    pub(super) fn write(&self, h: &mut [u8; Self::SIZE]) {
        put(h, 0, self.base_offset.to_be_bytes());
        put(h, LENGTH_AT, self.batch_length.to_be_bytes());
        put(h, EPOCH_AT, self.partition_leader_epoch.to_be_bytes());
        put(h, MAGIC_AT, self.magic.to_be_bytes());
        put(h, CRC_AT, self.crc.to_be_bytes());
        put(h, ATTRIBUTES_AT, self.attributes.to_be_bytes());
        put(h, 23, self.last_offset_delta.to_be_bytes());
        put(h, 27, self.base_timestamp.to_be_bytes());
        put(h, MAX_TIMESTAMP_AT, self.max_timestamp.to_be_bytes());
        put(h, 43, self.producer_id.to_be_bytes());
        put(h, 51, self.producer_epoch.to_be_bytes());
        put(h, 53, self.base_sequence.to_be_bytes());
        put(h, 57, self.records_count.to_be_bytes());
    }

    /// Bytes of the whole batch, header included.
    pub fn size(&self) -> usize {
        LOG_OVERHEAD + usize::try_from(self.batch_length).unwrap_or_default()
    }

    /// The offset of the last record.
    pub fn last_offset(&self) -> i64 {
        self.base_offset.wrapping_add(self.last_offset_delta.into())
    }

    /// The codec of the records.
    pub fn compression(&self) -> Result<Compression, RecordError> {
        Compression::from_id((self.attributes & CODEC_MASK) as i8)
    }

    /// Whose clock the timestamps are from.
    pub fn timestamp_type(&self) -> TimestampType {
        if self.attributes & LOG_APPEND_TIME == 0 {
            TimestampType::CreateTime
        } else {
            TimestampType::LogAppendTime
        }
    }

    /// Whether the batch belongs to a transaction.
    pub fn is_transactional(&self) -> bool {
        self.attributes & TRANSACTIONAL != 0
    }

    /// Whether the batch is a marker of the broker (a transaction's end) instead of data.
    pub fn is_control(&self) -> bool {
        self.attributes & CONTROL != 0
    }

    /// From when on compaction may remove the batch's tombstones or marker, ms; `None` if that is not decided.
    pub fn delete_horizon_ms(&self) -> Option<i64> {
        (self.attributes & DELETE_HORIZON != 0).then_some(self.base_timestamp)
    }

    /// The sequence of the last record; -1 when the batch has none.
    pub fn last_sequence(&self) -> i32 {
        if self.base_sequence < 0 {
            -1
        } else {
            increment_sequence(self.base_sequence, self.last_offset_delta)
        }
    }
}

/// The sequence `increment` records after `sequence`: after `i32::MAX` comes 0.
pub fn increment_sequence(sequence: i32, increment: i32) -> i32 {
    ((i64::from(sequence) + i64::from(increment)) & i64::from(i32::MAX)) as i32
}

/// The bytes of the batch at the front of `bytes` and its header.
fn split(bytes: &[u8]) -> Result<(BatchHeader, &[u8]), RecordError> {
    let header = BatchHeader::parse(bytes)?;
    match bytes.get(..header.size()) {
        Some(batch) => Ok((header, batch)),
        None => Err(RecordError::Incomplete { needed: header.size(), have: bytes.len() }),
    }
}

/// Compares the checksum of the batch at the front of `bytes` with its header.
pub fn verify_crc(bytes: &[u8]) -> Result<(), RecordError> {
    let (header, batch) = split(bytes)?;
    let computed = crc_of(batch);
    if computed == header.crc { Ok(()) } else { Err(RecordError::BadCrc { stored: header.crc, computed }) }
}

/// The CRC-32C of a whole batch, from its attributes on.
pub(super) fn crc_of(batch: &[u8]) -> u32 {
    crate::crc32c(batch.get(ATTRIBUTES_AT..).unwrap_or_default())
}

/// Sets the offset of the first record of the batch at the front of `bytes`; the checksum stays
/// right. Bytes that are too short for a header stay as they are.
pub fn set_base_offset(bytes: &mut [u8], base_offset: i64) {
    if let Some(h) = bytes.first_chunk_mut::<{ BatchHeader::SIZE }>() {
        put(h, 0, base_offset.to_be_bytes());
    }
}

/// Sets the leader epoch of the batch at the front of `bytes`; the checksum stays right. Bytes that
/// are too short for a header stay as they are.
pub fn set_leader_epoch(bytes: &mut [u8], leader_epoch: i32) {
    if let Some(h) = bytes.first_chunk_mut::<{ BatchHeader::SIZE }>() {
        put(h, EPOCH_AT, leader_epoch.to_be_bytes());
    }
}

/// Gives all records of the batch at the front of `bytes` the broker's append time, ms, and computes
/// the checksum again. Bytes that hold no whole batch stay as they are.
pub fn set_log_append_time(bytes: &mut [u8], timestamp_ms: i64) {
    reseal(bytes, |header| {
        header.attributes |= LOG_APPEND_TIME;
        header.max_timestamp = timestamp_ms;
    });
}

/// Sets the largest timestamp of the records of the batch at the front of `bytes`, ms, and computes the checksum again.
/// Bytes that hold no whole batch stay as they are.
pub fn set_max_timestamp(bytes: &mut [u8], timestamp_ms: i64) {
    reseal(bytes, |header| header.max_timestamp = timestamp_ms);
}

fn reseal(bytes: &mut [u8], change: impl FnOnce(&mut BatchHeader)) {
    let Ok((mut header, _)) = split(bytes) else { return };
    change(&mut header);
    if let Some(batch) = bytes.get_mut(..header.size()) {
        seal(header, batch);
    }
}

/// Writes `header` and the checksum over the front of a whole batch.
pub(super) fn seal(mut header: BatchHeader, batch: &mut [u8]) {
    if let Some(h) = batch.first_chunk_mut() {
        header.write(h);
    }
    header.crc = crc_of(batch);
    if let Some(h) = batch.first_chunk_mut::<{ BatchHeader::SIZE }>() {
        put(h, CRC_AT, header.crc.to_be_bytes());
    }
}

/// The batches that stand one after the other in `bytes`, each with its header; checksums are not
/// looked at. The first error ends the iteration: [`RecordError::Incomplete`] for a batch cut off at
/// the end.
pub fn batches(bytes: &[u8]) -> impl Iterator<Item = Result<(BatchHeader, &[u8]), RecordError>> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let next = split(rest);
        rest = match &next {
            Ok((_, batch)) => rest.get(batch.len()..).unwrap_or_default(),
            Err(_) => &[],
        };
        Some(next)
    })
}

/// The records of the batch at the front of `bytes`, decompressed to at most `limit` bytes; the
/// checksum is not looked at.
pub fn records(bytes: &[u8], limit: usize) -> Result<Records<'_>, RecordError> {
    let (header, batch) = split(bytes)?;
    Records::new(header, batch.get(BatchHeader::SIZE..).unwrap_or_default(), limit)
}

/// What a broker checks of every batch before it appends it, its own included: `bytes` are exactly one batch of magic 2,
/// its checksum is right, its codec known, its count of records agrees with its offsets. The records themselves are
/// not looked at.
pub fn validate_whole(bytes: &[u8]) -> Result<BatchHeader, RecordError> {
    let (header, batch) = split(bytes)?;
    if batch.len() != bytes.len() {
        return Err(RecordError::BadLength(header.batch_length.into()));
    }
    verify_crc(batch)?;
    header.compression()?;
    let BatchHeader { records_count, last_offset_delta, .. } = header;
    if records_count < 1 || last_offset_delta != records_count - 1 {
        return Err(RecordError::BadCount { records_count, last_offset_delta });
    }
    Ok(header)
}

/// What a broker checks of a produced batch before it appends it: [`validate_whole`], and that it is nothing that only
/// brokers write.
pub fn validate_shallow(bytes: &[u8]) -> Result<BatchHeader, RecordError> {
    let header = validate_whole(bytes)?;
    if header.is_control() {
        return Err(RecordError::NotAllowed("it is a control batch"));
    }
    if header.producer_id >= 0 && (header.base_sequence < 0 || header.producer_epoch < 0) {
        return Err(RecordError::NotAllowed("its producer id comes without sequence or epoch"));
    }
    if header.producer_id < 0 && header.is_transactional() {
        return Err(RecordError::NotAllowed("it is transactional without a producer id"));
    }
    Ok(header)
}

/// [`validate_shallow`], and then every record: well-formed, with the next offset. Decompresses to
/// at most `max_decompressed` bytes.
pub fn validate(bytes: &[u8], max_decompressed: usize) -> Result<BatchHeader, RecordError> {
    let header = validate_shallow(bytes)?;
    records(bytes, max_decompressed)?.check()?;
    Ok(header)
}

fn field<const N: usize>(header: &[u8; BatchHeader::SIZE], at: usize) -> [u8; N] {
    header.get(at..).and_then(<[u8]>::first_chunk).copied().unwrap_or([0; N])
}

fn put<const N: usize>(header: &mut [u8; BatchHeader::SIZE], at: usize, value: [u8; N]) {
    if let Some(place) = header.get_mut(at..).and_then(<[u8]>::first_chunk_mut) {
        *place = value;
    }
}
