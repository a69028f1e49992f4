//! AlterPartitionReassignments (45): moves partitions to other brokers, of which there are none. Version 0 only.
//!
//! An assignment to this broker alone changes nothing and succeeds, as in Kafka. Errors: 3 unknown partition, 39 any other
//! assignment, 85 a cancellation.

use wire::ErrorCode;
use wire::message::alter_partition_reassignments::{
    AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse, ReassignablePartition,
    ReassignablePartitionResponse, ReassignableTopicResponse,
};

use super::RequestContext;
use crate::error::Failure;
use crate::state::{Broker, Topic};

pub(super) fn named(request: &AlterPartitionReassignmentsRequest) -> usize {
    request.topics.iter().map(|topic| topic.partitions.len()).sum()
}

pub(super) fn serve(
    broker: &Broker,
    _: &RequestContext,
    request: AlterPartitionReassignmentsRequest,
) -> AlterPartitionReassignmentsResponse {
    let responses = request.topics.into_iter().map(|topic| {
        let found = broker.topic(&topic.name);
        let partition = |wanted: &ReassignablePartition| {
            let failure = reassign(broker.node_id, found.as_deref(), wanted).err();
            ReassignablePartitionResponse {
                partition_index: wanted.partition_index,
                error_code: failure.as_ref().map_or(0, |failure| failure.code.code()),
                error_message: failure.map(|failure| failure.message),
            }
        };
        let partitions = topic.partitions.iter().map(partition).collect();
        ReassignableTopicResponse { name: topic.name, partitions }
    });
    AlterPartitionReassignmentsResponse { responses: responses.collect(), ..Default::default() }
}

/// The words do not repeat the name, which may be long and come with many partitions.
fn reassign(node_id: i32, topic: Option<&Topic>, wanted: &ReassignablePartition) -> Result<(), Failure> {
    let unknown = |words: String| Failure::new(ErrorCode::UnknownTopicOrPartition, words);
    let topic = topic.ok_or_else(|| unknown("there is no such topic".to_owned()))?;
    let index = wanted.partition_index;
    if topic.partition(index).is_none() {
        return Err(unknown(format!("the topic has no partition {index}")));
    }
    match wanted.replicas.as_deref() {
        Some([only]) if *only == node_id => Ok(()),
        Some(_) => {
            let words = format!("each partition must be assigned to broker {node_id} alone");
            Err(Failure::new(ErrorCode::InvalidReplicaAssignment, words))
        }
        None => {
            let nothing_to_cancel = ErrorCode::NoReassignmentInProgress;
            Err(Failure::new(nothing_to_cancel, nothing_to_cancel.message()))
        }
    }
}
