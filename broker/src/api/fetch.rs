//! Fetch (1): record batches from partitions, waited for if there are too few.
//!
//! | version | |
//! |---|---|
//! | 0 | message sets of magic 0, see [`convert`] |
//! | 1 | throttle time, always 0 |
//! | 2 | message sets of magic 1 |
//! | 3 | a limit for the whole answer; the first records are given even if they are larger |
//! | 4 | batches of magic 2; isolation level, last stable offset, aborted transactions |
//! | 5 | log start offset |
//! | 6 | the error of a failed disk; versions before it are told that the broker does not lead the partition |
//! | 7 | fetch sessions, see [`fetch_sessions`](crate::fetch_sessions) |
//! | 9 | the leader epoch that the client knows is checked |
//! | 11 | rack, preferred replica: always -1 |
//! | 12 | flexible; the epoch last fetched is not looked at |
//! | 13 | topics by id |
//! | 8, 10, 14 - 17 | as the one before |
//!
//! From version 4 on records are not read: the response has holes which the kernel fills from the segment files (see
//! [`send`](crate::server::send)). So a client below version 10, which need not know zstd, gets it if that is what was produced.
//! It is refused, as by Kafka, where `compression.type` is zstd (error 76).
//! Left out on purpose: followers (a replica id is treated as a consumer).

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::select_all;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};
use wire::message::fetch::{
    AbortedTransaction, FetchPartition, FetchRequest, FetchResponse, FetchTopic, FetchableTopicResponse,
    PartitionData,
};
use wire::{Blob, ErrorCode};

mod convert;
mod count;
mod session;

pub(crate) use convert::Conversions;

use super::{Incoming, Refusal, Reply, RequestContext, Work};
use crate::fetch_sessions::Scope;
use crate::log::{AbortedTxn, CompressionType, Partition, ReadError, ReadSlice};
use crate::server::send::FileRange;
use crate::state::{Broker, Topic};

pub(super) const READ_COMMITTED: i8 = 1;

/// The first version whose clients know the error of a failed disk.
const KNOWS_STORAGE_ERROR: i16 = 6;

/// The first version whose clients know zstd.
const KNOWS_ZSTD: i16 = 10;

/// The first version that names topics by id.
const BY_ID: i16 = 13;

/// Reads what there is; waits only if that is not enough.
pub(super) fn begin(mut incoming: Incoming<'_>) -> Result<Work, Refusal> {
    let request = incoming.decode::<FetchRequest>()?;
    let Incoming { broker, key, context, .. } = incoming;
    let config = broker.config.current();
    let named: usize = request.topics.iter().map(|topic| topic.partitions.len()).sum();
    let forgotten: usize = request.forgotten_topics_data.iter().map(|topic| topic.partitions.len()).sum();
    if named.max(forgotten) > config.max_request_partitions {
        return Err(Refusal::TooManyPartitions { api: key });
    }
    let (now, by_id) = (Instant::now(), context.version >= BY_ID);
    let scope = match broker.fetch_sessions.begin(&request, by_id, session::limits(&config), now) {
        Ok(scope) => scope,
        Err(error) => {
            let response = FetchResponse { error_code: error.code(), ..Default::default() };
            return context.reply::<FetchRequest>(&response).map(|reply| Work::Done(Some(reply)));
        }
    };
    let max_bytes = u32::try_from(request.max_bytes.clamp(0, config.fetch_max_bytes)).unwrap_or_default();
    let fetch = Fetch { broker: broker.clone(), context, request, scope, max_bytes };
    let deadline = now + fetch.max_wait();
    let collected = fetch.collect();
    let is_enough = fetch.is_enough(&collected);
    let magic = convert::magic(fetch.context.version);
    if is_enough && magic.is_none() {
        return fetch.reply(collected).map(|reply| Work::Done(Some(reply)));
    }
    Ok(Work::Pending(Box::pin(async move {
        let collected = if is_enough { collected } else { fetch.wait(collected, deadline).await };
        match magic {
            None => fetch.reply(collected),
            Some(magic) => fetch.convert(magic, collected.bytes).await,
        }
    })))
}

/// Reads one partition into a response.
type Read<'a> = dyn Fn(&Partition, &FetchPartition, &mut Collected) -> Result<PartitionData, ErrorCode> + 'a;

/// A request being served.
struct Fetch {
    broker: Arc<Broker>,
    context: RequestContext,
    request: FetchRequest,
    /// Which partitions it is for.
    scope: Scope,
    max_bytes: u32,
}

