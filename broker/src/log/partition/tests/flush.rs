use std::sync::Arc;
use std::thread;

use crate::log::config::LogConfig;
use crate::log::error::StorageError;
use crate::log::tests::{Fault, Lab, NOON, read_values, values};

#[test]
fn a_flush_moves_the_durable_offset() {
    let lab = Lab::new();
    let partition = lab.open();
    partition.append(&mut values(&["a", "b"])).unwrap();
    assert_eq!(partition.flushed_offset(), 0);
    partition.flush_to(1).unwrap();
    // everything there is goes with it
    assert_eq!(partition.flushed_offset(), 2);
    let syncs = lab.disk.syncs();
    partition.flush_to(2).unwrap();
    assert_eq!(lab.disk.syncs(), syncs, "nothing to do");
}

#[test]
fn an_offset_beyond_the_end_waits_for_the_end_only() {
    let lab = Lab::new();
    let partition = lab.open();
    partition.append(&mut values(&["a"])).unwrap();
    partition.flush_to(i64::MAX).unwrap();
    assert_eq!(partition.flushed_offset(), 1);
}

#[test]
fn one_flush_serves_all_who_asked_before_it() {
    let lab = Lab::new();
    let partition = lab.open();
    let mut leaders = 0;
    for number in 1..=100 {
        partition.append(&mut values(&["a"])).unwrap();
        leaders += usize::from(partition.request_flush(number));
    }
    assert_eq!(leaders, 1);
    let syncs = lab.disk.syncs();
    partition.run_flushes();
    assert_eq!(lab.disk.syncs(), syncs + 1);
    assert_eq!(partition.flushed_offset(), 100);
}

#[test]
fn threads_that_append_and_flush_all_return() {
    let lab = Lab::small();
    let partition = Arc::new(lab.open());
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..50 {
                    let appended = partition.append(&mut values(&["a"])).unwrap();
                    partition.flush_to(appended.last_offset + 1).unwrap();
                    assert!(partition.flushed_offset() > appended.last_offset);
                }
            });
        }
    });
    assert_eq!(partition.flushed_offset(), 200);
}

#[tokio::test]
async fn many_requests_wait_for_a_flush_without_a_thread_each() {
    let lab = Lab::new();
    let partition = Arc::new(lab.open());
    let mut waiting = Vec::new();
    for _ in 0..100 {
        let appended = partition.append(&mut values(&["a"])).unwrap();
        let partition = Arc::clone(&partition);
        waiting.push(tokio::spawn(async move { partition.flushed_to(appended.last_offset + 1).await }));
    }
    for waiter in waiting {
        waiter.await.unwrap().unwrap();
    }
    assert_eq!(partition.flushed_offset(), 100);
    assert!(lab.disk.syncs() < 100, "{} flushes", lab.disk.syncs());
}

/// All of it was flushed while it grew; a start trusts the indexes of what is durable.
#[test]
fn the_indexes_of_a_segment_are_made_durable_once_it_is_rolled() {
    let lab = Lab::small();
    let partition = lab.open();
    while partition.segment_count() < 2 {
        partition.flush_to(partition.log_end_offset()).unwrap();
        partition.append(&mut values(&["a"])).unwrap();
    }
    let syncs = lab.disk.syncs();
    partition.flush_to(partition.log_end_offset()).unwrap();
    // both segments, and the time index of the first at least
    assert!(lab.disk.syncs() >= syncs + 3);
}

#[test]
fn a_failed_flush_takes_the_partition_offline_for_good() {
    let lab = Lab::new();
    let partition = lab.open();
    partition.append(&mut values(&["a"])).unwrap();
    lab.disk.fail(Fault::Sync);
    assert!(matches!(partition.flush_to(1), Err(StorageError::Offline(_))));
    assert!(partition.is_offline());
    // a second fdatasync would succeed, and lie
    let syncs = lab.disk.syncs();
    assert!(matches!(partition.flush_to(1), Err(StorageError::Offline(_))));
    assert_eq!((lab.disk.syncs(), partition.flushed_offset()), (syncs, 0));
    assert!(partition.append(&mut values(&["b"])).is_err());
    assert!(partition.close().is_err());
}

#[test]
fn a_directory_that_cannot_be_flushed_counts_as_a_failed_flush() {
    let lab = Lab::new();
    let partition = lab.open();
    partition.append(&mut values(&["a"])).unwrap();
    lab.disk.fail(Fault::SyncDir);
    assert!(partition.flush_to(1).is_err());
    assert!(partition.is_offline());
}

