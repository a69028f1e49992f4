use proptest::prelude::*;

use crate::record::{Compression, RecordError};

use super::LIMIT;

const CODECS: [Compression; 4] =
    [Compression::Gzip, Compression::Snappy, Compression::Lz4, Compression::Zstd];

fn compressed(codec: Compression, input: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    codec.compress(input, &mut out).unwrap();
    out
}

fn is_corrupt(result: &Result<Vec<u8>, RecordError>) -> bool {
    matches!(result, Err(RecordError::Corrupt { .. }))
}

#[test]
fn ids_and_names_are_kafkas() {
    let expected = [(0, "none"), (1, "gzip"), (2, "snappy"), (3, "lz4"), (4, "zstd")];
    for (codec, (id, name)) in Compression::ALL.into_iter().zip(expected) {
        assert_eq!((codec.id(), codec.name()), (id, name));
        assert_eq!(Compression::from_id(id), Ok(codec));
        assert_eq!(Compression::from_name(name), Some(codec));
        assert_eq!(codec.to_string(), name);
    }
    assert_eq!(Compression::from_id(5), Err(RecordError::UnknownCompression(5)));
    assert_eq!(Compression::from_id(-1), Err(RecordError::UnknownCompression(-1)));
    assert_eq!(Compression::from_name("LZ4"), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn decompresses_what_it_compresses(noise: Vec<u8>, repeat in 1_usize..1_000) {
        let input = noise.repeat(repeat);
        for codec in Compression::ALL {
            let small = compressed(codec, &input);
            let back = codec.decompress(&small, input.len()).unwrap();
            prop_assert!(back == input, "{} does not give {} bytes back", codec, input.len());
        }
    }

    #[test]
    fn any_bytes_are_refused_or_decompressed_within_the_limit(input: Vec<u8>, limit in 0_usize..100_000) {
        for codec in Compression::ALL {
            let length = codec.decompress(&input, limit).map_or(0, |out| out.len());
            prop_assert!(length <= limit);
        }
    }
}

#[test]
fn the_limit_is_exact() {
    // Longer than a block of any codec, so that blocks, too, are cut at the limit.
    let input: Vec<u8> = (0..300_000_u32).map(|i| (i / 100) as u8).collect();
    for codec in Compression::ALL {
        let small = compressed(codec, &input);
        assert!(codec.decompress(&small, input.len()).is_ok(), "{codec}");
        for limit in [0, 1, 65_535, 65_536, 65_537, input.len() - 1] {
            let refused = codec.decompress(&small, limit);
            assert_eq!(refused, Err(RecordError::TooLarge { limit }), "{codec} at {limit}");
        }
    }
}

#[test]
fn nothing_compresses_to_something_that_gives_nothing() {
    for codec in Compression::ALL {
        assert_eq!(codec.decompress(&compressed(codec, b""), 0), Ok(vec![]), "{codec}");
    }
}

#[test]
fn what_is_compressed_is_appended() {
    for codec in Compression::ALL {
        let mut out = b"head".to_vec();
        codec.compress(b"some bytes", &mut out).unwrap();
        assert_eq!(&out[..4], b"head");
        assert_eq!(codec.decompress(&out[4..], 10), Ok(b"some bytes".to_vec()), "{codec}");
    }
}

#[test]
fn data_cut_off_anywhere_is_corrupt() {
    let input: Vec<u8> = (0..100_000_u32).flat_map(|i| (i / 7).to_le_bytes()).collect();
    for codec in CODECS {
        let small = compressed(codec, &input);
        for length in [1, 5, 12, 20, small.len() / 3, small.len() / 2, small.len() - 5, small.len() - 1] {
            let cut = codec.decompress(&small[..length], LIMIT);
            assert!(is_corrupt(&cut), "{codec} cut to {length} of {}", small.len());
        }
    }
}

#[test]
fn snappy_is_framed_as_the_java_client_does() {
    let small = compressed(Compression::Snappy, &[b'a'; 40_000]);
    assert_eq!(&small[..16], b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01");
    let first = u32::from_be_bytes(small[16..20].try_into().unwrap()) as usize;
    let block = &small[20..20 + first];
    assert_eq!(snap::raw::decompress_len(block).unwrap(), 32 * 1024);
    let second = u32::from_be_bytes(small[20 + first..24 + first].try_into().unwrap()) as usize;
    assert_eq!(24 + first + second, small.len());
}

#[test]
fn snappy_is_read_in_every_framing() {
    let input = b"to be or not to be, to be or not to be".repeat(100);
    let bare = snap::raw::Encoder::new().compress_vec(&input).unwrap();
    assert_eq!(Compression::Snappy.decompress(&bare, LIMIT), Ok(input.clone()));
    assert_eq!(
        Compression::Snappy.decompress(&bare, input.len() - 1),
        Err(RecordError::TooLarge { limit: input.len() - 1 })
    );

    let mut own = Vec::new();
    std::io::copy(&mut snap::read::FrameEncoder::new(&input[..]), &mut own).unwrap();
    assert_eq!(Compression::Snappy.decompress(&own, LIMIT), Ok(input.clone()));

    let one = compressed(Compression::Snappy, &input);
    let two = [one.clone(), one].concat();
    assert_eq!(Compression::Snappy.decompress(&two, LIMIT), Ok(input.repeat(2)));
}

#[test]
fn several_gzip_members_and_zstd_frames_are_one_stream() {
    for codec in [Compression::Gzip, Compression::Zstd] {
        let two = [compressed(codec, b"first "), compressed(codec, b"second")].concat();
        assert_eq!(codec.decompress(&two, LIMIT), Ok(b"first second".to_vec()), "{codec}");
    }
}

#[test]
fn zstd_tells_the_size_of_its_content() {
    // The frame header's descriptor stands behind the magic: bit 5 says "single segment", which
    // comes with a content size and without a window to reserve.
    let small = compressed(Compression::Zstd, &[b'a'; 1000]);
    assert_eq!(small[..4], 0xFD2F_B528_u32.to_le_bytes());
    assert_ne!(small[4] & 0b0010_0000, 0);
}

#[test]
fn bombs_are_refused_at_the_limit() {
    // Members and frames after each other are one stream: here of a gibibyte of zeros.
    let part = vec![0; 4 << 20];
    let [gzip, zstd] =
        [Compression::Gzip, Compression::Zstd].map(|codec| compressed(codec, &part).repeat(256));
    // A bare snappy block that only says it is large, and an lz4 block of nothing but one match.
    let snappy = vec![0xff, 0xff, 0xff, 0xff, 0x0f, 0x00];
    let mut lz4 = vec![0x04, 0x22, 0x4d, 0x18, 0x60, 0x70, 0x73];
    let block = [&[0x1f, b'a', 1, 0][..], &[0xff; 16_000], &[0, 0x50, b'a', b'a', b'a', b'a', b'a']].concat();
    for _ in 0..256 {
        lz4.extend_from_slice(&(block.len() as u32).to_le_bytes());
        lz4.extend_from_slice(&block);
    }
    lz4.extend_from_slice(&[0; 4]);
    for (codec, bomb) in CODECS.into_iter().zip([gzip, snappy, lz4, zstd]) {
        let limit = 1 << 20;
        let refused = codec.decompress(&bomb, limit);
        assert_eq!(refused, Err(RecordError::TooLarge { limit }), "{codec}, {} bytes", bomb.len());
    }
}
