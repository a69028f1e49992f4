//! A floor of free disk space. Below it producers are refused with Kafka's storage error, and everything else goes on: what is left
//! is for what leads out of it, the offsets of consumers, the ends of transactions, indexes and checkpoints. Clients repeat what
//! was refused so; once retention or an operator has made a tenth more room than the floor, it is taken.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

/// What a file system has room for, bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Space {
    /// In all.
    pub(crate) total: u64,
    /// Free for who is not root.
    pub(crate) available: u64,
}

/// The file system of a directory. May block.
pub(crate) fn space(dir: &Path) -> io::Result<Space> {
    let found = rustix::fs::statvfs(dir)?;
    let bytes = |blocks: u64| blocks.saturating_mul(found.f_frsize);
    Ok(Space { total: bytes(found.f_blocks), available: bytes(found.f_bavail) })
}

/// Whether producers are refused.
#[derive(Debug, Default)]
pub(crate) struct FreeSpace {
    is_short: AtomicBool,
}

impl FreeSpace {
    /// Whether there was too little when it was last looked at.
    pub(crate) fn is_short(&self) -> bool {
        self.is_short.load(Ordering::Relaxed)
    }

    /// Compares what is free with the floor, and returns it. May block.
    pub(crate) fn look(&self, dir: &Path, floor: u64) -> io::Result<u64> {
        let available = space(dir)?.available;
        let was_short = self.is_short();
        let is_short = is_below(available, floor, was_short);
        self.is_short.store(is_short, Ordering::Relaxed);
        let dir = dir.display();
        if is_short && !was_short {
            tracing::error!(
                %dir,
                available,
                storage_min_free_bytes = floor,
                "too little disk space is free: producers are refused until there is more"
            );
        } else if was_short && !is_short {
            tracing::info!(%dir, available, "enough disk space is free again: producers are served");
        }
        Ok(available)
    }
}

/// Whether too little is free; who is short needs a tenth more, so that it does not go to and fro.
fn is_below(available: u64, floor: u64, was_short: bool) -> bool {
    let needed = if was_short { floor.saturating_add(floor / 10) } else { floor };
    available < needed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_was_short_needs_a_tenth_more() {
        assert!(!is_below(1000, 1000, false));
        assert!(is_below(999, 1000, false));
        assert!(is_below(1099, 1000, true));
        assert!(!is_below(1100, 1000, true));
        assert!(!is_below(0, 0, true), "no floor");
    }

    #[test]
    fn a_directory_is_short_of_what_no_disk_has() {
        let dir = tempfile::tempdir().unwrap();
        let free = FreeSpace::default();
        let available = free.look(dir.path(), 0).unwrap();
        assert!(available > 0 && !free.is_short());
        assert!(space(dir.path()).unwrap().total >= available);
        free.look(dir.path(), u64::MAX).unwrap();
        assert!(free.is_short());
        free.look(dir.path(), 0).unwrap();
        assert!(!free.is_short());
        free.look(&dir.path().join("gone"), 0).unwrap_err();
    }
}
