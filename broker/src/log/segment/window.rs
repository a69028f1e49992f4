//! A window that moves forward over a file, so that walking over many small batches costs few system calls.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// A buffered view of `file` up to `end`.
#[derive(Debug)]
pub(crate) struct Window<'a> {
    file: &'a File,
    end: u64,
    /// What was read at `start`.
    buffer: Vec<u8>,
    start: u64,
    capacity: usize,
}

impl<'a> Window<'a> {
    /// A window of at most `capacity` bytes over the file's bytes before `end`.
    pub(crate) fn new(file: &'a File, end: u64, capacity: usize) -> Self {
        Window { file, end, buffer: Vec::new(), start: 0, capacity }
    }

    /// The bytes from position `at` on: at least `min` of them, unless the end or the window's capacity comes
    /// first; more when they are in memory already.
    pub(crate) fn bytes_at(&mut self, at: u64, min: usize) -> io::Result<&[u8]> {
        if self.buffered(at).len() < min {
            self.fill(at)?;
        }
        Ok(self.buffered(at))
    }

    fn buffered(&self, at: u64) -> &[u8] {
        let skip = at.checked_sub(self.start).and_then(|skip| usize::try_from(skip).ok());
        skip.and_then(|skip| self.buffer.get(skip..)).unwrap_or_default()
    }

    fn fill(&mut self, at: u64) -> io::Result<()> {
        let left = usize::try_from(self.end.saturating_sub(at)).unwrap_or(usize::MAX);
        self.buffer.resize(self.capacity.min(left), 0);
        self.start = at;
        let mut filled = 0;
        while let Some(rest) = self.buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.file.read_at(rest, at + filled as u64) {
                // the file is shorter than it was said to be: the caller sees fewer bytes
                Ok(0) => break,
                Ok(n) => filled += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.buffer.clear();
                    return Err(error);
                }
            }
        }
        self.buffer.truncate(filled);
        Ok(())
    }
}
