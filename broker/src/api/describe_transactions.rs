//! DescribeTransactions (65): where transactions stand and which partitions they have.
//!
//! | version | |
//! |---|---|
//! | 0 | state, time-out, beginning, producer, partitions; 105 for an id that is not known |

use wire::message::describe_transactions::{DescribeTransactionsRequest, DescribeTransactionsResponse};

use super::RequestContext;
use crate::state::Broker;

pub(super) fn serve(
    broker: &Broker,
    _: &RequestContext,
    request: DescribeTransactionsRequest,
) -> DescribeTransactionsResponse {
    let transaction_states =
        request.transactional_ids.into_iter().map(|id| broker.txns.describe(id)).collect();
    DescribeTransactionsResponse { transaction_states, ..Default::default() }
}
