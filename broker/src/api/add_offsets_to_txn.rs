//! AddOffsetsToTxn (25): makes the offsets of a group part of a producer's transaction, which is to say the partition of
//! `__consumer_offsets` that holds them.
//!
//! | version | |
//! |---|---|
//! | 0 | the group |
//! | 2 | a fenced producer is told so (error 90); before, that its epoch is old (47) |
//! | 3 | flexible |
//! | 1, 4 | as the one before |

use wire::message::add_offsets_to_txn::{AddOffsetsToTxnRequest, AddOffsetsToTxnResponse};

use super::RequestContext;
use super::add_partitions_to_txn::old_name;
use crate::group::OFFSETS_TOPIC;
use crate::state::Broker;
use crate::txn::{Partitions, Producer};

pub(super) fn serve(
    broker: &Broker,
    context: &RequestContext,
    request: AddOffsetsToTxnRequest,
) -> AddOffsetsToTxnResponse {
    let partition = broker.groups.partition_index(&request.group_id);
    let partitions = Partitions::from([(OFFSETS_TOPIC.to_owned(), [partition].into())]);
    let producer = Producer {
        transactional_id: &request.transactional_id,
        id: request.producer_id,
        epoch: request.producer_epoch,
    };
    let added = broker.txns.add_partitions(producer, &partitions);
    let error_code = added.err().map_or(0, |error| old_name(error, context.version >= 2).code());
    AddOffsetsToTxnResponse { error_code, ..Default::default() }
}
