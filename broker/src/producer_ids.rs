//! Producer ids: numbers that never come twice, also not over a crash.
//!
//! They are handed out from blocks. Before the first id of a block is given out, the block's end is durable in the
//! file `producer-ids` of the data directory; what a crash leaves over of a block is skipped.
//!
//! ```text
//! version=1
//! next=2000
//! ```
//!
//! `next` is the first id that no block has held yet. Write: whole, atomically. Recover: the next block begins at `next`. A file that
//! cannot be understood stops the start: an id given out twice would make one producer's records vanish as
//! duplicates of another's.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;
use thiserror::Error;

use crate::log::{Disk, StorageError, read_file, replace_file};

/// The file's name.
pub(crate) const FILE: &str = "producer-ids";

/// Ids for each write of the file.
const BLOCK: i64 = 1000;

/// Why there is no producer id.
#[derive(Debug, Error)]
pub enum ProducerIdError {
    /// The block could not be made durable, or the file not be read.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The file is damaged.
    #[error("{} does not say which producer id comes next; ids must not repeat, so it has to be restored", .0.display())]
    Malformed(PathBuf),
    /// All are used up.
    #[error("there are no more producer ids")]
    Exhausted,
}

/// The source of producer ids of one broker.
#[derive(Debug)]
pub(crate) struct ProducerIds {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    block: Mutex<Block>,
}

/// The ids that may be given out without another write: from `next` to before `end`.
#[derive(Debug)]
struct Block {
    next: i64,
    end: i64,
}

impl ProducerIds {
    /// Goes on where the last process stopped, or at 0.
    pub(crate) fn open(disk: Arc<dyn Disk>, data_dir: &Path) -> Result<Self, ProducerIdError> {
        let path = data_dir.join(FILE);
        let next = match read_file(&path)? {
            None => 0,
            Some(bytes) => parse(&bytes).ok_or_else(|| ProducerIdError::Malformed(path.clone()))?,
        };
        Ok(ProducerIds { disk, path, block: Mutex::new(Block { next, end: next }) })
    }

    /// An id that nobody has had. Blocks for a write once in a while.
    pub(crate) fn next(&self) -> Result<i64, ProducerIdError> {
        let mut block = self.block.lock();
        if block.next == block.end {
            let end = block.end.checked_add(BLOCK).ok_or(ProducerIdError::Exhausted)?;
            let text = format!("version=1\nnext={end}\n");
            replace_file(self.disk.as_ref(), &self.path, text.as_bytes())?;
            block.end = end;
        }
        let id = block.next;
        block.next += 1;
        Ok(id)
    }
}

fn parse(bytes: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(bytes).ok()?;
    let rest = text.strip_prefix("version=1\nnext=")?;
    rest.strip_suffix('\n')?.parse().ok().filter(|next| *next >= 0)
}

#[cfg(test)]
mod tests;
