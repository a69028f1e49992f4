//! DescribeProducers (61): the idempotent producers that partitions remember, and their open transactions. Version 0 only.
//!
//! A partition that is named twice is told once. Errors: 3 unknown partition.

use std::collections::BTreeSet;

use wire::ErrorCode;
use wire::message::describe_producers::{
    DescribeProducersRequest, DescribeProducersResponse, PartitionResponse, ProducerState, TopicResponse,
};

use super::RequestContext;
use crate::state::{Broker, Topic};

/// The beginning of a transaction that is not there.
const NO_TRANSACTION: i64 = -1;

pub(super) fn named(request: &DescribeProducersRequest) -> usize {
    request.topics.iter().map(|topic| topic.partition_indexes.len()).sum()
}

pub(super) fn serve(
    broker: &Broker,
    _: &RequestContext,
    request: DescribeProducersRequest,
) -> DescribeProducersResponse {
    // a partition may know very many: what is asked for in few bytes must not be answered many times
    let mut told: BTreeSet<(String, i32)> = BTreeSet::new();
    let topics = request.topics.into_iter().map(|topic| {
        let found = broker.topic(&topic.name);
        let mut indexes = topic.partition_indexes;
        indexes.retain(|index| told.insert((topic.name.clone(), *index)));
        let partitions = indexes.into_iter().map(|index| describe(found.as_deref(), index)).collect();
        TopicResponse { name: topic.name, partitions }
    });
    DescribeProducersResponse { topics: topics.collect(), ..Default::default() }
}

fn describe(topic: Option<&Topic>, partition_index: i32) -> PartitionResponse {
    let Some(partition) = topic.and_then(|topic| topic.partition(partition_index)) else {
        let error_code = ErrorCode::UnknownTopicOrPartition.code();
        return PartitionResponse { partition_index, error_code, ..Default::default() };
    };
    let states = partition.producers().into_iter().map(|producer| ProducerState {
        producer_id: producer.id,
        producer_epoch: i32::from(producer.epoch),
        last_sequence: producer.last_sequence,
        last_timestamp: producer.last_timestamp,
        coordinator_epoch: producer.coordinator_epoch,
        current_txn_start_offset: producer.txn_first_offset.unwrap_or(NO_TRANSACTION),
    });
    PartitionResponse { partition_index, active_producers: states.collect(), ..Default::default() }
}
