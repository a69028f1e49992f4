//! What Kafka's use of the lz4 frame format makes special.

use lz4_flex::frame::{BlockMode, BlockSize, FrameEncoder, FrameInfo};
use xxhash_rust::xxh32::xxh32;

use crate::record::{Compression, RecordError};

use super::LIMIT;

fn input() -> Vec<u8> {
    (0..200_000_u32).map(|i| (i / 300) as u8).collect()
}

fn framed(info: FrameInfo, input: &[u8]) -> Vec<u8> {
    let mut encoder = FrameEncoder::with_frame_info(info, Vec::new());
    std::io::Write::write_all(&mut encoder, input).unwrap();
    encoder.finish().unwrap()
}

fn independent() -> FrameInfo {
    FrameInfo::new().block_mode(BlockMode::Independent)
}

fn corrupt(reason: &str) -> Result<Vec<u8>, RecordError> {
    Err(RecordError::Corrupt { codec: Compression::Lz4, reason: reason.to_owned() })
}

/// Magic, version 1 with independent blocks, 64 KiB, and the checksum that the Java client writes, too.
#[test]
fn the_frame_head_is_that_of_the_java_client() {
    let mut small = Vec::new();
    Compression::Lz4.compress(&input(), &mut small).unwrap();
    assert_eq!(small[..7], [0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82]);
    assert_eq!(small[small.len() - 4..], [0; 4], "the end mark");
}

#[test]
fn every_option_of_a_frame_is_read() {
    let input = input();
    for size in [BlockSize::Max64KB, BlockSize::Max256KB, BlockSize::Max1MB, BlockSize::Max4MB] {
        for checksums in [false, true] {
            let info = independent()
                .block_size(size)
                .block_checksums(checksums)
                .content_checksum(checksums)
                .content_size(checksums.then_some(input.len() as u64));
            let frame = framed(info, &input);
            assert_eq!(Compression::Lz4.decompress(&frame, LIMIT), Ok(input.clone()));
        }
    }
}

#[test]
fn blocks_that_do_not_compress_are_stored() {
    let mut state = 1_u32;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    })
    .take(150_000)
    .collect();
    let mut frame = Vec::new();
    Compression::Lz4.compress(&noise, &mut frame).unwrap();
    assert_ne!(frame[10] & 0x80, 0, "the first block says that it is stored");
    assert_eq!(Compression::Lz4.decompress(&frame, noise.len()), Ok(noise.clone()));
    let limit = noise.len() - 1;
    assert_eq!(Compression::Lz4.decompress(&frame, limit), Err(RecordError::TooLarge { limit }));
}

/// KIP-57: writers of magic 0 took the checksum over the magic as well.
#[test]
fn a_header_checksum_that_includes_the_magic_counts_in_magic_0_only() {
    let mut frame = framed(independent(), b"some text, some text");
    let wrong = (xxh32(&frame[..6], 0) >> 8) as u8;
    assert_ne!(frame[6], wrong);
    frame[6] = wrong;
    assert_eq!(Compression::Lz4.decompress(&frame, LIMIT), corrupt("wrong header checksum"));
    let read = Compression::Lz4.decompress_magic_0(&frame, LIMIT);
    assert_eq!(read, Ok(b"some text, some text".to_vec()));
}

#[test]
fn checksums_are_verified_where_they_are() {
    let info = independent().block_checksums(true);
    let mut frame = framed(info, b"some text, some text");
    let block_checksum = frame.len() - 5;
    frame[block_checksum] ^= 1;
    assert_eq!(Compression::Lz4.decompress(&frame, LIMIT), corrupt("wrong block checksum"));

    let mut frame = framed(independent().content_checksum(true), b"some text, some text");
    *frame.last_mut().unwrap() ^= 1;
    assert_eq!(Compression::Lz4.decompress(&frame, LIMIT), corrupt("wrong content checksum"));
}

#[test]
fn a_wrong_content_size_is_corrupt() {
    let mut frame = framed(independent().content_size(Some(20)), b"some text, some text");
    frame[6] ^= 1;
    frame[14] = (xxh32(&frame[4..14], 0) >> 8) as u8;
    assert_eq!(Compression::Lz4.decompress(&frame, LIMIT), corrupt("wrong content size"));
}

/// The Java client refuses these, so they must not get into a log that it reads.
#[test]
fn linked_blocks_and_dictionaries_are_refused() {
    let refused = corrupt("a kind of frame that Kafka does not allow");
    let frame = framed(FrameInfo::new().block_mode(BlockMode::Linked), &input());
    assert_eq!(Compression::Lz4.decompress(&frame, LIMIT), refused);
    for flags in [0b0110_0001, 0b0110_0010, 0b1010_0000, 0b0010_0000] {
        let frame = [0x04, 0x22, 0x4d, 0x18, flags, 0x40, 0x82, 0, 0, 0, 0];
        assert_eq!(Compression::Lz4.decompress(&frame, LIMIT), refused);
    }
}

#[test]
fn unknown_block_sizes_and_other_magics_are_refused() {
    for size in [0x00, 0x30, 0x41, 0xc0, 0xff] {
        let frame = [0x04, 0x22, 0x4d, 0x18, 0x60, size, 0x82, 0, 0, 0, 0];
        assert_eq!(Compression::Lz4.decompress(&frame, LIMIT), corrupt("an unknown block size"));
    }
    // the legacy frame of the lz4 command, and a skippable one
    for magic in [0x184C_2102_u32, 0x184D_2A50] {
        let frame = [&magic.to_le_bytes()[..], &[0; 20]].concat();
        assert_eq!(Compression::Lz4.decompress(&frame, LIMIT), corrupt("no lz4 frame"));
    }
}

#[test]
fn a_frame_without_its_end_mark_is_cut_off() {
    let frame = framed(independent(), &input());
    let cut = Compression::Lz4.decompress(&frame[..frame.len() - 4], LIMIT);
    assert_eq!(cut, corrupt("the data is cut off"));
}

#[test]
fn a_block_beyond_the_frames_block_size_is_corrupt() {
    let head = [0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82];
    let stored = [&head[..], &(70_000_u32 | 1 << 31).to_le_bytes(), &[b'a'; 70_000], &[0; 4]].concat();
    assert_eq!(Compression::Lz4.decompress(&stored, LIMIT), corrupt("a block is too long"));

    let block = lz4_flex::block::compress(&[b'a'; 70_000]);
    let length = (block.len() as u32).to_le_bytes();
    let packed = [&head[..], &length, &block, &[0; 4]].concat();
    assert!(matches!(
        Compression::Lz4.decompress(&packed, LIMIT),
        Err(RecordError::Corrupt { codec: Compression::Lz4, .. })
    ));
}
