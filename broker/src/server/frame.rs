//! Requests as they come off a socket: an int32 size, then that many bytes.
//!
//! A [`FrameReader`] holds at most one frame: it never reads beyond the frame's end and the next one's size, so a
//! frame is the only owner of its buffer. That is what lets Produce stamp offsets into the very bytes that
//! were received, and lets the buffer be used again for the next frame.
//!
//! The buffer is sized by what has arrived, see [`budget`](super::budget). It is given up when the connection rests.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::{BufMut, BytesMut};
use thiserror::Error;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use super::budget::{Budget, FREE_BYTES, Reservation};

const SIZE_BYTES: usize = 4;

/// How long an unused buffer is kept for the connection's next frame.
const REST: Duration = Duration::from_secs(1);

/// How long a frame may take to arrive while other connections wait for the memory it holds.
const CONTENDED_GRACE: Duration = Duration::from_secs(10);

/// Why there is no next frame.
#[derive(Debug, Error)]
pub(crate) enum FrameError {
    /// The client closed the connection between two frames, as it should.
    #[error("the client closed the connection")]
    Closed,
    /// The client closed the connection within a frame.
    #[error("the connection ended after {have} of {size} bytes of a request")]
    Truncated {
        /// Bytes that came.
        have: usize,
        /// Bytes announced.
        size: usize,
    },
    /// The size is negative or above the limit; what follows cannot be understood.
    #[error("a request of {0} bytes is not between 0 and socket_request_max_bytes")]
    Size(i32),
    /// Nothing came for `connections_max_idle_ms`.
    #[error("nothing came for connections_max_idle_ms")]
    Idle,
    /// The frame was too slow while the memory it held was wanted elsewhere.
    #[error(
        "a request that did not arrive in full was given up, because other connections wait for its memory"
    )]
    Starved,
    /// The socket failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// What a reader is bound by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FrameLimits {
    /// The largest frame, without its size field; bytes.
    pub(crate) request_max_bytes: usize,
    /// How long a connection may be silent.
    pub(crate) idle: Duration,
}

/// The receiving side of one connection.
#[derive(Debug)]
pub(crate) struct FrameReader {
    budget: Arc<Budget>,
    reservation: Reservation,
    limits: FrameLimits,
    /// The size field, as far as it has come.
    size: BytesMut,
    /// The frame, as far as it has come; then perhaps the beginning of the next size field.
    frame: BytesMut,
    /// When the frame's first byte, and when the last byte of all came.
    began: Instant,
    last: Instant,
}

impl FrameReader {
    pub(crate) fn new(budget: Arc<Budget>, limits: FrameLimits) -> Self {
        let now = Instant::now();
        FrameReader {
            budget,
            reservation: Reservation::default(),
            limits,
            size: BytesMut::with_capacity(SIZE_BYTES),
            frame: BytesMut::new(),
            began: now,
            last: now,
        }
    }

    /// The next frame without its size field. Cancel safe: what has arrived stays.
    pub(crate) async fn next(&mut self, socket: &TcpStream) -> Result<BytesMut, FrameError> {
        let size = self.read_size(socket).await?;
        loop {
            if self.frame.len() >= size {
                self.size.clear();
                self.size.extend_from_slice(self.frame.get(size..).unwrap_or_default());
                self.frame.truncate(size);
                return Ok(std::mem::take(&mut self.frame));
            }
            let whole = size + SIZE_BYTES;
            if self.frame.len() == self.frame.capacity() {
                self.grow(whole).await?;
            }
            let room = self.frame.capacity().min(whole) - self.frame.len();
            self.read_some(socket, room).await?;
        }
    }

    /// Ends the use of the last frame's memory. Its buffer, if it comes back, serves the next frame.
    pub(crate) fn recycle(&mut self, frame: Option<BytesMut>) {
        self.last = Instant::now();
        let wanted = self.budget.is_contended() || self.reservation.is_large();
        match frame {
            Some(mut frame) if frame.capacity() <= FREE_BYTES || !wanted => {
                frame.clear();
                self.frame = frame;
            }
            _ => self.reservation = Reservation::default(),
        }
    }

