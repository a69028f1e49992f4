//! The disk seam: every change of a file in the data directory goes through a [`Disk`], so that a test can
//! make the disk fail. Each method's default is the real operation; a faulty disk overrides what it breaks.
//! Reads of file ranges do not pass here: they are checked by CRC, not by trust.

use std::fmt::Debug;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use rustix::fs::FallocateFlags;

use super::error::StorageError;

/// What the log does to files and directories.
pub trait Disk: Send + Sync + Debug + 'static {
    /// Opens a file for reading and writing, and creates it when it does not exist.
    fn open(&self, path: &Path) -> io::Result<File> {
        OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)
    }

    /// Writes all of `bytes` at position `at`.
    fn write_at(&self, file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
        file.write_all_at(bytes, at)
    }

    /// Cuts or extends a file to `len` bytes.
    fn truncate(&self, file: &File, len: u64) -> io::Result<()> {
        file.set_len(len)
    }

    /// Allocates room for `len` bytes from position `at` on; the file's length stays (fallocate, Linux).
    fn allocate(&self, file: &File, at: u64, len: u64) -> io::Result<()> {
        Ok(rustix::fs::fallocate(file, FallocateFlags::KEEP_SIZE, at, len)?)
    }

    /// How long a file must be for room ahead of it to be worth asking for; bytes.
    fn allocates_from(&self) -> u64 {
        1 << 20
    }

    /// Makes a file's content durable (fdatasync).
    fn sync(&self, file: &File) -> io::Result<()> {
        file.sync_data()
    }

    /// Has the next reads of a file come from the disk: after a sync that has failed, the page cache holds what the
    /// disk does not, and takes it for clean. What is dirty stays. Best effort.
    fn reread(&self, file: &File) -> io::Result<()> {
        Ok(rustix::fs::fadvise(file, 0, None, rustix::fs::Advice::DontNeed)?)
    }

    /// Makes the creations, renames and removals in a directory durable.
    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        File::open(dir)?.sync_all()
    }

    /// Renames a file or directory; an existing target file is replaced.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    /// Creates a directory; that it exists is no error.
    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        fs::create_dir_all(dir)
    }

    /// Removes a directory with everything in it; that it does not exist is no error.
    fn remove_dir(&self, dir: &Path) -> io::Result<()> {
        match fs::remove_dir_all(dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        }
    }

    /// Removes a file; that it does not exist is no error.
    fn remove(&self, path: &Path) -> io::Result<()> {
        match fs::remove_file(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        }
    }
}

/// The disk as the kernel offers it.
#[derive(Debug, Clone, Copy, Default)]
pub struct RealDisk;

impl Disk for RealDisk {}

/// Replaces a small file so that a crash leaves either the old content or the new one: temporary file, fsync,
/// rename, fsync of the directory.
pub(crate) fn replace_file(disk: &dyn Disk, path: &Path, content: &[u8]) -> Result<(), StorageError> {
    put_file(disk, path, content)?;
    let Some(dir) = path.parent() else { return Ok(()) };
    disk.sync_dir(dir).map_err(|source| StorageError::io("replace", path, source))
}

/// As [`replace_file`] but for the last step: the new content is durable when the caller has made the directory so.
pub(crate) fn put_file(disk: &dyn Disk, path: &Path, content: &[u8]) -> Result<(), StorageError> {
    let temporary = path.with_extension("tmp");
    let write = || {
        let file = disk.open(&temporary)?;
        disk.truncate(&file, 0)?;
        disk.write_at(&file, content, 0)?;
        disk.sync(&file)?;
        disk.rename(&temporary, path)
    };
    write().map_err(|source| StorageError::io("replace", path, source))
}

/// Reads a whole small file; `None` when it does not exist.
pub(crate) fn read_file(path: &Path) -> Result<Option<Vec<u8>>, StorageError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(StorageError::io("read", path, source)),
    }
}

/// The paths in a directory, in the order of their names, so that what is done to them is always done in one order.
pub(crate) fn list_dir(dir: &Path) -> Result<Vec<PathBuf>, StorageError> {
    let entries = fs::read_dir(dir).map_err(|source| StorageError::io("list", dir, source))?;
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort_unstable();
    Ok(paths)
}
