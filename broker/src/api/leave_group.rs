//! LeaveGroup (13): members leave a group at once, instead of being missed.
//!
//! | version | |
//! |---|---|
//! | 0 | one member |
//! | 3 | several members, and static ones |
//! | 4 | flexible |
//! | 5 | the reason |
//! | 1, 2 | as the one before; nothing is throttled |

use wire::message::leave_group::{LeaveGroupRequest, LeaveGroupResponse};

use super::RequestContext;
use crate::state::Broker;

pub(super) fn serve(
    broker: &Broker,
    context: &RequestContext,
    request: LeaveGroupRequest,
) -> LeaveGroupResponse {
    broker.groups.leave(&context.caller(), request)
}
