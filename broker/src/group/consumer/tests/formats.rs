//! The records, byte by byte, as Kafka's schemas have them.

use bytes::Bytes;
use serde_json::json;
use uuid::Uuid;

use crate::group::consumer::change::Change;
use crate::group::consumer::dump::shown;
use crate::group::consumer::member::{Current, Profile, Step};
use crate::group::consumer::partitions::Partitions;
use crate::group::consumer::records::{read, record};
use crate::group::consumer::topics::TopicSize;

const ID: &[u8] = b"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01";

fn partitions() -> Partitions {
    [(Uuid::from_u128(1), [5].into())].into()
}

fn profile() -> Profile {
    Profile {
        instance_id: Some("i".into()),
        rack_id: None,
        client_id: "c".into(),
        client_host: "/h".into(),
        topics: ["t".to_owned()].into(),
        expression: None,
        rebalance_timeout_ms: 45_000,
        assignor: Some("uniform".into()),
    }
}

/// A member that subscribes by an expression too.
fn matching() -> Profile {
    Profile { expression: Some("t.".into()), ..profile() }
}

fn current() -> Current {
    let revoking = partitions();
    Current { epoch: 3, previous_epoch: 2, step: Step::Unrevoked, assigned: Partitions::new(), revoking }
}

/// The record of `change` has this key and this value, and is read as `change`.
fn golden(change: Change, key: &[u8], value: Option<Vec<u8>>) {
    let (written_key, written_value) = record("g", &change).unwrap();
    assert_eq!(&written_key[..], key, "{change:?}");
    assert_eq!(written_value, value.map(Bytes::from), "{change:?}");
    assert_eq!(read(written_key, written_value).unwrap(), Some(("g".to_owned(), change)));
}

#[test]
fn golden_records_of_the_group() {
    golden(Change::Epoch(Some(7)), b"\0\x03\0\x01g", Some(b"\0\0\0\0\0\x07\0".to_vec()));
    golden(Change::TargetEpoch(Some(7)), b"\0\x06\0\x01g", Some(b"\0\0\0\0\0\x07\0".to_vec()));
    let size = TopicSize { id: Uuid::from_u128(1), partitions: 3 };
    let value = [&b"\0\0\x02"[..], ID, b"\x02t\0\0\0\x03\x01\0\0"].concat();
    golden(Change::Topics(Some([("t".to_owned(), size)].into())), b"\0\x04\0\x01g", Some(value));
}

#[test]
fn golden_records_of_a_member() {
    let value = b"\0\0\x02i\0\x02c\x03/h\x02\x02t\0\0\0\xaf\xc8\x08uniform\0".to_vec();
    golden(Change::Profile("m".into(), Some(profile())), b"\0\x05\0\x01g\0\x01m", Some(value));
    let value = b"\0\0\x02i\0\x02c\x03/h\x02\x02t\x03t.\0\0\xaf\xc8\x08uniform\0".to_vec();
    golden(Change::Profile("m".into(), Some(matching())), b"\0\x05\0\x01g\0\x01m", Some(value));
    let value = [&b"\0\0\x02"[..], ID, b"\x02\0\0\0\x05\0\0"].concat();
    golden(Change::Target("m".into(), Some(partitions())), b"\0\x07\0\x01g\0\x01m", Some(value));
    let value = [&b"\0\0\0\0\0\x03\0\0\0\x02\x01\x01\x02"[..], ID, b"\x02\0\0\0\x05\0\0"].concat();
    golden(Change::Current("m".into(), Some(current())), b"\0\x08\0\x01g\0\x01m", Some(value));
}

#[test]
fn a_record_without_value_removes() {
    golden(Change::Epoch(None), b"\0\x03\0\x01g", None);
    golden(Change::Topics(None), b"\0\x04\0\x01g", None);
    golden(Change::Profile("m".into(), None), b"\0\x05\0\x01g\0\x01m", None);
    golden(Change::TargetEpoch(None), b"\0\x06\0\x01g", None);
    golden(Change::Target("m".into(), None), b"\0\x07\0\x01g\0\x01m", None);
    golden(Change::Current("m".into(), None), b"\0\x08\0\x01g\0\x01m", None);
}

