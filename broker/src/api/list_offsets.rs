//! ListOffsets (2): the offset that belongs to a time, to the beginning or to the end of a partition.
//!
//! | version | |
//! |---|---|
//! | 0 | the offsets at which segments begin and the log ends, newest first: all, or those that had changed before a time |
//! | 1 | one offset: the first record that is not older than a time; -1 the end, -2 the beginning |
//! | 2 | isolation level: for readers of committed records the end is where the oldest open transaction begins; throttle time, always 0 |
//! | 4 | leader epochs |
//! | 6 | flexible |
//! | 7 | -3, the record with the largest time |
//! | 8 | -4, the beginning of what is on this broker's disk: as -2 |
//! | 9 | -5, the end of what is in tiered storage: there is none, so -1 is answered |
//! | 3, 5 | as the one before |

use wire::ErrorCode;
use wire::message::list_offsets::{
    ListOffsetsPartition, ListOffsetsPartitionResponse, ListOffsetsRequest, ListOffsetsResponse,
    ListOffsetsTopicResponse,
};

use super::RequestContext;
use super::fetch::{READ_COMMITTED, check_leader_epoch};
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
    let committed = request.isolation_level == READ_COMMITTED;
    let topics = request.topics.into_iter().map(|topic| {
        let found = broker.topic(&topic.name);
        let answer = |wanted| match context.version {
            0 => answer_with_segments(found.as_deref(), wanted),
            _ => answer(found.as_deref(), wanted, with_epoch, committed),
        };
        let partitions = topic.partitions.iter().map(answer).collect();
        ListOffsetsTopicResponse { name: topic.name, partitions }
    });
    ListOffsetsResponse { topics: topics.collect(), ..Default::default() }
}

fn answer(
    topic: Option<&Topic>,
    wanted: &ListOffsetsPartition,
    with_epoch: bool,
    committed: bool,
) -> ListOffsetsPartitionResponse {
    let partition_index = wanted.partition_index;
    let found =
        topic.and_then(|topic| topic.partition(partition_index)).ok_or(ErrorCode::UnknownTopicOrPartition);
    let looked_up = found.and_then(|partition| {
        check_leader_epoch(wanted.current_leader_epoch, partition)?;
        let found = look_up(partition, wanted.timestamp, committed).map_err(|error| {
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

/// The answer of version 0.
fn answer_with_segments(
    topic: Option<&Topic>,
    wanted: &ListOffsetsPartition,
) -> ListOffsetsPartitionResponse {
    let partition_index = wanted.partition_index;
    let listed = match topic.and_then(|topic| topic.partition(partition_index)) {
        _ if wanted.timestamp < EARLIEST => Err(ErrorCode::UnsupportedVersion),
        None => Err(ErrorCode::UnknownTopicOrPartition),
        Some(partition) => partition.segment_offsets().map_err(|error| {
            tracing::error!(partition = partition.name(), %error, "cannot list segments");
            error.error_code()
        }),
    };
    match listed {
        Ok(segments) => ListOffsetsPartitionResponse {
            partition_index,
            old_style_offsets: newest_offsets(&segments, wanted.timestamp, wanted.max_num_offsets),
            ..Default::default()
        },
        Err(error) => {
            ListOffsetsPartitionResponse { partition_index, error_code: error.code(), ..Default::default() }
        }
    }
}

/// At most `max` offsets in descending order: from the last whose time is not after `timestamp` on.
fn newest_offsets(segments: &[TimestampOffset], timestamp: i64, max: i32) -> Vec<i64> {
    let count = match timestamp {
        LATEST => segments.len(),
        EARLIEST => segments.len().min(1),
        _ => {
            segments.iter().rposition(|found| found.timestamp <= timestamp).map_or(0, |position| position + 1)
        }
    };
    let max = usize::try_from(max).unwrap_or_default();
    segments.iter().take(count).rev().take(max).map(|found| found.offset).collect()
}

fn look_up(
    partition: &Partition,
    timestamp: i64,
    committed: bool,
) -> Result<Option<TimestampOffset>, ReadError> {
    let boundary = |offset| Ok(Some(TimestampOffset { offset, timestamp: -1 }));
    let end = if committed { partition.last_stable_offset() } else { partition.high_watermark() };
    let found = match timestamp {
        LATEST => return boundary(end),
        EARLIEST | EARLIEST_LOCAL => return boundary(partition.log_start_offset()),
        MAX_TIMESTAMP => partition.max_timestamp()?,
        0.. => partition.offset_for_timestamp(timestamp)?,
        _ => None,
    };
    // what may still be aborted is not found, as in Kafka
    Ok(found.filter(|found| !committed || found.offset < end))
}
