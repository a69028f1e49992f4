//! A record of a group for people, under the names that Kafka's messages give their fields.

use std::collections::BTreeSet;

use bytes::Bytes;
use serde_json::{Value, json};
use uuid::Uuid;

use super::change::Change;
use super::member::{Current, Profile};
use super::partitions::Partitions;
use super::records::read;
use super::topics::{TopicSize, TopicSizes};
use crate::log::encode_id;

/// What the key names and what the value says, if it says something; `None` for a record of another kind, and for one that
/// cannot be read.
pub(in crate::group) fn shown(key: &[u8], value: Option<&[u8]>) -> Option<(Value, Option<Value>)> {
    let value = value.map(Bytes::copy_from_slice);
    let (group, change) = read(Bytes::copy_from_slice(key), value).ok()??;
    let of_group = || json!({ "groupId": group });
    let of_member = |id: &str| json!({ "groupId": group, "memberId": id });
    Some(match change {
        Change::Epoch(epoch) => (of_group(), epoch.map(|epoch| json!({ "epoch": epoch }))),
        Change::Topics(topics) => (of_group(), topics.as_ref().map(topic_sizes)),
        Change::Profile(id, profile) => (of_member(&id), profile.as_ref().map(member)),
        Change::TargetEpoch(epoch) => (of_group(), epoch.map(|epoch| json!({ "assignmentEpoch": epoch }))),
        Change::Target(id, target) => {
            let target = target.as_ref().map(|target| json!({ "topicPartitions": partitions(target) }));
            (of_member(&id), target)
        }
        Change::Current(id, has) => (of_member(&id), has.as_ref().map(current)),
    })
}

fn topic_sizes(topics: &TopicSizes) -> Value {
    let topic = |(name, size): (&String, &TopicSize)| {
        json!({
            "topicId": encode_id(size.id),
            "topicName": name,
            "numPartitions": size.partitions,
            "partitionMetadata": [],
        })
    };
    json!({ "topics": topics.iter().map(topic).collect::<Vec<Value>>() })
}

fn member(profile: &Profile) -> Value {
    json!({
        "instanceId": profile.instance_id,
        "rackId": profile.rack_id,
        "clientId": profile.client_id,
        "clientHost": profile.client_host,
        "subscribedTopicNames": profile.topics,
        "subscribedTopicRegex": profile.expression,
        "rebalanceTimeoutMs": profile.rebalance_timeout_ms,
        "serverAssignor": profile.assignor,
    })
}

fn current(current: &Current) -> Value {
    json!({
        "memberEpoch": current.epoch,
        "previousMemberEpoch": current.previous_epoch,
        "state": current.step.code(),
        "assignedPartitions": partitions(&current.assigned),
        "partitionsPendingRevocation": partitions(&current.revoking),
    })
}

fn partitions(partitions: &Partitions) -> Vec<Value> {
    let topic =
        |(id, indexes): (&Uuid, &BTreeSet<i32>)| json!({ "topicId": encode_id(*id), "partitions": indexes });
    partitions.iter().map(topic).collect()
}
