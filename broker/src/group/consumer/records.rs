//! A group's changes as records of `__consumer_offsets`, in Kafka's own formats (those of Kafka 3.9), so that either broker
//! reads the other's. A key is a plain message: an int16, then the group and, where the record is of a member, its id as
//! strings with int16 lengths. A value is an int16 version, which is 0, and a flexible message: see
//! [`wire::codec`] for its compact forms; every struct ends with tagged fields.
//!
//! | key | Kafka's name | of | value |
//! |---|---|---|---|
//! | 3 | ConsumerGroupMetadata | group | int32 epoch |
//! | 4 | ConsumerGroupPartitionMetadata | group | topics: uuid, string name, int32 partitions, racks: (int32 partition, strings) |
//! | 5 | ConsumerGroupMemberMetadata | member | nullable instance id, nullable rack, client id, host, strings topics, nullable regular expression, int32 rebalance time, nullable assignor; tag 0: of a member by the classic protocol |
//! | 6 | ConsumerGroupTargetAssignmentMetadata | group | int32 epoch |
//! | 7 | ConsumerGroupTargetAssignmentMember | member | topics: uuid, int32s partitions |
//! | 8 | ConsumerGroupCurrentMemberAssignment | member | int32 epoch, int32 previous epoch, int8 step, topics assigned, topics to give up |
//!
//! A null value removes what the key names. Racks of partitions and tag 0 are neither written nor kept: there is one broker, and
//! members of both protocols do not mix here. An empty expression is none, as Kafka 4.0 writes it. Kafka 4.0 also keeps what an
//! expression matches, in records of key 16 (ConsumerGroupRegularExpression); they are skipped, it is found out anew.

use bytes::Bytes;
use wire::codec::{DecodeError, EncodeError, Reader, Writer};

use super::change::Change;
use super::member::{Current, Profile, Step};
use super::partitions::{Partitions, add};
use super::topics::{TopicSize, TopicSizes};
use crate::group::records::Record;

/// The record of a change.
pub(in crate::group) fn record(group: &str, change: &Change) -> Result<Record, EncodeError> {
    let (kind, member) = match change {
        Change::Epoch(_) => (3, None),
        Change::Topics(_) => (4, None),
        Change::Profile(id, _) => (5, Some(id)),
        Change::TargetEpoch(_) => (6, None),
        Change::Target(id, _) => (7, Some(id)),
        Change::Current(id, _) => (8, Some(id)),
    };
    let mut key = Writer::new();
    key.i16(kind);
    key.string(Some(group), false)?;
    if let Some(member) = member {
        key.string(Some(member), false)?;
    }
    Ok((key.finish().bytes, value(change)?))
}

fn value(change: &Change) -> Result<Option<Bytes>, EncodeError> {
    let mut w = Writer::new();
    w.i16(0);
    match change {
        Change::Epoch(Some(epoch)) | Change::TargetEpoch(Some(epoch)) => w.i32(*epoch),
        Change::Topics(Some(topics)) => write_topics(&mut w, topics)?,
        Change::Profile(_, Some(profile)) => write_profile(&mut w, profile)?,
        Change::Target(_, Some(partitions)) => write_partitions(&mut w, partitions)?,
        Change::Current(_, Some(current)) => {
            w.i32(current.epoch);
            w.i32(current.previous_epoch);
            w.i8(current.step.code());
            write_partitions(&mut w, &current.assigned)?;
            write_partitions(&mut w, &current.revoking)?;
        }
        Change::Epoch(None)
        | Change::Topics(None)
        | Change::Profile(_, None)
        | Change::TargetEpoch(None)
        | Change::Target(_, None)
        | Change::Current(_, None) => return Ok(None),
    }
    no_tags(&mut w);
    Ok(Some(w.finish().bytes))
}

fn write_topics(w: &mut Writer, topics: &TopicSizes) -> Result<(), EncodeError> {
    write_count(w, topics.len())?;
    for (name, topic) in topics {
        w.uuid(topic.id);
        w.string(Some(name), true)?;
        w.i32(topic.partitions);
        write_count(w, 0)?;
        no_tags(w);
    }
    Ok(())
}

fn write_profile(w: &mut Writer, profile: &Profile) -> Result<(), EncodeError> {
    w.string(profile.instance_id.as_deref(), true)?;
    w.string(profile.rack_id.as_deref(), true)?;
    w.string(Some(&profile.client_id), true)?;
    w.string(Some(&profile.client_host), true)?;
    write_count(w, profile.topics.len())?;
    for topic in &profile.topics {
        w.string(Some(topic), true)?;
    }
    w.string(profile.expression.as_deref(), true)?;
    w.i32(profile.rebalance_timeout_ms);
    w.string(profile.assignor.as_deref(), true)
}

