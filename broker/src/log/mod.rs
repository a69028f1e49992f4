//! The partitioned log: plain synchronous code over files, in Kafka's formats.
//!
//! A [`LogManager`] owns a data directory with many [`Partition`]s. A partition appends record batches at its end,
//! answers which file range holds an offset, flushes for all that wait at once, and deletes or compacts old
//! segments. What a crash leaves behind is verified and repaired when it is opened.
//!
//! | module | owns |
//! |---|---|
//! | [`manager`] | the data directory: topics, checkpoints, opening, upkeep |
//! | [`partition`] | append, read, flush, retention, recovery of one partition |
//! | [`segment`] | the `.log`, `.index`, `.timeindex` and `.txnindex` files |
//! | [`producer`] | idempotent and transactional producers and their `.snapshot` files |
//! | [`compact`] | compaction by key |
//! | [`verify`], [`dump`] | looking into the files, without changing them |
//! | [`checkpoint`], [`epochs`] | offsets of all partitions, leader epochs of one |
//! | [`clock`], [`disk`] | the seams where time and faults are injected |

mod checkpoint;
mod clock;
mod compact;
mod config;
mod disk;
pub mod dump;
mod epochs;
mod error;
pub(crate) mod fuzzing;
mod manager;
mod partition;
mod producer;
mod segment;
#[cfg(test)]
pub(crate) mod tests;
pub mod verify;

pub use clock::{Clock, ManualClock, SystemClock};
pub use config::{CleanupPolicy, CompressionType, LogConfig, LogConfigError, TimestampType};
pub use disk::{Disk, RealDisk};
pub(crate) use disk::{read_file, replace_file};
pub use error::{
    AppendError, BrokenRule, FarTimestamp, ReadError, RefusedRecord, RefusedRecords, StorageError,
};
pub(crate) use manager::names::{check_topic_name, encode_id};
pub use manager::{
    CleanReport, FileTopicStore, LogManager, ManagerOptions, OpenError, OpenReport, TickReport, Topic,
    TopicError, TopicMeta, TopicStore,
};
pub use partition::{Appended, Durable, Partition, ReadSlice, RecoveryReport, TimestampOffset};
pub use producer::Verification;
pub use segment::txn_index::AbortedTxn;
