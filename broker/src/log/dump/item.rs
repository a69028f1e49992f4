//! What is shown, as text in the words of Kafka's tool and as data.

use std::fmt::{self, Display, Formatter};

use bytes::Buf;
use serde::Serialize;
use serde_json::Value;
use wire::record::{BatchHeader, Record, TimestampType};

use super::{AbortedTxn, Decoder, Options, ProducerEntry};
use crate::log::segment::txn_index;
use crate::{group, txn};

/// The bit of a batch's attributes that Kafka sets once compaction has seen the batch's tombstones.
const DELETE_HORIZON: i16 = 1 << 6;

/// One entry of a file.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Item {
    /// The beginning of a segment.
    Segment {
        /// The offset in its name.
        starting_offset: i64,
    },
    /// A batch.
    Batch(BatchItem),
    /// A record of the batch before it.
    Record(RecordItem),
    /// An entry of an offset index.
    OffsetEntry {
        /// The last offset of a batch.
        offset: i64,
        /// Where it begins in the segment.
        position: u32,
    },
    /// An entry of a time index.
    TimeEntry {
        /// The largest one up to here, milliseconds.
        timestamp: i64,
        /// The last offset of the batch that has it.
        offset: i64,
    },
    /// An entry of a transaction index.
    Aborted(AbortedTxn),
    /// A batch of an idempotent producer.
    Producer(ProducerEntry),
    /// A leader epoch.
    Epoch {
        /// The epoch.
        epoch: i32,
        /// Its first offset.
        start_offset: i64,
    },
    /// An offset of a partition in one of the data directory's checkpoints.
    Checkpoint {
        /// The topic.
        topic: String,
        /// The partition.
        partition: i32,
        /// The offset.
        offset: i64,
    },
    /// Where the file cannot be read further.
    Problem {
        /// The byte, when it is known.
        position: Option<u32>,
        /// What is wrong.
        reason: String,
    },
}

/// A batch's header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the fields are those of the format, which wire::record::batch describes")]
pub struct BatchItem {
    pub base_offset: i64,
    pub last_offset: i64,
    pub count: i32,
    pub base_sequence: i32,
    pub last_sequence: i32,
    pub producer_id: i64,
    pub producer_epoch: i16,
    pub partition_leader_epoch: i32,
    pub is_transactional: bool,
    pub is_control: bool,
    pub delete_horizon_ms: Option<i64>,
    pub position: u32,
    pub timestamp_type: &'static str,
    pub timestamp: i64,
    pub size: usize,
    pub magic: i8,
    pub compresscodec: String,
    pub crc: u32,
    pub isvalid: bool,
}

/// A record. Bytes that are no UTF-8 are shown as replacement characters.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordItem {
    /// Its offset.
    pub offset: i64,
    /// Whose clock the timestamp is from.
    pub timestamp_type: &'static str,
    /// Milliseconds; -1 for none.
    pub timestamp: i64,
    /// Bytes of the key; -1 for none.
    pub key_size: i64,
    /// Bytes of the value; -1 for a tombstone.
    pub value_size: i64,
    /// Its place in the producer's sequence; -1 for none.
    pub sequence: i32,
    /// The names of its headers.
    pub header_keys: Vec<String>,
    /// What a transaction's marker says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub control: Option<String>,
    /// The key, if it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<Value>,
    /// The value, if it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payload: Option<Value>,
}

/// As Java prints it.
fn optional(number: Option<i64>) -> String {
    number.map_or_else(|| "OptionalLong.empty".to_owned(), |number| format!("OptionalLong[{number}]"))
}

fn timestamp_type(header: &BatchHeader) -> &'static str {
    match header.timestamp_type() {
        TimestampType::CreateTime => "CreateTime",
        TimestampType::LogAppendTime => "LogAppendTime",
    }
}

impl BatchItem {
    pub(super) fn new(position: u32, header: &BatchHeader, isvalid: bool) -> Self {
        let codec = header.compression();
        BatchItem {
            base_offset: header.base_offset,
            last_offset: header.last_offset(),
            count: header.records_count,
            base_sequence: header.base_sequence,
            last_sequence: header.last_sequence(),
            producer_id: header.producer_id,
            producer_epoch: header.producer_epoch,
            partition_leader_epoch: header.partition_leader_epoch,
            is_transactional: header.is_transactional(),
            is_control: header.is_control(),
            // the bit says that the base timestamp is the horizon
            delete_horizon_ms: (header.attributes & DELETE_HORIZON != 0).then_some(header.base_timestamp),
            position,
            timestamp_type: timestamp_type(header),
            timestamp: header.max_timestamp,
            size: header.size(),
            magic: header.magic,
            compresscodec: codec.map_or_else(|_| "unknown".to_owned(), |codec| codec.to_string()),
            crc: header.crc,
            isvalid,
        }
    }
}

