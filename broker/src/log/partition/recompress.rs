//! `compression.type`: what came in another codec than the topic's is compressed again, on the thread that received it and
//! before the partition is locked.
//!
//! Only the block of records is made anew, and with it the batch's codec, length and checksum. The records inside keep every
//! byte, and the header all else: offsets, timestamps, producer, sequence, transaction. As in Kafka the records are checked one
//! by one meanwhile, markers stay as they are, and `max.message.bytes` holds for what comes out too. What has the codec
//! already is not looked into.

use wire::record::{BatchHeader, Compression, batch};

use super::RECORDS_BYTES_MAX;
use super::check::refusal;
use crate::log::config::LogConfig;
use crate::log::error::AppendError;

/// The batches to append in the place of `records`, and `headers` made true to them; `None` if all stay as they are.
pub(super) fn recompress(
    records: &[u8],
    headers: &mut [BatchHeader],
    config: &LogConfig,
) -> Result<Option<Vec<u8>>, AppendError> {
    let Some(codec) = config.compression_type.codec() else { return Ok(None) };
    if headers.iter().all(|header| stays(header, codec)) {
        return Ok(None);
    }
    let mut recompressed = Vec::with_capacity(records.len());
    let mut rest = records;
    // for all batches together: a thousand small ones could each decompress to the limit
    let mut room = RECORDS_BYTES_MAX;
    for header in headers {
        let Some((bytes, behind)) = rest.split_at_checked(header.size()) else { break };
        rest = behind;
        if stays(header, codec) {
            recompressed.extend_from_slice(bytes);
            continue;
        }
        let batch = with_codec(bytes, codec, config, &mut room)?;
        *header = BatchHeader::parse(&batch)?;
        recompressed.extend_from_slice(&batch);
    }
    let (size, max) = (recompressed.len(), config.segment_bytes as usize);
    if size > max {
        return Err(AppendError::LargerThanSegment { size, max });
    }
    Ok(Some(recompressed))
}

/// Whether a batch is kept as it came. Consumers must find markers without a decompressor.
fn stays(header: &BatchHeader, codec: Compression) -> bool {
    header.is_control() || header.compression() == Ok(codec)
}

/// The batch with its records compressed by `codec`. They take their decompressed size off `room`.
fn with_codec(
    bytes: &[u8],
    codec: Compression,
    config: &LogConfig,
    room: &mut usize,
) -> Result<Vec<u8>, AppendError> {
    let records = batch::records(bytes, *room).map_err(refusal)?;
    *room = room.saturating_sub(records.size());
    records.check().map_err(refusal)?;
    let batch = records.compressed(codec).map_err(refusal)?;
    let (size, max) = (batch.len(), config.max_message_bytes as usize);
    if size > max {
        return Err(AppendError::TooLarge { size, max });
    }
    Ok(batch)
}
