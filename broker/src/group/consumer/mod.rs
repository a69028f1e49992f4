//! Groups of the newer protocol (KIP-848): the coordinator assigns, and each member is led to its share on its own.
//!
//! ```text
//! subscriptions, topics ──change──> group epoch ──assignor──> target assignment ──a heartbeat each──> current assignments
//! ```
//!
//! A member says in its heartbeats what it wants and what it owns, and hears what it may read. Whatever asks for another
//! assignment makes the *group epoch* larger: a member comes, goes or subscribes to something else, a topic appears, grows
//! or vanishes. The next heartbeat of any member then lets the assignor make the *target assignment* of that epoch. From
//! then on each member is *reconciled* when it is heard of: it first gives up what it shall not have, takes the epoch over,
//! and is given what others have given up. The others go on reading meanwhile. A member proves with its *member epoch* that
//! it knows of its last change; one that does not is fenced and has to join again.
//!
//! | module | owns |
//! |---|---|
//! | [`state`] | the group: epochs, members, targets, who holds which partition |
//! | [`subscription`] | what members subscribe to, by name and by regular expression |
//! | [`check`], [`heartbeat`], [`leave`] | what a request changes, as plain functions of the group |
//! | [`target`], [`assign`] | the target assignment, and the assignors that make it |
//! | [`reconcile`] | one member's next step towards its target |
//! | [`change`], [`records`], [`dump`] | the group's changes, as what they stand in `__consumer_offsets`, and as text |
//! | [`serve`], [`commit`], [`describe`] | what the APIs call |
//!
//! What is computed becomes true only when it has been appended: a request yields [`Change`](change::Change)s, these are
//! written as records, then applied to the group. Loading applies the same changes, read from the same records.

mod assign;
mod change;
mod check;
mod commit;
mod describe;
mod dump;
mod heartbeat;
mod leave;
mod member;
mod partitions;
mod reconcile;
mod records;
mod sample;
mod serve;
mod state;
mod subscription;
mod target;
mod topics;

#[cfg(test)]
mod tests;

pub(crate) use assign::Assignor;
pub(super) use change::Change;
pub(super) use dump::shown;
pub(super) use records::{read as read_record, record};
pub(super) use sample::sample_changes;
pub(super) use state::ConsumerGroup;
pub(super) use subscription::Subscriptions;
