//! Control batches: what the broker itself writes into a partition where a transaction ends there.
//!
//! A control batch is a batch of magic 2 with the attributes *transactional* and *control* (0x30), the producer's id and
//! epoch, no sequence (-1), and one record. Source: KIP-98; all integers are big-endian.
//!
//! | | bytes | field | |
//! |---|---|---|---|
//! | key | 2 | version | 0 |
//! | | 2 | type | 0 abort, 1 commit; others are of Kafka's metadata log |
//! | value | 2 | version | 0; later ones begin alike |
//! | | 4 | coordinator epoch | of the coordinator that has decided |
//!
//! Compaction gives a marker whose transaction has no records any more a *delete horizon* (attribute bit 6): the base
//! timestamp is then the time from which the marker itself may go, and the record's own time stands in its delta.

use bytes::Bytes;

use super::{BatchBuilder, BatchHeader, Compression, RecordError, batch};

const ABORT: i16 = 0;
const COMMIT: i16 = 1;

/// A control batch is this small; the records of a larger one need not be looked at.
const RECORDS_MAX: usize = 1024;

/// The end of one producer's transaction in a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndMarker {
    /// Whether the transaction was committed; else it was aborted.
    pub committed: bool,
    /// The epoch of the coordinator that has decided.
    pub coordinator_epoch: i32,
}

impl EndMarker {
    /// The control batch of this marker; `timestamp` is in milliseconds.
    pub fn batch(self, producer_id: i64, producer_epoch: i16, timestamp: i64) -> Result<Bytes, RecordError> {
        self.build(BatchBuilder::new(Compression::None).producer(producer_id, producer_epoch, -1), timestamp)
    }

    fn build(self, builder: BatchBuilder, timestamp: i64) -> Result<Bytes, RecordError> {
        let kind = if self.committed { COMMIT } else { ABORT };
        let [major, minor] = kind.to_be_bytes();
        let [a, b, c, d] = self.coordinator_epoch.to_be_bytes();
        let mut builder = builder.transactional().control();
        builder.append(timestamp, Some(&[0, 0, major, minor]), Some(&[0, 0, a, b, c, d]), &[])?;
        builder.finish()
    }

    /// The marker in the control batch at the front of `bytes`; `None` if it is a control batch of another kind, or
    /// compaction has emptied it. The checksum is not looked at.
    pub fn read(bytes: &[u8]) -> Result<Option<Self>, RecordError> {
        let records = batch::records(bytes, RECORDS_MAX)?;
        if !records.header().is_control() {
            return Ok(None);
        }
        let Some(record) = records.iter().next() else { return Ok(None) };
        let record = record?;
        let (Some([_, _, major, minor, ..]), Some(value)) = (record.key, record.value) else {
            return Ok(None);
        };
        let committed = match i16::from_be_bytes([*major, *minor]) {
            ABORT => false,
            COMMIT => true,
            _ => return Ok(None),
        };
        let [_, _, a, b, c, d, ..] = value else {
            return Err(RecordError::BadRecord("the value of a marker is too short"));
        };
        Ok(Some(Self { committed, coordinator_epoch: i32::from_be_bytes([*a, *b, *c, *d]) }))
    }
}

/// The marker's batch at the front of `bytes` with a delete horizon, in milliseconds; `None` if it holds no marker.
pub fn with_delete_horizon(bytes: &[u8], horizon_ms: i64) -> Result<Option<Bytes>, RecordError> {
    let Some(marker) = EndMarker::read(bytes)? else { return Ok(None) };
    let header = BatchHeader::parse(bytes)?;
    let builder = BatchBuilder::new(Compression::None)
        .producer(header.producer_id, header.producer_epoch, header.base_sequence)
        .delete_horizon(horizon_ms)
        .timestamp_type(header.timestamp_type());
    let mut rebuilt = Vec::from(marker.build(builder, header.max_timestamp)?);
    batch::set_base_offset(&mut rebuilt, header.base_offset);
    batch::set_leader_epoch(&mut rebuilt, header.partition_leader_epoch);
    Ok(Some(Bytes::from(rebuilt)))
}
