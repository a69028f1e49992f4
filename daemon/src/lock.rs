//! Who a data directory belongs to: one process at a time.

use std::fs::{File, TryLockError};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long a holder that is ending is waited for. A process that was killed keeps its locks until its memory is freed, while
/// its supervisor starts the next one already.
const PATIENCE: Duration = Duration::from_secs(1);
/// Between two tries.
const PAUSE: Duration = Duration::from_millis(10);

/// Locks `file` exclusively for as long as it is open; waits up to a second for the present holder.
///
/// # Errors
/// [`TryLockError::WouldBlock`] when another process goes on holding it, otherwise the system's error.
pub fn lock_exclusively(file: &File) -> Result<(), TryLockError> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => sleep(PAUSE),
            result => return result,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_holder_that_stays_is_reported_and_one_that_goes_is_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let open = || File::create(dir.path().join("lock")).unwrap();
        let (holder, next) = (open(), open());
        lock_exclusively(&holder).unwrap();
        assert!(matches!(lock_exclusively(&next), Err(TryLockError::WouldBlock)));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                sleep(PAUSE * 3);
                drop(holder);
            });
            lock_exclusively(&next).unwrap();
        });
    }
}
