//! What is shown of groups to those who are not in them.

use wire::message::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use wire::record::{BatchBuilder, Compression};

use super::consumer::{join_consumer, with_topic};
use super::*;
use crate::group::survey::GroupSurvey;

/// Version 0, the topic `t` with the partitions 1 and 3 and 9, of which there is none.
const ASSIGNMENT: &[u8] = b"\0\0\0\0\0\x01\0\x01t\0\0\0\x03\0\0\0\x01\0\0\0\x03\0\0\0\x09";
/// As many topics as can be said, and none of them there.
const ENDLESS: &[u8] = b"\0\0\x7f\xff\xff\xff\0\x01u\x7f\xff\xff\xff\0\0\0\0";

async fn commit(fixture: &Fixture, member: &str, epoch: i32, offsets: &[(i32, i64)]) {
    let partitions = offsets.iter().map(|(partition_index, committed_offset)| OffsetCommitRequestPartition {
        partition_index: *partition_index,
        committed_offset: *committed_offset,
        ..Default::default()
    });
    let topic = OffsetCommitRequestTopic { name: "t".into(), partitions: partitions.collect() };
    let request = OffsetCommitRequest {
        group_id: "g".into(),
        generation_id_or_member_epoch: epoch,
        member_id: member.into(),
        topics: vec![topic],
        ..Default::default()
    };
    let response = fixture.coordinator.commit(9, request, |_, _| true).await;
    assert!(response.topics[0].partitions.iter().all(|partition| partition.error_code == 0));
}

/// Appends records to a partition of `t`.
fn fill(fixture: &Fixture, partition: i32, records: usize) {
    let mut builder = BatchBuilder::new(Compression::None);
    for _ in 0..records {
        builder.append(START_MS, None, Some(b"x"), &[]).unwrap();
    }
    let mut batch = Vec::from(builder.finish().unwrap());
    fixture.logs.partition("t", partition).unwrap().append(&mut batch).unwrap();
}

/// Partition, committed offset, end and lag.
type Row = (i32, Option<i64>, Option<i64>, Option<i64>);

fn rows(survey: &GroupSurvey) -> Vec<Row> {
    survey.partitions.iter().map(|p| (p.partition, p.committed, p.end, p.lag())).collect()
}

#[tokio::test]
async fn a_group_of_the_newer_protocol_shows_who_has_what_and_how_far_behind() {
    let fixture = with_topic();
    assert_eq!(fixture.send(join_consumer("a")).await.member_epoch, 1);
    fill(&fixture, 0, 5);
    fill(&fixture, 2, 1);
    commit(&fixture, "a", 1, &[(0, 2), (2, 9)]).await;

    let survey = fixture.coordinator.survey("g", &fixture.logs).unwrap();
    let summary = &survey.summary;
    assert_eq!((summary.state, summary.protocol, summary.members), ("Stable", "consumer", 1));
    assert_eq!((summary.partitions, summary.lag), (2, 3), "who is ahead is not behind");
    let member = &survey.members[0];
    assert_eq!((member.id.as_str(), member.client_id.as_str(), member.assigned), ("a", "client", 4));
    assert!(survey.partitions.iter().all(|partition| partition.topic == "t" && partition.member == Some(0)));
    let expected: [Row; 4] = [
        (0, Some(2), Some(5), Some(3)),
        (1, None, Some(0), None),
        (2, Some(9), Some(1), Some(0)),
        (3, None, Some(0), None),
    ];
    assert_eq!(rows(&survey), expected);
}

#[tokio::test]
async fn a_classic_group_shows_what_its_leader_has_assigned_as_far_as_it_exists() {
    let fixture = with_topic();
    let joined = fixture.join_alone("g").await;
    fixture.coordinator.sync(lead(&joined, "g", &[(&joined.member_id, ASSIGNMENT)])).await;
    fill(&fixture, 3, 2);
    commit(&fixture, &joined.member_id, joined.generation_id, &[(0, 0), (3, 0)]).await;

    let survey = fixture.coordinator.survey("g", &fixture.logs).unwrap();
    assert_eq!((survey.summary.protocol, survey.summary.lag, survey.members[0].assigned), ("classic", 2, 2));
    let expected: [Row; 3] =
        [(0, Some(0), Some(0), Some(0)), (1, None, Some(0), None), (3, Some(0), Some(2), Some(2))];
    assert_eq!(rows(&survey), expected);
    let members: Vec<_> = survey.partitions.iter().map(|partition| partition.member).collect();
    assert_eq!(members, [None, Some(0), Some(0)]);
}

#[tokio::test]
async fn what_a_leader_makes_up_takes_no_memory() {
    let fixture = with_topic();
    let joined = fixture.join_alone("g").await;
    fixture.coordinator.sync(lead(&joined, "g", &[(&joined.member_id, ENDLESS)])).await;
    let survey = fixture.coordinator.survey("g", &fixture.logs).unwrap();
    assert_eq!((survey.members[0].assigned, survey.partitions.len()), (0, 0));
}

#[tokio::test]
async fn groups_are_listed_by_name_with_those_that_are_wanted() {
    let fixture = with_topic();
    for group in ["b", "a", "ab"] {
        fixture.stable(group).await;
    }
    let (total, found) = fixture.coordinator.summaries(&fixture.logs, |id| id.contains('a'));
    let names: Vec<&str> = found.iter().map(|group| group.id.as_str()).collect();
    assert_eq!((total, names), (3, vec!["a", "ab"]));
    assert!(fixture.coordinator.survey("c", &fixture.logs).is_none());

    let (member, generation) = fixture.stable("g").await;
    commit(&fixture, &member, generation, &[(0, 7)]).await;
    fixture.logs.delete_topic("t").unwrap();
    let survey = fixture.coordinator.survey("g", &fixture.logs).unwrap();
    assert_eq!((rows(&survey), survey.summary.lag), (vec![(0, Some(7), None, None)], 0), "the topic is gone");
}