/// A response, and the file ranges that belong into its holes.
#[derive(Default)]
struct Collected {
    response: FetchResponse,
    files: Vec<FileRange>,
    bytes: u32,
    failed: bool,
    /// In a session: where it has each partition of the response.
    places: Vec<u64>,
}

impl Fetch {
    fn max_wait(&self) -> Duration {
        Duration::from_millis(u64::try_from(self.request.max_wait_ms).unwrap_or_default())
    }

    /// Whether to answer now: an error is answered at once, so that the client can act on it.
    fn is_enough(&self, collected: &Collected) -> bool {
        let min_bytes = u32::try_from(self.request.min_bytes).unwrap_or_default().min(self.max_bytes);
        collected.bytes >= min_bytes
            || collected.failed
            || self.request.max_wait_ms <= 0
            || self.is_for_nothing()
    }

    /// Whether there are no partitions to wait for. A session has some, also if the request names none.
    fn is_for_nothing(&self) -> bool {
        match self.scope {
            Scope::Incremental(_) => false,
            Scope::Sessionless | Scope::Full => {
                self.request.topics.iter().all(|topic| topic.partitions.is_empty())
            }
        }
    }

    /// Waits for enough records, the deadline, or the broker's stop.
    async fn wait(&self, mut collected: Collected, deadline: Instant) -> Collected {
        // whoever watches before he reads misses no append in between
        let mut watches = self.watches();
        loop {
            let fresh = self.collect();
            let grew = fresh.bytes >= collected.bytes;
            if grew || fresh.failed {
                collected = fresh;
            }
            if self.is_enough(&collected) || watches.is_empty() {
                return collected;
            }
            let appended = select_all(watches.iter_mut().map(|watch| Box::pin(watch.changed())));
            tokio::select! {
                woken = timeout_at(deadline, appended) => if woken.is_err() {
                    return collected;
                },
                () = self.broker.shutdown.cancelled() => return collected,
            }
        }
    }

    /// The high watermarks of all partitions that the request is for.
    fn watches(&self) -> Vec<watch::Receiver<i64>> {
        if let Scope::Incremental(turn) = &self.scope {
            return self.watch_session(turn);
        }
        let mut watches = Vec::new();
        for topic in &self.request.topics {
            let Some(found) = self.topic(topic) else { continue };
            let partitions = topic.partitions.iter().filter_map(|wanted| found.partition(wanted.partition));
            watches.extend(partitions.map(|partition| partition.watch_high_watermark()));
        }
        watches
    }

    /// The state of every partition asked for, in a session only of those that have something new, and as many of their
    /// records as the limits allow.
    fn collect(&self) -> Collected {
        match &self.scope {
            Scope::Incremental(turn) => self.collect_changed(turn),
            Scope::Sessionless | Scope::Full => {
                self.collect_by(&|partition, wanted, collected| self.read(partition, wanted, collected))
            }
        }
    }

    fn collect_by(&self, read: &Read<'_>) -> Collected {
        let mut collected = Collected::default();
        for topic in &self.request.topics {
            let found = self.topic(topic);
            let read = |wanted| self.partition(found.as_deref(), wanted, &mut collected, read);
            let partitions = topic.partitions.iter().map(read).collect();
            collected.response.responses.push(FetchableTopicResponse {
                topic: topic.topic.clone(),
                topic_id: topic.topic_id,
                partitions,
            });
        }
        collected
    }

    fn topic(&self, wanted: &FetchTopic) -> Option<Arc<Topic>> {
        if self.context.version >= BY_ID {
            self.broker.topic_by_id(wanted.topic_id)
        } else {
            self.broker.topic(&wanted.topic)
        }
    }

    fn partition(
        &self,
        topic: Option<&Topic>,
        wanted: &FetchPartition,
        collected: &mut Collected,
        read: &Read<'_>,
    ) -> PartitionData {
        let found = match topic {
            None if self.context.version >= BY_ID => Err(ErrorCode::UnknownTopicId),
            None => Err(ErrorCode::UnknownTopicOrPartition),
            Some(topic) => topic.partition(wanted.partition).ok_or(ErrorCode::UnknownTopicOrPartition),
        };
        let read = found.and_then(|partition| {
            check_leader_epoch(wanted.current_leader_epoch, partition)?;
            self.check_codec(partition)?;
            read(partition, wanted, collected)
        });
        read.unwrap_or_else(|error| {
            collected.failed = true;
            PartitionData {
                partition_index: wanted.partition,
                error_code: self.told(error).code(),
                high_watermark: -1,
                records: Some(Blob::default()),
                ..Default::default()
            }
        })
    }

