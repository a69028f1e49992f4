//! The transaction coordinator: which partitions belong to a producer's transaction, and that all of them are committed or
//! none (KIP-98, KIP-360 for producers that recover, KIP-664 for administrators, KIP-890 for what is not in a transaction).
//!
//! ```text
//!              partitions are added            EndTxn, or time is up          every marker is durable
//!   Empty ─────────────────────────> Ongoing ───────────────────────> Prepare… ──────────────────────> Complete…
//!     ^                                 ^                              Commit                           Commit
//!     │ InitProducerId                  │ partitions are added         or Abort                         or Abort
//!     └─────────────────────────────────┴──────────────────────────────────────────────────────────────────┘
//! ```
//!
//! The decision falls when `PrepareCommit` or `PrepareAbort` is durable in the topic `__transaction_state`: whatever
//! happens then, at once or after a restart, a marker goes to every partition of the transaction. Writing one again has
//! no effect. Not before all are durable does the topic say `Complete…`, so that no partition is forgotten.
//!
//! - [`state`] is one transactional id as plain data: each request gives its next state or a refusal;
//! - [`store`] and [`records`] keep the states, in Kafka's formats;
//! - [`markers`] is the seam to the partitions: with one broker, markers are appended where other brokers would be sent
//!   them;
//! - [`Coordinator`] is the table of transactional ids, and what the APIs call.
//!
//! Locks: the table's is held only to find an id; an id's while its state changes, which includes waiting for the disk:
//! who only looks at the state does not need it. Under it locks of partitions and groups are taken, and never the other
//! way round. What changes a state blocks.

mod admin;
mod config;
mod coordinator;
mod describe;
mod end;
mod expire;
pub(crate) mod fuzzing;
mod init;
mod markers;
mod records;
mod state;
mod store;

#[cfg(test)]
mod tests;

pub(crate) use admin::OpenTransaction;
pub(crate) use config::TxnConfig;
pub(crate) use coordinator::{Coordinator, Producer};
pub(crate) use describe::describe;
pub(crate) use markers::{LogMarkers, Marker};
pub(crate) use state::Partitions;
pub(crate) use store::TXN_TOPIC;
