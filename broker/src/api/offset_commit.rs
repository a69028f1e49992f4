//! OffsetCommit (8): keeps how far a group has read.
//!
//! | version | |
//! |---|---|
//! | 0 | offset and text; kept as from version 2 on, not in ZooKeeper |
//! | 1 | generation and member; a time that is not used, as in Kafka |
//! | 2 | a retention time for this commit, which is not used: `offsets_retention_minutes` holds for all |
//! | 6 | the leader epoch |
//! | 7 | static members |
//! | 8 | flexible |
//! | 9 | members of groups of the newer protocol: their epoch in place of the generation; error 69 for a group that is not there |
//! | 3, 4, 5 | as the one before |
//!
//! The response comes when the offsets are on the disk.

use std::sync::Arc;

use wire::message::offset_commit::{OffsetCommitRequest, OffsetCommitResponse};

use super::RequestContext;
use crate::state::Broker;

pub(super) async fn serve(
    broker: Arc<Broker>,
    context: RequestContext,
    request: OffsetCommitRequest,
) -> OffsetCommitResponse {
    let exists = |topic: &str, partition| {
        broker.topic(topic).is_some_and(|topic| topic.partition(partition).is_some())
    };
    broker.groups.commit(context.version, request, exists).await
}
