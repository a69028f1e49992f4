//! Kafka's key hash: murmur2, 32 bits, little-endian, with Kafka's own seed.
//!
//! Every Kafka client that partitions by key uses this hash, so the same key lands in the same
//! partition whichever client produced it. The sign bit is masked off before the remainder is
//! taken, as the Java client does (`toPositive`).

/// Kafka's seed.
const SEED: u32 = 0x9747_b28c;
/// The multiplier of murmur2.
const M: u32 = 0x5bd1_e995;

/// The murmur2 hash of `key` as Kafka computes it.
pub fn murmur2(key: &[u8]) -> i32 {
    // Kafka's arrays are at most i32::MAX long, so only the low 32 bits of the length exist there.
    let mut hash = SEED ^ (key.len() as u32);
    let (words, tail) = key.as_chunks::<4>();
    for word in words {
        let mut k = u32::from_le_bytes(*word).wrapping_mul(M);
        k ^= k >> 24;
        hash = hash.wrapping_mul(M) ^ k.wrapping_mul(M);
    }
    if !tail.is_empty() {
        for (place, byte) in tail.iter().enumerate() {
            hash ^= u32::from(*byte) << (8 * place);
        }
        hash = hash.wrapping_mul(M);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(M);
    (hash ^ (hash >> 15)) as i32
}

/// The partition, `0..partitions`, that holds `key` in a topic of `partitions` partitions; a count
/// below one is taken as one.
pub fn partition_for_key(key: &[u8], partitions: i32) -> i32 {
    (murmur2(key) & i32::MAX) % partitions.max(1)
}

#[cfg(test)]
mod tests;
