//! The bodies of the fuzz targets of what lies on the disk. They write their bytes as files into a directory in memory,
//! open them as the broker does, and assert what must hold whatever the bytes were.

mod log_file;
mod mend;
mod partition;
mod registry;
mod scratch;
mod seeds;

pub use log_file::log_file;
pub use partition::{partition, segment};
pub(crate) use registry::{directory, identity, registry};
pub(crate) use scratch::Scratch;
pub(crate) use seeds::seeds;

/// The time of all that happens here, milliseconds.
const NOON: i64 = 1_790_000_000_000;

/// The first segment's `.log`.
const LOG: &str = "00000000000000000000.log";
