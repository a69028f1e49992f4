//! Groups for those who look at them: what they are, who is in them, how far behind they are.
//!
//! A group's lock is held while it is copied or its lag summed up. What a leader has assigned may be long, and is looked
//! through without it.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use uuid::Uuid;
use wire::codec::{DecodeError, Reader};

use super::coordinator::Coordinator;
use super::state::Group;
use crate::log::{LogManager, Topic};

/// A group in one line.
#[derive(Debug)]
pub(crate) struct GroupSummary {
    pub(crate) id: String,
    /// Kafka's name of it.
    pub(crate) state: &'static str,
    /// `classic`, or `consumer` for the newer protocol.
    pub(crate) protocol: &'static str,
    pub(crate) members: usize,
    /// Partitions with a committed offset.
    pub(crate) partitions: usize,
    /// Records between the committed offsets and the ends of their partitions.
    pub(crate) lag: i64,
}

/// A group with all that is in it.
#[derive(Debug)]
pub(crate) struct GroupSurvey {
    pub(crate) summary: GroupSummary,
    pub(crate) members: Vec<GroupMember>,
    /// The partitions that have a committed offset or a member, by topic and number.
    pub(crate) partitions: Vec<GroupPartition>,
}

/// A member of a group.
#[derive(Debug)]
pub(crate) struct GroupMember {
    pub(crate) id: String,
    pub(crate) instance_id: Option<String>,
    pub(crate) client_id: String,
    pub(crate) client_host: String,
    /// The partitions that it has.
    pub(crate) assigned: usize,
}

/// A partition in a group.
#[derive(Debug)]
pub(crate) struct GroupPartition {
    pub(crate) topic: String,
    pub(crate) partition: i32,
    pub(crate) committed: Option<i64>,
    /// Where the partition ends, if it is still there.
    pub(crate) end: Option<i64>,
    /// Which of the members has it.
    pub(crate) member: Option<usize>,
}

impl GroupPartition {
    /// Records between the committed offset and the end.
    pub(crate) fn lag(&self) -> Option<i64> {
        Some(behind(self.committed?, self.end?))
    }
}

/// What a member has.
enum Assigned {
    /// As the leader has said, unread.
    Classic(Bytes),
    /// By topic.
    Consumer(BTreeMap<Uuid, BTreeSet<i32>>),
}

/// The offset and the member of each partition.
type Places = BTreeMap<(String, i32), (Option<i64>, Option<usize>)>;

impl Coordinator {
    /// The groups whose names are `wanted`, by name, and how many there are in all.
    pub(crate) fn summaries(
        &self,
        logs: &LogManager,
        wanted: impl Fn(&str) -> bool,
    ) -> (usize, Vec<GroupSummary>) {
        let mut total = 0;
        let mut found = Vec::new();
        for group in self.all() {
            let group = group.lock();
            // about to be dropped from the table
            if group.is_forgettable() {
                continue;
            }
            total += 1;
            if wanted(&group.id) {
                found.push(summary(&group, logs));
            }
        }
        found.sort_by(|a, b| a.id.cmp(&b.id));
        (total, found)
    }

    /// All that is in a group, if there is one of that name.
    pub(crate) fn survey(&self, id: &str, logs: &LogManager) -> Option<GroupSurvey> {
        let found = self.find(id)?;
        let (summary, mut places, with_assigned) = {
            let group = found.lock();
            if group.is_forgettable() {
                return None;
            }
            (summary(&group, logs), committed(&group), members(&group))
        };
        let mut members = Vec::with_capacity(with_assigned.len());
        for (number, (mut member, assigned)) in with_assigned.into_iter().enumerate() {
            assigned.each(logs, |topic, partition| {
                member.assigned += 1;
                places.entry((topic.to_owned(), partition)).or_default().1 = Some(number);
            });
            members.push(member);
        }
        Some(GroupSurvey { summary, members, partitions: located(places, logs) })
    }
}

