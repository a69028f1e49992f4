//! OffsetForLeaderEpoch (23): where a leader's epoch ends in the log.
//!
//! | version | |
//! |---|---|
//! | 0 | the offset |
//! | 1 | the epoch that was found |
//! | 2 | the leader epoch which the client knows |
//! | 3 | who asks: no difference, followers and consumers see the same log |
//! | 4 | flexible |
//!
//! An epoch that is newer than all of the log is answered with -1 and no error. Errors: 3 unknown partition, 74 and 75 the
//! client knows an older or newer leader.

use wire::ErrorCode;
use wire::message::offset_for_leader_epoch::{
    EpochEndOffset, OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse, OffsetForLeaderPartition,
    OffsetForLeaderTopicResult,
};

use super::RequestContext;
use super::fetch::check_leader_epoch;
use crate::state::{Broker, Topic};

pub(super) fn named(request: &OffsetForLeaderEpochRequest) -> usize {
    request.topics.iter().map(|topic| topic.partitions.len()).sum()
}

pub(super) fn serve(
    broker: &Broker,
    _: &RequestContext,
    request: OffsetForLeaderEpochRequest,
) -> OffsetForLeaderEpochResponse {
    let topics = request.topics.into_iter().map(|topic| {
        let found = broker.topic(&topic.topic);
        let partitions = topic.partitions.iter().map(|wanted| answer(found.as_deref(), wanted)).collect();
        OffsetForLeaderTopicResult { topic: topic.topic, partitions }
    });
    OffsetForLeaderEpochResponse { topics: topics.collect(), ..Default::default() }
}

fn answer(topic: Option<&Topic>, wanted: &OffsetForLeaderPartition) -> EpochEndOffset {
    let none = EpochEndOffset { partition: wanted.partition, ..Default::default() };
    match look_up(topic, wanted) {
        Ok(Some((leader_epoch, end_offset))) => EpochEndOffset { leader_epoch, end_offset, ..none },
        Ok(None) => none,
        Err(error) => EpochEndOffset { error_code: error.code(), ..none },
    }
}

fn look_up(
    topic: Option<&Topic>,
    wanted: &OffsetForLeaderPartition,
) -> Result<Option<(i32, i64)>, ErrorCode> {
    let partition = topic
        .and_then(|topic| topic.partition(wanted.partition))
        .ok_or(ErrorCode::UnknownTopicOrPartition)?;
    check_leader_epoch(wanted.current_leader_epoch, partition)?;
    partition.check_open().map_err(|error| error.error_code())?;
    Ok(partition.end_offset_of_epoch(wanted.leader_epoch))
}
