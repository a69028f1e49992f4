//! One TCP connection to one broker.
//!
//! Requests are pipelined: they are written in the order in which they come, and answers are matched to them in the order in
//! which they were written, as Kafka answers. A wrong correlation id, an oversized answer, a late answer or any I/O error ends
//! the connection; every request without an answer then fails with [`CallError::Lost`], and its outcome is unknown.
//! The frame of an answer grows with what arrives, up to `max_response_bytes`.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};
use wire::error_code::ErrorCode;
use wire::message::{ApiKey, ApiVersionsRequest, Request};

use super::config::Config;

/// How many requests wait to be written.
const QUEUE: usize = 64;
/// The first version of Produce that carries record batches of magic 2.
const FIRST_WITH_BATCHES: i16 = 3;
/// What is asked of the kernel at once while an answer arrives.
const READ_STEP: usize = 16 * 1024;

/// Why a request has no answer.
#[derive(Clone, Debug, thiserror::Error)]
pub(super) enum CallError {
    /// The broker cannot be connected to; nothing was sent.
    #[error("cannot connect to broker {address}: {reason}")]
    Unreachable {
        /// `host:port`.
        address: Arc<str>,
        /// What the system said.
        reason: Arc<str>,
    },
    /// The connection ended before the answer came.
    #[error("lost the connection to broker {address}: {reason}")]
    Lost {
        /// `host:port`.
        address: Arc<str>,
        /// Why it ended.
        reason: Arc<str>,
    },
    /// The broker has no version of this API that we have.
    #[error("broker {address} serves no version of {api} that this agent speaks")]
    Unsupported {
        /// `host:port`.
        address: Arc<str>,
        /// The API's name.
        api: &'static str,
    },
    /// The broker answered with an error.
    #[error("broker {address} refused {api}: {code}")]
    Refused {
        /// `host:port`.
        address: Arc<str>,
        /// The API's name.
        api: &'static str,
        /// What it said.
        code: ErrorCode,
    },
    /// The request cannot be encoded.
    #[error("cannot encode a request: {0}")]
    Encode(Arc<str>),
}

impl CallError {
    /// Whether the broker may have done what was asked.
    pub(super) fn outcome_unknown(&self) -> bool {
        matches!(self, Self::Lost { .. })
    }

    /// Whether it needs an operator.
    pub(super) fn is_lasting(&self) -> bool {
        matches!(self, Self::Unsupported { .. } | Self::Encode(_) | Self::Refused { .. })
    }
}

/// A request on its way.
struct Call {
    /// The frame, in up to three parts so that record batches are not copied.
    parts: [Bytes; 3],
    pending: Pending,
}

struct Pending {
    correlation_id: i32,
    answer: oneshot::Sender<Bytes>,
}

/// An open connection; dropping it closes it.
pub(super) struct Connection {
    address: Arc<str>,
    client_id: String,
    timeout: Duration,
    versions: HashMap<ApiKey, i16>,
    next_id: AtomicI32,
    calls: mpsc::Sender<Call>,
    closed: CancellationToken,
    /// Why it was closed, once it is.
    reason: Arc<Mutex<Option<Arc<str>>>>,
    _close_on_drop: DropGuard,
}