fn summary(group: &Group, logs: &LogManager) -> GroupSummary {
    let (mut partitions, mut lag) = (0, 0_i64);
    for (name, offsets) in group.offsets.topics() {
        partitions += offsets.len();
        let Some(topic) = logs.topic(name) else { continue };
        for (index, committed) in offsets {
            let end = end(&topic, *index);
            lag = lag.saturating_add(end.map_or(0, |end| behind(committed.offset, end)));
        }
    }
    let (state, protocol, members) = match &group.consumer {
        Some(consumer) => (consumer.state_name(), "consumer", consumer.members.len()),
        None => (group.phase.name(), "classic", group.members.len()),
    };
    GroupSummary { id: group.id.clone(), state, protocol, members, partitions, lag }
}

fn end(topic: &Topic, index: i32) -> Option<i64> {
    topic.partition(index).map(|partition| partition.high_watermark())
}

fn behind(committed: i64, end: i64) -> i64 {
    end.saturating_sub(committed).max(0)
}

fn committed(group: &Group) -> Places {
    let mut places = Places::new();
    for (topic, offsets) in group.offsets.topics() {
        for (index, committed) in offsets {
            places.insert((topic.to_owned(), *index), (Some(committed.offset), None));
        }
    }
    places
}

/// The members, with what they have.
fn members(group: &Group) -> Vec<(GroupMember, Assigned)> {
    if let Some(consumer) = &group.consumer {
        let members = consumer.members.iter().map(|(id, member)| {
            let profile = member.profile.as_ref();
            let shown = GroupMember {
                id: id.clone(),
                instance_id: profile.and_then(|profile| profile.instance_id.clone()),
                client_id: profile.map_or_else(String::new, |profile| profile.client_id.clone()),
                client_host: profile.map_or_else(String::new, |profile| profile.client_host.clone()),
                assigned: 0,
            };
            (shown, Assigned::Consumer(member.current.assigned.clone()))
        });
        return members.collect();
    }
    // what members of other kinds are assigned is theirs to know
    let are_consumers = group.protocol_type.as_deref() == Some("consumer");
    let members = group.members.iter().map(|member| {
        let shown = GroupMember {
            id: member.id.clone(),
            instance_id: member.instance_id.clone(),
            client_id: member.client_id.clone(),
            client_host: member.client_host.clone(),
            assigned: 0,
        };
        let assignment = if are_consumers { member.assignment.clone() } else { Bytes::new() };
        (shown, Assigned::Classic(assignment))
    });
    members.collect()
}

impl Assigned {
    /// Visits the partitions that exist: what a leader has made up takes no memory.
    fn each(self, logs: &LogManager, mut visit: impl FnMut(&str, i32)) {
        let mut visit_of = |topic: &Topic, index: i32| {
            if topic.partition(index).is_some() {
                visit(topic.name(), index);
            }
        };
        match self {
            // what follows a mistake is not shown
            Assigned::Classic(bytes) => {
                let _ = each_assigned(bytes, logs, &mut visit_of);
            }
            Assigned::Consumer(partitions) => {
                for (id, indexes) in partitions {
                    let Some(topic) = logs.topic_by_id(id) else { continue };
                    indexes.into_iter().for_each(|index| visit_of(&topic, index));
                }
            }
        }
    }
}

/// Reads what a consumer was assigned (ConsumerProtocolAssignment): version, topics with their partitions, and more that is
/// not looked at.
fn each_assigned(
    bytes: Bytes,
    logs: &LogManager,
    visit: &mut dyn FnMut(&Topic, i32),
) -> Result<(), DecodeError> {
    let mut reader = Reader::new(bytes);
    let (_version, topics) = (reader.i16()?, reader.i32()?);
    for _ in 0..topics {
        let name = reader.string(false)?.unwrap_or_default();
        let topic = logs.topic(&name);
        for _ in 0..reader.i32()? {
            let index = reader.i32()?;
            if let Some(topic) = &topic {
                visit(topic, index);
            }
        }
    }
    Ok(())
}

fn located(places: Places, logs: &LogManager) -> Vec<GroupPartition> {
    let located = places.into_iter().map(|((topic, partition), (committed, member))| {
        let end = logs.topic(&topic).and_then(|topic| end(&topic, partition));
        GroupPartition { topic, partition, committed, end, member }
    });
    located.collect()
}
