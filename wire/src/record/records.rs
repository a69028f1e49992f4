//! The records inside a batch (magic 2).
//!
//! Behind the batch's header stand its records, one after the other; when the batch is compressed,
//! all of them are one compressed block. Source: Kafka's documentation, "Record".
//!
//! | bytes | field | |
//! |---|---|---|
//! | varint | length | of what follows |
//! | 1 | attributes | unused, 0 |
//! | varint (64 bit) | timestamp delta | to the batch's base timestamp, ms |
//! | varint | offset delta | to the batch's base offset |
//! | varint | key length | -1 says null |
//! | n | key | |
//! | varint | value length | -1 says null |
//! | n | value | |
//! | | headers | see [`Headers`] |
//!
//! A record must fill its length exactly, and the batch must hold exactly as many records as its
//! header counts.

use std::borrow::Cow;

use super::headers::read_nullable;
use super::{BatchHeader, Compression, Headers, RecordError, TimestampType, batch, varint};

/// One record, borrowed from its batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// Place in the partition.
    pub offset: i64,
    /// Milliseconds since 1970, or -1 for none.
    pub timestamp: i64,
    /// What the record is about; decides partition and compaction.
    pub key: Option<&'a [u8]>,
    /// What the record says; null is a tombstone in a compacted topic.
    pub value: Option<&'a [u8]>,
    /// Further key-value pairs.
    pub headers: Headers<'a>,
}

/// The records of a batch: the owner of the decompressed bytes, or a borrower when there was
/// nothing to decompress.
#[derive(Clone, Debug)]
pub struct Records<'a> {
    header: BatchHeader,
    body: Cow<'a, [u8]>,
}

impl<'a> Records<'a> {
    pub(super) fn new(header: BatchHeader, body: &'a [u8], limit: usize) -> Result<Self, RecordError> {
        let body = match header.compression()? {
            Compression::None if body.len() > limit => return Err(RecordError::TooLarge { limit }),
            Compression::None => Cow::Borrowed(body),
            codec => Cow::Owned(codec.decompress(body, limit)?),
        };
        Ok(Self { header, body })
    }

    /// The header of the batch.
    pub fn header(&self) -> &BatchHeader {
        &self.header
    }

    /// The records in order. The first malformed one ends the iteration with its error, so does a
    /// number of records other than the header's.
    pub fn iter(&self) -> RecordsIter<'_> {
        RecordsIter { header: &self.header, rest: &self.body, left: self.header.records_count.max(0) }
    }

    /// Bytes of the records, not compressed.
    pub fn size(&self) -> usize {
        self.body.len()
    }

    /// Whether every record is well-formed and has the next offset.
    pub fn check(&self) -> Result<(), RecordError> {
        for (index, record) in (0_i64..).zip(self) {
            if record?.offset != self.header.base_offset.wrapping_add(index) {
                return Err(RecordError::BadRecord("its offset is not the next one"));
            }
        }
        Ok(())
    }

    /// The whole batch with its records compressed by `codec`. All else of it stays, but for length and checksum; the
    /// records are not looked at, see [`check`](Self::check).
    pub fn compressed(&self, codec: Compression) -> Result<Vec<u8>, RecordError> {
        let room = if codec == Compression::None { self.body.len() } else { self.body.len() / 2 };
        let mut batch = Vec::with_capacity(BatchHeader::SIZE + room);
        batch.resize(BatchHeader::SIZE, 0);
        codec.compress(&self.body, &mut batch)?;
        let batch_length = i32::try_from(batch.len() - batch::LOG_OVERHEAD)
            .map_err(|_| RecordError::TooLarge { limit: i32::MAX as usize })?;
        let attributes = (self.header.attributes & !batch::CODEC_MASK) | i16::from(codec.id());
        batch::seal(BatchHeader { batch_length, attributes, ..self.header.clone() }, &mut batch);
        Ok(batch)
    }
}

impl<'a> IntoIterator for &'a Records<'_> {
    type Item = Result<Record<'a>, RecordError>;
    type IntoIter = RecordsIter<'a>;

    fn into_iter(self) -> RecordsIter<'a> {
        self.iter()
    }
}

/// The iterator of [`Records::iter`].
#[derive(Clone, Debug)]
pub struct RecordsIter<'a> {
    header: &'a BatchHeader,
    rest: &'a [u8],
    left: i32,
}

impl<'a> Iterator for RecordsIter<'a> {
    type Item = Result<Record<'a>, RecordError>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = match (self.left, self.rest.is_empty()) {
            (0, true) => return None,
            (0, false) => Err(RecordError::BadRecord("there are more records than the batch counts")),
            (_, true) => Err(RecordError::BadRecord("there are fewer records than the batch counts")),
            (_, false) => read_record(self.header, &mut self.rest),
        };
        self.left = self.left.saturating_sub(1);
        if next.is_err() {
            (self.left, self.rest) = (0, &[]);
        }
        Some(next)
    }
}

fn read_record<'a>(header: &BatchHeader, rest: &mut &'a [u8]) -> Result<Record<'a>, RecordError> {
    let mut body = read_nullable(rest)?.ok_or(RecordError::BadRecord("its length is negative"))?;
    let (_attributes, fields) = body.split_first().ok_or(RecordError::BadRecord("it is empty"))?;
    body = fields;
    let timestamp_delta = varint::read_i64(&mut body)?;
    let offset_delta = varint::read_i32(&mut body)?;
    let key = read_nullable(&mut body)?;
    let value = read_nullable(&mut body)?;
    let timestamp = match header.timestamp_type() {
        TimestampType::CreateTime => header.base_timestamp.wrapping_add(timestamp_delta),
        TimestampType::LogAppendTime => header.max_timestamp,
    };
    Ok(Record {
        offset: header.base_offset.wrapping_add(offset_delta.into()),
        timestamp,
        key,
        value,
        headers: Headers::parse(body)?,
    })
}
