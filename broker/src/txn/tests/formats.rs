//! The records of `__transaction_state`, byte by byte.

use bytes::Bytes;

use super::super::describe::describe;
use super::super::records;
use super::super::state::{State, Transaction};
use super::*;

fn sample(state: State) -> Transaction {
    Transaction {
        producer_id: 258,
        last_producer_id: -1,
        producer_epoch: 3,
        last_producer_epoch: -1,
        timeout_ms: 1000,
        state,
        partitions: if state == State::Empty { Partitions::new() } else { partitions(&[("t", 1), ("t", 2)]) },
        start_ms: 5,
        updated_ms: 6,
    }
}

const HEAD: &[u8] = b"\0\0\0\0\0\0\0\0\x01\x02\0\x03\0\0\x03\xe8";
const TIMES: &[u8] = b"\0\0\0\0\0\0\0\x06\0\0\0\0\0\0\0\x05";

#[test]
fn golden_records() {
    assert_eq!(&records::key("tx").unwrap()[..], b"\0\0\0\x02tx");
    let topics = b"\0\0\0\x01\0\x01t\0\0\0\x02\0\0\0\x01\0\0\0\x02";
    let ongoing = [HEAD, b"\x01", topics, TIMES].concat();
    assert_eq!(records::value(&sample(State::Ongoing)).unwrap(), ongoing);
    let empty = [HEAD, b"\0", b"\xff\xff\xff\xff", TIMES].concat();
    assert_eq!(records::value(&sample(State::Empty)).unwrap(), empty);
    for state in [State::Empty, State::Ongoing, State::PrepareAbort] {
        let value = records::value(&sample(state)).unwrap();
        assert_eq!(records::read_value(value).unwrap(), Some(sample(state)));
    }
    assert_eq!(records::read_key(Bytes::from_static(b"\0\0\0\x02tx")).unwrap().as_deref(), Some("tx"));
}

/// Kafka writes it once the feature transaction.version is 1.
#[test]
fn the_flexible_form_is_read() {
    let topics = b"\x02\x02t\x03\0\0\0\x01\0\0\0\x02\x01\x09\x02xy";
    let value = [&b"\0\x01"[..], &HEAD[2..], b"\x01", topics, TIMES, b"\0"].concat();
    assert_eq!(records::read_value(Bytes::from(value)).unwrap(), Some(sample(State::Ongoing)));
}

#[test]
fn what_is_not_known_is_skipped_and_what_is_broken_is_an_error() {
    assert_eq!(records::read_key(Bytes::from_static(b"\0\x01\0\x02tx")).unwrap(), None);
    assert_eq!(records::read_value(Bytes::from_static(b"\0\x02rest")).unwrap(), None);
    let odd = [HEAD, b"\x63", b"\xff\xff\xff\xff", TIMES].concat();
    assert_eq!(records::read_value(Bytes::from(odd)).unwrap(), None, "a state of the future");
    let value = records::value(&sample(State::Ongoing)).unwrap();
    for cut in 2..value.len() {
        assert!(records::read_value(value.slice(..cut)).is_err(), "cut at {cut}");
    }
}

/// As kafka.tools.DumpLogSegments of Kafka 3.9.1 prints them with --transaction-log-decoder.
#[test]
fn records_are_shown_as_kafka_shows_them() {
    let key = records::key("tx").unwrap();
    let value = records::value(&sample(State::Ongoing)).unwrap();
    let shown = |text: &str| Some(serde_json::Value::from(text));
    assert_eq!(
        describe(Some(&key), Some(&value)),
        (
            shown("transaction_metadata::transactionalId=tx"),
            shown(
                "producerId:258,producerEpoch:3,state=Ongoing,partitions=[t-1,t-2],txnLastUpdateTimestamp=6,\
                 txnTimeoutMs=1000"
            )
        )
    );
    assert_eq!(describe(Some(&key), None).1, shown("<DELETE>"));
    assert_eq!(describe(Some(b"?"), Some(b"text")), (shown("?"), shown("text")));
}
