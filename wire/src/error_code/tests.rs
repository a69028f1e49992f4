//! Tests of the error codes.

use kafka_protocol_018::error::ResponseError;

use super::ErrorCode;

#[test]
fn codes_are_consecutive_and_read_back() {
    for (code, error) in (-1..=128).zip(ErrorCode::ALL) {
        assert_eq!(error.code(), code);
        assert_eq!(ErrorCode::from_code(code), *error);
    }
    assert_eq!(ErrorCode::ALL.len(), 130);
}

#[test]
fn an_unknown_code_reads_as_an_unknown_server_error() {
    assert_eq!(ErrorCode::from_code(1000), ErrorCode::UnknownServerError);
    assert_eq!(ErrorCode::from_code(i16::MIN), ErrorCode::UnknownServerError);
}

#[test]
fn names_and_retriability_agree_with_another_implementation() {
    // Kafka 3.9.1 itself retries after error 51, unlike that implementation.
    let deviating = [ErrorCode::ConcurrentTransactions];
    for error in ErrorCode::ALL.iter().filter(|error| !deviating.contains(error)) {
        let Some(theirs) = ResponseError::try_from_code(error.code()) else {
            assert_eq!(*error, ErrorCode::None);
            continue;
        };
        assert_eq!(format!("{error:?}"), format!("{theirs:?}"));
        assert_eq!(error.is_retriable(), theirs.is_retriable(), "{error:?}");
    }
    assert!(ErrorCode::ConcurrentTransactions.is_retriable());
}

#[test]
fn messages_are_sentences() {
    for error in ErrorCode::ALL {
        let message = error.to_string();
        assert!(message.ends_with('.') && message.starts_with(char::is_uppercase), "{message}");
    }
}

#[test]
fn check_passes_none_only() {
    assert_eq!(ErrorCode::check(0), Ok(()));
    assert_eq!(ErrorCode::check(3), Err(ErrorCode::UnknownTopicOrPartition));
    assert_eq!(ErrorCode::check(999), Err(ErrorCode::UnknownServerError));
}
