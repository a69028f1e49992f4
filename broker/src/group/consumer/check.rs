//! What a heartbeat must be like, whatever the group: Kafka's checks in Kafka's words, and bounds to what a member may keep
//! here. A regular expression is looked at where it is compiled.

use wire::ErrorCode;
use wire::message::consumer_group_heartbeat::ConsumerGroupHeartbeatRequest;

use super::assign::Assignor;
use super::member::{AWAY, JOIN, LEAVE};
use crate::error::Failure;
use crate::group::config::ConsumerConfig;

/// The first version of the API in which the client makes the member's id (KIP-1082), and may subscribe by expression.
pub(in crate::group) const OWN_ID_FROM: i16 = 1;
/// The longest id or name. Keys of `__consumer_offsets` cannot say a longer one.
const NAME_BYTES_MAX: usize = i16::MAX as usize;
/// The most bytes of all names to which a member subscribes: they have to fit into one record.
const SUBSCRIPTION_BYTES_MAX: usize = 512 << 10;

/// Whether the request makes sense.
pub(in crate::group) fn check(
    request: &ConsumerGroupHeartbeatRequest,
    version: i16,
    config: &ConsumerConfig,
) -> Result<(), Failure> {
    if version >= OWN_ID_FROM {
        not_empty(Some(&request.member_id), "MemberId can't be empty.")?;
    }
    not_empty(Some(&request.group_id), "GroupId can't be empty.")?;
    not_empty(request.instance_id.as_deref(), "InstanceId can't be empty.")?;
    not_empty(request.rack_id.as_deref(), "RackId can't be empty.")?;
    match request.member_epoch {
        JOIN => check_join(request, version)?,
        AWAY => {
            not_empty(Some(&request.member_id), "MemberId can't be empty.")?;
            if request.instance_id.is_none() {
                return Err(invalid("InstanceId can't be null."));
            }
        }
        LEAVE | 1.. => not_empty(Some(&request.member_id), "MemberId can't be empty.")?,
        _ => return Err(invalid("MemberEpoch is invalid.")),
    }
    check_bounds(request)?;
    check_assignor(request.server_assignor.as_deref(), config)
}

fn check_join(request: &ConsumerGroupHeartbeatRequest, version: i16) -> Result<(), Failure> {
    if request.rebalance_timeout_ms == -1 {
        return Err(invalid("RebalanceTimeoutMs must be provided in first request."));
    }
    if !request.topic_partitions.as_ref().is_some_and(Vec::is_empty) {
        return Err(invalid("TopicPartitions must be empty when (re-)joining."));
    }
    let names = request.subscribed_topic_names.as_ref();
    if version < OWN_ID_FROM && names.is_none_or(Vec::is_empty) {
        return Err(invalid("SubscribedTopicNames must be set in first request."));
    }
    // since Kafka 4.0 a member may begin without any topic
    if names.is_none() && request.subscribed_topic_regex.is_none() {
        let message =
            "Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when (re-)joining.";
        return Err(invalid(message));
    }
    Ok(())
}

fn check_bounds(request: &ConsumerGroupHeartbeatRequest) -> Result<(), Failure> {
    let names = [Some(&request.group_id), Some(&request.member_id), request.instance_id.as_ref()];
    let more = [request.rack_id.as_ref(), request.server_assignor.as_ref()];
    if names.into_iter().chain(more).flatten().any(|name| name.len() > NAME_BYTES_MAX) {
        return Err(invalid("A name or an id is longer than 32767 bytes."));
    }
    let subscribed: usize = request.subscribed_topic_names.iter().flatten().map(String::len).sum();
    if subscribed > SUBSCRIPTION_BYTES_MAX {
        return Err(invalid("SubscribedTopicNames are longer than 524288 bytes."));
    }
    Ok(())
}

fn check_assignor(name: Option<&str>, config: &ConsumerConfig) -> Result<(), Failure> {
    let names: Vec<&str> = config.assignors.iter().map(|assignor: &Assignor| assignor.name()).collect();
    match name {
        Some(name) if !names.contains(&name) => {
            let known = names.join(", ");
            let message = format!("ServerAssignor {name} is not supported. Supported assignors: {known}.");
            Err(Failure::new(ErrorCode::UnsupportedAssignor, message))
        }
        _ => Ok(()),
    }
}

fn not_empty(text: Option<&str>, message: &str) -> Result<(), Failure> {
    if text.is_some_and(str::is_empty) { Err(invalid(message)) } else { Ok(()) }
}

fn invalid(message: &str) -> Failure {
    Failure::new(ErrorCode::InvalidRequest, message)
}
