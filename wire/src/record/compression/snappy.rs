//! snappy: Snappy's format is a bare block without a frame, so Kafka's Java client took that of the
//! xerial library, and all others followed. Integers are big-endian:
//!
//! | bytes | field | |
//! |---|---|---|
//! | 8 | magic | 0x82 `SNAPPY` 0x00 |
//! | 4 | version | 1 |
//! | 4 | least compatible version | 1 |
//! | | | then until the end, for each block: |
//! | 4 | block length | |
//! | n | block | a bare Snappy block |
//!
//! Streams may be concatenated: then the 16 header bytes stand again where a block would begin.
//! Some clients write one bare block instead, which is told by the missing magic; Snappy's own
//! later framing format is read too, but hardly anyone writes it.

use snap::raw::{Decoder, Encoder, decompress_len, max_compress_len};

use super::{Compression, RecordError, read_capped};

const MAGIC: &[u8; 8] = b"\x82SNAPPY\0";
const VERSIONS: &[u8; 8] = &[0, 0, 0, 1, 0, 0, 0, 1];
/// What a stream of Snappy's own framing begins with.
const OWN_FRAMING: &[u8; 10] = b"\xff\x06\x00\x00sNaPpY";
/// Bytes that go into a block: the Java client's size.
const BLOCK: usize = 32 * 1024;

pub(super) fn compress(input: &[u8], out: &mut Vec<u8>) -> Result<(), RecordError> {
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(VERSIONS);
    let mut encoder = Encoder::new();
    for chunk in input.chunks(BLOCK) {
        let length_at = out.len();
        let block_at = length_at + 4;
        out.resize(block_at + max_compress_len(chunk.len()), 0);
        let room = out.get_mut(block_at..).unwrap_or_default();
        let length = encoder.compress(chunk, room).map_err(|e| Compression::Snappy.corrupt(e))?;
        out.truncate(block_at + length);
        if let Some(place) = out.get_mut(length_at..).and_then(<[u8]>::first_chunk_mut) {
            *place = (length as u32).to_be_bytes();
        }
    }
    Ok(())
}

pub(super) fn decompress(input: &[u8], limit: usize) -> Result<Vec<u8>, RecordError> {
    if input.starts_with(MAGIC) {
        return decompress_xerial(input, limit);
    }
    if input.starts_with(OWN_FRAMING) {
        return read_capped(Compression::Snappy, snap::read::FrameDecoder::new(input), limit);
    }
    let mut out = Vec::new();
    append_block(input, limit, &mut out)?;
    Ok(out)
}

fn decompress_xerial(mut rest: &[u8], limit: usize) -> Result<Vec<u8>, RecordError> {
    let mut out = Vec::new();
    let cut_off = || Compression::Snappy.corrupt("the data is cut off");
    while !rest.is_empty() {
        if rest.starts_with(MAGIC) {
            rest = rest.get(MAGIC.len() + VERSIONS.len()..).ok_or_else(cut_off)?;
            continue;
        }
        let (length, behind) = rest.split_first_chunk().ok_or_else(cut_off)?;
        let length = u32::from_be_bytes(*length) as usize;
        let (block, behind) = behind.split_at_checked(length).ok_or_else(cut_off)?;
        append_block(block, limit, &mut out)?;
        rest = behind;
    }
    Ok(out)
}

fn append_block(block: &[u8], limit: usize, out: &mut Vec<u8>) -> Result<(), RecordError> {
    let length = decompress_len(block).map_err(|e| Compression::Snappy.corrupt(e))?;
    let begin = out.len();
    if length > limit - begin.min(limit) {
        return Err(RecordError::TooLarge { limit });
    }
    out.resize(begin + length, 0);
    let room = out.get_mut(begin..).unwrap_or_default();
    Decoder::new().decompress(block, room).map_err(|e| Compression::Snappy.corrupt(e))?;
    Ok(())
}
