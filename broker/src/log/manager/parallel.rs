//! Work on many partitions at once.
//!
//! Most of it waits for the disk: a sync waits for the file system's journal, which takes all that wait at that moment into one
//! commit. So many threads are of use where there are few processors; those who do use the processor pass a [`Gate`].

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use parking_lot::{Condvar, Mutex};

/// Threads that wait for the disk at the same time.
const WAITING_THREADS: usize = 16;

/// How many threads may wait for the disk where `threads` may use the processor: many, unless things are to happen in one order.
pub(super) fn waiting_threads(threads: usize) -> usize {
    if threads <= 1 { 1 } else { threads.max(WAITING_THREADS) }
}

/// Does `work` for all of the items on so many threads; the results are in the order of the items. After a failure nothing
/// more is begun.
pub(super) fn in_parallel<I: Sync, T: Send, E: Send>(
    items: &[I],
    threads: usize,
    work: impl Fn(&I) -> Result<T, E> + Sync,
) -> Result<Vec<T>, E> {
    let (next, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
    let results = Mutex::new(BTreeMap::new());
    let run = || {
        while !failed.load(Ordering::Relaxed) {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(number) else { return };
            let result = work(item);
            if result.is_err() {
                failed.store(true, Ordering::Relaxed);
            }
            results.lock().insert(number, result);
        }
    };
    match threads.min(items.len()) {
        0 | 1 => run(),
        threads => std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(run);
            }
        }),
    }
    results.into_inner().into_values().collect()
}

/// Lets a number of threads through at a time.
#[derive(Debug)]
pub(super) struct Gate {
    free: Mutex<usize>,
    freed: Condvar,
}

/// A place behind the gate, given back when it is dropped, also by a panic: nobody shall wait for it in vain.
struct Place<'a>(&'a Gate);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        *self.0.free.lock() += 1;
        self.0.freed.notify_one();
    }
}

impl Gate {
    pub(super) fn new(places: usize) -> Self {
        Gate { free: Mutex::new(places), freed: Condvar::new() }
    }

    /// Does `work` once there is a place for it.
    pub(super) fn pass<T>(&self, work: impl FnOnce() -> T) -> T {
        let mut free = self.free.lock();
        while *free == 0 {
            self.freed.wait(&mut free);
        }
        *free -= 1;
        drop(free);
        let _place = Place(self);
        work()
    }
}
