//! JoinGroup (11): a member of a group asks to take part in its next generation.
//!
//! | version | |
//! |---|---|
//! | 0 | session time |
//! | 1 | rebalance time of its own |
//! | 4 | a new member is given its id first and joins with it |
//! | 5 | static members |
//! | 6 | flexible |
//! | 7 | the kind of protocol in the response |
//! | 8 | the reason for joining |
//! | 9 | a leader may be told that its assignment still stands |
//! | 2, 3 | as the one before; nothing is throttled |
//!
//! The response comes when all members have joined or the rebalance time is up. A stop does not wait for that: the
//! member is told to look for its coordinator again (error 16).

use std::sync::Arc;

use wire::ErrorCode;
use wire::message::join_group::{JoinGroupRequest, JoinGroupResponse};

use super::RequestContext;
use crate::state::Broker;

pub(super) async fn serve(
    broker: Arc<Broker>,
    context: RequestContext,
    request: JoinGroupRequest,
) -> JoinGroupResponse {
    let caller = context.caller();
    tokio::select! {
        response = broker.groups.join(&caller, request) => response,
        () = broker.shutdown.cancelled() => {
            let error_code = ErrorCode::NotCoordinator.code();
            JoinGroupResponse { error_code, ..Default::default() }
        }
    }
}
