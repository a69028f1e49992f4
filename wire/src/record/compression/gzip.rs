//! gzip: one or more members after each other, as RFC 1952 has it.

use std::io::Write;

use flate2::{Compression as Level, read::MultiGzDecoder, write::GzEncoder};

use super::{Compression, RecordError, read_capped};

pub(super) fn compress(input: &[u8], out: &mut Vec<u8>) -> Result<(), RecordError> {
    let mut encoder = GzEncoder::new(out, Level::default());
    encoder.write_all(input).and_then(|()| encoder.try_finish()).map_err(|e| Compression::Gzip.corrupt(e))
}

pub(super) fn decompress(input: &[u8], limit: usize) -> Result<Vec<u8>, RecordError> {
    read_capped(Compression::Gzip, MultiGzDecoder::new(input), limit)
}