impl Connection {
    /// Connects and agrees on the versions of the APIs.
    pub(super) async fn open(address: Arc<str>, config: &Config) -> Result<Self, CallError> {
        let limit = Duration::from_millis(config.connect_timeout_ms);
        let unreachable =
            |reason: String| CallError::Unreachable { address: address.clone(), reason: reason.into() };
        let stream = match tokio::time::timeout(limit, TcpStream::connect(&*address)).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return Err(unreachable(error.to_string())),
            Err(_) => return Err(unreachable(format!("no answer within {} ms", limit.as_millis()))),
        };
        stream.set_nodelay(true).map_err(|error| unreachable(error.to_string()))?;
        let mut connection = Self::over(stream, address, config);
        connection.agree().await?;
        Ok(connection)
    }

    fn over(stream: TcpStream, address: Arc<str>, config: &Config) -> Self {
        let (read, write) = stream.into_split();
        let (calls, queue) = mpsc::channel(QUEUE);
        let closed = CancellationToken::new();
        let reason = Arc::new(Mutex::new(None));
        let pending = Arc::new(Mutex::new(VecDeque::new()));
        let limit = config.max_response_bytes as usize;
        let reading = read_answers(read, pending.clone(), limit);
        let writing = write_calls(write, queue, pending.clone());
        let (ending, ended_for) = (closed.clone(), reason.clone());
        tokio::spawn(async move {
            let why = tokio::select! {
                error = reading => error.to_string(),
                error = writing => error.to_string(),
                () = ending.cancelled() => "it was closed here".to_owned(),
            };
            ended_for.lock().get_or_insert_with(|| why.into());
            ending.cancel();
            pending.lock().clear();
        });
        Self {
            address,
            client_id: config.client_id.clone(),
            timeout: config.answer_timeout(),
            versions: HashMap::new(),
            next_id: AtomicI32::new(0),
            calls,
            _close_on_drop: closed.clone().drop_guard(),
            closed,
            reason,
        }
    }

    /// Asks for the broker's versions and chooses the highest common one of each API.
    async fn agree(&mut self) -> Result<(), CallError> {
        // version 0 is known to every broker, so there is no fallback to take care of
        self.versions.insert(ApiKey::ApiVersions, 0);
        let answer = self.call(&ApiVersionsRequest::default()).await?;
        let code = ErrorCode::from_code(answer.error_code);
        if code != ErrorCode::None {
            return Err(self.refused("ApiVersions", code));
        }
        for served in answer.api_keys {
            let Ok(key) = ApiKey::try_from(served.api_key) else { continue };
            let ours = key.versions();
            let least = if key == ApiKey::Produce { FIRST_WITH_BATCHES } else { *ours.start() };
            let version = served.max_version.min(*ours.end());
            if version >= served.min_version.max(least) {
                self.versions.insert(key, version);
            }
        }
        Ok(())
    }

    /// The error of an answer that is one.
    pub(super) fn refused(&self, api: &'static str, code: ErrorCode) -> CallError {
        CallError::Refused { address: self.address.clone(), api, code }
    }

    /// Whether it is still of use.
    pub(super) fn is_open(&self) -> bool {
        !self.closed.is_cancelled()
    }

    /// Sends a request and waits for its answer.
    pub(super) async fn call<R: Request>(&self, request: &R) -> Result<R::Response, CallError> {
        self.send(request, Bytes::new()).await?.answer().await
    }

    /// Sends a request. Where it has a hole, `body` is sent. The answer is asked of the returned flight.
    pub(super) async fn send<R: Request>(&self, request: &R, body: Bytes) -> Result<Flight<R>, CallError> {
        let Some(&version) = self.versions.get(&R::KEY) else {
            return Err(CallError::Unsupported { address: self.address.clone(), api: R::KEY.name() });
        };
        let correlation_id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let encoded = wire::frame::encode_request(Some(&self.client_id), correlation_id, version, request)
            .map_err(|error| CallError::Encode(error.to_string().into()))?;
        let mut head = encoded.bytes;
        let tail = match encoded.holes.first() {
            Some(hole) => head.split_off(hole.at.min(head.len())),
            None => Bytes::new(),
        };
        let (sender, receiver) = oneshot::channel();
        let pending = Pending { correlation_id, answer: sender };
        let flight = Flight {
            answer: receiver,
            version,
            deadline: Instant::now() + self.timeout,
            address: self.address.clone(),
            closed: self.closed.clone(),
            reason: self.reason.clone(),
            _request: std::marker::PhantomData,
        };
        let call = Call { parts: [head, body, tail], pending };
        match tokio::time::timeout_at(flight.deadline, self.calls.send(call)).await {
            Ok(Ok(())) => Ok(flight),
            // it never left our queue
            Ok(Err(_)) | Err(_) => {
                Err(CallError::Unreachable { address: self.address.clone(), reason: flight.why() })
            }
        }
    }
}

