//! The group coordinator: which member of a consumer group reads which partition, and how far each group has read.
//!
//! The classic protocol (KIP-134, KIP-345 for static members, KIP-394 for member ids): the members of a group meet in
//! JoinGroup, the leader among them assigns partitions and hands the assignment out through SyncGroup, everyone
//! heartbeats, and whoever comes or goes starts the next generation.
//!
//! The newer protocol (KIP-848), in which the coordinator assigns, is described in [`consumer`].
//!
//! - [`state`] is one group as a plain state machine: time comes in as an argument, answers that must wait go to the
//!   member's [`waiter`](member::Waiter);
//! - [`offsets`] and [`store`] keep committed offsets and the groups' generations in the compacted topic
//!   `__consumer_offsets`, in Kafka's formats, so that they survive a restart;
//! - [`Coordinator`] is the table of groups, and what the APIs call;
//! - [`survey`] is for those who look at groups from outside the protocol.
//!
//! Locks: the table's is held only to find a group; a group's while its state machine runs. Neither is held while
//! anything waits.

mod admin;
mod commit;
mod config;
mod consumer;
mod coordinator;
mod delete;
mod describe;
pub(crate) mod fuzzing;
mod join;
mod leave;
mod member;
mod offsets;
mod records;
mod state;
mod store;
mod survey;
mod sync;
mod transactional;

#[cfg(test)]
mod tests;

pub(crate) use config::{ConsumerConfig, GroupConfig};
pub(crate) use consumer::Assignor;
pub(crate) use coordinator::Coordinator;
pub(crate) use describe::{DELETE, as_text, describe};
pub(crate) use store::{OFFSETS_TOPIC, partition_for};
pub(crate) use survey::{GroupMember, GroupPartition, GroupSummary};

/// Who asks: what a group remembers of a member's client.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// The name the client gives itself.
    pub(crate) client_id: String,
    /// The address it comes from.
    pub(crate) client_host: String,
    /// The version of the request's API.
    pub(crate) version: i16,
}
