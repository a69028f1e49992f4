//! DescribeGroups and ListGroups.

use wire::ErrorCode;
use wire::message::describe_groups::{DescribedGroup, DescribedGroupMember};
use wire::message::list_groups::{ListGroupsRequest, ListGroupsResponse, ListedGroup};

use super::coordinator::Coordinator;
use super::member::Member;
use super::state::Group;

/// The protocol type of groups of the newer protocol.
const CONSUMER: &str = "consumer";

impl Coordinator {
    /// Serves ListGroups: the groups in the states and of the types asked for; an empty filter lets all pass.
    pub(crate) fn list(&self, request: &ListGroupsRequest) -> ListGroupsResponse {
        let passes = |filter: &[String], value: &str| {
            filter.is_empty() || filter.iter().any(|wanted| wanted.eq_ignore_ascii_case(value))
        };
        let mut groups: Vec<ListedGroup> = self
            .all()
            .iter()
            .filter_map(|group| {
                let group = group.lock();
                // about to be dropped from the table
                if group.is_forgettable() {
                    return None;
                }
                Some(listed(&group))
            })
            .filter(|group| passes(&request.states_filter, &group.group_state))
            .filter(|group| passes(&request.types_filter, &group.group_type))
            .collect();
        groups.sort_by(|a, b| a.group_id.cmp(&b.group_id));
        ListGroupsResponse { groups, ..Default::default() }
    }

    /// Serves DescribeGroups for one group; one that does not exist is `Dead`, as Kafka has it, and so is one of the newer
    /// protocol: a client then asks with ConsumerGroupDescribe.
    pub(crate) fn describe(&self, id: &str) -> DescribedGroup {
        if id.is_empty() {
            let error_code = ErrorCode::InvalidGroupId.code();
            return DescribedGroup { error_code, ..Default::default() };
        }
        let found = self.find(id);
        let group = found.as_ref().map(|group| group.lock()).filter(|group| !group.is_forgettable());
        match group {
            Some(group) if group.consumer.is_none() => described(&group),
            _ => DescribedGroup {
                group_id: id.to_owned(),
                group_state: "Dead".to_owned(),
                ..Default::default()
            },
        }
    }
}

fn listed(group: &Group) -> ListedGroup {
    let group_id = group.id.clone();
    match &group.consumer {
        Some(consumer) => ListedGroup {
            group_id,
            protocol_type: CONSUMER.to_owned(),
            group_state: consumer.state_name().to_owned(),
            group_type: "Consumer".to_owned(),
        },
        None => ListedGroup {
            group_id,
            protocol_type: group.protocol_type.clone().unwrap_or_default(),
            group_state: group.phase.name().to_owned(),
            group_type: "Classic".to_owned(),
        },
    }
}

fn described(group: &Group) -> DescribedGroup {
    let protocol = group.protocol.clone().unwrap_or_default();
    let member = |member: &Member| DescribedGroupMember {
        member_id: member.id.clone(),
        group_instance_id: member.instance_id.clone(),
        client_id: member.client_id.clone(),
        client_host: member.client_host.clone(),
        member_metadata: member.metadata(&protocol),
        member_assignment: member.assignment.clone(),
    };
    DescribedGroup {
        group_id: group.id.clone(),
        group_state: group.phase.name().to_owned(),
        protocol_type: group.protocol_type.clone().unwrap_or_default(),
        members: group.members.iter().map(member).collect(),
        protocol_data: protocol,
        ..Default::default()
    }
}
