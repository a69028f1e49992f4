//! One segment and its indexes.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use wire::record::{BatchHeader, RecordError};

use super::data_dir::Rules;
use super::entries::{Aborted, Fault, Offsets, Times};
use super::{Verifier, VerifyError};
use crate::log::segment::file_path;
use crate::log::segment::scan::{Bounds, Look, verify};

/// A larger index is none: Kafka's limit is 2 GiB of segment at an entry for each batch of 64 bytes.
const INDEX_BYTES_MAX: u64 = 512 << 20;

const REBUILT: &str =
    "stop the broker, delete the file and start it again: indexes are rebuilt from the .log";

/// What is known of a segment before it is read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Expected {
    pub(super) base_offset: i64,
    /// Where the next segment begins; `None` for the last one.
    pub(super) next_base: Option<i64>,
    pub(super) rules: Rules,
}

/// What was found in a segment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found {
    /// The offset after the last sound batch.
    pub(super) next_offset: i64,
    /// Whether the file ends with it.
    pub(super) sound: bool,
}

impl Verifier<'_> {
    /// Reads a segment and compares its indexes with it; `visit` is shown each sound batch.
    pub(super) fn segment(
        &mut self,
        dir: &Path,
        expected: Expected,
        visit: &mut dyn FnMut(&BatchHeader),
    ) -> Result<Found, VerifyError> {
        let path = file_path(dir, expected.base_offset, "log");
        let failed = |source| VerifyError::Read { path: path.clone(), source };
        let file = File::open(&path).map_err(failed)?;
        let len = file.metadata().map_err(failed)?.len();
        // positions in a segment are 31 bits; what lies beyond is no batch
        let end = u32::try_from(len).unwrap_or(u32::MAX).min(i32::MAX as u32);
        let base = expected.base_offset;
        let mut offsets = self.index(dir, base, "index")?.map(|bytes| Offsets::new(&bytes, base));
        let mut times = self.index(dir, base, "timeindex")?.map(|bytes| Times::new(&bytes, base));
        let mut aborted = self.aborted(dir, expected)?;
        let (mut batches, mut next_offset) = (0, base);
        let limit = expected.next_base.unwrap_or(i64::MAX).min(base.saturating_add(1 << 31));
        let bounds = Bounds { offsets: base..limit, gapless: expected.rules.gapless };
        let progress = &mut *self.progress;
        let verified = verify(&file, end, Look::Whole, bounds, |position, header| {
            batches += 1;
            next_offset = header.last_offset().saturating_add(1);
            if let Some(offsets) = &mut offsets {
                offsets.meet(position, header);
            }
            if let Some(times) = &mut times {
                times.meet(header);
            }
            if let Some(aborted) = &mut aborted {
                aborted.meet(header);
            }
            visit(header);
            progress(header.size() as u64);
        });
        let verified = verified.map_err(failed)?;
        let sound = u64::from(verified.valid_bytes) == len;
        self.report.segments += 1;
        self.report.batches += batches;
        self.report.bytes += len;
        if !sound {
            (self.progress)(len - u64::from(verified.valid_bytes));
            self.bad_batch(&path, &file, (verified.valid_bytes, len), verified.reason, expected)
                .map_err(failed)?;
        }
        let is_closed = expected.next_base.is_some();
        // behind a bad batch there is nothing that entries could be compared with
        if sound {
            self.index_fault(dir, base, "index", offsets.and_then(Offsets::finish));
            self.index_fault(dir, base, "timeindex", times.and_then(|times| times.finish(is_closed)));
            self.index_fault(dir, base, "txnindex", aborted.and_then(Aborted::finish));
            self.gap(&path, next_offset, expected);
        }
        Ok(Found { next_offset, sound })
    }

    /// The transaction index, which is there only if a transaction was aborted. Compaction may take the markers away.
    fn aborted(&mut self, dir: &Path, expected: Expected) -> Result<Option<Aborted>, VerifyError> {
        let suffix = "txnindex";
        if !expected.rules.gapless || !file_path(dir, expected.base_offset, suffix).exists() {
            return Ok(None);
        }
        Ok(self.index(dir, expected.base_offset, suffix)?.map(|bytes| Aborted::new(&bytes)))
    }

    /// The bytes of an index; a file that is not there or no index is reported.
    fn index(&mut self, dir: &Path, base_offset: i64, suffix: &str) -> Result<Option<Vec<u8>>, VerifyError> {
        let path = file_path(dir, base_offset, suffix);
        match fs::metadata(&path) {
            Ok(metadata) if metadata.len() > INDEX_BYTES_MAX => {
                self.damage(&path, format!("{} bytes are too many for an index", metadata.len()), REBUILT);
                return Ok(None);
            }
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.damage(&path, "it is missing", "the broker rebuilds it when it starts");
                return Ok(None);
            }
            Err(source) => return Err(VerifyError::Read { path, source }),
        }
        fs::read(&path).map(Some).map_err(|source| VerifyError::Read { path, source })
    }

    fn index_fault(&mut self, dir: &Path, base_offset: i64, suffix: &str, fault: Option<Fault>) {
        let path = file_path(dir, base_offset, suffix);
        match fault {
            Some(Fault { entry: Some(entry), problem }) => {
                self.damage_at(&path, format!("entry {entry}"), problem, REBUILT);
            }
            Some(Fault { entry: None, problem }) => self.damage(&path, problem, REBUILT),
            None => {}
        }
    }

    fn bad_batch(
        &mut self,
        path: &Path,
        file: &File,
        (valid, len): (u32, u64),
        reason: Option<RecordError>,
        expected: Expected,
    ) -> io::Result<()> {
        let behind = len - u64::from(valid);
        let problem = match reason {
            _ if is_zero(file, valid.into(), len)? => format!("the last {behind} bytes are zeros"),
            Some(reason) => format!("{reason}; {behind} bytes from here on cannot be read"),
            None => format!("{behind} bytes lie behind the largest position of a segment"),
        };
        let remedy = match expected.next_base {
            None => {
                "after a crash the broker cuts the segment here when it starts; what was acknowledged with acks=all \
                 is not behind it unless the disk is damaged"
            }
            Some(_) => {
                "the disk has damaged it: copy the directory, restore this file from a backup, or delete records up \
                 to the next segment"
            }
        };
        self.damage_at(path, format!("byte {valid}"), problem, remedy);
        Ok(())
    }

    fn gap(&mut self, path: &Path, next_offset: i64, expected: Expected) {
        let Rules { gapless, log_start } = expected.rules;
        let is_gap = |next: &i64| gapless && next_offset != *next && *next > log_start;
        if let Some(next) = expected.next_base.filter(is_gap) {
            let problem =
                format!("it ends with offset {}, and the next segment begins with {next}", next_offset - 1);
            self.damage(path, problem, "a segment is missing: restore it from a backup");
        }
    }
}

/// Whether there is nothing but zeros in a range of a file.
fn is_zero(file: &File, from: u64, end: u64) -> io::Result<bool> {
    let (mut at, mut buffer) = (from, vec![0; 64 * 1024]);
    while at < end {
        let wanted = usize::try_from(end - at).unwrap_or(usize::MAX).min(buffer.len());
        let Some(piece) = buffer.get_mut(..wanted) else { break };
        let read = file.read_at(piece, at)?;
        if read == 0 {
            break;
        }
        if piece.iter().take(read).any(|byte| *byte != 0) {
            return Ok(false);
        }
        at += read as u64;
    }
    Ok(true)
}
