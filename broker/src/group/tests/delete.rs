//! Deleting groups and offsets: what is refused, and that a crash does not bring back what was deleted.

use wire::message::list_groups::ListGroupsRequest;
use wire::message::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use wire::message::offset_delete::{
    OffsetDeleteRequest, OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};
use wire::message::offset_fetch::OffsetFetchRequest;

use super::*;

/// Commits offset 5 for partitions of topics, as a member or as nobody.
async fn commit(fixture: &Fixture, group: &str, member: Option<&(String, i32)>, places: &[(&str, i32)]) {
    let topic = |(name, index): &(&str, i32)| OffsetCommitRequestTopic {
        name: (*name).to_owned(),
        partitions: vec![OffsetCommitRequestPartition {
            partition_index: *index,
            committed_offset: 5,
            ..Default::default()
        }],
    };
    let request = OffsetCommitRequest {
        group_id: group.into(),
        generation_id_or_member_epoch: member.map_or(-1, |(_, generation)| *generation),
        member_id: member.map_or_else(String::new, |(id, _)| id.clone()),
        topics: places.iter().map(topic).collect(),
        ..Default::default()
    };
    let response = fixture.coordinator.commit(8, request, |_, _| true).await;
    assert!(response.topics.iter().flat_map(|topic| &topic.partitions).all(|p| p.error_code == 0));
}

async fn delete(fixture: &Fixture, group: &str) -> ErrorCode {
    let results = fixture.coordinator.delete_groups(vec![group.into()]).await;
    assert_eq!(results[0].group_id, group);
    ErrorCode::from_code(results[0].error_code)
}

/// The error for the whole, and those of the partitions; of `missing` there are none.
async fn delete_offsets(
    fixture: &Fixture,
    group: &str,
    places: &[(&str, i32)],
) -> (ErrorCode, Vec<ErrorCode>) {
    let topic = |(name, index): &(&str, i32)| OffsetDeleteRequestTopic {
        name: (*name).to_owned(),
        partitions: vec![OffsetDeleteRequestPartition { partition_index: *index }],
    };
    let request = OffsetDeleteRequest { group_id: group.into(), topics: places.iter().map(topic).collect() };
    let response = fixture.coordinator.delete_offsets(request, |topic, _| topic != "missing").await;
    let partitions = response.topics.iter().flat_map(|topic| &topic.partitions);
    let errors = partitions.map(|partition| ErrorCode::from_code(partition.error_code)).collect();
    (ErrorCode::from_code(response.error_code), errors)
}

fn committed(fixture: &Fixture, group: &str) -> Vec<(String, i32)> {
    let all = OffsetFetchRequest { group_id: group.into(), topics: None, ..Default::default() };
    let topics = fixture.coordinator.fetch_offsets(all, 5).topics;
    let places = topics.into_iter().flat_map(|topic| {
        let name = topic.name;
        topic.partitions.into_iter().map(move |partition| (name.clone(), partition.partition_index))
    });
    places.collect()
}

fn listed(fixture: &Fixture) -> Vec<String> {
    let groups = fixture.coordinator.list(&ListGroupsRequest::default()).groups;
    groups.into_iter().map(|group| group.group_id).collect()
}

/// A subscription of version 0 to these topics, as consumers send it.
fn subscription(topics: &[&str]) -> Bytes {
    let mut bytes = vec![0, 0];
    bytes.extend(i32::try_from(topics.len()).unwrap().to_be_bytes());
    for topic in topics {
        bytes.extend(i16::try_from(topic.len()).unwrap().to_be_bytes());
        bytes.extend(topic.as_bytes());
    }
    bytes.extend([0xff; 4]);
    bytes.into()
}

/// A stable group of one member with this metadata.
async fn member_with(fixture: &Fixture, group: &str, kind: &str, metadata: Bytes) -> (String, i32) {
    let request = |member: &str| JoinGroupRequest {
        protocol_type: kind.into(),
        protocols: vec![JoinGroupRequestProtocol { name: "range".into(), metadata: metadata.clone() }],
        ..join(group, member)
    };
    let first = fixture.coordinator.join(&caller(ApiKey::JoinGroup), request("")).await;
    let joined = fixture.coordinator.join(&caller(ApiKey::JoinGroup), request(&first.member_id)).await;
    assert_eq!(joined.error_code, 0);
    fixture.coordinator.sync(lead(&joined, group, &[(&joined.member_id, b"all")])).await;
    (joined.member_id, joined.generation_id)
}

#[tokio::test]
async fn a_group_without_members_is_deleted_for_good() {
    let fixture = Fixture::new();
    commit(&fixture, "g", None, &[("t", 0), ("t", 1), ("u", 0)]).await;
    commit(&fixture, "other", None, &[("t", 0)]).await;
    assert_eq!(delete(&fixture, "g").await, ErrorCode::None);
    assert!(committed(&fixture, "g").is_empty());
    assert_eq!(listed(&fixture), ["other"]);
    assert_eq!(fixture.coordinator.describe("g").group_state, "Dead");
    assert_eq!(delete(&fixture, "g").await, ErrorCode::GroupIdNotFound, "it is gone");
    let fixture = fixture.restarted();
    assert_eq!(listed(&fixture), ["other"]);
    assert_eq!(committed(&fixture, "other"), [("t".to_owned(), 0)]);
}

