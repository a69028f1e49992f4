use super::*;

fn connection() -> Connection {
    Connection { bootstrap: "10.0.0.1:9092".to_owned(), timeout_ms: 100 }
}

#[test]
fn nobody_there_is_said_with_the_address_and_a_remedy() {
    for code in [RDKafkaErrorCode::BrokerTransportFailure, RDKafkaErrorCode::AllBrokersDown] {
        let failure = connection().failure("cannot list topics", &KafkaError::MetadataFetch(code));
        let Failure::Failed { message, remedy: Some(remedy) } = failure else { panic!("{failure:?}") };
        assert_eq!(message, "cannot list topics: no broker answers at 10.0.0.1:9092");
        assert!(remedy.contains("--bootstrap"), "{remedy}");
    }
}

#[test]
fn a_broker_s_refusal_is_said_in_its_words() {
    let error = KafkaError::MetadataFetch(RDKafkaErrorCode::TopicAuthorizationFailed);
    let Failure::Failed { message, remedy: None } = connection().failure("cannot x", &error) else {
        panic!()
    };
    assert_eq!(message, "cannot x: Topic authorization failed");
}

#[test]
fn the_programmer_s_half_of_an_error_is_left_out() {
    assert_eq!(plain("UnknownTopic (Broker: Unknown topic or partition)"), "Unknown topic or partition");
    assert_eq!(plain("Local: Timed out"), "Timed out");
    assert_eq!(plain("something else"), "something else");
}

#[test]
fn an_offset_outside_the_log_becomes_the_nearest_inside() {
    let bounds = Watermarks { start: 5, end: 9 };
    let clamped: Vec<i64> = [0, 5, 7, 9, 10, i64::MAX].map(|offset| bounds.clamp(offset)).to_vec();
    assert_eq!(clamped, [5, 5, 7, 9, 9, 9]);
    assert_eq!(Watermarks { start: 3, end: 3 }.clamp(i64::MIN), 3);
}
