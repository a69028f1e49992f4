//! What stands in `__consumer_offsets`, in Kafka's own formats (OffsetCommitKey/Value and GroupMetadataKey/Value of
//! Kafka 3.9), so that Kafka's tools read it. All integers are big-endian; a string is an int16 length and UTF-8, null
//! is -1; bytes are an int32 length and the bytes.
//!
//! | record | key | value |
//! |---|---|---|
//! | committed offset | int16 1 (0 is read too), group, topic, int32 partition | int16 3, int64 offset, int32 leader epoch, string metadata, int64 commit time |
//! | group | int16 2, group | int16 3, string protocol type, int32 generation, nullable protocol, nullable leader, int64 time, array of members |
//! | a member | | string id, nullable instance id, string client id, string host, int32 rebalance time, int32 session time, bytes subscription, bytes assignment |
//!
//! Read are also offset values of versions 0 to 2 (no leader epoch; version 1 has an expiry time at the end). A null
//! value removes what the key names. Records of versions and kinds not known are skipped: later versions of Kafka write
//! them.

use bytes::Bytes;
use wire::codec::{DecodeError, EncodeError, Reader, Writer};
use wire::message::join_group::JoinGroupRequestProtocol;

use super::member::{Member, Waiter};
use super::offsets::Committed;
use super::state::{Group, Phase};

/// What a record's key names.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Key {
    /// The offset of a group in a partition.
    Offset {
        /// The group.
        group: String,
        /// The topic.
        topic: String,
        /// The partition.
        partition: i32,
    },
    /// A group.
    Group(String),
    /// Something that a later version of Kafka writes.
    Unknown,
}

/// A record to append: its key, and its value unless it removes what the key names.
pub(super) type Record = (Bytes, Option<Bytes>);

pub(super) fn offset_record(
    group: &str,
    topic: &str,
    partition: i32,
    committed: Option<&Committed>,
) -> Result<Record, EncodeError> {
    let mut key = Writer::new();
    key.i16(1);
    key.string(Some(group), false)?;
    key.string(Some(topic), false)?;
    key.i32(partition);
    let value = match committed {
        None => None,
        Some(committed) => {
            let mut value = Writer::new();
            value.i16(3);
            value.i64(committed.offset);
            value.i32(committed.leader_epoch);
            value.string(Some(&committed.metadata), false)?;
            value.i64(committed.timestamp_ms);
            Some(value.finish().bytes)
        }
    };
    Ok((key.finish().bytes, value))
}

/// The record that removes a group.
pub(super) fn group_tombstone(id: &str) -> Result<Record, EncodeError> {
    Ok((group_key(id)?, None))
}

fn group_key(id: &str) -> Result<Bytes, EncodeError> {
    let mut key = Writer::new();
    key.i16(2);
    key.string(Some(id), false)?;
    Ok(key.finish().bytes)
}

/// The record of a group; one without members, offsets and pending members is removed.
pub(super) fn group_record(group: &Group, now_ms: i64) -> Result<Record, EncodeError> {
    let key = group_key(&group.id)?;
    if group.is_forgettable() {
        return Ok((key, None));
    }
    let mut value = Writer::new();
    value.i16(3);
    value.string(Some(group.protocol_type.as_deref().unwrap_or_default()), false)?;
    value.i32(group.generation);
    value.string(group.protocol.as_deref(), false)?;
    value.string(group.leader.as_deref(), false)?;
    value.i64(now_ms);
    value.i32(i32::try_from(group.members.len()).unwrap_or(i32::MAX));
    for member in &group.members {
        value.string(Some(&member.id), false)?;
        value.string(member.instance_id.as_deref(), false)?;
        value.string(Some(&member.client_id), false)?;
        value.string(Some(&member.client_host), false)?;
        value.i32(member.rebalance_timeout_ms);
        value.i32(member.session_timeout_ms);
        value.bytes(Some(&member.metadata(group.protocol.as_deref().unwrap_or_default())), false)?;
        value.bytes(Some(&member.assignment), false)?;
    }
    Ok((key, Some(value.finish().bytes)))
}

pub(super) fn read_key(bytes: Bytes) -> Result<Key, DecodeError> {
    let mut reader = Reader::new(bytes);
    Ok(match reader.i16()? {
        0 | 1 => {
            let group = reader.string(false)?.unwrap_or_default();
            let topic = reader.string(false)?.unwrap_or_default();
            Key::Offset { group, topic, partition: reader.i32()? }
        }
        2 => Key::Group(reader.string(false)?.unwrap_or_default()),
        _ => Key::Unknown,
    })
}

/// A committed offset, or `None` for a version that is not known.
pub(super) fn read_offset(bytes: Bytes) -> Result<Option<Committed>, DecodeError> {
    let mut reader = Reader::new(bytes);
    let version = reader.i16()?;
    if !(0..=3).contains(&version) {
        return Ok(None);
    }
    let offset = reader.i64()?;
    let leader_epoch = if version == 3 { reader.i32()? } else { -1 };
    let metadata = reader.string(false)?.unwrap_or_default();
    Ok(Some(Committed { offset, leader_epoch, metadata, timestamp_ms: reader.i64()? }))
}

/// Puts what a group's record says into `group`: its members' sessions begin anew at `now_ms`.
pub(super) fn read_group(group: &mut Group, bytes: Bytes, now_ms: i64) -> Result<(), DecodeError> {
    let mut reader = Reader::new(bytes);
    let version = reader.i16()?;
    if version != 3 {
        return Ok(());
    }
    group.protocol_type = reader.string(false)?.filter(|name| !name.is_empty());
    group.generation = reader.i32()?;
    group.protocol = reader.string(false)?;
    group.leader = reader.string(false)?;
    group.empty_since_ms = reader.i64()?;
    let count = reader.i32()?;
    group.members.clear();
    for _ in 0..count {
        let mut member = read_member(&mut reader, group.protocol.as_deref().unwrap_or_default())?;
        member.touch(now_ms);
        group.members.push(member);
    }
    group.phase = if group.members.is_empty() { Phase::Empty } else { Phase::Stable };
    Ok(())
}

fn read_member(reader: &mut Reader, protocol: &str) -> Result<Member, DecodeError> {
    let id = reader.string(false)?.unwrap_or_default();
    let instance_id = reader.string(false)?;
    let client_id = reader.string(false)?.unwrap_or_default();
    let client_host = reader.string(false)?.unwrap_or_default();
    let rebalance_timeout_ms = reader.i32()?;
    let session_timeout_ms = reader.i32()?;
    let metadata = reader.bytes(false)?.unwrap_or_default();
    let assignment = reader.bytes(false)?.unwrap_or_default();
    Ok(Member {
        id,
        instance_id,
        client_id,
        client_host,
        session_timeout_ms,
        rebalance_timeout_ms,
        protocols: vec![JoinGroupRequestProtocol { name: protocol.to_owned(), metadata }],
        assignment,
        deadline_ms: 0,
        synced: true,
        waiter: Waiter::None,
    })
}
