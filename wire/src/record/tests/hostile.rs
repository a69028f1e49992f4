//! Bytes that nobody should send. The bodies are those of the fuzz targets; proptest gives them
//! random bytes, damaged batches of every format and codec, and pieces of them.

use proptest::prelude::*;

use crate::record::{Compression, fuzzing};

use super::sample;

/// Batches of each codec and message sets of each magic, to be damaged.
fn seeds() -> Vec<Vec<u8>> {
    let mut seeds: Vec<Vec<u8>> = Compression::ALL.into_iter().map(|codec| sample(codec).to_vec()).collect();
    let java: [&[u8]; 5] = [
        include_bytes!("../golden/magic0-none.bin"),
        include_bytes!("../golden/magic0-lz4.bin"),
        include_bytes!("../golden/magic1-none.bin"),
        include_bytes!("../golden/magic1-gzip.bin"),
        include_bytes!("../golden/magic1-snappy.bin"),
    ];
    seeds.extend(java.map(<[u8]>::to_vec));
    seeds
}

fn all_targets(bytes: &[u8]) {
    fuzzing::batch(bytes);
    fuzzing::message_set(bytes);
    fuzzing::decompress(bytes);
}

#[test]
fn every_seed_cut_off_anywhere() {
    for seed in seeds() {
        (0..=seed.len()).for_each(|length| all_targets(&seed[..length]));
    }
}

#[test]
fn every_byte_of_every_seed_at_its_extremes() {
    for seed in seeds() {
        for at in 0..seed.len() {
            for value in [0, 0x7f, 0xff] {
                let mut damaged = seed.clone();
                damaged[at] = value;
                all_targets(&damaged);
            }
        }
    }
}

proptest! {
    #[test]
    fn random_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        all_targets(&bytes);
    }

    #[test]
    fn damaged_seeds(
        seed in proptest::sample::select(seeds()),
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        tail in proptest::collection::vec(any::<u8>(), 0..80),
    ) {
        let mut bytes = seed;
        for (at, value) in damage {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        bytes.extend_from_slice(&tail);
        all_targets(&bytes);
    }

    #[test]
    fn random_bytes_behind_a_good_header(
        header in proptest::sample::select(seeds()),
        behind in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        let mut bytes = header[..header.len().min(61)].to_vec();
        bytes.extend_from_slice(&behind);
        let length = (bytes.len() - 12) as i32;
        bytes[8..12].copy_from_slice(&length.to_be_bytes());
        all_targets(&bytes);
    }

    #[test]
    fn compressed_noise(codec in 0_u8..5, noise in proptest::collection::vec(any::<u8>(), 0..300)) {
        let mut bytes = vec![codec];
        Compression::from_id(codec as i8).unwrap().compress(&noise, &mut bytes).unwrap();
        fuzzing::decompress(&bytes);
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x5a;
        fuzzing::decompress(&bytes);
    }
}
