//! Leaving records out of a batch without touching the others: the bytes of each record that stays are copied, so
//! offsets, timestamps and headers are what they were. The batch keeps its base offset, last offset, producer and
//! sequence; its length, count, largest timestamp and checksum are new.

use wire::record::{BatchHeader, Compression, Record, RecordError, batch};

use crate::log::partition::RECORDS_BYTES_MAX;

const LENGTH_AT: usize = 8;
const CRC_AT: usize = 17;
const ATTRIBUTES_AT: usize = 21;
const MAX_TIMESTAMP_AT: usize = 35;
const COUNT_AT: usize = 57;
/// What the attributes of a batch without records do not say.
const CODEC_MASK: i16 = 0b111;
const DELETE_HORIZON: i16 = 1 << 6;
/// Bytes before and with the length field, which the length does not count.
const LENGTH_OVERHEAD: usize = 12;

/// What is left of a batch.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Rewritten {
    /// All of it.
    Same,
    /// None of its records.
    Empty,
    /// A shorter batch.
    Shorter(Vec<u8>),
}

/// Leaves out the records that `keep` refuses.
pub(crate) fn retain(
    bytes: &[u8],
    mut keep: impl FnMut(&Record<'_>) -> bool,
) -> Result<Rewritten, RecordError> {
    let header = BatchHeader::parse(bytes)?;
    let codec = header.compression()?;
    let body = bytes.get(BatchHeader::SIZE..header.size()).unwrap_or_default();
    let records = batch::records(bytes, RECORDS_BYTES_MAX)?;
    let plain = match codec {
        Compression::None => body.to_vec(),
        codec => codec.decompress(body, RECORDS_BYTES_MAX)?,
    };
    let (mut rest, mut kept, mut count, mut max_timestamp) = (plain.as_slice(), Vec::new(), 0, i64::MIN);
    for record in records.iter() {
        let record = record?;
        let (raw, behind) = split_record(rest)?;
        rest = behind;
        if keep(&record) {
            kept.extend_from_slice(raw);
            count += 1;
            max_timestamp = max_timestamp.max(record.timestamp);
        }
    }
    match count {
        0 => Ok(Rewritten::Empty),
        all if all == header.records_count => Ok(Rewritten::Same),
        count => {
            let mut body = Vec::with_capacity(kept.len());
            match codec {
                Compression::None => body = kept,
                codec => codec.compress(&kept, &mut body)?,
            }
            Ok(Rewritten::Shorter(assemble(bytes, &body, count, max_timestamp)))
        }
    }
}

/// The batch with none of its records: what a producer's newest batch becomes, so that its sequence is kept.
pub(crate) fn without_records(bytes: &[u8]) -> Result<Vec<u8>, RecordError> {
    let header = BatchHeader::parse(bytes)?;
    let mut batch = assemble(bytes, &[], 0, header.max_timestamp);
    let plain = header.attributes & !(CODEC_MASK | DELETE_HORIZON);
    put(&mut batch, ATTRIBUTES_AT, &plain.to_be_bytes());
    seal(&mut batch);
    Ok(batch)
}

fn assemble(original: &[u8], body: &[u8], count: i32, max_timestamp: i64) -> Vec<u8> {
    let mut batch = original.get(..BatchHeader::SIZE).unwrap_or_default().to_vec();
    batch.extend_from_slice(body);
    let length = (batch.len() - LENGTH_OVERHEAD) as i32;
    put(&mut batch, LENGTH_AT, &length.to_be_bytes());
    put(&mut batch, MAX_TIMESTAMP_AT, &max_timestamp.to_be_bytes());
    put(&mut batch, COUNT_AT, &count.to_be_bytes());
    seal(&mut batch);
    batch
}

fn seal(batch: &mut [u8]) {
    let crc = wire::crc32c(batch.get(ATTRIBUTES_AT..).unwrap_or_default());
    put(batch, CRC_AT, &crc.to_be_bytes());
}

fn put(batch: &mut [u8], at: usize, value: &[u8]) {
    if let Some(place) = batch.get_mut(at..at + value.len()) {
        place.copy_from_slice(value);
    }
}

/// The first record's bytes, its length included, and what follows.
fn split_record(records: &[u8]) -> Result<(&[u8], &[u8]), RecordError> {
    let malformed = RecordError::BadRecord("its length is not that of a record");
    let (mut zigzag, mut used) = (0u32, 0);
    for byte in records.iter().take(5) {
        zigzag |= u32::from(byte & 0x7f) << (7 * used);
        used += 1;
        if byte & 0x80 == 0 {
            break;
        }
    }
    // a length is not negative, so its zigzag form is even
    let length = (zigzag >> 1) as usize;
    records.split_at_checked(used as usize + length).ok_or(malformed)
}
