//! ElectLeaders, AlterPartitionReassignments, ListPartitionReassignments: what there is to say with one broker.

use wire::ErrorCode;
use wire::message::alter_partition_reassignments::{
    AlterPartitionReassignmentsRequest, ReassignablePartition, ReassignablePartitionResponse,
    ReassignableTopic,
};
use wire::message::elect_leaders::{ElectLeadersRequest, ElectLeadersResponse, TopicPartitions};
use wire::message::list_partition_reassignments::{
    ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse, ListPartitionReassignmentsTopics,
};

use super::support::{Client, TestBroker};

const PREFERRED: i8 = 0;
const UNCLEAN: i8 = 1;

fn election(election_type: i8, wanted: Option<&[(&str, &[i32])]>) -> ElectLeadersRequest {
    let topic = |(topic, partitions): &(&str, &[i32])| TopicPartitions {
        topic: (*topic).to_owned(),
        partitions: partitions.to_vec(),
    };
    let topic_partitions = wanted.map(|topics| topics.iter().map(topic).collect());
    ElectLeadersRequest { election_type, topic_partitions, ..Default::default() }
}

/// Topics, partitions and their errors; each error has its words.
fn errors(response: &ElectLeadersResponse) -> Vec<(&str, i32, ErrorCode)> {
    let mut errors = Vec::new();
    for topic in &response.replica_election_results {
        for partition in &topic.partition_result {
            assert!(partition.error_message.is_some(), "{partition:?}");
            let error = ErrorCode::from_code(partition.error_code);
            errors.push((topic.topic.as_str(), partition.partition_id, error));
        }
    }
    errors
}

#[tokio::test]
async fn no_partition_that_exists_needs_an_election() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    client.create("t", 2).await;
    for (version, election_type) in
        [(0, PREFERRED), (1, PREFERRED), (1, UNCLEAN), (2, PREFERRED), (2, UNCLEAN)]
    {
        let wanted: &[(&str, &[i32])] = &[("t", &[0, 1, 2, -1][..]), ("u", &[0][..])];
        let response = client.call(version, &election(election_type, Some(wanted))).await;
        assert_eq!(response.error_code, 0);
        let expected = [
            ("t", 0, ErrorCode::ElectionNotNeeded),
            ("t", 1, ErrorCode::ElectionNotNeeded),
            ("t", 2, ErrorCode::UnknownTopicOrPartition),
            ("t", -1, ErrorCode::UnknownTopicOrPartition),
            ("u", 0, ErrorCode::UnknownTopicOrPartition),
        ];
        assert_eq!(errors(&response), expected, "version {version}");
    }
}

#[tokio::test]
async fn of_all_partitions_none_is_named() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    client.create("t", 2).await;
    for version in 0..=2 {
        let response = client.call(version, &election(PREFERRED, None)).await;
        assert_eq!((response.error_code, errors(&response)), (0, vec![]), "version {version}");
        assert!(response.replica_election_results.iter().any(|topic| topic.topic == "t"));
        let none = client.call(version, &election(PREFERRED, Some(&[]))).await;
        assert_eq!(none, ElectLeadersResponse::default(), "version {version}");
    }
}

#[tokio::test]
async fn an_unknown_type_of_election_is_refused() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    client.create("t", 1).await;
    for election_type in [-1, 2] {
        let response = client.call(2, &election(election_type, Some(&[("t", &[0][..])]))).await;
        assert_eq!(ErrorCode::from_code(response.error_code), ErrorCode::InvalidRequest);
        assert_eq!(errors(&response), [("t", 0, ErrorCode::InvalidRequest)]);
        let response = client.call(1, &election(election_type, None)).await;
        assert_eq!(ErrorCode::from_code(response.error_code), ErrorCode::InvalidRequest);
        assert!(response.replica_election_results.is_empty());
    }
}

fn assignment(name: &str, partition_index: i32, replicas: Option<&[i32]>) -> ReassignableTopic {
    let partition = ReassignablePartition { partition_index, replicas: replicas.map(<[i32]>::to_vec) };
    ReassignableTopic { name: name.to_owned(), partitions: vec![partition] }
}

async fn reassign(client: &mut Client, topic: ReassignableTopic) -> ReassignablePartitionResponse {
    let request = AlterPartitionReassignmentsRequest { topics: vec![topic], ..Default::default() };
    let mut response = client.call(0, &request).await;
    assert_eq!((response.error_code, response.error_message), (0, None));
    response.responses.remove(0).partitions.remove(0)
}

#[tokio::test]
async fn partitions_can_be_assigned_to_where_they_are_and_nowhere_else() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    client.create("t", 2).await;
    let done = reassign(&mut client, assignment("t", 1, Some(&[1]))).await;
    assert_eq!((done.partition_index, done.error_code, done.error_message), (1, 0, None));
    let cases: [(&str, i32, Option<&[i32]>, ErrorCode); 8] = [
        ("t", 0, None, ErrorCode::NoReassignmentInProgress),
        ("t", 0, Some(&[]), ErrorCode::InvalidReplicaAssignment),
        ("t", 0, Some(&[2]), ErrorCode::InvalidReplicaAssignment),
        ("t", 0, Some(&[1, 2]), ErrorCode::InvalidReplicaAssignment),
        ("t", 0, Some(&[1, 1]), ErrorCode::InvalidReplicaAssignment),
        ("t", 2, Some(&[1]), ErrorCode::UnknownTopicOrPartition),
        ("t", -1, None, ErrorCode::UnknownTopicOrPartition),
        ("u", 0, Some(&[1]), ErrorCode::UnknownTopicOrPartition),
    ];
    for (topic, index, replicas, error) in cases {
        let refused = reassign(&mut client, assignment(topic, index, replicas)).await;
        assert_eq!(ErrorCode::from_code(refused.error_code), error, "{topic} {index} {replicas:?}");
        assert!(refused.error_message.is_some(), "{topic} {index} {replicas:?}");
    }
}

#[tokio::test]
async fn nothing_is_being_reassigned() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    client.create("t", 1).await;
    let named = |name: &str| ListPartitionReassignmentsTopics {
        name: name.to_owned(),
        partition_indexes: vec![0, 7],
    };
    for topics in [None, Some(vec![]), Some(vec![named("t"), named("u")])] {
        let request = ListPartitionReassignmentsRequest { topics, ..Default::default() };
        assert_eq!(client.call(0, &request).await, ListPartitionReassignmentsResponse::default());
    }
}

/// Naming costs little, answering in words more.
#[tokio::test]
async fn a_request_about_too_many_replicas_closes_the_connection() {
    let broker = TestBroker::start_with(&[("max_request_partitions", "3")]).await;
    let mut client = broker.client().await;
    let allowed = client.call(2, &election(PREFERRED, Some(&[("t", &[0; 3][..])]))).await;
    assert_eq!(errors(&allowed).len(), 3);
    client.send(2, &election(PREFERRED, Some(&[("t", &[0; 3][..]), ("u", &[0][..])]))).await;
    client.expect_closed().await;
    let mut client = broker.client().await;
    let topics = vec![assignment("t", 0, None); 4];
    client.send(0, &AlterPartitionReassignmentsRequest { topics, ..Default::default() }).await;
    client.expect_closed().await;
}
