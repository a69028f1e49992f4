//! OffsetDelete (47): forgets committed offsets of a group. Version 0 only.
//!
//! While the group has members, topics that they read are refused. The response comes when the deletion is on the disk.
//! Errors: 3 unknown partition, 24 empty name, 68 members that are no consumers, 69 no such group, 86 a topic that is read.

use std::sync::Arc;

use wire::message::offset_delete::{OffsetDeleteRequest, OffsetDeleteResponse};

use super::RequestContext;
use crate::state::Broker;

pub(super) fn named(request: &OffsetDeleteRequest) -> usize {
    request.topics.iter().map(|topic| topic.partitions.len()).sum()
}

pub(super) async fn serve(
    broker: Arc<Broker>,
    _: RequestContext,
    request: OffsetDeleteRequest,
) -> OffsetDeleteResponse {
    let exists = |topic: &str, partition| {
        broker.topic(topic).is_some_and(|topic| topic.partition(partition).is_some())
    };
    broker.groups.delete_offsets(request, exists).await
}
