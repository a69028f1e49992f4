//! A lane: the ordered stream of batches to one partition.
//!
//! A batch goes through these steps: a piece of a file is encoded under the lane's next sequence; its intent is recorded in the
//! checkpoint; it is sent to the partition's leader; the broker acknowledges it; the checkpoint is told. At most
//! `max_in_flight` batches are between the first step and the last, and the checkpoint is told in order.
//!
//! There is no lingering: what is at hand is sent at once. While the window is full, chunks wait at their files and grow.
//!
//! After the lane's start, a new producer id or a failure one batch goes alone, until the broker has accepted it: a broker that
//! does not know the producer takes any first sequence, so a second batch must not get there before the first.
//! What happens on failures is in `recovery`.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use daemon::Backoff;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tracing::{error, info};
use wire::message::ProduceRequest;
use wire::message::produce::{PartitionProduceData, TopicProduceData};
use wire::record::batch::increment_sequence;

use super::batch::{Encoder, Piece};
use super::complaint::Complaint;
use super::config::Config;
use super::decide::Failure;
use super::metadata::Metadata;
use super::producer_id::{Enlisted, ProducerIds};
use super::window::{Batch, State};
use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::metrics::AgentMetrics;
use crate::model::{Chunk, Intent, LaneId, Producer};

/// What the lanes have in common.
pub(super) struct Shared {
    pub(super) config: Arc<Config>,
    pub(super) checkpoint: Arc<Checkpoint>,
    pub(super) metrics: AgentMetrics,
    pub(super) metadata: Arc<Metadata>,
    pub(super) ids: ProducerIds,
    /// `buffer_bytes`, for the encoded batches of all lanes.
    pub(super) buffer: Arc<Semaphore>,
}

/// What a lane is asked to ship.
pub(super) enum Work {
    /// Lines just read, and their place in the queue.
    Chunk(Chunk, OwnedSemaphorePermit),
    /// A batch whose fate was open when the agent stopped; no bytes when they cannot be read any more.
    Resend(Intent, Option<Bytes>),
}

/// A piece that waits for room in the window, with the sequence it had before the agent stopped.
pub(super) struct Waiting {
    pub(super) piece: Piece,
    pub(super) base_sequence: Option<i32>,
}

/// One lane; lives in a task of its own.
pub(super) struct Lane {
    pub(super) id: LaneId,
    pub(super) shared: Arc<Shared>,
    work: mpsc::Receiver<Work>,
    /// At most the chunk that is being cut, in front of it the piece that is next; after a refusal for size, before them
    /// what has to be cut again.
    pub(super) waiting: VecDeque<Waiting>,
    pub(super) window: VecDeque<Batch>,
    pub(super) encoder: Encoder,
    /// The producer that `next_sequence` counts for.
    pub(super) producer: Option<Producer>,
    pub(super) next_sequence: i32,
    /// Whether that producer is the one of the agent's last run, so that old sequences are still good.
    pub(super) resumed: bool,
    /// Held while an answer may come.
    pub(super) enlisted: Option<Enlisted>,
    /// Whether the broker has accepted a batch since the start, the last failure, the last producer id.
    pub(super) proven: bool,
    pub(super) max_batch_bytes: usize,
    pub(super) backoff: Backoff,
    pub(super) complaint: Complaint,
}

impl Lane {
    /// A lane that goes on with `next_sequence` of `producer`, the one of the agent's last run.
    pub(super) fn new(
        id: LaneId,
        shared: Arc<Shared>,
        work: mpsc::Receiver<Work>,
        producer: Option<Producer>,
        next_sequence: i32,
    ) -> Self {
        Self {
            id,
            work,
            waiting: VecDeque::new(),
            window: VecDeque::new(),
            encoder: Encoder::new(shared.config.compression()),
            resumed: producer.is_some(),
            producer,
            next_sequence,
            enlisted: None,
            proven: false,
            max_batch_bytes: shared.config.max_batch_bytes as usize,
            backoff: Backoff::new(shared.config.retry_backoff_ms, shared.config.retry_backoff_max_ms),
            complaint: Complaint::default(),
            shared,
        }
    }

