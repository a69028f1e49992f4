//! Messages about replicas: elections of leaders, reassignments.

use super::golden;
use crate::message::*;

#[test]
fn elect_leaders_has_a_type_of_election_since_1() {
    let request = |election_type, topic_partitions| ElectLeadersRequest {
        election_type,
        topic_partitions,
        ..Default::default()
    };
    let some = || Some(vec![elect_leaders::TopicPartitions { topic: "t".into(), partitions: vec![2] }]);
    golden(0, r#"00000001 0001 "t" 00000001 00000002 0000ea60"#, &request(0, some()));
    golden(1, r#"01 00000001 0001 "t" 00000001 00000002 0000ea60"#, &request(1, some()));
    golden(2, r#"01 02 02 "t" 02 00000002 00 0000ea60 00"#, &request(1, some()));
    golden(0, "ffffffff 0000ea60", &request(0, None));
    golden(2, "00 00 0000ea60 00", &request(0, None));
}

#[test]
fn elect_leaders_answers_for_the_whole_since_1() {
    let partition =
        elect_leaders::PartitionResult { partition_id: 2, error_code: 84, error_message: Some("m".into()) };
    let topic = elect_leaders::ReplicaElectionResult { topic: "t".into(), partition_result: vec![partition] };
    let response = ElectLeadersResponse { replica_election_results: vec![topic], ..Default::default() };
    golden(0, r#"00000000 00000001 0001 "t" 00000001 00000002 0054 0001 "m""#, &response);
    let response = ElectLeadersResponse { error_code: 42, ..response };
    golden(1, r#"00000000 002a 00000001 0001 "t" 00000001 00000002 0054 0001 "m""#, &response);
    golden(2, r#"00000000 002a 02 02 "t" 02 00000002 0054 02 "m" 00 00 00"#, &response);
}

#[test]
fn alter_partition_reassignments_cancels_with_null() {
    let request = |replicas| {
        let partition = alter_partition_reassignments::ReassignablePartition { partition_index: 2, replicas };
        let topic = alter_partition_reassignments::ReassignableTopic {
            name: "t".into(),
            partitions: vec![partition],
        };
        AlterPartitionReassignmentsRequest { timeout_ms: 1000, topics: vec![topic] }
    };
    golden(0, r#"000003e8 02 02 "t" 02 00000002 02 00000001 00 00 00"#, &request(Some(vec![1])));
    golden(0, r#"000003e8 02 02 "t" 02 00000002 00 00 00 00"#, &request(None));
    let partition = alter_partition_reassignments::ReassignablePartitionResponse {
        partition_index: 2,
        error_code: 85,
        error_message: None,
    };
    let topic = alter_partition_reassignments::ReassignableTopicResponse {
        name: "t".into(),
        partitions: vec![partition],
    };
    let response = AlterPartitionReassignmentsResponse { responses: vec![topic], ..Default::default() };
    golden(0, r#"00000000 0000 00 02 02 "t" 02 00000002 0055 00 00 00 00"#, &response);
}

#[test]
fn list_partition_reassignments_asks_for_all_with_null() {
    let request = |topics| ListPartitionReassignmentsRequest { topics, ..Default::default() };
    let topic = list_partition_reassignments::ListPartitionReassignmentsTopics {
        name: "t".into(),
        partition_indexes: vec![2],
    };
    golden(0, "0000ea60 00 00", &request(None));
    golden(0, r#"0000ea60 02 02 "t" 02 00000002 00 00"#, &request(Some(vec![topic])));
    let partition = list_partition_reassignments::OngoingPartitionReassignment {
        partition_index: 2,
        replicas: vec![1],
        ..Default::default()
    };
    let topic = list_partition_reassignments::OngoingTopicReassignment {
        name: "t".into(),
        partitions: vec![partition],
    };
    let response = ListPartitionReassignmentsResponse { topics: vec![topic], ..Default::default() };
    golden(0, r#"00000000 0000 00 02 02 "t" 02 00000002 02 00000001 01 01 00 00 00"#, &response);
}
