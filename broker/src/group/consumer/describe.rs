//! ConsumerGroupDescribe.

use std::collections::BTreeSet;

use uuid::Uuid;
use wire::ErrorCode;
use wire::message::consumer_group_describe::{
    Assignment, DescribedGroup, Member as DescribedMember, TopicPartitions,
};

use super::member::Member;
use super::partitions::{NONE, Partitions};
use super::state::ConsumerGroup;
use super::topics::Topics;
use crate::group::Coordinator;
use crate::group::config::ConsumerConfig;

/// What Kafka calls a member that speaks the newer protocol; others are in no such group here.
const CONSUMER: i8 = 1;

impl Coordinator {
    /// Serves ConsumerGroupDescribe for one group.
    pub(crate) fn describe_consumer_group(&self, id: &str, topics: &dyn Topics) -> DescribedGroup {
        let found = self.find(id);
        let group = found.as_ref().map(|group| group.lock()).filter(|group| !group.is_forgettable());
        let described = group.as_ref().and_then(|group| {
            let consumer = group.consumer.as_deref()?;
            Some(described(id, consumer, &self.config.consumer, topics))
        });
        described.unwrap_or_else(|| DescribedGroup {
            group_id: id.to_owned(),
            error_code: ErrorCode::GroupIdNotFound.code(),
            ..Default::default()
        })
    }
}

fn described(
    id: &str,
    group: &ConsumerGroup,
    config: &ConsumerConfig,
    topics: &dyn Topics,
) -> DescribedGroup {
    let member = |(id, member): (&String, &Member)| {
        let profile = member.profile.clone().unwrap_or_default();
        DescribedMember {
            member_id: id.clone(),
            instance_id: profile.instance_id,
            rack_id: profile.rack_id,
            member_epoch: member.current.epoch,
            client_id: profile.client_id,
            client_host: profile.client_host,
            subscribed_topic_names: profile.topics.into_iter().collect(),
            subscribed_topic_regex: profile.expression,
            assignment: assignment(&member.current.assigned, topics),
            target_assignment: assignment(group.targets.get(id).unwrap_or(&NONE), topics),
            member_type: CONSUMER,
        }
    };
    DescribedGroup {
        group_id: id.to_owned(),
        group_state: group.state_name().to_owned(),
        group_epoch: group.epoch,
        assignment_epoch: group.target_epoch,
        assignor_name: group.assignor(config).name().to_owned(),
        members: group.members.iter().map(member).collect(),
        ..Default::default()
    }
}

/// Topics that were deleted are left out.
fn assignment(partitions: &Partitions, topics: &dyn Topics) -> Assignment {
    let topic = |(id, indexes): (&Uuid, &BTreeSet<i32>)| {
        Some(TopicPartitions {
            topic_id: *id,
            topic_name: topics.name(*id)?,
            partitions: indexes.iter().copied().collect(),
        })
    };
    Assignment { topic_partitions: partitions.iter().filter_map(topic).collect() }
}
