//! ConsumerGroupDescribe (69): the state, the members and the assignments of groups of the newer protocol.
//!
//! | version | |
//! |---|---|
//! | 0 | epochs, members with their subscriptions, what they read and what they shall read |
//! | 1 | the protocol of each member, which is always the newer one |
//!
//! Left out: authorized operations, there is no authorization. Error of a group: 69 if there is none, or one of the classic
//! protocol.

use wire::message::consumer_group_describe::{ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse};

use super::RequestContext;
use crate::state::Broker;

pub(super) fn named(request: &ConsumerGroupDescribeRequest) -> usize {
    request.group_ids.len()
}

pub(super) fn serve(
    broker: &Broker,
    _: &RequestContext,
    request: ConsumerGroupDescribeRequest,
) -> ConsumerGroupDescribeResponse {
    let described = |id: &String| broker.groups.describe_consumer_group(id, &*broker.logs);
    ConsumerGroupDescribeResponse {
        groups: request.group_ids.iter().map(described).collect(),
        ..Default::default()
    }
}
