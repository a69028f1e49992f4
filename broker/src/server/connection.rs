//! One client: reads its requests, has them served, answers in the order they came.
//!
//! Kafka reads a client's next request when the last one is answered. So do we, with one exception: the
//! Produce requests of a client overlap, because with acks=all each waits for the disk, and one flush
//! should serve many. They are appended in the order they came; any other request waits until all before it
//! are answered.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::BytesMut;
use thiserror::Error;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use super::frame::{FrameError, FrameReader};
use super::send::{self, Reply, SendError};
use crate::api::{self, Client, Refusal, Work};
use crate::state::Broker;

/// Why a connection ended.
#[derive(Debug, Error)]
pub(crate) enum End {
    /// No next request.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// A request that is not served.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// No response could be sent.
    #[error(transparent)]
    Send(#[from] SendError),
    /// The broker stops.
    #[error("the broker stops")]
    Stopping,
}

/// One client's connection.
pub(super) struct Connection {
    pub(super) socket: TcpStream,
    pub(super) reader: FrameReader,
    pub(super) broker: Arc<Broker>,
    pub(super) client: Client,
    /// How many requests may be in progress.
    pub(super) in_flight_max: usize,
    /// How long a client may take nothing of its response.
    pub(super) stall: Duration,
    pub(super) shutdown: CancellationToken,
}

/// The requests of a connection that are not yet answered, oldest first.
#[derive(Default)]
struct InFlight {
    works: VecDeque<Work>,
    /// One of them allows no other beside it.
    exclusive: bool,
}

impl InFlight {
    /// The oldest one's response, when it is there: `None` if it has none.
    fn poll_oldest(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Reply>, Refusal>> {
        let result = match self.works.front_mut() {
            None => return Poll::Pending,
            Some(Work::Done(reply)) => Ok(reply.take()),
            Some(Work::Pending(future)) => std::task::ready!(future.as_mut().poll(cx)).map(Some),
        };
        self.works.pop_front();
        self.exclusive &= !self.works.is_empty();
        Poll::Ready(result)
    }
}

/// What a connection does next.
enum Event {
    Answer(Option<Reply>),
    Request(BytesMut),
    Stop,
}

impl Connection {
    /// Serves the client until it goes, misbehaves, or the broker stops.
    pub(super) async fn serve(mut self) -> End {
        match self.run().await {
            Ok(never) => match never {},
            Err(end) => end,
        }
    }

    async fn run(&mut self) -> Result<std::convert::Infallible, End> {
        let mut in_flight = InFlight::default();
        // a request that has to wait for those before it
        let mut held: Option<BytesMut> = None;
        loop {
            if let Some(frame) = held.take_if(|_| in_flight.works.is_empty()) {
                self.begin(frame, &mut in_flight)?;
            }
            match self.next_event(&mut in_flight, held.is_some()).await? {
                Event::Answer(Some(reply)) => self.answer(reply, &mut in_flight).await?,
                Event::Answer(None) => {}
                Event::Request(frame) if api::overlaps(&frame) => self.begin(frame, &mut in_flight)?,
                Event::Request(frame) => held = Some(frame),
                Event::Stop => return Err(End::Stopping),
            }
        }
    }

    /// Sends a response, and with it those that are there too: one flush answers many requests.
    async fn answer(&self, mut reply: Reply, in_flight: &mut InFlight) -> Result<(), End> {
        loop {
            let next = match poll_fn(|cx| Poll::Ready(in_flight.poll_oldest(cx))).await {
                Poll::Ready(Ok(Some(next))) => match reply.join(next) {
                    None => continue,
                    apart => Ok(apart),
                },
                Poll::Ready(Err(refusal)) => Err(refusal),
                Poll::Ready(Ok(None)) | Poll::Pending => Ok(None),
            };
            send::send(&self.socket, &reply, self.stall).await?;
            self.client.connected.sent(reply.encoded.wire_len());
            match next? {
                Some(next) => reply = next,
                None => return Ok(()),
            }
        }
    }

    async fn next_event(&mut self, in_flight: &mut InFlight, holds: bool) -> Result<Event, End> {
        let full = holds || in_flight.exclusive || in_flight.works.len() >= self.in_flight_max;
        let idle = in_flight.works.is_empty();
        // a stop lets what is in progress end, and takes nothing new
        let stopping = self.shutdown.is_cancelled();
        if stopping && idle {
            return Ok(Event::Stop);
        }
        tokio::select! {
            biased;
            answer = poll_fn(|cx| in_flight.poll_oldest(cx)), if !idle => Ok(Event::Answer(answer?)),
            // wakes the loop; what is in progress is then answered without waiting for more requests
            () = self.shutdown.cancelled(), if !stopping => Ok(Event::Answer(None)),
            frame = self.reader.next(&self.socket), if !full && !stopping => Ok(Event::Request(frame?)),
            () = client_is_gone(&self.socket), if full => Err(FrameError::Closed.into()),
        }
    }

    /// Begins to serve a request; its memory is free for the next one.
    fn begin(&mut self, frame: BytesMut, in_flight: &mut InFlight) -> Result<(), End> {
        in_flight.exclusive = !api::overlaps(&frame);
        self.client.connected.received(frame.len());
        let begun = api::begin(&self.broker, &self.client, frame.freeze());
        let (work, frame) = begun?;
        self.reader.recycle(frame);
        in_flight.works.push_back(work);
        Ok(())
    }
}

/// Returns when the client has closed its side and sent nothing more before it; else never.
async fn client_is_gone(socket: &TcpStream) {
    let mut byte = [0; 1];
    match socket.peek(&mut byte).await {
        Ok(0) | Err(_) => {}
        Ok(_) => std::future::pending().await,
    }
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").field("peer", &self.client.address).finish_non_exhaustive()
    }
}
