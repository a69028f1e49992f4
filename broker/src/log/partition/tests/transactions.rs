//! Open, committed and aborted transactions, also after a crash and when files are damaged.

use std::collections::BTreeMap;
use std::fs;

use proptest::prelude::*;
use wire::record::EndMarker;

use crate::log::config::LogConfig;
use crate::log::error::AppendError;
use crate::log::partition::{Origin, Partition};
use crate::log::tests::{Fault, Lab, abort, commit, committed, produced, send, values};

fn only(values: &[(i64, &str)]) -> Vec<(i64, String)> {
    values.iter().map(|(offset, value)| (*offset, (*value).to_owned())).collect()
}

#[test]
fn consumers_of_committed_records_wait_for_the_oldest_open_transaction() {
    let lab = Lab::new();
    let partition = lab.open();
    partition.append(&mut values(&["plain"])).unwrap();
    send(&partition, (1, 0, 0), "k", "first").unwrap();
    send(&partition, (2, 0, 0), "k", "second").unwrap();
    partition.append(&mut values(&["later"])).unwrap();
    assert_eq!(partition.last_stable_offset(), 1);
    assert_eq!(committed(&partition, 1000), only(&[(0, "plain")]));
    assert_eq!(commit(&partition, 2, 0), 4);
    assert_eq!(partition.last_stable_offset(), 1, "the older one is still open");
    assert_eq!(abort(&partition, 1, 0), 5);
    assert_eq!(partition.last_stable_offset(), 6);
    assert_eq!(committed(&partition, 1000), only(&[(0, "plain"), (2, "second"), (3, "later")]));
    assert_eq!(committed(&partition, 1), only(&[(0, "plain"), (2, "second"), (3, "later")]));
}

#[test]
fn the_index_of_aborted_transactions_has_kafka_s_bytes() {
    let lab = Lab::new();
    let partition = lab.open();
    send(&partition, (7, 0, 0), "k", "v").unwrap();
    send(&partition, (8, 0, 0), "k", "v").unwrap();
    commit(&partition, 9, 0);
    assert!(lab.files("txnindex").is_empty(), "no file without an aborted transaction");
    abort(&partition, 8, 0);
    abort(&partition, 7, 0);
    let entry = |fields: [i64; 4]| {
        let fields = fields.iter().flat_map(|field| field.to_be_bytes());
        [0, 0].into_iter().chain(fields).collect::<Vec<u8>>()
    };
    // producer, first offset, marker, last stable offset then
    let wanted = [entry([8, 1, 3, 0]), entry([7, 0, 4, 5])].concat();
    assert_eq!(fs::read(lab.path("00000000000000000000.txnindex")).unwrap(), wanted);
}

#[test]
fn a_transaction_begins_only_with_the_coordinator_s_word() {
    let lab = Lab::new();
    let partition = lab.open();
    let batch = |sequence| {
        let mut builder = wire::record::BatchBuilder::new(wire::record::Compression::None)
            .producer(7, 0, sequence)
            .transactional();
        builder.append(0, None, Some(b"v"), &[]).unwrap();
        builder.finish().unwrap().to_vec()
    };
    let refused = partition.append(&mut batch(0)).unwrap_err();
    assert_eq!(refused.error_code().code(), 48);
    let word = partition.unverified(7);
    abort(&partition, 7, 0);
    // the transaction that the coordinator spoke of has ended meanwhile
    let late = partition.append_verified(&mut batch(0), word).unwrap_err();
    assert!(matches!(late, AppendError::InvalidTxnState { producer_id: 7, .. }));
    let word = partition.unverified(7);
    partition.append_verified(&mut batch(0), word).unwrap();
    assert_eq!(partition.unverified(7), None, "it is open, no word is needed");
    partition.append(&mut batch(1)).unwrap();
    assert!(partition.append(&mut batch(1)).unwrap().duplicate);
    let outside = partition.append(&mut produced(7, 0, 2, 1)).unwrap_err();
    assert_eq!(outside.error_code().code(), 48, "{outside}");
    commit(&partition, 7, 0);
    partition.append(&mut produced(7, 0, 2, 1)).unwrap();
}

