use std::fs;

use wire::record::{BatchHeader, EndMarker};

use super::{AppendOrigin, BATCHES, Producers, Verdict, snapshot};
use crate::log::RealDisk;
use crate::log::error::AppendError;
use crate::log::tests::{NOON, produced};

fn header(id: i64, epoch: i16, base_sequence: i32, count: i32, base_offset: i64) -> BatchHeader {
    let mut bytes = produced(id, epoch, base_sequence, count);
    wire::record::batch::set_base_offset(&mut bytes, base_offset);
    BatchHeader::parse(&bytes).unwrap()
}

impl Producers {
    /// Judges what a client sends outside of transactions.
    fn check(&self, batch: &BatchHeader) -> Result<Verdict, AppendError> {
        self.judge(batch, AppendOrigin::Client(None))
    }
}

/// Producer 7, epoch 1, with batches of ten records from sequence 0 and offset 100 on.
fn after_batches(count: i32) -> Producers {
    let mut producers = Producers::default();
    for number in 0..count {
        producers.note(&header(7, 1, 10 * number, 10, 100 + 10 * i64::from(number)), NOON);
    }
    producers
}

fn is_out_of_order(result: Result<Verdict, AppendError>) -> bool {
    matches!(result, Err(AppendError::OutOfOrderSequence { .. }))
}

#[test]
fn the_next_sequence_is_appended() {
    assert_eq!(after_batches(3).check(&header(7, 1, 30, 10, 0)).unwrap(), Verdict::Append);
}

#[test]
fn each_of_the_last_five_batches_is_recognised_with_its_first_offset() {
    let producers = after_batches(8);
    for number in 3..8 {
        let Verdict::Duplicate(original) = producers.check(&header(7, 1, 10 * number, 10, 0)).unwrap() else {
            panic!("batch {number} was not recognised");
        };
        let base_offset = 100 + 10 * i64::from(number);
        assert_eq!((original.base_offset, original.last_offset), (base_offset, base_offset + 9));
    }
    assert!(is_out_of_order(producers.check(&header(7, 1, 20, 10, 0))));
}

#[test]
fn part_of_a_batch_is_no_duplicate() {
    assert!(is_out_of_order(after_batches(3).check(&header(7, 1, 20, 5, 0))));
    assert!(is_out_of_order(after_batches(3).check(&header(7, 1, 25, 5, 0))));
}

#[test]
fn a_gap_is_out_of_order_and_says_what_was_expected() {
    let error = after_batches(3).check(&header(7, 1, 40, 10, 0)).unwrap_err();
    assert_eq!(error.to_string(), "producer 7 sent sequence 40, expected 30");
    assert_eq!(error.error_code().code(), 45);
}

#[test]
fn an_unknown_producer_may_begin_in_mid_sequence() {
    assert_eq!(after_batches(3).check(&header(8, 0, 12_345, 10, 0)).unwrap(), Verdict::Append);
}

#[test]
fn an_older_epoch_is_refused() {
    let error = after_batches(3).check(&header(7, 0, 30, 10, 0)).unwrap_err();
    assert!(matches!(error, AppendError::InvalidProducerEpoch { current: 1, found: 0, .. }));
    assert_eq!(error.error_code().code(), 47);
}

#[test]
fn a_newer_epoch_begins_with_sequence_0() {
    let mut producers = after_batches(3);
    assert!(is_out_of_order(producers.check(&header(7, 2, 30, 10, 0))));
    let first = header(7, 2, 0, 10, 130);
    assert_eq!(producers.check(&first).unwrap(), Verdict::Append);
    producers.note(&first, NOON);
    // the batches of the old epoch are forgotten with it
    assert!(matches!(
        producers.check(&header(7, 1, 20, 10, 0)),
        Err(AppendError::InvalidProducerEpoch { .. })
    ));
    assert!(matches!(producers.check(&header(7, 2, 0, 10, 0)), Ok(Verdict::Duplicate(_))));
}

