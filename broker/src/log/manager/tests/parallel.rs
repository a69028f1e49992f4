//! Many partitions at once.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::*;
use crate::log::manager::parallel::{Gate, in_parallel, waiting_threads};

#[test]
fn results_are_in_the_order_of_the_items() {
    let items: Vec<u64> = (0..100).collect();
    for threads in [1, 2, 16, 1000] {
        let slower_first = |item: &u64| -> Result<u64, ()> {
            std::thread::sleep(Duration::from_micros(100 - item));
            Ok(item * 2)
        };
        let doubled = in_parallel(&items, threads, slower_first).unwrap();
        assert_eq!(doubled, items.iter().map(|item| item * 2).collect::<Vec<_>>());
    }
    assert_eq!(in_parallel(&[], 4, |_: &u8| Err::<(), _>("nothing to do")), Ok(Vec::new()));
}

#[test]
fn nothing_is_begun_after_a_failure() {
    let begun = AtomicUsize::new(0);
    let items: Vec<usize> = (0..1000).collect();
    let work = |item: &usize| {
        begun.fetch_add(1, Ordering::SeqCst);
        if *item == 10 { Err("the eleventh") } else { Ok(()) }
    };
    assert_eq!(in_parallel(&items, 4, work), Err("the eleventh"));
    begun.store(0, Ordering::SeqCst);
    assert_eq!(in_parallel(&items, 1, work), Err("the eleventh"));
    assert_eq!(begun.load(Ordering::SeqCst), 11);
}

#[test]
fn a_gate_lets_so_many_through_at_a_time() {
    let gate = Gate::new(2);
    let (inside, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
    in_parallel(&[0; 50], 16, |_| -> Result<(), ()> {
        gate.pass(|| {
            most.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            std::thread::sleep(Duration::from_millis(1));
            inside.fetch_sub(1, Ordering::SeqCst);
        });
        Ok(())
    })
    .unwrap();
    assert!((1..=2).contains(&most.load(Ordering::SeqCst)));
}

#[test]
fn one_thread_does_everything_in_one_order() {
    assert_eq!((waiting_threads(0), waiting_threads(1)), (1, 1));
    assert!(waiting_threads(2) >= 2 && waiting_threads(64) == 64);
}

/// One partition after the other was created with five syncs of files and three of its directory.
#[test]
fn a_topic_is_created_with_two_syncs_of_files_for_each_partition() {
    let dir = Dir::new();
    let (logs, _) = dir.open();
    let syncs = dir.disk.syncs();
    create(&logs, "t", 40);
    // its metadata and its epochs; and the registry
    assert_eq!(dir.disk.syncs(), syncs + 2 * 40 + 1);
    let topic = logs.topic("t").unwrap();
    let names: Vec<String> = topic.partitions().iter().map(|p| p.name().to_owned()).collect();
    assert_eq!(names, (0..40).map(|index| format!("t-{index}")).collect::<Vec<_>>());
    append(&logs, "t", 39, "value");
    drop((logs, topic));
    let (logs, report) = dir.open();
    assert_eq!((report.partitions, report.total.truncated_bytes), (40, 0));
    assert_eq!(read_values(&logs.partition("t", 39).unwrap()).len(), 1);
}
