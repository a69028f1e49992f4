//! ListPartitionReassignments (46): partitions on their way to other brokers, of which there are none. Version 0 only.
//!
//! Kafka leaves out what is not being reassigned, whether it was named or not, and whether it exists or not: nothing is left.

use wire::message::list_partition_reassignments::{
    ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse,
};

use super::RequestContext;
use crate::state::Broker;

pub(super) fn serve(
    _: &Broker,
    _: &RequestContext,
    _: ListPartitionReassignmentsRequest,
) -> ListPartitionReassignmentsResponse {
    ListPartitionReassignmentsResponse::default()
}
