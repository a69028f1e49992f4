//! The body of the fuzz target of `__transaction_state`.

use bytes::Bytes;

use super::describe::describe;
use super::records::{key, read_key, read_value, value};
use super::state::{Partitions, State, Transaction};

/// Bytes as a record; the first one is the length of the key. What is read can be written and reads the same.
pub fn transaction_record(bytes: &[u8]) {
    let Some((len, rest)) = bytes.split_first() else { return };
    let (key_bytes, value_bytes) = rest.split_at(usize::from(*len).min(rest.len()));
    let (shown, _) = describe(Some(key_bytes), Some(value_bytes));
    assert!(shown.is_some(), "a key is always shown");
    if let Ok(Some(id)) = read_key(Bytes::copy_from_slice(key_bytes)) {
        let written = key(&id);
        let Ok(written) = written else { unreachable!("cannot write {written:?}") };
        assert_eq!(read_key(written), Ok(Some(id)), "an id is kept");
    }
    let Ok(Some(found)) = read_value(Bytes::copy_from_slice(value_bytes)) else { return };
    let written = value(&found);
    let Ok(written) = written else { unreachable!("cannot write {written:?}") };
    // an id without a transaction has no partitions
    let partitions = if found.state == State::Empty { Partitions::new() } else { found.partitions.clone() };
    assert_eq!(read_value(written), Ok(Some(Transaction { partitions, ..found })), "a state is kept");
}

/// Records as they are written, and one as a later version of Kafka writes it.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let id = key("tx").unwrap_or_default();
    let with = |value: &[u8]| [&[id.len() as u8][..], &id, value].concat();
    let ongoing = Transaction {
        producer_id: 258,
        last_producer_id: -1,
        producer_epoch: 3,
        last_producer_epoch: -1,
        timeout_ms: 60_000,
        state: State::Ongoing,
        partitions: [("t".to_owned(), [1, 2].into()), ("u".to_owned(), [0].into())].into(),
        start_ms: 5,
        updated_ms: 6,
    };
    let empty = Transaction { state: State::Empty, partitions: Partitions::new(), ..ongoing.clone() };
    let written = [value(&ongoing), value(&empty)];
    let mut seeds: Vec<Vec<u8>> = written.iter().flatten().map(|value| with(value)).collect();
    seeds.push(with(
        b"\0\x01\0\0\0\0\0\0\x01\x02\0\x03\0\0\x03\xe8\x01\x02\x02t\x03\0\0\0\x01\0\0\0\x02\x01\x09\x02xy\
          \0\0\0\0\0\0\0\x06\0\0\0\0\0\0\0\x05\0",
    ));
    seeds
}
