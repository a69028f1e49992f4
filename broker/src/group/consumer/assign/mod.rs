//! The assignors: who shall read which partition. Each is a plain function of the members' subscriptions, the topics, and
//! the target assignment that there was.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::partitions::Partitions;

mod range;
mod uniform;

#[cfg(test)]
mod tests;

/// A way to assign partitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Assignor {
    /// Everyone the same number, and as little moved as possible.
    Uniform,
    /// Of each topic a range, the same one of topics with the same number of partitions.
    Range,
}

impl Assignor {
    /// The name by which members ask for it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Assignor::Uniform => "uniform",
            Assignor::Range => "range",
        }
    }

    /// The assignor of a name.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        [Assignor::Uniform, Assignor::Range].into_iter().find(|assignor| assignor.name() == name)
    }

    /// Names that are separated by commas, the default first; `None` if there is none, or one that is not known or twice.
    pub(crate) fn parse_list(names: &str) -> Option<Vec<Self>> {
        let mut assignors = Vec::new();
        for name in names.split(',') {
            let assignor = Assignor::parse(name.trim())?;
            if assignors.contains(&assignor) {
                return None;
            }
            assignors.push(assignor);
        }
        Some(assignors)
    }

    /// The share of each of `members`, in their order. `topics` says how many partitions each topic has; what a member
    /// subscribes to must be among them.
    pub(in crate::group) fn assign(
        self,
        members: &[Subscriber<'_>],
        topics: &BTreeMap<Uuid, i32>,
    ) -> Vec<Partitions> {
        match self {
            Assignor::Uniform => uniform::assign(members, topics),
            Assignor::Range => range::assign(members, topics),
        }
    }
}

/// A member as an assignor sees it.
#[derive(Debug)]
pub(in crate::group) struct Subscriber<'a> {
    /// Its id.
    pub(in crate::group) id: &'a str,
    /// Its static id.
    pub(in crate::group) instance_id: Option<&'a str>,
    /// The topics that it wants to read.
    pub(in crate::group) topics: BTreeSet<Uuid>,
    /// What it was assigned before.
    pub(in crate::group) previous: &'a Partitions,
}