/// A request that was sent.
pub(super) struct Flight<R> {
    answer: oneshot::Receiver<Bytes>,
    version: i16,
    deadline: Instant,
    address: Arc<str>,
    closed: CancellationToken,
    reason: Arc<Mutex<Option<Arc<str>>>>,
    _request: std::marker::PhantomData<fn() -> R>,
}

impl<R: Request> Flight<R> {
    /// Waits for the answer. May be cancelled and asked again.
    pub(super) async fn answer(&mut self) -> Result<R::Response, CallError> {
        let frame = match tokio::time::timeout_at(self.deadline, &mut self.answer).await {
            Ok(Ok(frame)) => frame,
            Ok(Err(_)) => return Err(self.lost()),
            Err(_) => {
                // what comes after a late answer would be late too
                self.end("it did not answer in time");
                return Err(self.lost());
            }
        };
        match wire::frame::decode_response::<R>(frame, self.version) {
            Ok((_, response)) => Ok(response),
            Err(error) => {
                self.end(&format!("its answer cannot be read: {error}"));
                Err(self.lost())
            }
        }
    }

    fn end(&self, why: &str) {
        self.reason.lock().get_or_insert_with(|| why.into());
        self.closed.cancel();
    }

    fn why(&self) -> Arc<str> {
        self.reason.lock().clone().unwrap_or_else(|| "it was closed".into())
    }

    fn lost(&self) -> CallError {
        CallError::Lost { address: self.address.clone(), reason: self.why() }
    }
}

/// Writes frames until the connection or the queue ends.
async fn write_calls(
    mut write: OwnedWriteHalf,
    mut queue: mpsc::Receiver<Call>,
    pending: Arc<Mutex<VecDeque<Pending>>>,
) -> io::Error {
    while let Some(Call { parts: [head, body, tail], pending: call }) = queue.recv().await {
        // before the first byte leaves, as the answer may be here before `write_all_buf` returns
        pending.lock().push_back(call);
        if let Err(error) = write.write_all_buf(&mut head.chain(body).chain(tail)).await {
            return error;
        }
    }
    io::Error::other("it is not used any more")
}

/// Reads frames and hands each to the request it answers.
async fn read_answers(
    mut read: OwnedReadHalf,
    pending: Arc<Mutex<VecDeque<Pending>>>,
    limit: usize,
) -> io::Error {
    let mut buffer = BytesMut::new();
    loop {
        let frame = match read_frame(&mut read, &mut buffer, limit).await {
            Ok(frame) => frame,
            Err(error) => return error,
        };
        let correlation_id = frame.first_chunk().map(|bytes| i32::from_be_bytes(*bytes));
        let call = pending.lock().pop_front();
        match call {
            Some(call) if Some(call.correlation_id) == correlation_id => {
                // whoever asked may be gone
                let _ = call.answer.send(frame);
            }
            _ => return io::Error::other("it answered what was not asked"),
        }
    }
}

async fn read_frame(read: &mut OwnedReadHalf, buffer: &mut BytesMut, limit: usize) -> io::Result<Bytes> {
    while buffer.len() < 4 {
        read_more(read, buffer, READ_STEP).await?;
    }
    let size = buffer.get_i32();
    let size = usize::try_from(size).ok().filter(|size| (4..=limit).contains(size));
    let size = size.ok_or_else(|| io::Error::other("its answer is larger than max_response_bytes"))?;
    while buffer.len() < size {
        let missing = size - buffer.len();
        read_more(read, buffer, missing.min(READ_STEP)).await?;
    }
    Ok(buffer.split_to(size).freeze())
}

async fn read_more(read: &mut OwnedReadHalf, buffer: &mut BytesMut, room: usize) -> io::Result<()> {
    buffer.reserve(room);
    match read.read_buf(buffer).await? {
        0 => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it closed the connection")),
        _ => Ok(()),
    }
}