    /// Ships until no more work can come and all of it is acknowledged.
    pub(super) async fn run(mut self) {
        let mut open = true;
        while open || !self.waiting.is_empty() || !self.window.is_empty() {
            self.fill().await;
            let wants_work = open && self.waiting.is_empty();
            let outcome = tokio::select! {
                biased;
                outcome = front_outcome(&mut self.window) => outcome,
                work = self.work.recv(), if wants_work => {
                    match work {
                        Some(work) => self.accept(work).await,
                        None => open = false,
                    }
                    continue;
                }
            };
            match outcome {
                Ok(()) => self.settle(),
                Err(failure) => self.recover(failure).await,
            }
        }
    }

    async fn accept(&mut self, work: Work) {
        match work {
            Work::Chunk(chunk, _place) => {
                self.waiting.push_back(Waiting { piece: chunk.into(), base_sequence: None });
            }
            Work::Resend(intent, Some(data)) => {
                let piece = Piece::again(&intent, data);
                self.waiting.push_back(Waiting { piece, base_sequence: Some(intent.base_sequence) });
            }
            Work::Resend(intent, None) => self.give_up_unreadable(&intent).await,
        }
    }

    /// Sends what is at hand, as far as the window allows.
    async fn fill(&mut self) {
        while self.has_room() {
            let Some(mut next) = self.waiting.pop_front() else { return };
            // a batch that was perhaps sent before must be the one it was
            if next.base_sequence.is_none()
                && let Some(piece) = next.piece.cut(self.max_batch_bytes)
            {
                self.waiting.push_front(Waiting { piece, base_sequence: None });
            }
            let Some(room) = self.reserve(&next.piece).await else {
                self.waiting.push_front(next);
                return;
            };
            self.enlist().await;
            self.push(next, room).await;
            self.post(self.window.len() - 1).await;
        }
    }

    fn has_room(&self) -> bool {
        let limit = if self.proven { self.shared.config.max_in_flight } else { 1 };
        let stuck = self.window.back().is_some_and(Batch::is_failed);
        let resting = !self.window.is_empty() && self.shared.ids.renewal_waits();
        !self.waiting.is_empty() && self.window.len() < limit && !stuck && !resting
    }

    /// Room for the encoded batch. With batches under way it is not waited for: their answers may be what frees it, and a
    /// lane that waits must not be enlisted.
    async fn reserve(&mut self, piece: &Piece) -> Option<OwnedSemaphorePermit> {
        let bytes = u32::try_from(piece.bound()).unwrap_or(u32::MAX).min(self.shared.config.buffer_bytes);
        let buffer = self.shared.buffer.clone();
        if !self.window.is_empty() {
            return buffer.try_acquire_many_owned(bytes).ok();
        }
        self.enlisted = None;
        buffer.acquire_many_owned(bytes).await.ok()
    }

    /// Makes sure that there is a producer, and that the lane's numbers are of it.
    pub(super) async fn enlist(&mut self) {
        if self.enlisted.is_some() {
            return;
        }
        let (enlisted, producer) = self.shared.ids.enlist().await;
        self.enlisted = Some(enlisted);
        if self.producer.as_ref() != Some(&producer) {
            self.producer = Some(producer);
            self.resumed = false;
            self.proven = false;
            self.warn_of_repeats();
            self.number_anew(0).await;
        }
    }

    /// Gives the next sequence to a piece and puts its batch into the window.
    async fn push(&mut self, next: Waiting, mut room: OwnedSemaphorePermit) {
        let old_sequence = next.base_sequence.filter(|_| self.resumed);
        let base_sequence = old_sequence.unwrap_or(self.next_sequence);
        let (encoded, count) = self.encode(&next.piece, base_sequence).await;
        // what compression saved is free for others
        drop(room.split(room.num_permits().saturating_sub(encoded.len())));
        self.next_sequence = advance(base_sequence, count);
        self.window.push_back(Batch {
            base_sequence,
            count,
            encoded,
            recorded: old_sequence.is_some(),
            maybe_appended: next.base_sequence.is_some(),
            ..Batch::new(next.piece, room)
        });
    }

    /// Numbers the whole window from `first`; nothing of it is recorded under the new numbers.
    pub(super) async fn number_anew(&mut self, first: i32) {
        self.next_sequence = first;
        let mut numbered = VecDeque::with_capacity(self.window.len());
        while let Some(batch) = self.window.pop_front() {
            let base_sequence = self.next_sequence;
            let (encoded, count) = self.encode(&batch.piece, base_sequence).await;
            self.next_sequence = advance(base_sequence, count);
            let maybe_appended = batch.maybe_appended || batch.is_done();
            numbered.push_back(Batch {
                base_sequence,
                count,
                encoded,
                maybe_appended,
                ..Batch::new(batch.piece, batch.room)
            });
        }
        self.window = numbered;
    }

