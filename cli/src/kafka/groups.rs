//! Groups as their coordinators tell of them, those of the classic protocol and those of the newer one (KIP-848), which a
//! coordinator tells of in answer to a request of their own.

use wire::message::consumer_group_describe as newer;
use wire::message::describe_groups as classic;
use wire::message::list_groups::ListGroupsRequest;
use wire::{ApiKey, ErrorCode};

use super::direct::Direct;
use super::{Connection, assignment};
use crate::fail::Failure;

/// The type of a group whose members share the partitions out among themselves.
const CLASSIC: &str = "classic";
/// The type of a group whose coordinator does it.
const CONSUMER: &str = "consumer";
/// What a coordinator calls the state of a group that is not there.
const DEAD: &str = "Dead";

/// A group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Group {
    pub(crate) name: String,
    /// As Kafka names it: `Stable`, `Empty` …
    pub(crate) state: String,
    /// `classic` or `consumer`.
    pub(crate) kind: &'static str,
    /// How the partitions are shared out; empty while nobody has joined.
    pub(crate) assignor: String,
    pub(crate) members: Vec<Member>,
}

/// One that reads in a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) id: String,
    pub(crate) host: String,
    /// What it reads: topics and their partitions.
    pub(crate) partitions: Vec<(String, Vec<i32>)>,
}

impl Connection {
    /// All groups of the cluster, by name.
    pub(crate) fn groups(&self, what: &str) -> Result<Vec<Group>, Failure> {
        let mut groups = Vec::new();
        for mut broker in self.brokers(what)? {
            let listed = broker.call(&ListGroupsRequest::default())?;
            broker.accepted(listed.error_code, None)?;
            let names = listed.groups.into_iter().map(|group| group.group_id).collect();
            groups.extend(describe(&mut broker, names)?);
        }
        groups.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(groups)
    }

    /// The group of a name, if there is one.
    pub(crate) fn group(&self, what: &str, name: &str) -> Result<Option<Group>, Failure> {
        let mut coordinator = self.coordinator(what, name)?;
        Ok(describe(&mut coordinator, vec![name.to_owned()])?.pop())
    }
}

/// The groups of these names that the broker is the coordinator of.
fn describe(broker: &mut Direct, names: Vec<String>) -> Result<Vec<Group>, Failure> {
    let mut groups = Vec::new();
    let mut others = names;
    if broker.serves(ApiKey::ConsumerGroupDescribe) && !others.is_empty() {
        let request = newer::ConsumerGroupDescribeRequest {
            group_ids: others,
            ..newer::ConsumerGroupDescribeRequest::default()
        };
        let described = broker.call(&request)?.groups;
        others = Vec::new();
        for group in described {
            match ErrorCode::from_code(group.error_code) {
                ErrorCode::None => groups.push(newer_group(group)),
                // it is of the other protocol, or the broker has been told not to serve this one
                ErrorCode::GroupIdNotFound | ErrorCode::UnsupportedVersion => others.push(group.group_id),
                _ => broker.accepted(group.error_code, group.error_message.as_deref())?,
            }
        }
    }
    if others.is_empty() {
        return Ok(groups);
    }
    let request =
        classic::DescribeGroupsRequest { groups: others, ..classic::DescribeGroupsRequest::default() };
    for group in broker.call(&request)?.groups {
        match ErrorCode::from_code(group.error_code) {
            ErrorCode::None if group.group_state == DEAD => {}
            ErrorCode::None => groups.push(classic_group(group)),
            ErrorCode::GroupIdNotFound => {}
            _ => broker.accepted(group.error_code, None)?,
        }
    }
    Ok(groups)
}

fn newer_group(group: newer::DescribedGroup) -> Group {
    let topic = |topic: newer::TopicPartitions| (topic.topic_name, topic.partitions);
    let member = |member: newer::Member| Member {
        id: member.member_id,
        host: host(&member.client_host),
        partitions: member.assignment.topic_partitions.into_iter().map(topic).collect(),
    };
    Group {
        name: group.group_id,
        state: group.group_state,
        kind: CONSUMER,
        assignor: group.assignor_name,
        members: group.members.into_iter().map(member).collect(),
    }
}

fn classic_group(group: classic::DescribedGroup) -> Group {
    let member = |member: classic::DescribedGroupMember| Member {
        id: member.member_id,
        host: host(&member.client_host),
        partitions: assignment::decode(&member.member_assignment).unwrap_or_default(),
    };
    Group {
        name: group.group_id,
        state: group.group_state,
        kind: CLASSIC,
        assignor: group.protocol_data,
        members: group.members.into_iter().map(member).collect(),
    }
}

/// Java's way to print an address begins with a slash.
fn host(address: &str) -> String {
    address.trim_start_matches('/').to_owned()
}
