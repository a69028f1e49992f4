//! What can be wrong with record bytes, worded for the operator, each variant saying when it happens.

use super::Compression;
use crate::ErrorCode;

/// Why record bytes cannot be used. Nothing has been changed when one of these is returned.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// The bytes end before the entry does. Not a damage by itself: a stream has to be read
    /// further, the last entry of a fetch response is dropped, a segment is cut here.
    #[error("the record batch is cut off: it needs {needed} bytes and there are {have}")]
    Incomplete {
        /// Bytes that the entry needs, as far as that is known.
        needed: usize,
        /// Bytes that there are.
        have: usize,
    },
    /// The magic byte is of another format than the one asked for, or of none.
    #[error("the record format (magic) is {0}, which is not the expected one")]
    BadMagic(i8),
    /// The stored checksum does not agree with the bytes.
    #[error("the checksum of the record batch is {computed:#010x}, its header says {stored:#010x}")]
    BadCrc {
        /// The checksum in the header.
        stored: u32,
        /// The checksum of the bytes.
        computed: u32,
    },
    /// The length field of an entry is smaller than its header or does not agree with the bytes.
    #[error("the length {0} of the record batch is impossible")]
    BadLength(i64),
    /// The number of records and the range of offsets of a batch from a client do not agree.
    #[error("the batch says {records_count} records and a last offset delta of {last_offset_delta}")]
    BadCount {
        /// The number of records by the header.
        records_count: i32,
        /// The offset of the last record minus that of the first, by the header.
        last_offset_delta: i32,
    },
    /// A record inside a batch, or a message inside a message set, is not well-formed.
    #[error("a record in the batch is malformed: {0}")]
    BadRecord(&'static str),
    /// The batch is well-formed, but nothing that a client may produce.
    #[error("the batch may not be produced by a client: {0}")]
    NotAllowed(&'static str),
    /// The codec bits of the attributes name no codec, or one that this format does not know.
    #[error("the compression codec {0} is unknown in this record format")]
    UnknownCompression(i8),
    /// The compressed bytes are not what their codec writes.
    #[error("the {codec} data of the batch cannot be decompressed: {reason}")]
    Corrupt {
        /// The codec by the attributes.
        codec: Compression,
        /// What the decompressor says.
        reason: String,
    },
    /// The records exceed the caller's cap, seen before more than the cap was allocated.
    #[error("the records of the batch exceed the limit of {limit} bytes")]
    TooLarge {
        /// The caller's cap, bytes after decompression.
        limit: usize,
    },
    /// A batch without records was to be finished.
    #[error("a record batch needs at least one record")]
    Empty,
}

impl RecordError {
    /// What a broker answers to a produce request whose records have this error, as Kafka does. A
    /// corrupt batch may be whole when it is sent again; all else is refused for good.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Incomplete { .. }
            | Self::BadMagic(_)
            | Self::BadCrc { .. }
            | Self::BadLength(_)
            | Self::Corrupt { .. } => ErrorCode::CorruptMessage,
            Self::BadCount { .. }
            | Self::BadRecord(_)
            | Self::NotAllowed(_)
            | Self::UnknownCompression(_)
            | Self::Empty => ErrorCode::InvalidRecord,
            Self::TooLarge { .. } => ErrorCode::MessageTooLarge,
        }
    }
}
