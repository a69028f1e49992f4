//! DeleteRecords (21): deletes the records before an offset, by moving the log's start.
//!
//! | version | |
//! |---|---|
//! | 0 | before an offset, or with -1 all that there are |
//! | 2 | flexible |
//! | 1 | as the one before; nothing is throttled |
//!
//! The new start is on the disk before it is answered; files that lie wholly before it go within a second or so. Errors: 1 an
//! offset beyond the end, 3 unknown partition, 17 one of the broker's own topics, 44 a topic whose `cleanup.policy` is `compact` alone.

use wire::ErrorCode;
use wire::message::delete_records::{
    DeleteRecordsPartition, DeleteRecordsPartitionResult, DeleteRecordsRequest, DeleteRecordsResponse,
    DeleteRecordsTopicResult,
};

use super::RequestContext;
use crate::state::{Broker, Topic, is_internal};

/// Asks for all records.
const HIGH_WATERMARK: i64 = -1;
/// Answered with an error.
const NO_LOW_WATERMARK: i64 = -1;

pub(super) fn named(request: &DeleteRecordsRequest) -> usize {
    request.topics.iter().map(|topic| topic.partitions.len()).sum()
}

pub(super) fn serve(
    broker: &Broker,
    _: &RequestContext,
    request: DeleteRecordsRequest,
) -> DeleteRecordsResponse {
    let topics = request.topics.into_iter().map(|topic| {
        let found = broker.topic(&topic.name);
        let partition = |wanted: &DeleteRecordsPartition| answer(wanted, delete(found.as_deref(), wanted));
        let partitions = topic.partitions.iter().map(partition).collect();
        DeleteRecordsTopicResult { name: topic.name, partitions }
    });
    let mut topics: Vec<DeleteRecordsTopicResult> = topics.collect();
    // once for all: the file holds the starts of all logs
    if let Err(error) = broker.logs.save_log_starts() {
        tracing::error!(%error, "cannot save the starts of the logs");
        let done = topics.iter_mut().flat_map(|topic| &mut topic.partitions);
        done.filter(|partition| partition.error_code == 0).for_each(|partition| {
            partition.error_code = error.error_code().code();
            partition.low_watermark = NO_LOW_WATERMARK;
        });
    }
    DeleteRecordsResponse { topics, ..Default::default() }
}

fn delete(topic: Option<&Topic>, wanted: &DeleteRecordsPartition) -> Result<i64, ErrorCode> {
    let topic = topic.ok_or(ErrorCode::UnknownTopicOrPartition)?;
    if is_internal(topic.name()) {
        return Err(ErrorCode::InvalidTopicException);
    }
    let partition = topic.partition(wanted.partition_index).ok_or(ErrorCode::UnknownTopicOrPartition)?;
    if !partition.config().cleanup_policy.delete {
        return Err(ErrorCode::PolicyViolation);
    }
    let offset = match wanted.offset {
        HIGH_WATERMARK => partition.high_watermark(),
        offset => offset,
    };
    partition.delete_records_before(offset).map_err(|error| {
        tracing::info!(partition = partition.name(), %error, "cannot delete records");
        error.error_code()
    })
}

fn answer(wanted: &DeleteRecordsPartition, deleted: Result<i64, ErrorCode>) -> DeleteRecordsPartitionResult {
    DeleteRecordsPartitionResult {
        partition_index: wanted.partition_index,
        low_watermark: deleted.unwrap_or(NO_LOW_WATERMARK),
        error_code: deleted.err().map_or(0, ErrorCode::code),
    }
}
