//! Builds a record batch (magic 2) in one buffer: room for the header first, then each record as it
//! comes. Finishing compresses the records as one block, fills in the header and takes the checksum
//! in one pass. Nothing is allocated for a record.
//!
//! The layout is that of [`batch`](super::batch) and of [`Records`](super::Records). What a client
//! leaves to the broker is written as Kafka's clients write it: base offset 0, leader epoch -1.

use bytes::Bytes;

use super::{BatchHeader, Compression, EncodedHeaders, RecordError, TimestampType, batch, headers, varint};

/// Collects records into a batch.
#[derive(Clone, Debug)]
pub struct BatchBuilder {
    compression: Compression,
    /// The attributes but for the codec.
    attributes: i16,
    /// What stands in the place of the base timestamp, ms.
    delete_horizon_ms: Option<i64>,
    producer_id: i64,
    producer_epoch: i16,
    base_sequence: i32,
    base_timestamp: i64,
    max_timestamp: i64,
    count: i32,
    /// The room for the header and the records so far, uncompressed.
    buffer: Vec<u8>,
}

/// A batch's length field is an i32. Half of that leaves room for a codec that makes records longer.
const LARGEST: usize = i32::MAX as usize / 2;

impl BatchBuilder {
    /// An empty batch whose records will be compressed by `compression`.
    pub fn new(compression: Compression) -> Self {
        Self {
            compression,
            attributes: 0,
            delete_horizon_ms: None,
            producer_id: -1,
            producer_epoch: -1,
            base_sequence: -1,
            base_timestamp: -1,
            max_timestamp: -1,
            count: 0,
            buffer: vec![0; BatchHeader::SIZE],
        }
    }

    /// Makes the batch that of an idempotent producer; `base_sequence` is its first record's.
    #[must_use]
    pub fn producer(mut self, id: i64, epoch: i16, base_sequence: i32) -> Self {
        self.set_producer(id, epoch, base_sequence);
        self
    }

    /// As [`producer`](Self::producer), in place.
    pub fn set_producer(&mut self, id: i64, epoch: i16, base_sequence: i32) {
        (self.producer_id, self.producer_epoch, self.base_sequence) = (id, epoch, base_sequence);
    }

    /// Makes the batches part of the producer's transaction.
    #[must_use]
    pub fn transactional(mut self) -> Self {
        self.attributes |= batch::TRANSACTIONAL;
        self
    }

    /// Makes them control batches.
    pub(super) fn control(mut self) -> Self {
        self.attributes |= batch::CONTROL;
        self
    }

    /// Puts a delete horizon in the place of the base timestamp.
    pub(super) fn delete_horizon(mut self, horizon_ms: i64) -> Self {
        self.attributes |= batch::DELETE_HORIZON;
        self.delete_horizon_ms = Some(horizon_ms);
        self
    }

    /// Says whose clock the timestamps are from.
    pub(super) fn timestamp_type(mut self, timestamp_type: TimestampType) -> Self {
        if timestamp_type == TimestampType::LogAppendTime {
            self.attributes |= batch::LOG_APPEND_TIME;
        }
        self
    }

    /// Gives an empty builder the memory of a batch that is no longer needed: `Vec::from(bytes)`
    /// takes it out without a copy when nobody else holds it. Without effect on begun batches.
    pub fn recycle(&mut self, mut memory: Vec<u8>) {
        if self.is_empty() && memory.capacity() > self.buffer.capacity() {
            memory.clear();
            memory.resize(BatchHeader::SIZE, 0);
            self.buffer = memory;
        }
    }

    /// Adds a record; `timestamp` is in milliseconds. On an error (the batch would
    /// exceed 1 GiB) nothing was added.
    pub fn append(
        &mut self,
        timestamp: i64,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: &[(&str, &[u8])],
    ) -> Result<(), RecordError> {
        self.begin(timestamp, key, value, headers::size(headers))?;
        headers::put(&mut self.buffer, headers);
        Ok(())
    }

