//! DeleteGroups and OffsetDelete over a restart.

use std::sync::Arc;

use broker::log::RealDisk;
use wire::ErrorCode;
use wire::message::delete_groups::DeleteGroupsRequest;
use wire::message::list_groups::ListGroupsRequest;
use wire::message::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use wire::message::offset_delete::{
    OffsetDeleteRequest, OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};
use wire::message::offset_fetch::OffsetFetchRequest;

use super::support::{Client, TestBroker};

async fn commit(client: &mut Client, group: &str, indexes: &[i32]) {
    let partition = |index: &i32| OffsetCommitRequestPartition {
        partition_index: *index,
        committed_offset: 1,
        ..Default::default()
    };
    let topic = OffsetCommitRequestTopic {
        name: "t".to_owned(),
        partitions: indexes.iter().map(partition).collect(),
    };
    let request = OffsetCommitRequest {
        group_id: group.to_owned(),
        generation_id_or_member_epoch: -1,
        topics: vec![topic],
        ..Default::default()
    };
    let response = client.call(8, &request).await;
    assert!(response.topics[0].partitions.iter().all(|partition| partition.error_code == 0));
}

async fn committed(client: &mut Client, group: &str) -> Vec<i32> {
    let request = OffsetFetchRequest { group_id: group.to_owned(), topics: None, ..Default::default() };
    let topics = client.call(7, &request).await.topics;
    topics.iter().flat_map(|topic| &topic.partitions).map(|partition| partition.partition_index).collect()
}

async fn groups(client: &mut Client) -> Vec<String> {
    let listed = client.call(4, &ListGroupsRequest::default()).await.groups;
    listed.into_iter().map(|group| group.group_id).collect()
}

#[tokio::test]
async fn deleted_groups_and_offsets_stay_deleted_after_a_restart() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    client.create("t", 3).await;
    for version in 0..=2 {
        commit(&mut client, "gone", &[0, 1]).await;
        let request = DeleteGroupsRequest { groups_names: vec!["gone".to_owned(), "never".to_owned()] };
        let results = client.call(version, &request).await.results;
        let told: Vec<_> =
            results.iter().map(|result| (result.group_id.as_str(), result.error_code)).collect();
        assert_eq!(told, [("gone", 0), ("never", ErrorCode::GroupIdNotFound.code())], "version {version}");
    }
    commit(&mut client, "kept", &[0, 1, 2]).await;
    let topic = OffsetDeleteRequestTopic {
        name: "t".to_owned(),
        partitions: [1, 9].map(|partition_index| OffsetDeleteRequestPartition { partition_index }).to_vec(),
    };
    let request = OffsetDeleteRequest { group_id: "kept".to_owned(), topics: vec![topic] };
    let response = client.call(0, &request).await;
    let errors: Vec<_> = response.topics[0].partitions.iter().map(|p| p.error_code).collect();
    assert_eq!((response.error_code, errors), (0, vec![0, ErrorCode::UnknownTopicOrPartition.code()]));
    let dir = broker.stop().await;

    let broker = TestBroker::start_in(dir, &[], Arc::new(RealDisk)).await;
    let mut client = broker.client().await;
    assert_eq!(groups(&mut client).await, ["kept"]);
    assert_eq!(committed(&mut client, "kept").await, [0, 2]);
    assert!(committed(&mut client, "gone").await.is_empty());
}