#[tokio::test]
async fn a_group_with_members_is_not_deleted() {
    let fixture = Fixture::new();
    let member = fixture.stable("g").await;
    commit(&fixture, "g", Some(&member), &[("t", 0)]).await;
    assert_eq!(delete(&fixture, "g").await, ErrorCode::NonEmptyGroup);
    assert_eq!(committed(&fixture, "g").len(), 1);
    // its member falls silent
    fixture.pass(SESSION_MS + 1);
    assert_eq!(delete(&fixture, "g").await, ErrorCode::None);
    // and a new member finds a new group
    let (_, generation) = fixture.stable("g").await;
    assert_eq!(generation, 1);
    assert!(committed(&fixture, "g").is_empty());
}

#[tokio::test]
async fn groups_that_are_not_there_cannot_be_deleted() {
    let fixture = Fixture::new();
    assert_eq!(delete(&fixture, "").await, ErrorCode::InvalidGroupId);
    assert_eq!(delete(&fixture, "g").await, ErrorCode::GroupIdNotFound);
    assert_eq!(delete_offsets(&fixture, "", &[]).await.0, ErrorCode::InvalidGroupId);
    assert_eq!(delete_offsets(&fixture, "g", &[("t", 0)]).await, (ErrorCode::GroupIdNotFound, vec![]));
}

#[tokio::test]
async fn offsets_are_deleted_for_good_and_with_the_last_one_the_group() {
    let fixture = Fixture::new();
    commit(&fixture, "g", None, &[("t", 0), ("t", 1)]).await;
    let (whole, errors) = delete_offsets(&fixture, "g", &[("t", 0), ("t", 9), ("missing", 0)]).await;
    assert_eq!(whole, ErrorCode::None);
    let unknown = ErrorCode::UnknownTopicOrPartition;
    assert_eq!(
        errors,
        [ErrorCode::None, ErrorCode::None, unknown],
        "an offset that is not there is no error"
    );
    let fixture = fixture.restarted();
    assert_eq!(committed(&fixture, "g"), [("t".to_owned(), 1)]);
    assert_eq!(delete_offsets(&fixture, "g", &[("t", 1)]).await.0, ErrorCode::None);
    assert!(listed(&fixture).is_empty());
    assert_eq!(delete(&fixture, "g").await, ErrorCode::GroupIdNotFound);
    assert!(listed(&fixture.restarted()).is_empty());
}

#[tokio::test]
async fn a_topic_that_is_read_keeps_its_offsets() {
    let fixture = Fixture::new();
    let member = member_with(&fixture, "g", "consumer", subscription(&["t", "v"])).await;
    commit(&fixture, "g", Some(&member), &[("t", 0), ("u", 0)]).await;
    let (whole, errors) = delete_offsets(&fixture, "g", &[("t", 0), ("u", 0)]).await;
    assert_eq!((whole, errors), (ErrorCode::None, vec![ErrorCode::GroupSubscribedToTopic, ErrorCode::None]));
    assert_eq!(committed(&fixture, "g"), [("t".to_owned(), 0)]);
}

/// Metadata that is no subscription may stand for any topic.
#[tokio::test]
async fn members_that_cannot_be_understood_keep_all_offsets() {
    let fixture = Fixture::new();
    for (number, metadata) in
        [&b""[..], b"\0\0", b"\0\0\x7f\xff\xff\xff", b"\0\0\0\0\0\x01\0\x09t"].into_iter().enumerate()
    {
        let group = format!("g{number}");
        let member = member_with(&fixture, &group, "consumer", Bytes::from_static(metadata)).await;
        commit(&fixture, &group, Some(&member), &[("u", 0)]).await;
        let (_, errors) = delete_offsets(&fixture, &group, &[("u", 0)]).await;
        assert_eq!(errors, [ErrorCode::GroupSubscribedToTopic], "{metadata:?}");
    }
}

#[tokio::test]
async fn a_group_of_another_kind_tells_nothing_of_what_it_reads() {
    let fixture = Fixture::new();
    member_with(&fixture, "g", "connect", subscription(&["t"])).await;
    assert_eq!(delete_offsets(&fixture, "g", &[("u", 0)]).await.0, ErrorCode::NonEmptyGroup);
}

/// More than one batch of tombstones.
#[tokio::test]
async fn a_group_with_very_many_offsets_is_deleted_whole() {
    let fixture = Fixture::new();
    let places: Vec<(&str, i32)> = (0..2500).map(|index| ("t", index)).collect();
    for some in places.chunks(500) {
        commit(&fixture, "g", None, some).await;
    }
    assert_eq!(delete(&fixture, "g").await, ErrorCode::None);
    assert!(listed(&fixture.restarted()).is_empty());
}