/// The names are those that kafka.tools.DumpLogSegments of Kafka 3.9 takes from the schemas.
#[test]
fn records_are_shown_under_kafka_s_names() {
    let of = |change: Change| {
        let (key, value) = record("g", &change).unwrap();
        shown(&key, value.as_deref()).unwrap()
    };
    let (key, value) = of(Change::Current("m".into(), Some(current())));
    assert_eq!(key, json!({ "groupId": "g", "memberId": "m" }));
    let wanted = json!({
        "memberEpoch": 3,
        "previousMemberEpoch": 2,
        "state": 1,
        "assignedPartitions": [],
        "partitionsPendingRevocation": [{ "topicId": "AAAAAAAAAAAAAAAAAAAAAQ", "partitions": [5] }],
    });
    assert_eq!(value, Some(wanted));
    let (_, value) = of(Change::Profile("m".into(), Some(profile())));
    let value = value.unwrap();
    assert_eq!(
        (&value["subscribedTopicNames"], &value["subscribedTopicRegex"]),
        (&json!(["t"]), &json!(null))
    );
    let (_, value) = of(Change::Profile("m".into(), Some(matching())));
    assert_eq!(value.unwrap()["subscribedTopicRegex"], json!("t."));
    assert_eq!(of(Change::Epoch(None)), (json!({ "groupId": "g" }), None));
    assert_eq!(shown(b"\0\x02\0\x01g", None), None);
}

/// Kafka writes racks and members of the classic protocol, neither of which is kept here, and no expression as an empty one.
#[test]
fn what_kafka_writes_and_we_do_not_is_skipped() {
    let key = Bytes::from_static(b"\0\x04\0\x01g");
    // one partition with two racks; an unknown tag at the end of the topic
    let racks = b"\x02\0\0\0\0\x03\x02a\x02b\0";
    let value = [&b"\0\0\x02"[..], ID, b"\x02t\0\0\0\x01", racks, b"\x01\x05\x02xy\0"].concat();
    let size = TopicSize { id: Uuid::from_u128(1), partitions: 1 };
    let change = Change::Topics(Some([("t".to_owned(), size)].into()));
    assert_eq!(read(key, Some(value.into())).unwrap(), Some(("g".to_owned(), change)));

    let key = Bytes::from_static(b"\0\x05\0\x01g\0\x01m");
    for (expression, kept) in [(&b"\x03t."[..], matching()), (b"\x01", profile())] {
        let (begin, end) = (b"\0\0\x02i\0\x02c\x03/h\x02\x02t", b"\0\0\xaf\xc8\x08uniform\x01\0\x03xyz");
        let value = [&begin[..], expression, end].concat();
        let change = Change::Profile("m".into(), Some(kept));
        assert_eq!(read(key.clone(), Some(value.into())).unwrap(), Some(("g".to_owned(), change)));
    }
}

#[test]
fn other_kinds_and_later_versions_are_left_alone_and_broken_records_are_errors() {
    let read = |key: &'static [u8], value: &'static [u8]| {
        read(Bytes::from_static(key), Some(Bytes::from_static(value)))
    };
    assert_eq!(read(b"\0\x02\0\x01g", b"").unwrap(), None);
    assert_eq!(read(b"\0\x09\0\x01g", b"").unwrap(), None);
    // what an expression matches, as Kafka 4.0 keeps it
    assert_eq!(read(b"\0\x10\0\x01g\0\x02t.", b"\0\0\x02\x02t").unwrap(), None);
    assert_eq!(read(b"\0\x03\0\x01g", b"\0\x01whatever").unwrap(), None);
    assert!(read(b"\0\x03\0\x09g", b"\0\0\0\0\0\x07\0").is_err());
    assert!(read(b"\0\x03\0\x01g", b"\0\0\0\0").is_err());
    // two billion topics
    assert!(read(b"\0\x04\0\x01g", b"\0\0\xff\xff\xff\xff\x07").is_err());
}
