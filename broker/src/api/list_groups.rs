//! ListGroups (16): the names of all groups.
//!
//! | version | |
//! |---|---|
//! | 0 | name and kind |
//! | 3 | flexible |
//! | 4 | states, and a filter by them |
//! | 5 | types, and a filter by them |
//! | 1, 2 | as the one before; nothing is throttled |

use wire::message::list_groups::{ListGroupsRequest, ListGroupsResponse};

use super::RequestContext;
use crate::state::Broker;

pub(super) fn serve(broker: &Broker, _: &RequestContext, request: ListGroupsRequest) -> ListGroupsResponse {
    broker.groups.list(&request)
}
