//! Records for clients from before Kafka 0.11 (Fetch below version 4): batches converted into message sets.
//!
//! Memory is bounded, whoever asks: batches are read and converted one after the other, at most [`AT_ONCE`] requests
//! at a time; a response has at most [`RESPONSE_BYTES_MAX`] of records or a single larger message, and is paid for out of
//! a budget until it is sent. When others hold all of that for [`PATIENCE`], the response has no records, and
//! the client asks again.
//!
//! The limits hold for what is sent, not for what is read. Up to version 2 a message that is larger than the client's
//! limit is cut off there, which tells the client to raise it; from version 3 on the first message comes whole. Batches
//! that convert to nothing are passed over, or the client would ask for them for ever.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::timeout;
use wire::message::fetch::{FetchPartition, PartitionData};
use wire::record::legacy::{Magic, SetBuilder};
use wire::record::{Compression, RecordError, batch};
use wire::{Blob, ErrorCode};

use super::{Collected, Fetch, data, read_range};
use crate::api::{Refusal, Reply};
use crate::log::{Partition, ReadSlice};
use crate::server::budget::{Budget, Reservation};

/// How many requests are converted at a time.
const AT_ONCE: usize = 2;
/// The most records of one response, bytes, unless a single message is larger.
const RESPONSE_BYTES_MAX: u32 = 4 << 20;
/// What is read at a time, bytes, unless a single batch is larger.
const READ_BYTES: u32 = 256 << 10;
/// What one batch may decompress to.
const DECOMPRESSED_BYTES_MAX: usize = 64 << 20;
/// How long a request waits for its turn and its memory.
const PATIENCE: Duration = Duration::from_secs(1);

/// The first version in which the first message is given whatever its size.
const FIRST_COMES_WHOLE: i16 = 3;

/// What all conversions share.
#[derive(Debug)]
pub(crate) struct Conversions {
    turns: Arc<Semaphore>,
    budget: Budget,
}

impl Conversions {
    /// Conversions whose responses take at most about `bytes` together.
    pub(crate) fn new(bytes: usize) -> Self {
        Conversions { turns: Arc::new(Semaphore::new(AT_ONCE)), budget: Budget::new(bytes) }
    }
}

/// The format of a version's records; `None` for batches.
pub(super) fn magic(version: i16) -> Option<Magic> {
    match version {
        0 | 1 => Some(Magic::V0),
        2 | 3 => Some(Magic::V1),
        _ => None,
    }
}

impl Fetch {
    /// The response with message sets. `seen` bytes of batches were there a moment ago.
    pub(super) async fn convert(mut self, magic: Magic, seen: u32) -> Result<Reply, Refusal> {
        self.max_bytes = self.max_bytes.min(RESPONSE_BYTES_MAX);
        let memory = self.max_bytes.max(seen) as usize;
        let broker = self.broker.clone();
        let conversions = &broker.conversions;
        let mut reservation = Reservation::default();
        let admitted = timeout(PATIENCE, async {
            conversions.budget.reserve(&mut reservation, memory, memory).await;
            conversions.turns.clone().acquire_owned().await.ok()
        });
        let turn = admitted.await.ok().flatten();
        if turn.is_none() {
            tracing::debug!("no memory to convert records for an old client");
            self.max_bytes = 0;
        }
        let converted = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let collected = self.collect_by(&|partition, wanted, collected| {
                self.read_converted(magic, partition, wanted, collected)
            });
            self.reply(collected)
        });
        let mut reply = converted.await??;
        reservation.shrink(reply.encoded.bytes.len());
        reply.reservation = reservation;
        Ok(reply)
    }

    fn read_converted(
        &self,
        magic: Magic,
        partition: &Partition,
        wanted: &FetchPartition,
        collected: &mut Collected,
    ) -> Result<PartitionData, ErrorCode> {
        let left = self.max_bytes.saturating_sub(collected.bytes);
        let partition_max = u32::try_from(wanted.partition_max_bytes).unwrap_or_default();
        let limit = partition_max.min(left) as usize;
        let mut slice = read_range(partition, wanted.fetch_offset, READ_BYTES, true)?;
        if left == 0 {
            return Ok(data(partition, wanted, &slice));
        }
        let mut set = SetBuilder::new(magic, wanted.fetch_offset, limit);
        loop {
            let next = match push(&mut set, &slice, partition) {
                Ok(next) => next,
                // what comes before the batch that cannot be converted is given first
                Err(_) if !set.is_empty() => break,
                Err(error) => return Err(error),
            };
            match next {
                Some(next) if !set.is_full() => slice = read_range(partition, next, READ_BYTES, true)?,
                _ => break,
            }
        }
        let mut set = set.finish();
        if set.len() > limit {
            let is_first = collected.bytes == 0;
            if self.context.version < FIRST_COMES_WHOLE && set.len() > partition_max as usize {
                set.truncate(limit);
            } else if !is_first {
                set.clear();
            }
        }
        collected.bytes = collected.bytes.saturating_add(u32::try_from(set.len()).unwrap_or(u32::MAX));
        Ok(PartitionData { records: Some(Blob::Bytes(set.into())), ..data(partition, wanted, &slice) })
    }
}

/// Adds the batches of a range to a set; returns the offset after them, `None` if there were none.
fn push(set: &mut SetBuilder, slice: &ReadSlice, partition: &Partition) -> Result<Option<i64>, ErrorCode> {
    let bytes = slice.read_bytes().map_err(|error| {
        tracing::error!(partition = partition.name(), %error, "cannot read");
        ErrorCode::KafkaStorageError
    })?;
    let mut next = None;
    for found in batch::batches(&bytes) {
        // the range may end within a batch
        let Ok((header, whole)) = found else { break };
        next = Some(header.last_offset().saturating_add(1));
        // those who know of no transactions are not told of their ends
        if header.is_control() {
            continue;
        }
        set.push(whole, DECOMPRESSED_BYTES_MAX).map_err(|error| {
            let code = refusal(&error);
            if code == ErrorCode::CorruptMessage {
                let offset = header.base_offset;
                tracing::error!(partition = partition.name(), offset, %error, "cannot convert a batch");
            }
            code
        })?;
        if set.is_full() {
            break;
        }
    }
    Ok(next)
}

/// What a client is told that cannot be given a batch.
fn refusal(error: &RecordError) -> ErrorCode {
    match error {
        RecordError::UnknownCompression(id) if *id == Compression::Zstd.id() => {
            ErrorCode::UnsupportedCompressionType
        }
        RecordError::TooLarge { .. } => ErrorCode::MessageTooLarge,
        _ => ErrorCode::CorruptMessage,
    }
}
