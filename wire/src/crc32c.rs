//! CRC-32C (Castagnoli; RFC 3720, appendix B.4): it guards record batches (magic 2) and our own small files.
//!
//! Every byte that is taken in passes through it, on a broker as often as through a copy; so the library is the one that
//! uses the processor's widest instructions, whichever it has.

use crc_fast::{CrcAlgorithm, Digest};

/// The checksum of `bytes`.
pub fn crc32c(bytes: &[u8]) -> u32 {
    crc_fast::crc32_iscsi(bytes)
}

/// The checksum of what has the checksum `crc`, with `bytes` behind it. That of nothing is 0.
pub fn crc32c_append(crc: u32, bytes: &[u8]) -> u32 {
    // while it is computed the register holds the complement
    let mut digest = Digest::new_with_init_state(CrcAlgorithm::Crc32Iscsi, u64::from(!crc));
    digest.update(bytes);
    digest.finalize() as u32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    /// From RFC 3720, B.4.
    #[test]
    fn the_standards_examples() {
        let ascending: Vec<u8> = (0..32).collect();
        assert_eq!(super::crc32c(&[0; 32]), 0x8a91_36aa);
        assert_eq!(super::crc32c(&[0xff; 32]), 0x62a8_ab43);
        assert_eq!(super::crc32c(&ascending), 0x46dd_794e);
        assert_eq!(super::crc32c(b"123456789"), 0xe306_9283);
        assert_eq!(super::crc32c(&[]), 0);
    }

    proptest! {
        /// Lengths differ in which instructions they take.
        #[test]
        fn as_another_implementation(bytes in prop::collection::vec(any::<u8>(), 0..20_000), cut in any::<prop::sample::Index>()) {
            let whole = ::crc32c::crc32c(&bytes);
            prop_assert_eq!(super::crc32c(&bytes), whole);
            let (front, back) = bytes.split_at(cut.index(bytes.len() + 1));
            prop_assert_eq!(super::crc32c_append(super::crc32c(front), back), whole);
        }
    }
}
