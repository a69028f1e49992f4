//! Reading a block without stalling the runtime.

use std::fs::File;
use std::io::{self, IoSliceMut};
use std::sync::Arc;

use rustix::io::{ReadWriteFlags, preadv2};

use crate::identity;

/// Reads `len` bytes at `at`, fewer at the end of the file.
///
/// What is in the page cache is copied at once; only what must come from the disk goes to a thread that may block.
pub(super) async fn read(file: &Arc<File>, at: u64, len: usize) -> io::Result<Vec<u8>> {
    let mut block = vec![0; len];
    let cached = preadv2(&**file, &mut [IoSliceMut::new(&mut block)], at, ReadWriteFlags::NOWAIT);
    if cached == Ok(len) {
        return Ok(block);
    }
    drop(block);
    let file = file.clone();
    let read = tokio::task::spawn_blocking(move || identity::read_at(&file, at, len));
    read.await.map_err(io::Error::other)?
}