#[test]
fn markers_fence_older_producers_and_older_coordinators() {
    let lab = Lab::new();
    let partition = lab.open();
    send(&partition, (7, 0, 0), "k", "v").unwrap();
    let marker = |coordinator_epoch| EndMarker { committed: false, coordinator_epoch };
    partition.append_marker(7, 1, marker(5)).unwrap();
    let zombie = send(&partition, (7, 0, 1), "k", "v").unwrap_err();
    assert!(matches!(zombie, AppendError::InvalidProducerEpoch { current: 1, found: 0, .. }));
    let old_epoch = partition.append_marker(7, 0, marker(5)).unwrap_err();
    assert_eq!(old_epoch.error_code().code(), 47);
    let old_coordinator = partition.append_marker(7, 1, marker(4)).unwrap_err();
    assert_eq!(old_coordinator.error_code().code(), 52);
    let before = fs::read(lab.path("00000000000000000000.txnindex")).unwrap();
    partition.append_marker(7, 1, marker(5)).unwrap();
    let after = fs::read(lab.path("00000000000000000000.txnindex")).unwrap();
    assert_eq!(before, after, "a marker that is repeated ends nothing");
    assert_eq!(partition.last_stable_offset(), partition.log_end_offset());
}

/// Three producers, each with transactions over several segments; one is open at the end.
fn fill(lab: &Lab) -> Partition {
    let partition = lab.open();
    for round in 0..12 {
        for id in 0..3 {
            for part in 0..3 {
                let value = format!("{id}/{round}/{part}");
                send(&partition, (id, 0, round * 3 + part), "k", &value).unwrap();
            }
        }
        abort(&partition, 0, 0);
        commit(&partition, 1, 0);
        if round < 11 {
            if round % 2 == 0 {
                abort(&partition, 2, 0)
            } else {
                commit(&partition, 2, 0)
            };
        }
    }
    partition
}

#[test]
fn a_crash_and_damaged_files_leave_transactions_as_they_were() {
    let lab = Lab::small();
    let partition = fill(&lab);
    let wanted = (committed(&partition, 300), partition.last_stable_offset());
    assert!(partition.segment_count() > 5);
    let index = |lab: &Lab| -> BTreeMap<String, Vec<u8>> {
        let read = |name: String| (name.clone(), fs::read(lab.path(&name)).unwrap());
        lab.files("txnindex").into_iter().map(read).collect()
    };
    let indexes = index(&lab);
    assert!(indexes.len() > 3);
    drop(partition);
    let check = |partition: Partition, what: &str| {
        assert_eq!((committed(&partition, 300), partition.last_stable_offset()), wanted, "{what}");
        assert_eq!(index(&lab), indexes, "{what}");
        partition
    };
    let partition = check(lab.open(), "a crash");
    partition.close().unwrap();
    drop(partition);
    drop(check(lab.open_clean().0, "a clean stop"));
    for name in lab.files("snapshot") {
        fs::remove_file(lab.path(&name)).unwrap();
    }
    drop(check(lab.open(), "snapshots are lost"));
    for name in indexes.keys() {
        let damaged = &indexes[name][..indexes[name].len() - 1];
        fs::write(lab.path(name), damaged).unwrap();
    }
    drop(check(lab.open_clean().0, "indexes are cut off"));
    for (name, content) in &indexes {
        fs::write(lab.path(name), vec![0xff; content.len()]).unwrap();
    }
    let partition = check(lab.open_clean().0, "indexes hold something else");
    // the transaction that was open goes on, and ends
    send(&partition, (2, 0, 36), "k", "goes on").unwrap();
    commit(&partition, 2, 0);
    assert_eq!(partition.last_stable_offset(), partition.log_end_offset());
    assert_eq!(committed(&partition, 300).last().unwrap().1, "goes on");
}

#[test]
fn an_abort_that_cannot_be_indexed_is_not_written() {
    let lab = Lab::new();
    let partition = lab.open();
    send(&partition, (7, 0, 0), "k", "v").unwrap();
    let marker = EndMarker { committed: false, coordinator_epoch: 0 };
    for fault in [Fault::Open, Fault::WriteFull { after: 20 }] {
        lab.disk.fail(fault);
        assert!(partition.append_marker(7, 0, marker).is_err(), "{fault:?}");
        assert_eq!((partition.log_end_offset(), partition.last_stable_offset()), (1, 0), "{fault:?}");
    }
    abort(&partition, 7, 0);
    send(&partition, (7, 0, 1), "k", "v").unwrap();
    let indexed = fs::read(lab.path("00000000000000000000.txnindex")).unwrap();
    assert_eq!(indexed.len(), 34);
    assert!(committed(&partition, 1000).is_empty());
    abort(&partition, 7, 0);
    assert!(committed(&partition, 1000).is_empty());
}

