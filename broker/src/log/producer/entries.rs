//! The entries of a snapshot file one by one, and the reason why a file is unsound: read by
//! [`snapshot`](super::snapshot), which describes the format, and by those who look into files.

use bytes::Buf;
use serde::Serialize;
use thiserror::Error;

pub(super) const VERSION: i16 = 1;
/// Bytes before the entries.
pub(super) const HEADER: usize = 10;
/// Where the bytes under the CRC begin.
pub(super) const CHECKED_FROM: usize = 6;
/// Bytes of an entry.
pub(super) const ENTRY: usize = 46;

/// One batch of a producer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// The producer.
    pub producer_id: i64,
    /// Its epoch.
    pub producer_epoch: i16,
    /// The sequence of the batch's last record.
    pub last_sequence: i32,
    /// The batch's last offset.
    pub last_offset: i64,
    /// Last offset minus base offset.
    pub offset_delta: i32,
    /// When the producer was last seen, milliseconds.
    pub timestamp: i64,
    /// Of the transaction coordinator; -1 without transactions.
    pub coordinator_epoch: i32,
    /// The first offset of the transaction under way; -1 when there is none.
    pub current_txn_first_offset: i64,
}

/// Why a file is no snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum EntriesError {
    /// The file is shorter than its header, or its length is not that of its entries.
    #[error("{have} bytes are not the length of a snapshot with {count} entries")]
    Length {
        /// Bytes of the file.
        have: usize,
        /// Entries by the header; 0 when there is none.
        count: u32,
    },
    /// Another version than 1.
    #[error("version {0} of snapshots is not known")]
    Version(i16),
    /// The checksum does not agree with the bytes.
    #[error("its checksum is {computed:#010x}, and the file says {stored:#010x}")]
    Crc {
        /// The one in the file.
        stored: u32,
        /// The one of the bytes.
        computed: u32,
    },
}

/// Reads all entries of a file.
pub(crate) fn parse(bytes: &[u8]) -> Result<impl Iterator<Item = Entry>, EntriesError> {
    let have = bytes.len();
    let mut input = bytes;
    if have < HEADER {
        return Err(EntriesError::Length { have, count: 0 });
    }
    let (version, stored, count) = (input.get_i16(), input.get_u32(), input.get_u32());
    if version != VERSION {
        return Err(EntriesError::Version(version));
    }
    let computed = wire::crc32c(bytes.get(CHECKED_FROM..).unwrap_or_default());
    if computed != stored {
        return Err(EntriesError::Crc { stored, computed });
    }
    if (count as usize).checked_mul(ENTRY) != Some(input.len()) {
        return Err(EntriesError::Length { have, count });
    }
    let (entries, _) = input.as_chunks::<ENTRY>();
    Ok(entries.iter().map(|entry| decode(entry)))
}

fn decode(mut input: &[u8]) -> Entry {
    Entry {
        producer_id: input.get_i64(),
        producer_epoch: input.get_i16(),
        last_sequence: input.get_i32(),
        last_offset: input.get_i64(),
        offset_delta: input.get_i32(),
        timestamp: input.get_i64(),
        coordinator_epoch: input.get_i32(),
        current_txn_first_offset: input.get_i64(),
    }
}
