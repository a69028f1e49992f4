//! Heartbeat (12): a member of a group shows that it lives, and hears of a rebalance.
//!
//! | version | |
//! |---|---|
//! | 0 | group, generation, member |
//! | 3 | static members |
//! | 4 | flexible |
//! | 1, 2 | as the one before; nothing is throttled |

use wire::message::heartbeat::{HeartbeatRequest, HeartbeatResponse};

use super::RequestContext;
use crate::state::Broker;

pub(super) fn serve(broker: &Broker, _: &RequestContext, request: HeartbeatRequest) -> HeartbeatResponse {
    broker.groups.heartbeat(&request)
}