    /// Encodes; a codec that fails is tried again for ever, because the lines are not ours to drop.
    pub(super) async fn encode(&mut self, piece: &Piece, base_sequence: i32) -> (Bytes, u32) {
        let nobody = Producer { id: -1, epoch: -1, boot_id: String::new() };
        let producer = self.producer.clone().unwrap_or(nobody);
        loop {
            match self.encoder.encode(piece, &producer, base_sequence) {
                Ok(batch) => return batch,
                Err(error) => self.pause("cannot build a batch, trying again", &error.into()).await,
            }
        }
    }

    /// Records and sends the batch at `index`; if that fails, its outcome says why.
    pub(super) async fn post(&mut self, index: usize) {
        let sent = self.try_post(index).await;
        if let Some(batch) = self.window.get_mut(index) {
            batch.state = sent.unwrap_or_else(|failure| State::Failed(Some(failure)));
        }
    }

    async fn try_post(&mut self, index: usize) -> Result<State, Failure> {
        let Some(batch) = self.window.get_mut(index) else { return Ok(State::Idle) };
        if !batch.recorded {
            self.shared.checkpoint.intend(&batch.piece.intent(&self.id, batch.base_sequence, batch.count))?;
            batch.recorded = true;
        }
        let leader = self.shared.metadata.leader(&self.id.topic, self.id.partition).await?;
        let leader = leader.ok_or(Failure::NoLeader)?;
        let records = wire::codec::Blob::Hole { len: batch.encoded.len() as u32, tag: 0 };
        let partition = PartitionProduceData { index: self.id.partition, records: Some(records) };
        let topic = TopicProduceData { name: self.id.topic.to_string(), partition_data: vec![partition] };
        let request = ProduceRequest {
            transactional_id: None,
            acks: -1,
            timeout_ms: i32::try_from(self.shared.config.request_timeout_ms).unwrap_or(i32::MAX),
            topic_data: vec![topic],
        };
        Ok(State::Sent(leader.send(&request, batch.encoded.clone()).await?))
    }

    /// The first batch of the window is acknowledged.
    pub(super) fn settle(&mut self) {
        let Some(batch) = self.window.pop_front() else { return };
        self.shared.checkpoint.acknowledge(&self.id, batch.base_sequence);
        self.shared.metrics.shipped_lines.inc_by(u64::from(batch.count));
        self.shared.metrics.shipped_bytes.inc_by(batch.piece.end.saturating_sub(batch.piece.start));
        self.proven = true;
        self.backoff.reset();
        if self.complaint.settle() {
            info!(topic = %self.id.topic, partition = self.id.partition, "shipping again");
        }
        if self.window.is_empty() {
            self.enlisted = None;
        }
    }

    /// An intent is open, but its bytes are gone. Whether the broker has them is not known; if not, it will refuse the next
    /// sequence, and the lane takes a new producer id.
    async fn give_up_unreadable(&mut self, intent: &Intent) {
        let bytes = intent.end.saturating_sub(intent.start);
        error!(
            path = %intent.file.path, topic = %self.id.topic, start = intent.start, end = intent.end,
            "lines that were being shipped when the agent stopped cannot be read again, they may be missing"
        );
        self.shared.metrics.abandoned_bytes.inc_by(bytes);
        self.insist("give a range up", |lane| {
            lane.shared.checkpoint.abandon(&intent.file, intent.start, intent.end)
        })
        .await;
        // no longer open, if it still was: a new producer id has closed it already
        self.shared.checkpoint.acknowledge(&self.id, intent.base_sequence);
    }

    /// Does what must be done before going on, however long the disk refuses.
    pub(super) async fn insist(&mut self, what: &str, act: impl Fn(&Self) -> Result<(), CheckpointError>) {
        while let Err(error) = act(self) {
            self.pause(what, &error.into()).await;
        }
    }
}

/// The sequence that follows a batch.
pub(super) fn advance(base_sequence: i32, count: u32) -> i32 {
    increment_sequence(base_sequence, i32::try_from(count).unwrap_or(i32::MAX))
}

/// The outcome of the oldest batch; never when there is none.
async fn front_outcome(window: &mut VecDeque<Batch>) -> Result<(), Failure> {
    match window.front_mut() {
        Some(batch) => batch.outcome().await,
        None => std::future::pending().await,
    }
}
