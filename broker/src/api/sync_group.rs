//! SyncGroup (14): the leader of a group hands out the assignment, the others fetch theirs.
//!
//! | version | |
//! |---|---|
//! | 0 | the assignment as opaque bytes |
//! | 3 | static members |
//! | 4 | flexible |
//! | 5 | the protocol, which must agree |
//! | 1, 2 | as the one before; nothing is throttled |
//!
//! The response comes when the leader has assigned. A stop does not wait for that: the member is told to look for its
//! coordinator again (error 16).

use std::sync::Arc;

use wire::ErrorCode;
use wire::message::sync_group::{SyncGroupRequest, SyncGroupResponse};

use super::RequestContext;
use crate::state::Broker;

pub(super) async fn serve(
    broker: Arc<Broker>,
    _: RequestContext,
    request: SyncGroupRequest,
) -> SyncGroupResponse {
    tokio::select! {
        response = broker.groups.sync(request) => response,
        () = broker.shutdown.cancelled() => {
            let error_code = ErrorCode::NotCoordinator.code();
            SyncGroupResponse { error_code, ..Default::default() }
        }
    }
}
