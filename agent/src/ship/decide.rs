//! What to do about a failure: the one place that decides what is retried, and how.
//!
//! Nothing is ever dropped for an error. What differs is whether the same batch is sent again, a new producer id is needed
//! first, or the batch is cut; and whether the broker may have appended the batch although it did not say so.

use wire::error_code::ErrorCode;
use wire::record::RecordError;

use super::connection::CallError;
use crate::checkpoint::CheckpointError;

/// Why a batch is not acknowledged.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// No answer came.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The broker refused.
    #[error("the broker answered: {0}")]
    Refused(ErrorCode),
    /// The cluster names no leader, or the topic does not exist yet.
    #[error("no leader is known for the partition")]
    NoLeader,
    /// The intent cannot be recorded, so the batch must not be sent.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The batch cannot be built.
    #[error("cannot build the batch: {0}")]
    Build(#[from] RecordError),
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// Send the same bytes again after a pause.
    Retry,
    /// Look for the leader, then as [`Action::Retry`].
    FindLeader,
    /// Take a new producer id and number the batches anew.
    Renew,
    /// Cut the batch in two.
    Shrink,
}

/// How a failure is dealt with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) action: Action,
    /// The broker may have appended the batch.
    pub(super) maybe_appended: bool,
    /// It does not pass by itself: an operator has to see it.
    pub(super) lasting: bool,
}

/// Whether the code says that the batch is in the log.
pub(super) fn is_success(code: ErrorCode) -> bool {
    matches!(code, ErrorCode::None | ErrorCode::DuplicateSequenceNumber)
}

/// The verdict on a failure.
pub(super) fn decide(failure: &Failure) -> Verdict {
    match failure {
        Failure::Call(error) => Verdict {
            action: Action::FindLeader,
            maybe_appended: error.outcome_unknown(),
            lasting: error.is_lasting(),
        },
        Failure::Refused(code) => decide_code(*code),
        Failure::NoLeader => Verdict { action: Action::FindLeader, maybe_appended: false, lasting: false },
        Failure::Checkpoint(_) | Failure::Build(_) => {
            Verdict { action: Action::Retry, maybe_appended: false, lasting: true }
        }
    }
}

fn decide_code(code: ErrorCode) -> Verdict {
    use ErrorCode as E;
    let action = match code {
        E::OutOfOrderSequenceNumber
        | E::UnknownProducerId
        | E::InvalidProducerEpoch
        | E::InvalidProducerIdMapping
        | E::ProducerFenced => Action::Renew,
        E::MessageTooLarge | E::RecordListTooLarge => Action::Shrink,
        E::UnknownTopicOrPartition
        | E::LeaderNotAvailable
        | E::NotLeaderOrFollower
        | E::ReplicaNotAvailable
        | E::NetworkException
        | E::KafkaStorageError
        | E::FencedLeaderEpoch
        | E::UnknownLeaderEpoch
        | E::UnknownTopicId => Action::FindLeader,
        _ => Action::Retry,
    };
    // answers that may come after the leader has appended
    let maybe_appended = matches!(
        code,
        E::UnknownServerError
            | E::NotLeaderOrFollower
            | E::RequestTimedOut
            | E::NetworkException
            | E::NotEnoughReplicasAfterAppend
            | E::KafkaStorageError
    );
    let lasting = action == Action::Retry && (!code.is_retriable() || code == E::CorruptMessage);
    Verdict { action, maybe_appended, lasting }
}
