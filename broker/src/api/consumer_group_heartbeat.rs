//! ConsumerGroupHeartbeat (68): a member of a group of the newer protocol joins, lives, leaves, and hears what it may read.
//!
//! | version | |
//! |---|---|
//! | 0 | names of topics; the coordinator makes the member's id |
//! | 1 | the client makes it (KIP-1082), and may join again with it at any time; a regular expression of topics |
//!
//! The response comes when what it says is on the disk. Members get the broker's session time and heartbeat interval. Left out:
//! members of the classic protocol in the same group; an empty group goes over to the protocol of who joins it.
//!
//! Errors: 25 unknown member, 42 a request that contradicts itself, 69 no such group or one with members of the classic
//! protocol, 81 full, 82 and 111 a static id that another member has, 110 an old epoch, 112 an unknown assignor,
//! 128 a regular expression that is none, or too large.

use std::sync::Arc;

use wire::message::consumer_group_heartbeat::{
    ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse,
};

use super::RequestContext;
use crate::state::Broker;

pub(super) fn named(request: &ConsumerGroupHeartbeatRequest) -> usize {
    let subscribed = request.subscribed_topic_names.as_ref().map_or(0, Vec::len);
    let owned = request.topic_partitions.iter().flatten().map(|topic| topic.partitions.len().max(1));
    subscribed.max(owned.sum())
}

pub(super) async fn serve(
    broker: Arc<Broker>,
    context: RequestContext,
    request: ConsumerGroupHeartbeatRequest,
) -> ConsumerGroupHeartbeatResponse {
    broker.groups.consumer_heartbeat(&context.caller(), request, &*broker.logs).await
}