#[test]
fn what_was_deleted_holds_nobody_up() {
    let lab = Lab::with(LogConfig { retention_bytes: 0, ..Lab::small().config });
    let partition = fill(&lab);
    let end = partition.log_end_offset();
    assert!(partition.last_stable_offset() < end);
    let indexes = lab.files("txnindex").len();
    partition.apply_retention(crate::log::tests::NOON).unwrap();
    assert!(lab.files("txnindex").len() < indexes, "indexes go with their segments");
    partition.delete_records_before(end).unwrap();
    assert_eq!(partition.last_stable_offset(), end, "the open transaction has no records left");
    assert!(committed(&partition, 300).is_empty());
}

/// The power failed when the log's start was durable and the log before it was not: nothing was left of it but a snapshot from
/// before the marker, and its transaction was open for ever.
#[test]
fn a_snapshot_from_before_the_first_segment_opens_no_transaction() {
    let lab = Lab::small();
    let partition = lab.open();
    send(&partition, (7, 0, 0), "k", "v").unwrap();
    while partition.segment_count() < 2 {
        partition.append(&mut values(&["filler"])).unwrap();
    }
    abort(&partition, 7, 0);
    assert_eq!(lab.files("snapshot").len(), 1);
    let log_start = partition.log_end_offset() + 10;
    drop(partition);
    let (partition, _) = Partition::open(Origin { log_start, ..lab.origin(false, 0) }).unwrap();
    assert_eq!(partition.append(&mut values(&["later"])).unwrap().base_offset, log_start);
    assert_eq!(partition.last_stable_offset(), log_start + 1);
    assert_eq!(committed(&partition, 1000), only(&[(log_start, "later")]));
}

/// One step of a producer.
#[derive(Debug, Clone, Copy)]
enum Step {
    Send(i64),
    Commit(i64),
    Abort(i64),
    Plain,
    Restart(bool),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..4i64).prop_map(Step::Send),
        2 => (0..4i64).prop_map(Step::Commit),
        2 => (0..4i64).prop_map(Step::Abort),
        1 => Just(Step::Plain),
        1 => any::<bool>().prop_map(Step::Restart),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Whatever happens in whatever order: exactly what is committed is seen, up to the oldest open transaction.
    #[test]
    fn exactly_what_is_committed_is_seen(steps in prop::collection::vec(step(), 1..120), bytes in 1..900u32) {
        let lab = Lab::small();
        let mut partition = lab.open();
        let (mut visible, mut open) = (BTreeMap::new(), BTreeMap::<i64, BTreeMap<i64, String>>::new());
        let mut sequences = [0; 4];
        for (number, step) in steps.into_iter().enumerate() {
            match step {
                Step::Send(id) => {
                    let sequence = &mut sequences[id as usize];
                    let sent = send(&partition, (id, 0, *sequence), "k", &number.to_string()).unwrap();
                    *sequence += 1;
                    open.entry(id).or_default().insert(sent.base_offset, number.to_string());
                }
                Step::Commit(id) => {
                    commit(&partition, id, 0);
                    visible.extend(open.remove(&id).unwrap_or_default());
                }
                Step::Abort(id) => {
                    abort(&partition, id, 0);
                    open.remove(&id);
                }
                Step::Plain => {
                    let offset = partition.append(&mut values(&["plain"])).unwrap().base_offset;
                    visible.insert(offset, "plain".to_owned());
                }
                Step::Restart(clean) => {
                    if clean {
                        partition.close().unwrap();
                    }
                    drop(partition);
                    partition = lab.open_as(clean, 0).0;
                }
            }
            let first_open = open.values().filter_map(|sent| sent.keys().next()).min();
            let end = first_open.copied().unwrap_or_else(|| partition.log_end_offset());
            prop_assert_eq!(partition.last_stable_offset(), end);
        }
        let end = partition.last_stable_offset();
        let wanted: Vec<_> = visible.into_iter().filter(|(offset, _)| *offset < end).collect();
        prop_assert_eq!(committed(&partition, bytes), wanted);
    }
}
