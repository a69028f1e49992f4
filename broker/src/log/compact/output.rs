//! The file of a compacted segment, written in large pieces.

use std::fs::File;
use std::io;

use crate::log::disk::Disk;

const BUFFER: usize = 256 * 1024;

/// The file and what is to be written next.
pub(super) struct Output<'a> {
    disk: &'a dyn Disk,
    file: File,
    buffer: Vec<u8>,
    written: u64,
}

impl<'a> Output<'a> {
    /// Begins at the front of `file`, which is empty.
    pub(super) fn new(disk: &'a dyn Disk, file: File) -> Self {
        Output { disk, file, buffer: Vec::new(), written: 0 }
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= BUFFER { self.drain() } else { Ok(()) }
    }

    /// Bytes so far.
    pub(super) fn len(&self) -> u64 {
        self.written + self.buffer.len() as u64
    }

    fn drain(&mut self) -> io::Result<()> {
        self.disk.write_at(&self.file, &self.buffer, self.written)?;
        self.written += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    /// Writes the rest and makes all of it durable.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        self.drain()?;
        self.disk.sync(&self.file)
    }
}
