//! The newest offset of each key, within a fixed amount of memory.
//!
//! A key is kept as a hash of 128 bits under a seed that is drawn for each compaction, so that nobody can prepare
//! two keys that are taken for one.

use std::collections::HashMap;

use xxhash_rust::xxh3::xxh3_128_with_seed;

/// Bytes that an entry of the map takes, spare room in the table included.
const ENTRY_BYTES: usize = 64;

/// Newest offsets by key.
#[derive(Debug)]
pub(crate) struct KeyMap {
    newest: HashMap<u128, i64>,
    max_keys: usize,
    seed: u64,
}

impl KeyMap {
    /// An empty map that stays within `memory_bytes`.
    pub(crate) fn new(memory_bytes: usize) -> Self {
        KeyMap { newest: HashMap::new(), max_keys: (memory_bytes / ENTRY_BYTES).max(1), seed: rand::random() }
    }

    /// Notes that `key` occurs at `offset`, after all it noted before; `false` when the map is full.
    #[must_use]
    pub(crate) fn note(&mut self, key: &[u8], offset: i64) -> bool {
        let hash = xxh3_128_with_seed(key, self.seed);
        if self.newest.len() >= self.max_keys && !self.newest.contains_key(&hash) {
            return false;
        }
        self.newest.insert(hash, offset);
        true
    }

    /// Whether the map knows an offset of `key` beyond `offset`.
    pub(crate) fn is_superseded(&self, key: &[u8], offset: i64) -> bool {
        self.newest.get(&xxh3_128_with_seed(key, self.seed)).is_some_and(|newest| *newest > offset)
    }
}
