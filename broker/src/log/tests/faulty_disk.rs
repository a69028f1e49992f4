//! A disk that fails when it is told to.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use parking_lot::Mutex;

use crate::log::disk::Disk;

/// What fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The next write writes so many bytes and then finds the disk full.
    WriteFull { after: usize },
    /// The next fdatasync fails.
    Sync,
    /// The next fsync of a directory fails.
    SyncDir,
    /// The next truncation fails.
    Truncate,
    /// The next allocation fails.
    Allocate,
    /// The next rename fails.
    Rename,
    /// The next opening fails.
    Open,
    /// The next opening of a file with this ending fails.
    OpenOf(&'static str),
    /// The next removal of a file fails.
    Remove,
}

/// The real disk, with a list of faults that each happen once.
#[derive(Debug, Default)]
pub(crate) struct FaultyDisk {
    faults: Mutex<Vec<Fault>>,
    syncs: Mutex<usize>,
    writes: Mutex<usize>,
}

impl FaultyDisk {
    pub(crate) fn fail(&self, fault: Fault) {
        self.faults.lock().push(fault);
    }

    /// How many times a file was synced.
    pub(crate) fn syncs(&self) -> usize {
        *self.syncs.lock()
    }

    /// How many times a file was written.
    pub(crate) fn writes(&self) -> usize {
        *self.writes.lock()
    }

    fn take(&self, matches: impl Fn(&Fault) -> bool) -> Option<Fault> {
        let mut faults = self.faults.lock();
        let at = faults.iter().position(matches)?;
        Some(faults.remove(at))
    }

    fn check(&self, fault: Fault) -> io::Result<()> {
        match self.take(|due| *due == fault) {
            Some(_) => Err(io::Error::from_raw_os_error(5)),
            None => Ok(()),
        }
    }
}

impl Disk for FaultyDisk {
    fn open(&self, path: &Path) -> io::Result<File> {
        self.check(Fault::Open)?;
        if let Some(suffix) = path.extension().and_then(|suffix| suffix.to_str())
            && self.take(|due| matches!(due, Fault::OpenOf(due) if *due == suffix)).is_some()
        {
            return Err(io::Error::from_raw_os_error(28));
        }
        crate::log::RealDisk.open(path)
    }

    fn write_at(&self, file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
        *self.writes.lock() += 1;
        match self.take(|fault| matches!(fault, Fault::WriteFull { .. })) {
            Some(Fault::WriteFull { after }) => {
                file.write_all_at(&bytes[..after.min(bytes.len())], at)?;
                Err(io::Error::from_raw_os_error(28))
            }
            _ => file.write_all_at(bytes, at),
        }
    }

    fn truncate(&self, file: &File, len: u64) -> io::Result<()> {
        self.check(Fault::Truncate)?;
        file.set_len(len)
    }

    fn allocate(&self, file: &File, at: u64, len: u64) -> io::Result<()> {
        self.check(Fault::Allocate)?;
        crate::log::RealDisk.allocate(file, at, len)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        *self.syncs.lock() += 1;
        self.check(Fault::Sync)?;
        file.sync_data()
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.check(Fault::SyncDir)?;
        File::open(dir)?.sync_all()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.check(Fault::Rename)?;
        std::fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.check(Fault::Remove)?;
        crate::log::RealDisk.remove(path)
    }
}
