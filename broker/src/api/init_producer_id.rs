//! InitProducerId (22): an id for an idempotent producer.
//!
//! | version | |
//! |---|---|
//! | 0 | a new id, epoch 0 |
//! | 2 | flexible |
//! | 3 | the id and epoch that the producer has: without a transactional id they mean nothing, as in Kafka |
//! | 1, 4, 5 | as the one before |
//!
//! Ids count up from 0 and never come twice. Left out: transactions. A transactional id is refused with error 53, which clients treat as final.

use wire::ErrorCode;
use wire::message::init_producer_id::{InitProducerIdRequest, InitProducerIdResponse};

use super::RequestContext;
use crate::state::Broker;

pub(super) fn serve(
    broker: &Broker,
    _: &RequestContext,
    request: InitProducerIdRequest,
) -> InitProducerIdResponse {
    if request.transactional_id.is_some() {
        return refuse(ErrorCode::TransactionalIdAuthorizationFailed);
    }
    match broker.producer_ids.next() {
        Ok(producer_id) => InitProducerIdResponse { producer_id, producer_epoch: 0, ..Default::default() },
        Err(error) => {
            tracing::error!(%error, "cannot hand out a producer id");
            refuse(ErrorCode::CoordinatorNotAvailable)
        }
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