#[test]
fn sequences_go_from_the_largest_to_0() {
    let mut producers = Producers::default();
    let across = header(7, 0, i32::MAX - 4, 10, 0);
    assert_eq!(across.last_sequence(), 4);
    producers.note(&across, NOON);
    assert!(matches!(producers.check(&across), Ok(Verdict::Duplicate(_))));
    assert_eq!(producers.check(&header(7, 0, 5, 1, 0)).unwrap(), Verdict::Append);
    producers.note(&header(7, 0, 5, 10, 10), NOON);
    let mut producers = Producers::default();
    producers.note(&header(7, 0, i32::MAX - 9, 10, 0), NOON);
    assert_eq!(producers.check(&header(7, 0, 0, 1, 0)).unwrap(), Verdict::Append);
}

#[test]
fn batches_without_a_producer_leave_no_trace() {
    let mut producers = Producers::default();
    let mut plain = header(7, 0, 0, 1, 0);
    plain.producer_id = -1;
    producers.note(&plain, NOON);
    assert_eq!(producers.len(), 0);
    assert_eq!(producers.check(&plain).unwrap(), Verdict::Append);
}

#[test]
fn silent_producers_are_forgotten_after_their_time() {
    let mut producers = after_batches(1);
    producers.note(&header(9, 0, 0, 1, 110), NOON + 1000);
    producers.expire(NOON + 1500, 1000);
    assert_eq!(producers.iter().map(|(id, _)| id).collect::<Vec<_>>(), [9]);
}

#[test]
fn the_number_of_producers_is_bounded_and_the_most_silent_go() {
    let mut producers = Producers::default();
    for id in 0..200 {
        producers.note(&header(id, 0, 0, 1, id), NOON + id);
        producers.limit(100);
        assert!(producers.len() <= 100);
    }
    let oldest = producers.iter().map(|(id, _)| id).min().unwrap();
    assert!(oldest >= 100, "{oldest} was kept");
}

#[test]
fn a_snapshot_keeps_every_batch_also_over_the_largest_sequence() {
    let dir = tempfile::tempdir().unwrap();
    let mut producers = after_batches(8);
    producers.note(&header(8, 3, i32::MAX - 4, 10, 500), NOON);
    snapshot::write(&RealDisk, dir.path(), 510, &producers).unwrap();
    assert_eq!(snapshot::list(dir.path()).unwrap(), [510]);
    let read = snapshot::read(dir.path(), 510).unwrap();
    assert_eq!(read, producers);
    assert_eq!(read.iter().find(|(id, _)| *id == 7).unwrap().1.batches.len(), BATCHES);
}

#[test]
fn a_snapshot_has_kafkas_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let mut producers = Producers::default();
    producers.note(&header(7, 1, 0, 10, 100), NOON);
    snapshot::write(&RealDisk, dir.path(), 110, &producers).unwrap();
    let bytes = fs::read(dir.path().join("00000000000000000110.snapshot")).unwrap();
    let mut wanted = vec![0, 1];
    wanted.extend(wire::crc32c(&bytes[6..]).to_be_bytes());
    wanted.extend(1i32.to_be_bytes());
    wanted.extend(7i64.to_be_bytes());
    wanted.extend(1i16.to_be_bytes());
    wanted.extend(9i32.to_be_bytes());
    wanted.extend(109i64.to_be_bytes());
    wanted.extend(9i32.to_be_bytes());
    wanted.extend(NOON.to_be_bytes());
    wanted.extend((-1i32).to_be_bytes());
    wanted.extend((-1i64).to_be_bytes());
    assert_eq!(bytes, wanted);
}

