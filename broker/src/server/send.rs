//! Responses as they go onto a socket: bytes of ours, and ranges of segment files that the kernel sends from the
//! page cache without their passing through this process.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use rustix::net::SendFlags;
use thiserror::Error;
use tokio::io::Interest;
use tokio::net::TcpStream;
use tokio::time::timeout;
use wire::codec::Encoded;

use super::budget::Reservation;
use super::warm;

/// The most that one call of sendfile is asked for, so that a slow disk or a fast reader cannot keep
/// one of the runtime's threads for long.
const SENDFILE_BYTES: usize = 256 * 1024;

/// Where in a file the bytes of a hole begin; the hole says how many they are.
#[derive(Debug, Clone)]
pub(crate) struct FileRange {
    pub(crate) file: Arc<File>,
    /// The first byte's position.
    pub(crate) position: u64,
}

/// Responses that are sent together have at most so many bytes.
const JOINED_BYTES_MAX: usize = 16 * 1024;

/// One response: the bytes, and the file ranges that fill its holes; a hole's tag is an index of `files`.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) encoded: Encoded,
    pub(crate) files: Vec<FileRange>,
    /// The memory that the bytes take of a budget, until they are sent.
    pub(crate) reservation: Reservation,
}

impl Reply {
    /// Bytes alone, which take no part in a budget.
    pub(crate) fn new(encoded: Encoded) -> Self {
        Reply { encoded, files: Vec::new(), reservation: Reservation::default() }
    }

    /// Takes the bytes of the connection's next response, to be sent in one call. It comes back if one of both is large or
    /// more than bytes.
    pub(crate) fn join(&mut self, next: Reply) -> Option<Reply> {
        let is_plain = |reply: &Reply| reply.encoded.holes.is_empty() && reply.reservation.is_empty();
        let len = self.encoded.bytes.len().saturating_add(next.encoded.bytes.len());
        if len > JOINED_BYTES_MAX || !is_plain(self) || !is_plain(&next) {
            return Some(next);
        }
        let own = std::mem::take(&mut self.encoded.bytes);
        let mut bytes = own.try_into_mut().unwrap_or_else(|shared| BytesMut::from(shared.as_ref()));
        bytes.extend_from_slice(&next.encoded.bytes);
        self.encoded.bytes = bytes.freeze();
        None
    }
}

/// Why a response could not be sent. The connection cannot be used any more.
#[derive(Debug, Error)]
pub(crate) enum SendError {
    /// The socket or the file failed.
    #[error("cannot send a response: {0}")]
    Io(#[from] io::Error),
    /// The client takes nothing.
    #[error("the client took nothing of its response for {0:?}")]
    Stalled(Duration),
    /// A file has fewer bytes than the response announced.
    #[error("a segment ended before the records that a response announced")]
    Short,
}

/// Sends one response in full. A client that takes nothing for `stall` is given up.
pub(crate) async fn send(socket: &TcpStream, reply: &Reply, stall: Duration) -> Result<(), SendError> {
    let bytes = &reply.encoded.bytes;
    let mut sent = 0;
    for hole in &reply.encoded.holes {
        let range = reply.files.get(hole.tag as usize).ok_or(SendError::Short)?;
        let before = bytes.get(sent..hole.at).ok_or(SendError::Short)?;
        send_bytes(socket, before, SendFlags::MORE, stall).await?;
        send_file(socket, range, hole.len, stall).await?;
        sent = hole.at;
    }
    send_bytes(socket, bytes.get(sent..).unwrap_or_default(), SendFlags::empty(), stall).await
}

/// Sends bytes; with [`SendFlags::MORE`] they may wait for what follows, and share its packet.
async fn send_bytes(
    socket: &TcpStream,
    mut bytes: &[u8],
    flags: SendFlags,
    stall: Duration,
) -> Result<(), SendError> {
    while !bytes.is_empty() {
        let sent =
            when_writable(socket, stall, |fd| Ok(rustix::net::send(fd, bytes, flags | SendFlags::NOSIGNAL)?))
                .await?;
        bytes = bytes.get(sent..).unwrap_or_default();
    }
    Ok(())
}

/// Sends `len` bytes from the front of a file's range.
async fn send_file(
    socket: &TcpStream,
    range: &FileRange,
    len: u32,
    stall: Duration,
) -> Result<(), SendError> {
    let mut position = range.position;
    let mut left = len as usize;
    while left > 0 {
        let count = left.min(SENDFILE_BYTES);
        warm::load(&range.file, position, count).await;
        let file = range.file.as_fd();
        let sent = when_writable(socket, stall, |fd| {
            Ok(rustix::fs::sendfile(fd, file, Some(&mut position), count)?)
        })
        .await?;
        if sent == 0 {
            return Err(SendError::Short);
        }
        left -= sent.min(left);
    }
    Ok(())
}

/// Calls `operation` on the socket once it can take bytes, and again when it could not.
async fn when_writable(
    socket: &TcpStream,
    stall: Duration,
    mut operation: impl FnMut(BorrowedFd<'_>) -> io::Result<usize>,
) -> Result<usize, SendError> {
    // nearly always there is room: only a full socket needs the timer
    match socket.try_io(Interest::WRITABLE, || operation(socket.as_fd())) {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
        other => return Ok(other?),
    }
    let wait = socket.async_io(Interest::WRITABLE, || operation(socket.as_fd()));
    match timeout(stall, wait).await {
        Ok(result) => Ok(result?),
        Err(_) => Err(SendError::Stalled(stall)),
    }
}

#[cfg(test)]
mod tests;