fn write_partitions(w: &mut Writer, partitions: &Partitions) -> Result<(), EncodeError> {
    write_count(w, partitions.len())?;
    for (topic, indexes) in partitions {
        w.uuid(*topic);
        write_count(w, indexes.len())?;
        indexes.iter().for_each(|index| w.i32(*index));
        no_tags(w);
    }
    Ok(())
}

/// A compact array's count.
fn write_count(w: &mut Writer, count: usize) -> Result<(), EncodeError> {
    let coded = u32::try_from(count).ok().and_then(|count| count.checked_add(1));
    w.uvarint(coded.ok_or(EncodeError::TooLong(count))?);
    Ok(())
}

fn no_tags(w: &mut Writer) {
    w.uvarint(0);
}

/// The group and the change for which a record stands; `None` for a record of another kind, or of a later version.
pub(in crate::group) fn read(
    key: Bytes,
    value: Option<Bytes>,
) -> Result<Option<(String, Change)>, DecodeError> {
    let mut key = Reader::new(key);
    let kind = key.i16()?;
    if !(3..=8).contains(&kind) {
        return Ok(None);
    }
    let group = key.string(false)?.unwrap_or_default();
    let member =
        if matches!(kind, 5 | 7 | 8) { key.string(false)?.unwrap_or_default() } else { String::new() };
    let mut value = value.map(Reader::new);
    let version = value.as_mut().map(Reader::i16).transpose()?;
    if version.is_some_and(|version| version != 0) {
        return Ok(None);
    }
    let value = value.as_mut();
    let change = match kind {
        3 => Change::Epoch(value.map(Reader::i32).transpose()?),
        4 => Change::Topics(value.map(read_topics).transpose()?),
        5 => Change::Profile(member, value.map(read_profile).transpose()?),
        6 => Change::TargetEpoch(value.map(Reader::i32).transpose()?),
        7 => Change::Target(member, value.map(read_partitions).transpose()?),
        _ => Change::Current(member, value.map(read_current).transpose()?),
    };
    Ok(Some((group, change)))
}

fn read_topics(r: &mut Reader) -> Result<TopicSizes, DecodeError> {
    let mut topics = TopicSizes::new();
    for _ in 0..read_count(r)? {
        let id = r.uuid()?;
        let name = r.string(true)?.unwrap_or_default();
        let partitions = r.i32()?;
        for _ in 0..read_count(r)? {
            let _partition = r.i32()?;
            read_strings(r)?;
            skip_tags(r)?;
        }
        skip_tags(r)?;
        topics.insert(name, TopicSize { id, partitions });
    }
    Ok(topics)
}

fn read_profile(r: &mut Reader) -> Result<Profile, DecodeError> {
    let instance_id = r.string(true)?;
    let rack_id = r.string(true)?;
    let client_id = r.string(true)?.unwrap_or_default();
    let client_host = r.string(true)?.unwrap_or_default();
    let topics = read_strings(r)?.into_iter().collect();
    let expression = r.string(true)?.filter(|expression| !expression.is_empty());
    let rebalance_timeout_ms = r.i32()?;
    let assignor = r.string(true)?;
    Ok(Profile {
        instance_id,
        rack_id,
        client_id,
        client_host,
        topics,
        expression,
        rebalance_timeout_ms,
        assignor,
    })
}

fn read_partitions(r: &mut Reader) -> Result<Partitions, DecodeError> {
    let mut partitions = Partitions::new();
    for _ in 0..read_count(r)? {
        let topic = r.uuid()?;
        for _ in 0..read_count(r)? {
            add(&mut partitions, topic, r.i32()?);
        }
        skip_tags(r)?;
    }
    Ok(partitions)
}

fn read_current(r: &mut Reader) -> Result<Current, DecodeError> {
    Ok(Current {
        epoch: r.i32()?,
        previous_epoch: r.i32()?,
        step: Step::from_code(r.i8()?),
        assigned: read_partitions(r)?,
        revoking: read_partitions(r)?,
    })
}

fn read_strings(r: &mut Reader) -> Result<Vec<String>, DecodeError> {
    let mut strings = Vec::new();
    for _ in 0..read_count(r)? {
        strings.push(r.string(true)?.unwrap_or_default());
    }
    Ok(strings)
}

/// A compact array's count; null is empty.
fn read_count(r: &mut Reader) -> Result<u32, DecodeError> {
    Ok(r.uvarint()?.saturating_sub(1))
}

fn skip_tags(r: &mut Reader) -> Result<(), DecodeError> {
    for _ in 0..r.uvarint()? {
        let _tag = r.uvarint()?;
        let size = r.uvarint()?;
        r.take(size as usize)?;
    }
    Ok(())
}
