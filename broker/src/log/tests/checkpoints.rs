//! The text files that keep offsets and epochs.

use std::fs;

use crate::log::RealDisk;
use crate::log::checkpoint::{self, Offsets};
use crate::log::epochs::LeaderEpochs;

#[test]
fn offsets_are_written_as_kafka_writes_them() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(checkpoint::RECOVERY_POINTS);
    let offsets = Offsets::from([(("nginx_log".to_owned(), 0), 17), (("a-b.c".to_owned(), 12), 0)]);
    checkpoint::write(&RealDisk, &path, &offsets).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "0\n2\na-b.c 12 0\nnginx_log 0 17\n");
    assert_eq!(checkpoint::read(&path).unwrap(), offsets);
}

#[test]
fn a_malformed_checkpoint_counts_as_empty() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("checkpoint");
    assert_eq!(checkpoint::read(&path).unwrap(), Offsets::new());
    for text in ["", "0\n", "1\n0\n", "0\n2\nt 0 1\n", "0\n1\nt 0\n", "0\n1\nt zero 1\n", "\u{0}\u{0}\u{0}"] {
        fs::write(&path, text).unwrap();
        assert_eq!(checkpoint::read(&path).unwrap(), Offsets::new(), "{text:?}");
    }
    fs::write(&path, [0xff, 0xfe]).unwrap();
    assert_eq!(checkpoint::read(&path).unwrap(), Offsets::new());
}

#[test]
fn an_epoch_is_noted_once_and_survives() {
    let dir = tempfile::tempdir().unwrap();
    let mut epochs = LeaderEpochs::default();
    assert_eq!(epochs.latest(), 0);
    epochs.begin(&RealDisk, dir.path(), 0, 0).unwrap();
    epochs.begin(&RealDisk, dir.path(), 0, 5).unwrap();
    epochs.begin(&RealDisk, dir.path(), 3, 10).unwrap();
    let text = fs::read_to_string(dir.path().join("leader-epoch-checkpoint")).unwrap();
    assert_eq!(text, "0\n2\n0 0\n3 10\n");
    assert_eq!(LeaderEpochs::load(&RealDisk, dir.path(), 0, 20).unwrap(), epochs);
    assert_eq!(epochs.latest(), 3);
}

#[test]
fn an_epoch_ends_where_the_next_begins() {
    let dir = tempfile::tempdir().unwrap();
    let mut epochs = LeaderEpochs::default();
    epochs.begin(&RealDisk, dir.path(), 1, 0).unwrap();
    epochs.begin(&RealDisk, dir.path(), 4, 10).unwrap();
    assert_eq!(epochs.end_offset(-1, 20), None);
    assert_eq!(epochs.end_offset(0, 20), Some((0, 0)), "it ended before the first that is known");
    assert_eq!(epochs.end_offset(1, 20), Some((1, 10)));
    assert_eq!(epochs.end_offset(3, 20), Some((1, 10)));
    assert_eq!(epochs.end_offset(4, 20), Some((4, 20)));
    assert_eq!(epochs.end_offset(9, 20), None);
}

#[test]
fn epochs_follow_the_log_when_it_is_cut_at_either_end() {
    let dir = tempfile::tempdir().unwrap();
    let mut epochs = LeaderEpochs::default();
    for (epoch, offset) in [(0, 0), (1, 10), (2, 20)] {
        epochs.begin(&RealDisk, dir.path(), epoch, offset).unwrap();
    }
    let load = |start, end| LeaderEpochs::load(&RealDisk, dir.path(), start, end).unwrap();
    epochs.truncate_before(12);
    assert_eq!(epochs.starts(), [(1, 12), (2, 20)]);
    assert_eq!(load(12, 25), epochs, "the file has not learned it");
    assert_eq!(load(0, 15).starts(), [(0, 0), (1, 10)]);
}

/// The log was cut before the epoch and grew on: the records there were not of it.
#[test]
fn an_epoch_that_the_log_lost_does_not_come_back_when_the_log_has_grown() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("leader-epoch-checkpoint"), "0\n2\n0 0\n5 20\n").unwrap();
    let load = |end| LeaderEpochs::load(&RealDisk, dir.path(), 0, end).unwrap();
    assert_eq!(load(15).starts(), [(0, 0)]);
    assert_eq!(load(25).starts(), [(0, 0)]);
}

#[test]
fn a_malformed_epoch_file_counts_as_empty() {
    let dir = tempfile::tempdir().unwrap();
    for text in ["0\n2\n1 0\n1 5\n", "0\n1\n", "0\n1\nx 0\n"] {
        fs::write(dir.path().join("leader-epoch-checkpoint"), text).unwrap();
        assert_eq!(
            LeaderEpochs::load(&RealDisk, dir.path(), 0, 9).unwrap(),
            LeaderEpochs::default(),
            "{text:?}"
        );
    }
}
