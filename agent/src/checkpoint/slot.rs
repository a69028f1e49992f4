//! The two files that the log lives in, by turns.
//!
//! A slot is
//!
//! ```text
//! magic           8 bytes  "LAGCKPT1"
//! epoch           u64      the newer one is in force: of two in a row the second, and 1 follows the largest
//! snapshot length u64      bytes of entries behind the header that were written together
//! snapshot crc    u32      CRC-32C of those bytes
//! header crc      u32      CRC-32C of the 28 bytes before
//! entries ...              the snapshot's, then appended ones up to the end of the file
//! ```
//!
//! Both files keep [`RESERVE`] bytes of disk for themselves, so a full disk does not stop the agent from emptying it.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use bytes::{Buf, BufMut};
use rustix::fs::{FallocateFlags, fallocate};

/// Disk that each slot holds although its file is shorter, in bytes.
pub(super) const RESERVE: u64 = 4 * 1024 * 1024;
/// Bytes before the first entry.
pub(super) const HEADER: usize = 32;
const MAGIC: &[u8; 8] = b"LAGCKPT1";

/// A file that can be made to fail.
pub(super) trait Slot: Send + std::fmt::Debug {
    fn read(&mut self) -> io::Result<Vec<u8>>;
    fn write_at(&mut self, at: u64, bytes: &[u8]) -> io::Result<()>;
    /// Cuts the file to `len` and reserves disk behind it.
    fn cut(&mut self, len: u64) -> io::Result<()>;
    fn sync(&mut self) -> io::Result<()>;
}

/// A slot on disk.
#[derive(Debug)]
pub(super) struct DiskSlot(File);

impl DiskSlot {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
        Ok(Self(file))
    }
}

impl Slot for DiskSlot {
    fn read(&mut self) -> io::Result<Vec<u8>> {
        let len = usize::try_from(self.0.metadata()?.len()).map_err(io::Error::other)?;
        let mut bytes = vec![0; len];
        self.0.read_exact_at(&mut bytes, 0)?;
        Ok(bytes)
    }

    fn write_at(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all_at(bytes, at)
    }

    fn cut(&mut self, len: u64) -> io::Result<()> {
        self.0.set_len(len)?;
        // a file system without fallocate, or a disk that is full already, only loses the reserve
        let _ = fallocate(&self.0, FallocateFlags::KEEP_SIZE, 0, RESERVE.max(len));
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        self.0.sync_data()
    }
}

/// A slot's header, checked against the slot's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) epoch: u64,
    pub(super) snapshot_len: u64,
}

impl Header {
    /// The header with which `snapshot` is written.
    pub(super) fn encode(epoch: u64, snapshot: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(HEADER);
        out.put_slice(MAGIC);
        out.put_u64_le(epoch);
        out.put_u64_le(snapshot.len() as u64);
        out.put_u32_le(wire::crc32c(snapshot));
        out.put_u32_le(wire::crc32c(&out));
        out
    }

    /// `None` when header or snapshot are not whole.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (header, entries) = bytes.split_at_checked(HEADER)?;
        let mut from = header.strip_prefix(MAGIC)?;
        let epoch = from.try_get_u64_le().ok()?;
        let snapshot_len = from.try_get_u64_le().ok()?;
        let snapshot_crc = from.try_get_u32_le().ok()?;
        let header_crc = from.try_get_u32_le().ok()?;
        let snapshot = entries.get(..usize::try_from(snapshot_len).ok()?)?;
        let whole =
            wire::crc32c(header.get(..HEADER - 4)?) == header_crc && wire::crc32c(snapshot) == snapshot_crc;
        whole.then_some(Self { epoch, snapshot_len })
    }

    /// Whether this slot was written after the other one.
    pub(super) fn is_newer(&self, other: &Header) -> bool {
        // as sequence numbers are compared: the difference counts, not where they wrap
        self.epoch.wrapping_sub(other.epoch).cast_signed() > 0
    }
}