/// A roll that failed halfway, then a clean stop: the next process found the new segment's files and appended to them,
/// and the directory that a loss of power brought back had none.
#[test]
fn files_of_the_process_before_are_made_durable_with_the_first_flush() {
    let lab = Lab::small();
    let partition = lab.open();
    let large = "x".repeat(800);
    partition.append(&mut values(&[&large])).unwrap();
    lab.disk.fail(Fault::OpenOf("index"));
    partition.append(&mut values(&[&large])).unwrap_err();
    partition.close().unwrap();
    let (partition, _) = lab.open_clean();
    partition.append(&mut values(&["a"])).unwrap();
    lab.disk.fail(Fault::SyncDir);
    assert!(partition.flush_to(2).is_err(), "the directory was not flushed");
}

#[tokio::test]
async fn waiters_learn_of_a_failure() {
    let lab = Lab::new();
    let partition = Arc::new(lab.open());
    partition.append(&mut values(&["a"])).unwrap();
    lab.disk.fail(Fault::Sync);
    let waiters: Vec<_> = (0..10)
        .map(|_| {
            let partition = Arc::clone(&partition);
            tokio::spawn(async move { partition.flushed_to(1).await })
        })
        .collect();
    for waiter in waiters {
        assert!(matches!(waiter.await.unwrap(), Err(StorageError::Offline(_))));
    }
    assert!(partition.flushed_to(1).await.is_err());
}

#[test]
fn flush_messages_flushes_with_the_append() {
    let lab = Lab::with(LogConfig { flush_messages: 3, ..LogConfig::default() });
    let partition = lab.open();
    partition.append(&mut values(&["a", "b"])).unwrap();
    assert_eq!(partition.flushed_offset(), 0);
    partition.append(&mut values(&["c"])).unwrap();
    assert_eq!(partition.flushed_offset(), 3);
}

#[test]
fn flush_ms_flushes_with_a_tick() {
    let lab = Lab::with(LogConfig { flush_ms: 1000, ..LogConfig::default() });
    let partition = lab.open();
    partition.append(&mut values(&["a"])).unwrap();
    partition.flush_if_due(NOON + 999).unwrap();
    assert_eq!(partition.flushed_offset(), 0);
    partition.flush_if_due(NOON + 1000).unwrap();
    assert_eq!(partition.flushed_offset(), 1);
}

#[test]
fn segments_that_were_rolled_are_flushed_with_a_tick() {
    let lab = Lab::small();
    let partition = lab.open();
    for _ in 0..40 {
        partition.append(&mut values(&["some text"])).unwrap();
    }
    assert!(partition.segment_count() > 1);
    partition.flush_if_due(NOON).unwrap();
    assert_eq!(partition.flushed_offset(), 40);
    let syncs = lab.disk.syncs();
    partition.append(&mut values(&["a"])).unwrap();
    partition.flush_if_due(NOON).unwrap();
    assert_eq!(lab.disk.syncs(), syncs);
}

#[test]
fn a_deleted_topic_does_not_leave_anyone_waiting() {
    let lab = Lab::new();
    let partition = Arc::new(lab.open());
    partition.append(&mut values(&["a"])).unwrap();
    assert!(partition.request_flush(1), "someone is flushing and takes long");
    let waiter = {
        let partition = Arc::clone(&partition);
        thread::spawn(move || partition.flush_to(1))
    };
    partition.abandon();
    assert!(matches!(waiter.join().unwrap(), Err(StorageError::Closed(_))));
    assert!(partition.read(0, 100, true).is_err());
}

#[test]
fn closing_makes_everything_durable() {
    let lab = Lab::small();
    let partition = lab.open();
    for _ in 0..40 {
        partition.append(&mut values(&["some text"])).unwrap();
    }
    partition.close().unwrap();
    assert_eq!(partition.flushed_offset(), 40);
    let (partition, report) = lab.open_clean();
    assert_eq!(report, crate::log::RecoveryReport::default());
    assert_eq!(partition.flushed_offset(), 40);
    assert_eq!(read_values(&partition).len(), 40);
}

/// A clean stop's indexes are trusted by the next start: without a sync, a loss of power in between took the last
/// entries of a time index, and look-ups by time passed over records.
#[test]
fn a_clean_stop_makes_the_indexes_durable() {
    let lab = Lab::small();
    let partition = lab.open();
    for _ in 0..5 {
        partition.append(&mut values(&["a"])).unwrap();
    }
    partition.flush_to(5).unwrap();
    let syncs = lab.disk.syncs();
    partition.close().unwrap();
    assert_eq!(lab.disk.syncs(), syncs + 2);
    // what was not written to needs no sync
    let (partition, _) = lab.open_clean();
    let syncs = lab.disk.syncs();
    partition.close().unwrap();
    assert_eq!(lab.disk.syncs(), syncs);
}
