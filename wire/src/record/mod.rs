//! Kafka's record formats: what the bytes of a topic are, on the wire and on disk.
//!
//! A produce request, a fetch response and a segment file all hold the same bytes: *entries*, one
//! after the other. There are three formats of an entry, told apart by the **magic** byte, which
//! stands at position 16 in each of them:
//!
//! | magic | since | an entry is | read by | written by |
//! |---|---|---|---|---|
//! | 0 | 0.8 | one message, or a wrapper around compressed messages | [`legacy`] | [`legacy::SetBuilder`] |
//! | 1 | 0.10, KIP-32 | the same with a timestamp | [`legacy`] | [`legacy::SetBuilder`] |
//! | 2 | 0.11, KIP-98 | a batch of records | [`batch`], [`Records`] | [`BatchBuilder`], [`control`] |
//!
//! Everything here works on byte slices: no sockets, no files. Bytes come from outside, so nothing
//! panics on them, and what decompression may yield is always capped by the caller.

pub mod batch;
mod builder;
mod compression;
pub mod control;
mod error;
pub mod fuzzing;
mod headers;
pub mod legacy;
mod records;
mod varint;

pub use batch::{BatchHeader, TimestampType};
pub use builder::BatchBuilder;
pub use compression::Compression;
pub use control::EndMarker;
pub use error::RecordError;
pub use headers::{EncodedHeaders, HeaderMark, Headers};
pub use records::{Record, Records, RecordsIter};

/// The magic byte of an entry that begins at the first byte of `entries`: it stands at the same
/// place in every format.
pub fn magic(entries: &[u8]) -> Result<i8, RecordError> {
    match entries.get(MAGIC_AT) {
        Some(magic) => Ok(*magic as i8),
        None => Err(RecordError::Incomplete { needed: MAGIC_AT + 1, have: entries.len() }),
    }
}

/// Where the magic byte stands in an entry of any format.
const MAGIC_AT: usize = 16;

#[cfg(test)]
mod tests;
