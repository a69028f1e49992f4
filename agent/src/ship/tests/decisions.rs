//! Every error code has its verdict, and none of them drops a line.

use wire::error_code::ErrorCode;

use super::super::connection::CallError;
use super::super::decide::{Action, Failure, decide, is_success};

fn action(code: ErrorCode) -> Action {
    decide(&Failure::Refused(code)).action
}

#[test]
fn only_no_error_and_duplicate_are_success() {
    let success: Vec<_> = ErrorCode::ALL.iter().filter(|code| is_success(**code)).collect();
    assert_eq!(success, [&ErrorCode::None, &ErrorCode::DuplicateSequenceNumber]);
}

#[test]
fn what_kafka_calls_retriable_is_sent_again_as_it_is() {
    for &code in ErrorCode::ALL.iter().filter(|code| code.is_retriable()) {
        assert!(matches!(action(code), Action::Retry | Action::FindLeader), "{code:?}");
    }
}

#[test]
fn a_leader_is_looked_for_when_this_one_is_none() {
    for code in
        [ErrorCode::NotLeaderOrFollower, ErrorCode::LeaderNotAvailable, ErrorCode::UnknownTopicOrPartition]
    {
        assert_eq!(action(code), Action::FindLeader);
    }
    assert_eq!(decide(&Failure::NoLeader).action, Action::FindLeader);
}

#[test]
fn producer_troubles_take_a_new_id() {
    for code in [
        ErrorCode::OutOfOrderSequenceNumber,
        ErrorCode::UnknownProducerId,
        ErrorCode::InvalidProducerEpoch,
        ErrorCode::ProducerFenced,
    ] {
        assert_eq!(action(code), Action::Renew);
    }
}

#[test]
fn what_an_operator_must_mend_is_retried_loudly() {
    for code in [
        ErrorCode::TopicAuthorizationFailed,
        ErrorCode::ClusterAuthorizationFailed,
        ErrorCode::InvalidTopicException,
        ErrorCode::PolicyViolation,
        ErrorCode::InvalidTimestamp,
        ErrorCode::CorruptMessage,
    ] {
        let verdict = decide(&Failure::Refused(code));
        assert_eq!((verdict.action, verdict.lasting), (Action::Retry, true), "{code:?}");
    }
}

#[test]
fn a_batch_may_be_appended_when_the_answer_is_lost_or_came_after_the_append() {
    let lost = CallError::Lost { address: "broker:9092".into(), reason: "it closed the connection".into() };
    assert!(decide(&lost.into()).maybe_appended);
    let unreachable = CallError::Unreachable { address: "broker:9092".into(), reason: "refused".into() };
    assert!(!decide(&unreachable.into()).maybe_appended);
    for code in [ErrorCode::RequestTimedOut, ErrorCode::NotEnoughReplicasAfterAppend] {
        assert!(decide(&Failure::Refused(code)).maybe_appended);
    }
    for code in
        [ErrorCode::MessageTooLarge, ErrorCode::NotEnoughReplicas, ErrorCode::OutOfOrderSequenceNumber]
    {
        assert!(!decide(&Failure::Refused(code)).maybe_appended);
    }
}
