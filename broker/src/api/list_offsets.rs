//! ListOffsets (2): the offset that belongs to a time, to the beginning or to the end of a partition.
//!
//! | version | |
//! |---|---|
//! | 1 | the first served: the first record that is not older than a time; -1 the end, -2 the beginning |
//! | 2 | isolation level (no transactions: no difference); throttle time, always 0 |
//! | 4 | leader epochs |
//! | 6 | flexible |
//! | 7 | -3, the record with the largest time |
//! | 8 | -4, the beginning of what is on this broker's disk: as -2 |
//! | 9 | -5, the end of what is in tiered storage: there is none, so -1 is answered |
//! | 3, 5 | as the one before |
//!
//! Left out on purpose: version 0, which lists the boundaries of segments.

use wire::ErrorCode;
use wire::message::list_offsets::{
    ListOffsetsPartition, ListOffsetsPartitionResponse, ListOffsetsRequest, ListOffsetsResponse,
    ListOffsetsTopicResponse,
};

use super::RequestContext;
use super::fetch::check_leader_epoch;
use crate::log::{Partition, ReadError, TimestampOffset};
use crate::state::{Broker, Topic};

const LATEST: i64 = -1;
const EARLIEST: i64 = -2;
const MAX_TIMESTAMP: i64 = -3;
const EARLIEST_LOCAL: i64 = -4;

/// The first version whose answer has the leader's epoch.
const WITH_EPOCH: i16 = 4;

pub(super) fn serve(
    broker: &Broker,
    context: &RequestContext,
    request: ListOffsetsRequest,
) -> ListOffsetsResponse {
    let with_epoch = context.version >= WITH_EPOCH;
    let topics = request.topics.into_iter().map(|topic| {
        let found = broker.topic(&topic.name);
        let answer = |wanted| answer(found.as_deref(), wanted, with_epoch);
        let partitions = topic.partitions.iter().map(answer).collect();
        ListOffsetsTopicResponse { name: topic.name, partitions, ..Default::default() }
    });
    ListOffsetsResponse { topics: topics.collect(), ..Default::default() }
}

fn answer(
    topic: Option<&Topic>,
    wanted: &ListOffsetsPartition,
    with_epoch: bool,
) -> ListOffsetsPartitionResponse {
    let partition_index = wanted.partition_index;
    let found =
        topic.and_then(|topic| topic.partition(partition_index)).ok_or(ErrorCode::UnknownTopicOrPartition);
    let looked_up = found.and_then(|partition| {
        check_leader_epoch(wanted.current_leader_epoch, partition)?;
        let found = look_up(partition, wanted.timestamp).map_err(|error| {
            tracing::error!(partition = partition.name(), %error, "cannot look up a time");
            error.error_code()
        })?;
        Ok((found, partition.leader_epoch()))
    });
    match looked_up {
        Ok((Some(found), leader_epoch)) => ListOffsetsPartitionResponse {
            partition_index,
            timestamp: found.timestamp,
            offset: found.offset,
            leader_epoch: if with_epoch { leader_epoch } else { -1 },
            ..Default::default()
        },
        Ok((None, _)) => ListOffsetsPartitionResponse { partition_index, ..Default::default() },
        Err(error) => {
            ListOffsetsPartitionResponse { partition_index, error_code: error.code(), ..Default::default() }
        }
    }
}

fn look_up(partition: &Partition, timestamp: i64) -> Result<Option<TimestampOffset>, ReadError> {
    let boundary = |offset| Ok(Some(TimestampOffset { offset, timestamp: -1 }));
    match timestamp {
        LATEST => boundary(partition.high_watermark()),
        EARLIEST | EARLIEST_LOCAL => boundary(partition.log_start_offset()),
        MAX_TIMESTAMP => partition.max_timestamp(),
        0.. => partition.offset_for_timestamp(timestamp),
        _ => Ok(None),
    }
}
