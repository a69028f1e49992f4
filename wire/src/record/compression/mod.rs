//! The codecs of record batches, each in the framing that Kafka's clients write and read.
//!
//! | id | codec | framing | file |
//! |---|---|---|---|
//! | 0 | none | | |
//! | 1 | gzip | gzip members | [`gzip`] |
//! | 2 | snappy | xerial's blocks; also Snappy's own framing and a bare block are read | [`snappy`] |
//! | 3 | lz4 | lz4 frame of independent blocks | [`lz4`] |
//! | 4 | zstd | zstd frames; magic 2 only | [`zstd`] |
//!
//! Compressed bytes come from outside and a few of them can stand for gigabytes, so every
//! decompressor takes a cap, and fails before it allocates more than that for its output.

mod gzip;
mod lz4;
mod snappy;
mod zstd;

use std::io::Read;

use super::RecordError;

/// How the records of a batch are compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Compression {
    /// Not at all.
    #[default]
    None,
    /// Deflate in gzip members, level 6.
    Gzip,
    /// Snappy in xerial's framing.
    Snappy,
    /// LZ4 frames, fast level.
    Lz4,
    /// Zstandard, level 3.
    Zstd,
}

impl Compression {
    /// All of them, in the order of their ids.
    pub const ALL: [Self; 5] = [Self::None, Self::Gzip, Self::Snappy, Self::Lz4, Self::Zstd];

    /// The codec of an id, as it stands in the low three bits of the attributes.
    pub fn from_id(id: i8) -> Result<Self, RecordError> {
        Self::ALL.into_iter().find(|codec| codec.id() == id).ok_or(RecordError::UnknownCompression(id))
    }

    /// The id of the codec.
    pub fn id(self) -> i8 {
        match self {
            Self::None => 0,
            Self::Gzip => 1,
            Self::Snappy => 2,
            Self::Lz4 => 3,
            Self::Zstd => 4,
        }
    }

    /// The codec of a name as it stands in configurations.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|codec| codec.name() == name)
    }

    /// The name in configurations: `none`, `gzip`, `snappy`, `lz4`, `zstd`.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Snappy => "snappy",
            Self::Lz4 => "lz4",
            Self::Zstd => "zstd",
        }
    }

    /// Appends the compressed form of `input` to `out`.
    pub fn compress(self, input: &[u8], out: &mut Vec<u8>) -> Result<(), RecordError> {
        match self {
            Self::None => {
                out.extend_from_slice(input);
                Ok(())
            }
            Self::Gzip => gzip::compress(input, out),
            Self::Snappy => snappy::compress(input, out),
            Self::Lz4 => lz4::compress(input, out, lz4::HeaderChecksum::Right),
            Self::Zstd => zstd::compress(input, out),
        }
    }

    /// As [`compress`](Self::compress), for messages of magic 0, whose readers compute the header
    /// checksum of lz4 frames as wrongly as their writers do (KIP-57).
    pub(super) fn compress_magic_0(self, input: &[u8], out: &mut Vec<u8>) -> Result<(), RecordError> {
        match self {
            Self::Lz4 => lz4::compress(input, out, lz4::HeaderChecksum::Wrong),
            _ => self.compress(input, out),
        }
    }

    /// The decompressed form of `input`, at most `limit` bytes.
    pub fn decompress(self, input: &[u8], limit: usize) -> Result<Vec<u8>, RecordError> {
        match self {
            Self::None if input.len() > limit => Err(RecordError::TooLarge { limit }),
            Self::None => Ok(input.to_vec()),
            Self::Gzip => gzip::decompress(input, limit),
            Self::Snappy => snappy::decompress(input, limit),
            Self::Lz4 => lz4::decompress(input, limit, lz4::HeaderChecksum::Right),
            Self::Zstd => zstd::decompress(input, limit),
        }
    }

    /// As [`decompress`](Self::decompress), for messages of magic 0, whose writers computed the
    /// header checksum of lz4 frames wrongly (KIP-57).
    pub(super) fn decompress_magic_0(self, input: &[u8], limit: usize) -> Result<Vec<u8>, RecordError> {
        match self {
            Self::Lz4 => lz4::decompress(input, limit, lz4::HeaderChecksum::Wrong),
            _ => self.decompress(input, limit),
        }
    }

    fn corrupt(self, reason: impl ToString) -> RecordError {
        RecordError::Corrupt { codec: self, reason: reason.to_string() }
    }
}

impl std::fmt::Display for Compression {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// The first size of a buffer whose final size is unknown, bytes.
const FIRST_ROOM: usize = 64 * 1024;

/// Reads all of `reader`, at most `limit` bytes.
fn read_capped(codec: Compression, mut reader: impl Read, limit: usize) -> Result<Vec<u8>, RecordError> {
    let mut out = Vec::new();
    let mut filled = 0;
    loop {
        if filled == out.len() {
            // One byte more than the limit is asked for, to tell "exactly full" from "more to come".
            let room = (filled * 2).max(FIRST_ROOM).min(limit.saturating_add(1));
            out.reserve_exact(room - filled);
            out.resize(room, 0);
        }
        match reader.read(out.get_mut(filled..).unwrap_or_default()) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) => return Err(codec.corrupt(error)),
        }
        if filled > limit {
            return Err(RecordError::TooLarge { limit });
        }
    }
    out.truncate(filled);
    Ok(out)
}
