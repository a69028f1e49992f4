//! lz4: the LZ4 frame format, of which Kafka uses a part. Integers are little-endian. Source: the
//! LZ4 frame specification, and KIP-57.
//!
//! | bytes | field | |
//! |---|---|---|
//! | 4 | magic | 0x184D2204 |
//! | 1 | FLG | bits 7-6 version 1, 5 independent blocks, 4 block checksums, 3 content size, 2 content checksum, 0 dictionary |
//! | 1 | BD | bits 6-4: the largest block decompresses to 4: 64 KiB, 5: 256 KiB, 6: 1 MiB, 7: 4 MiB |
//! | 0 or 8 | content size | |
//! | 1 | header checksum | second byte of the xxHash-32 of FLG to here |
//! | | | then for each block: |
//! | 4 | block length | high bit: the block is not compressed; 0: no more blocks |
//! | n | block | |
//! | 0 or 4 | block checksum | xxHash-32 of the block as it stands |
//! | | | at the end: |
//! | 0 or 4 | content checksum | xxHash-32 of what was compressed |
//!
//! Kafka demands independent blocks and knows no dictionaries. Up to magic 0 its clients computed
//! the header checksum over the magic as well, so there it is not looked at, and written in the same
//! way for those who do. Frames are read here,
//! not by the library, because the cap is to hold for each block, the end mark must be there, and
//! that header checksum must be passed over.

use std::io::Write;

use lz4_flex::block::{DecompressError, decompress_into};
use lz4_flex::frame::{BlockMode, BlockSize, FrameEncoder, FrameInfo};
use xxhash_rust::xxh32::xxh32;

use super::{Compression, RecordError};

const MAGIC: [u8; 4] = 0x184D_2204_u32.to_le_bytes();
const STORED: u32 = 1 << 31;
/// LZ4 needs at least a byte for 255 bytes of output, so a block cannot promise more.
const MOST_PER_BYTE: usize = 255;

/// What the header checksum of a frame is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum HeaderChecksum {
    /// As the specification has it.
    Right,
    /// As magic 0 has it; not verified in reading, since some got it right even then.
    Wrong,
}

/// Where the header checksum stands in a frame without a content size.
const HEADER_CHECKSUM_AT: usize = 6;

pub(super) fn compress(
    input: &[u8],
    out: &mut Vec<u8>,
    header_checksum: HeaderChecksum,
) -> Result<(), RecordError> {
    let begin = out.len();
    let info = FrameInfo::new().block_mode(BlockMode::Independent).block_size(BlockSize::Max64KB);
    let mut encoder = FrameEncoder::with_frame_info(info, &mut *out);
    encoder.write_all(input).map_err(|e| Compression::Lz4.corrupt(e))?;
    encoder.finish().map_err(|e| Compression::Lz4.corrupt(e))?;
    let frame = out.get_mut(begin..).unwrap_or_default();
    if header_checksum == HeaderChecksum::Wrong
        && let Some((head, [place, ..])) = frame.split_at_mut_checked(HEADER_CHECKSUM_AT)
    {
        *place = (xxh32(head, 0) >> 8) as u8;
    }
    Ok(())
}

pub(super) fn decompress(
    input: &[u8],
    limit: usize,
    header_checksum: HeaderChecksum,
) -> Result<Vec<u8>, RecordError> {
    let mut input = Input(input);
    let frame = Frame::read(&mut input, header_checksum)?;
    let mut out = Vec::new();
    loop {
        let length = input.u32()?;
        if length == 0 {
            break;
        }
        let block = input.take((length & !STORED) as usize)?;
        if frame.block_checksums && input.u32()? != xxh32(block, 0) {
            return Err(Compression::Lz4.corrupt("wrong block checksum"));
        }
        frame.append_block(block, length & STORED != 0, limit, &mut out)?;
    }
    if frame.content_size.is_some_and(|size| size != out.len() as u64) {
        return Err(Compression::Lz4.corrupt("wrong content size"));
    }
    if frame.content_checksum && input.u32()? != xxh32(&out, 0) {
        return Err(Compression::Lz4.corrupt("wrong content checksum"));
    }
    Ok(out)
}

/// What the head of a frame says about the rest.
struct Frame {
    block_checksums: bool,
    content_checksum: bool,
    content_size: Option<u64>,
    largest_block: usize,
}

impl Frame {
    fn read(input: &mut Input<'_>, header_checksum: HeaderChecksum) -> Result<Self, RecordError> {
        if input.array()? != MAGIC {
            return Err(Compression::Lz4.corrupt("no lz4 frame"));
        }
        let descriptor = input.0;
        let [flags, block_descriptor] = input.array()?;
        if flags >> 6 != 1 || flags & 0b0010_0000 == 0 || flags & 0b11 != 0 {
            return Err(Compression::Lz4.corrupt("a kind of frame that Kafka does not allow"));
        }
        let largest_block = match block_descriptor {
            0x40 => 64 * 1024,
            0x50 => 256 * 1024,
            0x60 => 1024 * 1024,
            0x70 => 4 * 1024 * 1024,
            _ => return Err(Compression::Lz4.corrupt("an unknown block size")),
        };
        let content_size = match flags & 0b1000 {
            0 => None,
            _ => Some(u64::from_le_bytes(input.array()?)),
        };
        let descriptor = descriptor.get(..descriptor.len() - input.0.len()).unwrap_or_default();
        let [stored] = input.array()?;
        if header_checksum == HeaderChecksum::Right && stored != (xxh32(descriptor, 0) >> 8) as u8 {
            return Err(Compression::Lz4.corrupt("wrong header checksum"));
        }
        Ok(Self {
            block_checksums: flags & 0b1_0000 != 0,
            content_checksum: flags & 0b100 != 0,
            content_size,
            largest_block,
        })
    }

    fn append_block(
        &self,
        block: &[u8],
        stored: bool,
        limit: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), RecordError> {
        let begin = out.len();
        let left = limit - begin.min(limit);
        if stored {
            if block.len() > self.largest_block {
                return Err(Compression::Lz4.corrupt("a block is too long"));
            }
            if block.len() > left {
                return Err(RecordError::TooLarge { limit });
            }
            out.extend_from_slice(block);
            return Ok(());
        }
        let promised = block.len().saturating_mul(MOST_PER_BYTE).min(self.largest_block);
        out.resize(begin + promised.min(left), 0);
        let room = out.get_mut(begin..).unwrap_or_default();
        match decompress_into(block, room) {
            Ok(length) => {
                out.truncate(begin + length);
                Ok(())
            }
            Err(DecompressError::OutputTooSmall { .. }) if promised > left => {
                Err(RecordError::TooLarge { limit })
            }
            Err(error) => Err(Compression::Lz4.corrupt(error)),
        }
    }
}

/// What is left of the compressed bytes.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], RecordError> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or_else(cut_off)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], RecordError> {
        let (taken, rest) = self.0.split_first_chunk().ok_or_else(cut_off)?;
        self.0 = rest;
        Ok(*taken)
    }

    fn u32(&mut self) -> Result<u32, RecordError> {
        self.array().map(u32::from_le_bytes)
    }
}

fn cut_off() -> RecordError {
    Compression::Lz4.corrupt("the data is cut off")
}
