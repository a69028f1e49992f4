//! ListTransactions (66): the transactional ids, their producers and where they stand.
//!
//! | version | |
//! |---|---|
//! | 0 | filters by state and by producer |
//! | 1 | a filter by duration |

use wire::message::list_transactions::{ListTransactionsRequest, ListTransactionsResponse};

use super::RequestContext;
use crate::state::Broker;

pub(super) fn serve(
    broker: &Broker,
    _: &RequestContext,
    request: ListTransactionsRequest,
) -> ListTransactionsResponse {
    broker.txns.list(request)
}
