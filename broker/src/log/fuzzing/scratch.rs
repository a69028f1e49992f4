//! A directory for the files of one run.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Where Linux keeps files in memory.
const MEMORY: &str = "/dev/shm";

/// An empty directory, in memory where there is such a place; removed with all that is in it when it is dropped.
#[derive(Debug)]
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let memory = Path::new(MEMORY);
        let parent = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let (process, number) = (std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let dir = parent.join(format!("logagent-fuzz-{process}-{number}"));
        // a run that was killed may have had the same number
        let _ = fs::remove_dir_all(&dir);
        let made = fs::create_dir_all(&dir);
        assert!(made.is_ok(), "cannot make {}: {made:?}", dir.display());
        Scratch(dir)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file; `name` may lead through directories.
    pub(crate) fn write(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        let dir = path.parent().unwrap_or(&self.0);
        let written = fs::create_dir_all(dir).and_then(|()| fs::write(&path, content));
        assert!(written.is_ok(), "cannot write {}: {written:?}", path.display());
        path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
