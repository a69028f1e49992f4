//! One member's next step towards its target, after Kafka's CurrentAssignmentBuilder.
//!
//! ```text
//!              has to give up                    has given up
//!   Stable ────────────────────> Unrevoked ──────────────────────────┐
//!    ^  │                         (old epoch)                        v
//!    │  └── nothing to give up ───────────────────────────> the target's epoch
//!    │                                                               │
//!    ├──────────────── all of the target is free ────────────────────┤
//!    └── what was missing is free ── Unreleased <── some is not ──────┘
//! ```
//!
//! A partition is held by the member to which it is assigned, and by the one that has to give it up until that says that it
//! no longer owns it. It is given to a member only when nobody holds it: no partition is ever read by two.

use uuid::Uuid;
use wire::ErrorCode;

use super::member::{Current, Step};
use super::partitions::{Partitions, add, contains, each};
use crate::error::Failure;

/// Where a member shall get to, and what is known on the way.
pub(in crate::group) struct Goal<'a> {
    /// The epoch of the target assignment.
    pub(in crate::group) epoch: i32,
    /// What the member shall have.
    pub(in crate::group) partitions: &'a Partitions,
    /// What the member says that it owns, if it says so.
    pub(in crate::group) owned: Option<&'a Partitions>,
    /// Whether a partition is held, by this member or another.
    pub(in crate::group) is_held: &'a dyn Fn(Uuid, i32) -> bool,
}

/// What the member has after its next step, which may be what it has.
pub(in crate::group) fn reconcile(current: &Current, goal: &Goal<'_>) -> Result<Current, Failure> {
    match current.step {
        Step::Stable if current.epoch == goal.epoch => Ok(current.clone()),
        Step::Stable | Step::Unreleased => Ok(next(current, current.epoch, goal)),
        Step::Unrevoked if still_owns(goal.owned, &current.revoking) => Ok(current.clone()),
        Step::Unrevoked => Ok(next(current, current.epoch.saturating_add(1), goal)),
        // only a member that has nothing can be brought from a place that we do not know to one that we do
        Step::Unknown(_) if goal.owned.is_some_and(Partitions::is_empty) => {
            Ok(next(current, goal.epoch, goal))
        }
        Step::Unknown(_) => {
            let message = "The member is in an unknown state. It must abandon all its partitions and rejoin.";
            Err(Failure::new(ErrorCode::FencedMemberEpoch, message))
        }
    }
}

/// The step from what is assigned towards the goal; `epoch` is the member's until it has given up what it must.
fn next(current: &Current, epoch: i32, goal: &Goal<'_>) -> Current {
    let (mut assigned, mut revoking) = (Partitions::new(), Partitions::new());
    for (topic, index) in each(&current.assigned) {
        let stays = contains(goal.partitions, topic, index);
        add(if stays { &mut assigned } else { &mut revoking }, topic, index);
    }
    if !revoking.is_empty() && still_owns(goal.owned, &revoking) {
        return Current { epoch, previous_epoch: current.epoch, step: Step::Unrevoked, assigned, revoking };
    }
    let mut is_complete = true;
    for (topic, index) in each(goal.partitions) {
        if contains(&current.assigned, topic, index) {
            continue;
        }
        if (goal.is_held)(topic, index) {
            is_complete = false;
        } else {
            add(&mut assigned, topic, index);
        }
    }
    Current {
        epoch: goal.epoch,
        previous_epoch: current.epoch,
        step: if is_complete { Step::Stable } else { Step::Unreleased },
        assigned,
        revoking: Partitions::new(),
    }
}

/// Whether the member may still read some of these: it says so, or says nothing.
fn still_owns(owned: Option<&Partitions>, partitions: &Partitions) -> bool {
    owned.is_none_or(|owned| each(owned).any(|(topic, index)| contains(partitions, topic, index)))
}
