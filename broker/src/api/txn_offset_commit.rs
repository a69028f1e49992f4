//! TxnOffsetCommit (28): keeps how far a group has read, if the producer's transaction is committed.
//!
//! | version | |
//! |---|---|
//! | 0 | offset and text |
//! | 2 | the leader epoch |
//! | 3 | flexible; generation and member are checked if they are given |
//! | 4 | error 120 where the group was not added to the transaction; before, 48 |
//! | 1 | as the one before |
//!
//! The response comes when the offsets are on the disk. They count when the transaction's marker does.

use std::sync::Arc;

use wire::ErrorCode;
use wire::message::txn_offset_commit::{TxnOffsetCommitRequest, TxnOffsetCommitResponse};

use super::RequestContext;
use super::produce::verification_error;
use crate::group::OFFSETS_TOPIC;
use crate::log::Verification;
use crate::state::Broker;
use crate::txn::Producer;

/// The first version whose clients know error 120.
const KNOWS_ABORTABLE: i16 = 4;

pub(super) async fn serve(
    broker: Arc<Broker>,
    context: RequestContext,
    request: TxnOffsetCommitRequest,
) -> TxnOffsetCommitResponse {
    let exists = |topic: &str, partition| {
        broker.topic(topic).is_some_and(|topic| topic.partition(partition).is_some())
    };
    let verified = verify(&broker, &request, context.version >= KNOWS_ABORTABLE);
    broker.groups.commit_transactional(request, verified, exists).await
}

fn verify(
    broker: &Broker,
    request: &TxnOffsetCommitRequest,
    knows_abortable: bool,
) -> Result<Option<Verification>, ErrorCode> {
    let Some(needed) = broker.groups.unverified(&request.group_id, request.producer_id) else {
        return Ok(None);
    };
    let producer = Producer {
        transactional_id: &request.transactional_id,
        id: request.producer_id,
        epoch: request.producer_epoch,
    };
    let partition = broker.groups.partition_index(&request.group_id);
    match broker.txns.verify(producer, OFFSETS_TOPIC, partition) {
        Ok(()) => Ok(Some(needed)),
        Err(error) => Err(verification_error(error, knows_abortable)),
    }
}
