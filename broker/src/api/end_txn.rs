//! EndTxn (26): commits or aborts a producer's transaction.
//!
//! | version | |
//! |---|---|
//! | 0 | commit or abort |
//! | 2 | a fenced producer is told so (error 90); before, that its epoch is old (47) |
//! | 3 | flexible |
//! | 1, 4 | as the one before |
//!
//! The response comes when the decision is durable, and as a rule when it has been carried out: unlike Kafka's, the next
//! transaction need not wait for the markers of this one.

use wire::message::end_txn::{EndTxnRequest, EndTxnResponse};

use super::RequestContext;
use super::add_partitions_to_txn::old_name;
use crate::state::Broker;
use crate::txn::Producer;

pub(super) fn serve(broker: &Broker, context: &RequestContext, request: EndTxnRequest) -> EndTxnResponse {
    let producer = Producer {
        transactional_id: &request.transactional_id,
        id: request.producer_id,
        epoch: request.producer_epoch,
    };
    let ended = broker.txns.end(producer, request.committed);
    let error_code = ended.err().map_or(0, |error| old_name(error, context.version >= 2).code());
    EndTxnResponse { error_code, ..Default::default() }
}
