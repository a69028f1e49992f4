//! The bodies of the fuzz targets. Each takes any bytes and panics only if a promise of this crate is broken. The same
//! bodies run under proptest in this crate's tests.

pub use crate::checkpoint::fuzzing::checkpoint;
pub use crate::collect::fuzzing::collect_list;

/// Inputs to begin with, each with its target.
pub fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let checkpoints = crate::checkpoint::fuzzing::seeds().into_iter().map(|seed| ("checkpoint", seed));
    let lists = crate::collect::fuzzing::seeds().into_iter().map(|seed| ("collect_list", seed));
    checkpoints.chain(lists).collect()
}

#[cfg(test)]
mod tests;
