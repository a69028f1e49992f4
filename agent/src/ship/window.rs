//! The batches of a lane that are not acknowledged yet, oldest first.

use bytes::Bytes;
use tokio::sync::OwnedSemaphorePermit;
use wire::error_code::ErrorCode;
use wire::message::ProduceRequest;

use super::batch::Piece;
use super::connection::Flight;
use super::decide::{Failure, decide, is_success};

/// A range that has its sequence, on its way to the broker.
pub(super) struct Batch {
    pub(super) piece: Piece,
    pub(super) base_sequence: i32,
    pub(super) count: u32,
    pub(super) encoded: Bytes,
    /// Whether the checkpoint knows it under this sequence.
    pub(super) recorded: bool,
    /// Whether the broker may have appended it although it did not say so.
    pub(super) maybe_appended: bool,
    pub(super) state: State,
    /// Its share of `buffer_bytes`.
    pub(super) room: OwnedSemaphorePermit,
}

/// Where a batch is.
pub(super) enum State {
    /// Not sent, or to be sent again.
    Idle,
    /// Sent, no answer yet.
    Sent(Flight<ProduceRequest>),
    /// It could not be sent.
    Failed(Option<Failure>),
    /// The broker has it, but not all before it: the checkpoint learns of it in order.
    Done,
}

impl Batch {
    /// A batch that still has to be numbered and encoded.
    pub(super) fn new(piece: Piece, room: OwnedSemaphorePermit) -> Self {
        Self {
            piece,
            base_sequence: -1,
            count: 0,
            encoded: Bytes::new(),
            recorded: false,
            maybe_appended: false,
            state: State::Idle,
            room,
        }
    }

    /// Waits for the broker's word. May be cancelled and asked again.
    pub(super) async fn outcome(&mut self) -> Result<(), Failure> {
        let outcome = match &mut self.state {
            State::Done => return Ok(()),
            State::Idle => Err(Failure::NoLeader),
            State::Failed(failure) => Err(failure.take().unwrap_or(Failure::NoLeader)),
            State::Sent(flight) => match flight.answer().await {
                Ok(answer) => judge(answer),
                Err(error) => Err(error.into()),
            },
        };
        match &outcome {
            Ok(()) => self.state = State::Done,
            Err(failure) => {
                self.state = State::Idle;
                self.maybe_appended |= decide(failure).maybe_appended;
            }
        }
        outcome
    }

    /// Whether it takes no part in what is under way.
    pub(super) fn is_failed(&self) -> bool {
        matches!(self.state, State::Failed(_))
    }

    /// Whether the broker has it.
    pub(super) fn is_done(&self) -> bool {
        matches!(self.state, State::Done)
    }
}

/// What the answer to a request with one batch says about it.
fn judge(answer: wire::message::ProduceResponse) -> Result<(), Failure> {
    let partition = answer.responses.first().and_then(|topic| topic.partition_responses.first());
    // an answer without our partition is no acknowledgement
    let code = partition
        .map_or(ErrorCode::UnknownServerError, |partition| ErrorCode::from_code(partition.error_code));
    if is_success(code) { Ok(()) } else { Err(Failure::Refused(code)) }
}
