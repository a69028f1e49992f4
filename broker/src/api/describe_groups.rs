//! DescribeGroups (15): the state and the members of groups.
//!
//! | version | |
//! |---|---|
//! | 0 | state, protocol, members with their assignments |
//! | 3 | what the asker may do: left out, as there is no authorisation |
//! | 4 | static members |
//! | 5 | flexible |
//! | 1, 2 | as the one before; nothing is throttled |
//!
//! A group of the newer protocol is `Dead` here, as one that does not exist: clients then ask with ConsumerGroupDescribe.

use wire::message::describe_groups::{DescribeGroupsRequest, DescribeGroupsResponse};

use super::RequestContext;
use crate::state::Broker;

pub(super) fn serve(
    broker: &Broker,
    _: &RequestContext,
    request: DescribeGroupsRequest,
) -> DescribeGroupsResponse {
    let groups = request.groups.iter().map(|group| broker.groups.describe(group)).collect();
    DescribeGroupsResponse { groups, ..Default::default() }
}