    /// The size of the next frame, and room for its beginning.
    async fn read_size(&mut self, socket: &TcpStream) -> Result<usize, FrameError> {
        while self.size.len() < SIZE_BYTES {
            let room = SIZE_BYTES - self.size.len();
            match socket.try_read_buf(&mut (&mut self.size).limit(room)) {
                Ok(0) if self.size.is_empty() => return Err(FrameError::Closed),
                Ok(0) => return Err(FrameError::Truncated { have: self.size.len(), size: SIZE_BYTES }),
                Ok(_) => self.last = Instant::now(),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.rest(socket).await?,
                Err(error) => return Err(error.into()),
            }
        }
        let announced = self.size.first_chunk().map_or(-1, |bytes| i32::from_be_bytes(*bytes));
        let size = usize::try_from(announced).map_err(|_| FrameError::Size(announced))?;
        if size > self.limits.request_max_bytes {
            return Err(FrameError::Size(announced));
        }
        if self.frame.is_empty() {
            self.began = Instant::now();
            // a buffer that was kept costs nothing more; a new one begins small
            let first = (size + SIZE_BYTES).min(FREE_BYTES);
            if self.frame.capacity() < first {
                self.frame = BytesMut::with_capacity(first);
            }
        }
        Ok(size)
    }

    /// Waits for the first byte of a frame. A big buffer is given up when the wait gets long, or somebody needs it.
    async fn rest(&mut self, socket: &TcpStream) -> Result<(), FrameError> {
        if self.frame.capacity() > 0 {
            let contended = self.budget.is_contended() && !self.reservation.is_empty();
            if !contended && timeout_at(Instant::now() + REST, socket.readable()).await.is_ok() {
                return Ok(());
            }
            self.frame = BytesMut::new();
            self.reservation = Reservation::default();
        }
        match timeout_at(self.last + self.limits.idle, socket.readable()).await {
            Ok(ready) => Ok(ready?),
            Err(_) => Err(FrameError::Idle),
        }
    }

    /// Enlarges a full buffer towards `whole` bytes, as soon as the budget allows it.
    async fn grow(&mut self, whole: usize) -> Result<(), FrameError> {
        let capacity = self.frame.capacity().saturating_mul(4).max(FREE_BYTES).min(whole);
        // who holds memory and wants more may be what the others wait for; who holds none may wait
        let patience = if self.reservation.is_empty() { self.limits.idle } else { CONTENDED_GRACE };
        let waited = Instant::now() + patience;
        let reserve = self.budget.reserve(&mut self.reservation, capacity, whole);
        if timeout_at(waited, reserve).await.is_err() {
            return Err(FrameError::Starved);
        }
        self.frame.reserve(capacity.saturating_sub(self.frame.len()));
        Ok(())
    }

    /// Reads what there is of the frame, at most `room` bytes.
    async fn read_some(&mut self, socket: &TcpStream, room: usize) -> Result<(), FrameError> {
        loop {
            match socket.try_read_buf(&mut (&mut self.frame).limit(room)) {
                Ok(0) => {
                    let size = self.size.first_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes) as usize);
                    return Err(FrameError::Truncated { have: self.frame.len(), size });
                }
                Ok(_) => {
                    self.last = Instant::now();
                    return Ok(());
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.await_more(socket).await?,
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Waits for more of a frame that has begun.
    async fn await_more(&self, socket: &TcpStream) -> Result<(), FrameError> {
        let idle = self.last + self.limits.idle;
        let grace = self.began + CONTENDED_GRACE;
        loop {
            let holds = !self.reservation.is_empty();
            let now = Instant::now();
            if now >= idle {
                return Err(FrameError::Idle);
            }
            if holds && now >= grace && self.budget.is_contended() {
                return Err(FrameError::Starved);
            }
            let until = if holds { idle.min(grace.max(now + REST)) } else { idle };
            if let Ok(ready) = timeout_at(until, socket.readable()).await {
                return Ok(ready?);
            }
        }
    }
}

#[cfg(test)]
mod tests;
