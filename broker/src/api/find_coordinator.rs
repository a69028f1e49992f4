//! FindCoordinator (10): who coordinates a group or a transactional id. Always this broker.
//!
//! | version | |
//! |---|---|
//! | 0 | a group |
//! | 1 | kinds of keys; a message with an error |
//! | 3 | flexible |
//! | 4 | several keys |
//! | 2, 5, 6 | as the one before |
//!
//! The first transactional id that is asked for makes the topic of transactions. Left out: share groups (key type 2), which
//! are refused as an invalid request.

use wire::ErrorCode;
use wire::message::find_coordinator::{Coordinator, FindCoordinatorRequest, FindCoordinatorResponse};

use super::{Incoming, Refusal, RequestContext, Work};
use crate::state::Broker;

const GROUP: i8 = 0;
const TRANSACTION: i8 = 1;

/// Answers at once, unless the topic of transactions may have to be made.
pub(super) fn begin(mut incoming: Incoming<'_>) -> Result<Work, Refusal> {
    let request = incoming.decode::<FindCoordinatorRequest>()?;
    if request.key_type == TRANSACTION {
        return Ok(incoming.answer_blocking(request, serve));
    }
    incoming.answer(request, serve)
}

fn serve(
    broker: &Broker,
    context: &RequestContext,
    request: FindCoordinatorRequest,
) -> FindCoordinatorResponse {
    let find = |key: String| find(broker, context, request.key_type, key);
    if context.version >= 4 {
        let coordinators = request.coordinator_keys.into_iter().map(find).collect();
        return FindCoordinatorResponse { coordinators, ..Default::default() };
    }
    let found = find(request.key);
    FindCoordinatorResponse {
        error_code: found.error_code,
        error_message: found.error_message,
        node_id: found.node_id,
        host: found.host,
        port: found.port,
        ..Default::default()
    }
}

fn find(broker: &Broker, context: &RequestContext, key_type: i8, key: String) -> Coordinator {
    let refusal = match key_type {
        GROUP if key.is_empty() => Some((ErrorCode::InvalidGroupId, "a group needs a name")),
        GROUP => None,
        TRANSACTION => broker.txns.ensure().err().map(|error| (error, error.message())),
        _ => Some((ErrorCode::InvalidRequest, "this kind of coordinator does not exist")),
    };
    if let Some((error, message)) = refusal {
        return Coordinator {
            key,
            node_id: -1,
            port: -1,
            error_code: error.code(),
            error_message: Some(message.to_owned()),
            ..Default::default()
        };
    }
    let (host, port) = broker.advertised(context.local);
    Coordinator { key, node_id: broker.node_id, host, port: i32::from(port), ..Default::default() }
}
