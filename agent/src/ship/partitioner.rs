//! Which partition a file's lines go to.
//!
//! All lines of a file generation go to one partition, so they stay in order: the partition is murmur2 of the generation's
//! 16 hexadecimal digits, made positive, modulo the number of partitions. That is what Kafka's clients do with a key, so the
//! place can be computed elsewhere. When partitions are added, a generation may move.

use wire::murmur2::partition_for_key;

use crate::model::GenerationId;

/// The partition of a generation in a topic with `count` partitions; `explicit` is the setting, -1 for the hash.
pub(super) fn partition(explicit: i32, generation: GenerationId, count: i32) -> i32 {
    if explicit >= 0 {
        return explicit;
    }
    partition_for_key(generation.to_string().as_bytes(), count)
}