    /// A client of a topic that is all zstd would otherwise find out only by what it cannot read.
    fn check_codec(&self, partition: &Partition) -> Result<(), ErrorCode> {
        let is_old = self.context.version < KNOWS_ZSTD;
        if is_old && partition.config().compression_type == CompressionType::Zstd {
            return Err(ErrorCode::UnsupportedCompressionType);
        }
        Ok(())
    }

    /// The error as the client knows it: it then looks for the leader again.
    fn told(&self, error: ErrorCode) -> ErrorCode {
        match error {
            ErrorCode::KafkaStorageError if self.context.version < KNOWS_STORAGE_ERROR => {
                ErrorCode::NotLeaderOrFollower
            }
            error => error,
        }
    }

    fn read(
        &self,
        partition: &Partition,
        wanted: &FetchPartition,
        collected: &mut Collected,
    ) -> Result<PartitionData, ErrorCode> {
        let left = self.max_bytes.saturating_sub(collected.bytes);
        let max_bytes = u32::try_from(wanted.partition_max_bytes).unwrap_or_default().min(left);
        // the first records are given whatever their size, or a consumer could never pass a large batch
        let min_one_message = collected.bytes == 0;
        let (slice, mut answer) = if self.request.isolation_level == READ_COMMITTED {
            let read = partition.read_committed(wanted.fetch_offset, max_bytes, min_one_message);
            let (slice, last_stable_offset, aborted) = read.map_err(|error| refused(partition, &error))?;
            let mut answer = data(partition, wanted, &slice);
            answer.last_stable_offset = last_stable_offset.min(slice.high_watermark);
            answer.aborted_transactions = Some(aborted.iter().map(told).collect());
            (slice, answer)
        } else {
            let slice = read_range(partition, wanted.fetch_offset, max_bytes, min_one_message)?;
            let answer = data(partition, wanted, &slice);
            (slice, answer)
        };
        // a batch that is cut off by the limits is of no use to anyone
        if slice.len > 0 && slice.len >= slice.first_batch_len {
            let tag = u32::try_from(collected.files.len()).unwrap_or(u32::MAX);
            answer.records = Some(Blob::Hole { len: slice.len, tag });
            collected.bytes = collected.bytes.saturating_add(slice.len);
            collected.files.push(FileRange { file: slice.file, position: slice.position });
        }
        Ok(answer)
    }

    fn reply(&self, mut collected: Collected) -> Result<Reply, Refusal> {
        match &self.scope {
            Scope::Sessionless => {}
            Scope::Full => collected.response.session_id = self.open_session(&collected.response),
            Scope::Incremental(turn) => collected = self.commit(turn, collected),
        }
        self.count(&collected);
        let mut reply = self.context.reply::<FetchRequest>(&collected.response)?;
        reply.files = collected.files;
        Ok(reply)
    }
}

/// The batches from the one that holds `offset` on.
fn read_range(
    partition: &Partition,
    offset: i64,
    max_bytes: u32,
    min_one_message: bool,
) -> Result<ReadSlice, ErrorCode> {
    partition.read(offset, max_bytes, min_one_message).map_err(|error| refused(partition, &error))
}

fn refused(partition: &Partition, error: &ReadError) -> ErrorCode {
    if !matches!(error, ReadError::OffsetOutOfRange { .. }) {
        tracing::error!(partition = partition.name(), %error, "cannot read");
    }
    error.error_code()
}

/// The answer for a partition that was read, without records yet.
fn data(partition: &Partition, wanted: &FetchPartition, slice: &ReadSlice) -> PartitionData {
    PartitionData {
        partition_index: wanted.partition,
        high_watermark: slice.high_watermark,
        last_stable_offset: partition.last_stable_offset().min(slice.high_watermark),
        log_start_offset: slice.log_start_offset,
        records: Some(Blob::default()),
        ..Default::default()
    }
}

fn told(aborted: &AbortedTxn) -> AbortedTransaction {
    AbortedTransaction { producer_id: aborted.producer_id, first_offset: aborted.first_offset }
}

/// A client that knows another epoch has stale metadata, or newer than ours.
pub(super) fn check_leader_epoch(known: i32, partition: &Partition) -> Result<(), ErrorCode> {
    match known.cmp(&partition.leader_epoch()) {
        _ if known < 0 => Ok(()),
        std::cmp::Ordering::Less => Err(ErrorCode::FencedLeaderEpoch),
        std::cmp::Ordering::Equal => Ok(()),
        std::cmp::Ordering::Greater => Err(ErrorCode::UnknownLeaderEpoch),
    }
}
