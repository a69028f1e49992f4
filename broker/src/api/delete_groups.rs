//! DeleteGroups (42): deletes consumer groups without members, with their offsets.
//!
//! | version | |
//! |---|---|
//! | 0 | by name |
//! | 2 | flexible |
//! | 1 | as the one before; nothing is throttled |
//!
//! The response comes when the deletion is on the disk. Errors: 24 empty name, 68 members, 69 no such group.

use std::sync::Arc;

use wire::message::delete_groups::{DeleteGroupsRequest, DeleteGroupsResponse};

use super::RequestContext;
use crate::state::Broker;

pub(super) fn named(request: &DeleteGroupsRequest) -> usize {
    request.groups_names.len()
}

pub(super) async fn serve(
    broker: Arc<Broker>,
    _: RequestContext,
    request: DeleteGroupsRequest,
) -> DeleteGroupsResponse {
    let results = broker.groups.delete_groups(request.groups_names).await;
    DeleteGroupsResponse { results, ..Default::default() }
}