#[test]
fn a_damaged_snapshot_is_ignored_at_any_byte() {
    let dir = tempfile::tempdir().unwrap();
    snapshot::write(&RealDisk, dir.path(), 110, &after_batches(1)).unwrap();
    let path = snapshot::path(dir.path(), 110);
    let good = fs::read(&path).unwrap();
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 0x40;
        fs::write(&path, &bad).unwrap();
        assert_eq!(snapshot::read(dir.path(), 110), None, "byte {at}");
        fs::write(&path, &good[..at]).unwrap();
        assert_eq!(snapshot::read(dir.path(), 110), None, "cut at {at}");
    }
}

#[test]
fn a_producer_is_told_with_its_newest_batch() {
    let told: Vec<_> = after_batches(3).describe().collect();
    let [only] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!((only.id, only.epoch, only.last_sequence), (7, 1, 29));
    assert!(only.last_timestamp > 0);
}

fn transactional(id: i64, base_sequence: i32, base_offset: i64) -> BatchHeader {
    let mut header = header(id, 0, base_sequence, 1, base_offset);
    header.attributes |= 1 << 4;
    header
}

const COMMITTED: EndMarker = EndMarker { committed: true, coordinator_epoch: 3 };

#[test]
fn a_snapshot_keeps_open_transactions_and_producers_without_batches() {
    let dir = tempfile::tempdir().unwrap();
    let mut producers = Producers::default();
    producers.note(&transactional(7, 0, 100), NOON);
    producers.note(&transactional(7, 1, 101), NOON);
    producers.note(&transactional(8, 0, 102), NOON);
    producers.end(&header(9, 4, 0, 1, 103), COMMITTED, NOON);
    snapshot::write(&RealDisk, dir.path(), 104, &producers).unwrap();
    let mut read = snapshot::read(dir.path(), 104).unwrap();
    assert_eq!(read.first_unstable_offset(), Some(100));
    let marked = read.iter().find(|(id, _)| *id == 9).unwrap().1;
    assert_eq!((marked.epoch, marked.coordinator_epoch, marked.batches.len()), (4, 3, 0));
    // it begins with sequence 0
    assert_eq!(read.check(&header(9, 4, 0, 1, 0)).unwrap(), Verdict::Append);
    assert!(is_out_of_order(read.check(&header(9, 4, 1, 1, 0))));
    read.end(&header(7, 0, 0, 1, 105), COMMITTED, NOON);
    assert_eq!(read.first_unstable_offset(), Some(102));
    read.end(&header(8, 0, 0, 1, 106), COMMITTED, NOON);
    assert_eq!(read.first_unstable_offset(), None);
}

#[test]
fn a_producer_with_an_open_transaction_is_not_forgotten() {
    let mut producers = Producers::default();
    producers.note(&transactional(7, 0, 100), NOON);
    for id in 10..30 {
        producers.note(&header(id, 0, 0, 1, 100 + id), NOON + id);
        producers.limit(10);
    }
    producers.expire(NOON + 1_000_000, 1000);
    assert_eq!(producers.iter().map(|(id, _)| id).collect::<Vec<_>>(), [7]);
    producers.end(&header(7, 0, 0, 1, 200), COMMITTED, NOON);
    producers.expire(NOON + 1_000_000, 1000);
    assert_eq!(producers.len(), 0);
}

/// The offsets topic has no sequences; only the epoch of its producers is known.
#[test]
fn a_coordinator_s_batches_are_not_taken_for_repetitions() {
    let mut producers = Producers::default();
    let mut commit = transactional(7, 0, 100);
    commit.base_sequence = -1;
    let word = producers.unverified(7);
    let judged = producers.judge(&commit, AppendOrigin::Coordinator(word)).unwrap();
    assert_eq!(judged, Verdict::Append);
    producers.note(&commit, NOON);
    assert_eq!(producers.judge(&commit, AppendOrigin::Coordinator(None)).unwrap(), Verdict::Append);
    commit.producer_epoch = -1;
    assert!(producers.judge(&commit, AppendOrigin::Coordinator(None)).is_err(), "an older epoch");
}
