use super::{murmur2, partition_for_key};

/// The pairs of Kafka's own unit test of the hash.
#[test]
fn hashes_as_kafka_does() {
    let known: [(&[u8], i32); 6] = [
        (b"21", -973_932_308),
        (b"foobar", -790_332_482),
        (b"a-little-bit-long-string", -985_981_536),
        (b"a-little-bit-longer-string", -1_486_304_829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
        (b"abc", 479_470_107),
    ];
    for (key, hash) in known {
        assert_eq!(murmur2(key), hash, "{}", String::from_utf8_lossy(key));
    }
}

#[test]
fn every_tail_length_hashes_without_panic() {
    let bytes: Vec<u8> = (0..=255).collect();
    let mut seen = std::collections::HashSet::new();
    for length in 0..bytes.len() {
        assert!(seen.insert(murmur2(&bytes[..length])), "length {length} collides");
    }
}

#[test]
fn negative_hashes_still_give_a_partition() {
    for partitions in [1, 2, 3, 7, 100, i32::MAX] {
        let partition = partition_for_key(b"foobar", partitions);
        assert!((0..partitions).contains(&partition));
    }
    assert_eq!(partition_for_key(b"21", 10), ((-973_932_308_i32) & i32::MAX) % 10);
}

#[test]
fn a_topic_without_partitions_is_taken_as_one() {
    assert_eq!(partition_for_key(b"key", 0), 0);
    assert_eq!(partition_for_key(b"key", -5), 0);
}
