//! CreatePartitions (37): gives topics more partitions.
//!
//! | version | |
//! |---|---|
//! | 0 | the number of partitions, which can only grow; a dry run |
//! | 2 | flexible |
//! | 1, 3 | as the one before; nothing is throttled |
//!
//! Errors: 3 unknown name, 17 one of the broker's own topics (where a group or a transactional id is kept
//! follows from their number), 37 not more than there are or more than the broker may have, 39 assignment, 42 a name that
//! comes twice.

use std::collections::HashSet;

use wire::ErrorCode;
use wire::message::create_partitions::{
    CreatePartitionsAssignment, CreatePartitionsRequest, CreatePartitionsResponse, CreatePartitionsTopic,
    CreatePartitionsTopicResult,
};

use super::RequestContext;
use crate::error::Failure;
use crate::log::TopicError;
use crate::state::{Broker, is_internal};

pub(super) fn named(request: &CreatePartitionsRequest) -> usize {
    request.topics.len()
}

pub(super) fn serve(
    broker: &Broker,
    _: &RequestContext,
    request: CreatePartitionsRequest,
) -> CreatePartitionsResponse {
    let mut seen = HashSet::new();
    let twice: HashSet<String> = request
        .topics
        .iter()
        .filter(|topic| !seen.insert(&topic.name))
        .map(|topic| topic.name.clone())
        .collect();
    let results = request.topics.into_iter().map(|topic| {
        let created = if twice.contains(&topic.name) {
            let message = "the request names this topic more than once";
            Err(Failure::new(ErrorCode::InvalidRequest, message))
        } else {
            create(broker, &topic, request.validate_only)
        };
        let failure = created.err();
        CreatePartitionsTopicResult {
            name: topic.name,
            error_code: failure.as_ref().map_or(0, |failure| failure.code.code()),
            error_message: failure.map(|failure| failure.message),
        }
    });
    CreatePartitionsResponse { results: results.collect(), ..Default::default() }
}

fn create(broker: &Broker, topic: &CreatePartitionsTopic, validate_only: bool) -> Result<(), Failure> {
    if is_internal(&topic.name) {
        let message = "the number of partitions of the broker's own topics cannot be changed";
        return Err(Failure::new(ErrorCode::InvalidTopicException, message));
    }
    if let Some(assignments) = &topic.assignments {
        let present = broker.topic(&topic.name).ok_or_else(|| TopicError::Unknown(topic.name.clone()))?;
        check_assignments(broker.node_id, topic.count, present.partitions().len(), assignments)?;
    }
    Ok(broker.logs.add_partitions(&topic.name, topic.count, validate_only)?)
}

/// Each new partition must be assigned, and can only be to this broker. A count that is not an increase is refused later.
fn check_assignments(
    node_id: i32,
    count: i32,
    present: usize,
    assignments: &[CreatePartitionsAssignment],
) -> Result<(), Failure> {
    let new = usize::try_from(count).ok().and_then(|count| count.checked_sub(present)).filter(|new| *new > 0);
    let Some(new) = new else { return Ok(()) };
    if assignments.len() != new {
        let message = format!("{new} partitions are new, but {} are assigned", assignments.len());
        return Err(Failure::new(ErrorCode::InvalidReplicaAssignment, message));
    }
    if assignments.iter().any(|assignment| assignment.broker_ids != [node_id]) {
        let message = format!("each partition must be assigned to broker {node_id} alone");
        return Err(Failure::new(ErrorCode::InvalidReplicaAssignment, message));
    }
    Ok(())
}
