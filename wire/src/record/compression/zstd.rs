//! zstd: one or more frames after each other, as RFC 8878 has it. Frames that need a window of more
//! than 128 MiB are refused by the library's default.

use std::io::Write;

use ::zstd::stream::{read::Decoder, write::Encoder};

use super::{Compression, RecordError, read_capped};

/// Kafka's and zstd's own default.
const LEVEL: i32 = 3;

pub(super) fn compress(input: &[u8], out: &mut Vec<u8>) -> Result<(), RecordError> {
    let encode = || {
        let mut encoder = Encoder::new(out, LEVEL)?;
        // Readers can then allocate what they need at once, and no larger a window.
        encoder.set_pledged_src_size(Some(input.len() as u64))?;
        encoder.write_all(input)?;
        encoder.finish().map(drop)
    };
    encode().map_err(|e| Compression::Zstd.corrupt(e))
}

pub(super) fn decompress(input: &[u8], limit: usize) -> Result<Vec<u8>, RecordError> {
    let decoder = Decoder::with_buffer(input).map_err(|e| Compression::Zstd.corrupt(e))?;
    read_capped(Compression::Zstd, decoder, limit)
}
