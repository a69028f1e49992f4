//! Keeps cold reads away from the runtime's threads: sendfile of bytes that are not in the page cache
//! would block the thread, and with it every connection it serves, until the disk has answered.

use std::fs::File;
use std::io::{self, IoSliceMut};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use rustix::io::ReadWriteFlags;

/// Bytes read at a time on the way into the page cache.
const STEP_BYTES: usize = 64 * 1024;

/// Makes it likely that a file's range is in the page cache. Whether it is, is asked of the kernel for its first
/// and last byte; only when one is missing, another thread reads the range.
pub(super) async fn load(file: &Arc<File>, position: u64, len: usize) {
    let last = position.saturating_add(len.saturating_sub(1) as u64);
    if is_cached(file, position) && is_cached(file, last) {
        return;
    }
    let file = file.clone();
    let read = tokio::task::spawn_blocking(move || read_through(&file, position, len)).await;
    if let Ok(Err(error)) = read {
        // sendfile will meet the same error and end the connection
        tracing::debug!(%error, "cannot read a segment ahead");
    }
}

/// Whether the byte at `position` can be read without waiting for the disk. Where the kernel cannot tell, yes.
fn is_cached(file: &File, position: u64) -> bool {
    let mut byte = [0; 1];
    let read = rustix::io::preadv2(file, &mut [IoSliceMut::new(&mut byte)], position, ReadWriteFlags::NOWAIT);
    read != Err(rustix::io::Errno::AGAIN)
}

fn read_through(file: &File, mut position: u64, len: usize) -> io::Result<()> {
    let mut step = vec![0; STEP_BYTES];
    let end = position.saturating_add(len as u64);
    while position < end {
        let read = file.read_at(&mut step, position)?;
        if read == 0 {
            break;
        }
        position += read as u64;
    }
    Ok(())
}