impl RecordItem {
    pub(super) fn new(header: &BatchHeader, record: &Record<'_>, options: Options) -> Self {
        let size = |bytes: Option<&[u8]>| bytes.map_or(-1, |bytes| bytes.len() as i64);
        let text = |bytes: Option<&[u8]>| Some(Value::from(String::from_utf8_lossy(bytes?)));
        let delta = record.offset.saturating_sub(header.base_offset) as i32;
        let sequence = match header.base_sequence {
            none if none < 0 => -1,
            base => wire::record::batch::increment_sequence(base, delta),
        };
        let (key, payload) = match options.decoder {
            // what a marker says is shown in words
            _ if header.is_control() => (None, None),
            Some(Decoder::Offsets) => group::describe(record.key, record.value),
            Some(Decoder::Transactions) => txn::describe(record.key, record.value),
            None if options.data => (text(record.key), text(record.value)),
            None => (None, None),
        };
        RecordItem {
            offset: record.offset,
            timestamp_type: timestamp_type(header),
            timestamp: record.timestamp,
            key_size: size(record.key),
            value_size: size(record.value),
            sequence,
            header_keys: record
                .headers
                .iter()
                .map(|(key, _)| String::from_utf8_lossy(key).into_owned())
                .collect(),
            control: header.is_control().then(|| control(record)),
            key,
            payload,
        }
    }
}

/// What a control record says: its key is a version and a type, its value a version and the coordinator's epoch.
fn control(record: &Record<'_>) -> String {
    let (mut key, mut value) = (record.key.unwrap_or_default(), record.value.unwrap_or_default());
    let kind = key.try_get_i16().and_then(|_version| key.try_get_i16());
    let epoch = value.try_get_i16().and_then(|_version| value.try_get_i32()).unwrap_or(-1);
    match kind {
        Ok(0) => format!("endTxnMarker: ABORT coordinatorEpoch: {epoch}"),
        Ok(1) => format!("endTxnMarker: COMMIT coordinatorEpoch: {epoch}"),
        Ok(kind) => format!("controlType: {kind}"),
        Err(_) => "controlType: unknown".to_owned(),
    }
}

impl Display for Item {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Item::Segment { starting_offset } => write!(f, "Log starting offset: {starting_offset}"),
            Item::Batch(batch) => batch.fmt(f),
            Item::Record(record) => record.fmt(f),
            Item::OffsetEntry { offset, position } => write!(f, "offset: {offset} position: {position}"),
            Item::TimeEntry { timestamp, offset } => write!(f, "timestamp: {timestamp} offset: {offset}"),
            Item::Aborted(entry) => aborted(entry, f),
            Item::Producer(entry) => producer(entry, f),
            Item::Epoch { epoch, start_offset } => write!(f, "epoch: {epoch} startOffset: {start_offset}"),
            Item::Checkpoint { topic, partition, offset } => {
                write!(f, "topic: {topic} partition: {partition} offset: {offset}")
            }
            Item::Problem { position: Some(position), reason } => write!(f, "at byte {position}: {reason}"),
            Item::Problem { position: None, reason } => f.write_str(reason),
        }
    }
}

impl Display for BatchItem {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "baseOffset: {} lastOffset: {} count: {}", self.base_offset, self.last_offset, self.count)?;
        write!(f, " baseSequence: {} lastSequence: {}", self.base_sequence, self.last_sequence)?;
        write!(f, " producerId: {} producerEpoch: {}", self.producer_id, self.producer_epoch)?;
        write!(f, " partitionLeaderEpoch: {}", self.partition_leader_epoch)?;
        write!(f, " isTransactional: {} isControl: {}", self.is_transactional, self.is_control)?;
        write!(f, " deleteHorizonMs: {}", optional(self.delete_horizon_ms))?;
        write!(f, " position: {} {}: {}", self.position, self.timestamp_type, self.timestamp)?;
        write!(f, " size: {} magic: {} compresscodec: {}", self.size, self.magic, self.compresscodec)?;
        write!(f, " crc: {} isvalid: {}", self.crc, self.isvalid)
    }
}

impl Display for RecordItem {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "| offset: {} {}: {}", self.offset, self.timestamp_type, self.timestamp)?;
        write!(f, " keySize: {} valueSize: {} sequence: {}", self.key_size, self.value_size, self.sequence)?;
        write!(f, " headerKeys: [{}]", self.header_keys.join(","))?;
        if let Some(control) = &self.control {
            write!(f, " {control}")?;
        }
        for (name, value) in [("key", &self.key), ("payload", &self.payload)] {
            match value {
                Some(Value::String(text)) => write!(f, " {name}: {text}")?,
                Some(other) => write!(f, " {name}: {other}")?,
                None => {}
            }
        }
        Ok(())
    }
}

fn aborted(entry: &AbortedTxn, f: &mut Formatter<'_>) -> fmt::Result {
    let version = txn_index::VERSION;
    write!(f, "version: {version} producerId: {} firstOffset: {}", entry.producer_id, entry.first_offset)?;
    write!(f, " lastOffset: {} lastStableOffset: {}", entry.last_offset, entry.last_stable_offset)
}

fn producer(entry: &ProducerEntry, f: &mut Formatter<'_>) -> fmt::Result {
    let transaction = entry.current_txn_first_offset;
    let transaction = optional((transaction >= 0).then_some(transaction));
    let first =
        wire::record::batch::increment_sequence(entry.last_sequence, entry.offset_delta.saturating_neg());
    write!(f, "producerId: {} producerEpoch: {}", entry.producer_id, entry.producer_epoch)?;
    write!(f, " coordinatorEpoch: {} currentTxnFirstOffset: {transaction}", entry.coordinator_epoch)?;
    write!(f, " lastTimestamp: {} firstSequence: {first}", entry.timestamp)?;
    write!(f, " lastSequence: {} lastOffset: {}", entry.last_sequence, entry.last_offset)?;
    write!(f, " offsetDelta: {} timestamp: {}", entry.offset_delta, entry.timestamp)
}
