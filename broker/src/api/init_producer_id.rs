//! InitProducerId (22): an id for an idempotent producer, and id and epoch for a transactional one, which fences all
//! producers before it.
//!
//! | version | |
//! |---|---|
//! | 0 | a new id, epoch 0; with a transactional id, the id's producer id and its next epoch |
//! | 2 | flexible |
//! | 3 | the id and epoch that the producer has, to go on after an error: without a transactional id they mean nothing |
//! | 4 | a fenced producer is told so (error 90); before, that its epoch is old (47) |
//! | 1, 5 | as the one before |
//!
//! Ids count up from 0 and never come twice. While a transaction is open or ends, the producer has to ask again (51).

use wire::ErrorCode;
use wire::message::init_producer_id::{InitProducerIdRequest, InitProducerIdResponse};

use super::RequestContext;
use super::add_partitions_to_txn::old_name;
use crate::state::Broker;

pub(super) fn serve(
    broker: &Broker,
    context: &RequestContext,
    request: InitProducerIdRequest,
) -> InitProducerIdResponse {
    let known = match (request.producer_id, request.producer_epoch) {
        (-1, -1) => None,
        (-1, _) | (_, -1) => return refuse(ErrorCode::InvalidRequest),
        known => Some(known),
    };
    let given = match request.transactional_id {
        Some(id) => broker.txns.init_producer_id(&id, request.transaction_timeout_ms, known),
        None => broker.producer_ids.next().map(|producer_id| (producer_id, 0)).map_err(|error| {
            tracing::error!(%error, "cannot hand out a producer id");
            ErrorCode::CoordinatorNotAvailable
        }),
    };
    match given {
        Ok((producer_id, producer_epoch)) => {
            InitProducerIdResponse { producer_id, producer_epoch, ..Default::default() }
        }
        Err(error) => refuse(old_name(error, context.version >= 4)),
    }
}

fn refuse(error: ErrorCode) -> InitProducerIdResponse {
    InitProducerIdResponse {
        error_code: error.code(),
        producer_id: -1,
        producer_epoch: -1,
        ..Default::default()
    }
}
