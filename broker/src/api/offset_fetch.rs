//! OffsetFetch (9): how far a group has read.
//!
//! | version | |
//! |---|---|
//! | 0 | offset and text; read from where version 1 on keeps them, not from ZooKeeper; error 3 where there is none |
//! | 1 | offset -1 where there is none |
//! | 2 | all partitions, with a null list; an error for the whole |
//! | 5 | the leader epoch |
//! | 6 | flexible |
//! | 7 | only stable offsets: error 88 for those that an open transaction may change |
//! | 8 | several groups |
//! | 9 | a member of a group of the newer protocol may say who it is: error 25 or 113 if it is wrong |
//! | 3, 4 | as the one before |

use wire::message::offset_fetch::{OffsetFetchRequest, OffsetFetchResponse};

use super::RequestContext;
use crate::state::Broker;

pub(super) fn serve(
    broker: &Broker,
    context: &RequestContext,
    request: OffsetFetchRequest,
) -> OffsetFetchResponse {
    broker.groups.fetch_offsets(request, context.version)
}
