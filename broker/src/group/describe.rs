//! A record of `__consumer_offsets` for people, under the names that Kafka's messages give their fields.

use bytes::Bytes;
use serde_json::{Value, json};
use wire::codec::{DecodeError, Reader};

use super::consumer;
use super::member::Member;
use super::records::{Key, read_group, read_key, read_offset};
use super::state::Group;

/// What Kafka's tool prints of a record that removes what its key names.
pub(crate) const DELETE: &str = "<DELETE>";

/// The key and the value of a record as JSON; what cannot be read is shown as text.
pub(crate) fn describe(key: Option<&[u8]>, value: Option<&[u8]>) -> (Option<Value>, Option<Value>) {
    let Some(bytes) = key else { return (None, value.map(as_text)) };
    let kind = bytes.first_chunk().map_or(-1, |kind| i16::from_be_bytes(*kind)).to_string();
    if let Some((data, shown)) = consumer::shown(bytes, value) {
        let shown = shown.map_or_else(|| DELETE.into(), |data| json!({ "version": "0", "data": data }));
        return (Some(json!({ "type": kind, "data": data })), Some(shown));
    }
    match read_key(Bytes::copy_from_slice(bytes)) {
        Ok(Key::Offset { group, topic, partition }) => {
            let data = json!({ "group": group, "topic": topic, "partition": partition });
            (Some(json!({ "type": kind, "data": data })), Some(payload(value, offset)))
        }
        Ok(Key::Group(id)) => {
            let payload = payload(value, |value| members(&id, value));
            (Some(json!({ "type": kind, "data": { "group": id } })), Some(payload))
        }
        Ok(Key::Unknown) | Err(_) => (Some(as_text(bytes)), value.map(as_text)),
    }
}

/// Bytes that nothing is known of.
pub(crate) fn as_text(bytes: &[u8]) -> Value {
    Value::from(String::from_utf8_lossy(bytes))
}

fn payload(value: Option<&[u8]>, read: impl FnOnce(&[u8]) -> Option<Value>) -> Value {
    let Some(bytes) = value else { return DELETE.into() };
    let version = bytes.first_chunk().map_or(-1, |version| i16::from_be_bytes(*version)).to_string();
    read(bytes).map_or_else(|| as_text(bytes), |data| json!({ "version": version, "data": data }))
}

fn offset(value: &[u8]) -> Option<Value> {
    let committed = read_offset(Bytes::copy_from_slice(value)).ok()??;
    Some(json!({
        "offset": committed.offset,
        "leaderEpoch": committed.leader_epoch,
        "metadata": committed.metadata,
        "commitTimestamp": committed.timestamp_ms,
    }))
}

fn members(id: &str, value: &[u8]) -> Option<Value> {
    let mut group = Group::new(id);
    read_group(&mut group, Bytes::copy_from_slice(value), 0).ok()?;
    // a version that is not known leaves the group as it was
    group.protocol_type.as_ref()?;
    Some(json!({
        "protocolType": group.protocol_type,
        "generation": group.generation,
        "protocol": group.protocol,
        "leader": group.leader,
        "currentStateTimestamp": group.empty_since_ms,
        "members": group.members.iter().map(member).collect::<Vec<_>>(),
    }))
}

fn member(member: &Member) -> Value {
    let subscription =
        member.protocols.first().and_then(|protocol| subscription(protocol.metadata.clone()).ok());
    json!({
        "memberId": member.id,
        "groupInstanceId": member.instance_id,
        "clientId": member.client_id,
        "clientHost": member.client_host,
        "rebalanceTimeout": member.rebalance_timeout_ms,
        "sessionTimeout": member.session_timeout_ms,
        "subscription": subscription,
        "assignment": assignment(member.assignment.clone()).ok(),
    })
}

/// What a consumer subscribes to (ConsumerProtocolSubscription): version, topics, and more that is not shown.
fn subscription(bytes: Bytes) -> Result<Value, DecodeError> {
    let mut reader = Reader::new(bytes);
    let (_version, count) = (reader.i16()?, reader.i32()?);
    let mut topics = Vec::new();
    for _ in 0..count {
        topics.push(reader.string(false)?);
    }
    Ok(json!({ "topics": topics }))
}

/// What a consumer was assigned (ConsumerProtocolAssignment): version, topics with their partitions, and more that is
/// not shown.
fn assignment(bytes: Bytes) -> Result<Value, DecodeError> {
    let mut reader = Reader::new(bytes);
    let (_version, count) = (reader.i16()?, reader.i32()?);
    let mut assigned = Vec::new();
    for _ in 0..count {
        let (topic, count) = (reader.string(false)?, reader.i32()?);
        let mut partitions = Vec::new();
        for _ in 0..count {
            partitions.push(reader.i32()?);
        }
        assigned.push(json!({ "topic": topic, "partitions": partitions }));
    }
    Ok(json!({ "assignedPartitions": assigned }))
}