    /// As [`append`](Self::append), with headers that are encoded already.
    pub fn append_encoded(
        &mut self,
        timestamp: i64,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: &EncodedHeaders,
    ) -> Result<(), RecordError> {
        self.begin(timestamp, key, value, headers.size())?;
        headers.put(&mut self.buffer);
        Ok(())
    }

    /// Writes a record up to its headers, which will take `headers_size` bytes.
    #[inline]
    fn begin(
        &mut self,
        timestamp: i64,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers_size: usize,
    ) -> Result<(), RecordError> {
        let first_timestamp = if self.count == 0 { timestamp } else { self.base_timestamp };
        let base_timestamp = self.delete_horizon_ms.unwrap_or(first_timestamp);
        let timestamp_delta = timestamp.wrapping_sub(base_timestamp);
        let offset_delta = i64::from(self.count);
        let length = 1
            + varint::size(timestamp_delta)
            + varint::size(offset_delta)
            + nullable_size(key)
            + nullable_size(value)
            + headers_size;
        let total = varint::size(length as i64) + length;
        if self.count == i32::MAX || total > LARGEST - self.buffer.len().min(LARGEST) {
            return Err(RecordError::TooLarge { limit: LARGEST });
        }
        self.max_timestamp = if self.count == 0 { timestamp } else { self.max_timestamp.max(timestamp) };
        self.base_timestamp = base_timestamp;
        self.count += 1;

        let out = &mut self.buffer;
        out.reserve(total);
        varint::put(out, length as i64);
        out.push(0);
        varint::put(out, timestamp_delta);
        varint::put(out, offset_delta);
        put_nullable(out, key);
        put_nullable(out, value);
        Ok(())
    }

    /// The number of records so far.
    pub fn count(&self) -> i32 {
        self.count
    }

    /// Whether there are no records yet.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Bytes of the batch so far if it were not compressed.
    pub fn len_estimate(&self) -> usize {
        self.buffer.len()
    }

    /// The finished batch. The builder is empty again and stays with its producer, at the sequence
    /// that follows. Fails, and stays as it is, when there are no records or when the codec fails.
    pub fn finish(&mut self) -> Result<Bytes, RecordError> {
        if self.count == 0 {
            return Err(RecordError::Empty);
        }
        let mut batch = if self.compression == Compression::None {
            std::mem::replace(&mut self.buffer, vec![0; BatchHeader::SIZE])
        } else {
            let records = self.buffer.get(BatchHeader::SIZE..).unwrap_or_default();
            let mut compressed = Vec::with_capacity(self.buffer.len() / 2);
            compressed.resize(BatchHeader::SIZE, 0);
            self.compression.compress(records, &mut compressed)?;
            self.buffer.truncate(BatchHeader::SIZE);
            compressed
        };
        batch::seal(self.header(batch.len()), &mut batch);
        if self.base_sequence >= 0 {
            self.base_sequence = batch::increment_sequence(self.base_sequence, self.count);
        }
        self.count = 0;
        Ok(Bytes::from(batch))
    }

    /// The header of a batch of `size` bytes, but for the checksum.
    fn header(&self, size: usize) -> BatchHeader {
        BatchHeader {
            base_offset: 0,
            batch_length: (size - batch::LOG_OVERHEAD) as i32,
            partition_leader_epoch: -1,
            magic: 2,
            crc: 0,
            attributes: i16::from(self.compression.id()) | self.attributes,
            last_offset_delta: self.count - 1,
            base_timestamp: self.base_timestamp,
            max_timestamp: self.max_timestamp,
            producer_id: self.producer_id,
            producer_epoch: self.producer_epoch,
            base_sequence: self.base_sequence,
            records_count: self.count,
        }
    }
}

fn nullable_size(bytes: Option<&[u8]>) -> usize {
    match bytes {
        Some(bytes) => varint::size(bytes.len() as i64) + bytes.len(),
        None => 1,
    }
}

fn put_nullable(out: &mut Vec<u8>, bytes: Option<&[u8]>) {
    match bytes {
        Some(bytes) => {
            varint::put(out, bytes.len() as i64);
            out.extend_from_slice(bytes);
        }
        None => varint::put(out, -1),
    }
}
