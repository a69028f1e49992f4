//! The body of the fuzz target of `__consumer_offsets`.

use std::collections::HashMap;

use bytes::Bytes;
use uuid::Uuid;
use wire::record::{BatchBuilder, Compression};

use super::consumer::{Change, read_record, record, sample_changes};
use super::describe::describe;
use super::offsets::Committed;
use super::records::{self, Key, Record};
use super::state::Group;
use super::store::{Staged, load_batch};

/// Bytes as records: the two bytes before each are the lengths of its key and its value; a value of 255 bytes is none.
/// What is read can be written and reads the same, and a topic of such records can be loaded.
pub fn group_record(bytes: &[u8]) {
    let mut rest = bytes;
    let mut all = Vec::new();
    while let Some(([key, value], behind)) = rest.split_first_chunk() {
        let (key, behind) = behind.split_at(usize::from(*key).min(behind.len()));
        let is_none = *value == u8::MAX;
        let len = if is_none { 0 } else { usize::from(*value).min(behind.len()) };
        let (value, behind) = behind.split_at(len);
        all.push((Bytes::copy_from_slice(key), (!is_none).then(|| Bytes::copy_from_slice(value))));
        rest = behind;
    }
    for (key, value) in &all {
        let (shown, _) = describe(Some(key), value.as_deref());
        assert!(shown.is_some(), "a key is always shown");
        newer(key, value.as_ref());
        classic(key, value.as_ref());
    }
    load(&all);
}

/// A record of a group by the newer protocol.
fn newer(key: &Bytes, value: Option<&Bytes>) {
    let Ok(Some((group, change))) = read_record(key.clone(), value.cloned()) else { return };
    let written = record(&group, &change);
    assert!(written.is_ok(), "what was read can be written: {written:?}");
    let Ok((key, value)) = written else { return };
    assert_eq!(read_record(key, value), Ok(Some((group, change))), "a change is kept");
}

fn classic(key: &Bytes, value: Option<&Bytes>) {
    match (records::read_key(key.clone()), value) {
        (Ok(Key::Offset { group, topic, partition }), Some(value)) => {
            let Ok(Some(committed)) = records::read_offset(value.clone()) else { return };
            let written = records::offset_record(&group, &topic, partition, Some(&committed));
            let Ok((key, Some(value))) = written else { unreachable!("cannot write {written:?}") };
            assert_eq!(records::read_key(key), Ok(Key::Offset { group, topic, partition }), "a key is kept");
            assert_eq!(records::read_offset(value), Ok(Some(committed)), "an offset is kept");
        }
        (Ok(Key::Group(id)), Some(value)) => {
            let Some((group, written)) = rewritten(&id, value.clone()) else { return };
            let Some(value) = written.1.clone() else { return };
            let Some((again, rewritten)) = rewritten(&id, value) else {
                unreachable!("what was written of a group cannot be read")
            };
            assert_eq!(again.members.len(), group.members.len(), "members are kept");
            assert_eq!(rewritten, written, "a group is kept");
        }
        _ => {}
    }
}

/// A group's record read, and written again.
fn rewritten(id: &str, value: Bytes) -> Option<(Group, Record)> {
    let mut group = Group::new(id);
    records::read_group(&mut group, value, 0).ok()?;
    let written = records::group_record(&group, group.empty_since_ms);
    assert!(written.is_ok(), "what was read can be written: {written:?}");
    Some((group, written.ok()?))
}

/// Loads the records as those of one batch.
fn load(all: &[Record]) {
    let mut builder = BatchBuilder::new(Compression::None);
    for (key, value) in all {
        let appended = builder.append(0, Some(key), value.as_deref(), &[]);
        assert_eq!(appended, Ok(()), "small records fit");
    }
    let Ok(batch) = builder.finish() else { return };
    let Ok(header) = wire::record::BatchHeader::parse(&batch) else { return };
    let mut groups = HashMap::new();
    // what cannot be read is skipped with the rest of its batch
    let _ = load_batch(&batch, &header, &mut groups, &mut Staged::new(), 0);
    groups.values_mut().filter_map(|group| group.consumer.as_mut()).for_each(|group| group.drop_strays());
    for group in groups.values() {
        let written = records::group_record(group, 0);
        assert!(written.is_ok(), "what was loaded can be written: {written:?}");
    }
}

/// Records as they are written.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let committed =
        Committed { offset: 42, leader_epoch: 0, metadata: "m".to_owned(), timestamp_ms: 1_790_000_000_000 };
    let mut records: Vec<Record> = Vec::new();
    records.extend(records::offset_record("g", "nginx_log", 3, Some(&committed)));
    records.extend(records::offset_record("g", "nginx_log", 3, None));
    records.extend(records::group_tombstone("g"));
    records.extend(sample_changes(Uuid::from_u128(1)).iter().flat_map(|change| record("g", change)));
    let removed = [Change::Epoch(None), Change::Profile("m".to_owned(), None), Change::Topics(None)];
    records.extend(removed.iter().flat_map(|change| record("g", change)));
    let member = b"\0\x03\0\x08consumer\0\0\0\x05\0\x05range\0\x03m-1\0\0\0\0\0\0\0\x07\0\0\0\x01\0\x03m-1\xff\xff\0\x01c\0\x02/h\
        \0\0\x75\x30\0\0\x27\x10\0\0\0\x0d\0\x01\0\0\0\x01\0\x01t\xff\xff\xff\xff\0\0\0\x13\0\x01\0\0\0\x01\0\x01t\0\0\0\x01\0\0\0\x02\0\0";
    records.push((Bytes::from_static(b"\0\x02\0\x01g"), Some(Bytes::from_static(member))));
    let input = |(key, value): &Record| {
        let (value_len, value) =
            value.as_ref().map_or((u8::MAX, &[][..]), |value| (value.len() as u8, value));
        [&[key.len() as u8, value_len][..], key, value].concat()
    };
    let mut seeds: Vec<Vec<u8>> = records.iter().map(input).collect();
    seeds.push(seeds.concat());
    seeds
}
