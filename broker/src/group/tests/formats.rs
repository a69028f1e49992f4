//! The records of `__consumer_offsets`, byte by byte.

use serde_json::json;

use super::super::describe;
use super::super::offsets::Committed;
use super::super::records::{self, Key};
use super::super::state::Group;
use super::super::store::java_hash;
use super::*;

#[test]
fn a_group_s_partition_is_chosen_by_java_s_hash() {
    // From the definition: s[0]*31^(n-1) + … + s[n-1], over UTF-16 units.
    assert_eq!(java_hash(""), 0);
    assert_eq!(java_hash("a"), 97);
    assert_eq!(java_hash("ab"), 97 * 31 + 98);
    assert_eq!(java_hash("polygenelubricants"), i32::MIN);
}

#[test]
fn golden_offset_record() {
    let committed = Committed { offset: 258, leader_epoch: 3, metadata: "m".into(), timestamp_ms: 1 };
    let (key, value) = records::offset_record("g", "t", 2, Some(&committed)).unwrap();
    assert_eq!(&key[..], b"\0\x01\0\x01g\0\x01t\0\0\0\x02");
    assert_eq!(&value.unwrap()[..], b"\0\x03\0\0\0\0\0\0\x01\x02\0\0\0\x03\0\x01m\0\0\0\0\0\0\0\x01");
    assert_eq!(records::offset_record("g", "t", 2, None).unwrap().1, None);
}

#[test]
fn older_offset_values_are_read_and_newer_ones_skipped() {
    let expected = Committed { offset: 5, leader_epoch: -1, metadata: "m".into(), timestamp_ms: 9 };
    let body = b"\0\0\0\0\0\0\0\x05\0\x01m\0\0\0\0\0\0\0\x09";
    for (version, tail) in [(0u8, &b""[..]), (1, &[0; 8]), (2, b"")] {
        let bytes = [&[0, version][..], body, tail].concat();
        assert_eq!(
            records::read_offset(Bytes::from(bytes)).unwrap(),
            Some(expected.clone()),
            "version {version}"
        );
    }
    assert_eq!(records::read_offset(Bytes::from_static(b"\0\x09rest")).unwrap(), None);
    assert!(records::read_offset(Bytes::from_static(b"\0\x03\0")).is_err());
}

#[test]
fn keys_not_known_are_skipped_and_broken_ones_are_errors() {
    assert_eq!(records::read_key(Bytes::from_static(b"\0\x03\0\x01g")).unwrap(), Key::Unknown);
    assert_eq!(records::read_key(Bytes::from_static(b"\0\x02\0\x01g")).unwrap(), Key::Group("g".into()));
    assert!(records::read_key(Bytes::from_static(b"\0\x01\0\x09g")).is_err());
}

/// The text was captured from kafka.tools.DumpLogSegments of Kafka 3.9.1; the order of the fields says nothing.
#[tokio::test]
async fn records_are_described_as_kafkas_tool_describes_them() {
    let committed = Committed { offset: 258, leader_epoch: 3, metadata: "m".into(), timestamp_ms: 1 };
    let (key, value) = records::offset_record("g", "t", 2, Some(&committed)).unwrap();
    let (shown_key, shown) = describe(Some(&key), value.as_deref());
    let wanted = json!({ "data": { "group": "g", "partition": 2, "topic": "t" }, "type": "1" });
    assert_eq!(shown_key, Some(wanted));
    let committed = json!({ "commitTimestamp": 1, "leaderEpoch": 3, "metadata": "m", "offset": 258 });
    assert_eq!(shown, Some(json!({ "data": committed, "version": "3" })));
    assert_eq!(describe(Some(&key), None).1, Some("<DELETE>".into()));
    assert_eq!(describe(Some(b"?"), Some(b"text")), (Some("?".into()), Some("text".into())));

    let fixture = Fixture::new();
    let (member, _) = fixture.stable("g").await;
    let (key, value) = records::group_record(&fixture.coordinator.find("g").unwrap().lock(), 77).unwrap();
    let (shown_key, shown) = describe(Some(&key), value.as_deref());
    assert_eq!(shown_key, Some(json!({ "data": { "group": "g" }, "type": "2" })));
    let shown = shown.unwrap();
    assert_eq!(
        (&shown["data"]["leader"], &shown["data"]["protocol"]),
        (&member.clone().into(), &"range".into())
    );
    assert_eq!(shown["data"]["members"][0]["memberId"], member);
}

#[tokio::test]
async fn a_group_reads_back_as_it_was_written() {
    let fixture = Fixture::new();
    let (member, generation) = fixture.stable("g").await;
    let group = fixture.coordinator.find("g").unwrap();
    let (_, value) = records::group_record(&group.lock(), 77).unwrap();
    let mut read = Group::new("g");
    records::read_group(&mut read, value.unwrap(), START_MS).unwrap();
    assert_eq!((read.generation, read.protocol.as_deref()), (generation, Some("range")));
    assert_eq!((read.leader.as_deref(), read.members.len()), (Some(member.as_str()), 1));
    assert_eq!(&read.members[0].assignment[..], b"all");
    assert_eq!(&read.members[0].metadata("range")[..], b"topics");
    assert!(records::read_group(&mut read, Bytes::from_static(b"\0\x03\0\x01"), 0).is_err());
}
