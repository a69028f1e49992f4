//! Produce (0): appends records to partitions.
//!
//! | version | |
//! |---|---|
//! | 0 | message sets of magic 0; `acks` 0 (not answered), 1 (in the page cache), -1 (on the disk) |
//! | 1 | throttle time, always 0 |
//! | 2 | message sets of magic 1; log append time |
//! | 3 | record batches of magic 2; transactional id |
//! | 5 | log start offset |
//! | 8 | an error message for each partition, and for single records of a batch that is refused because of them |
//! | 9 | flexible |
//! | 10 | the new leader's address: never set, there is one broker |
//! | 11 | error 120 where the partition was not added to the transaction; before, 48 |
//! | 4, 6, 7 | as the one before |
//!
//! Message sets are converted into batches in whatever version they come (segments hold magic 2 only), which costs
//! a re-encoding; they take the topic's `compression.type` at once. A set may be larger than `max.message.bytes`, its
//! entries may not. A set that is cut off is refused, where Kafka drops its end. They are announced because librdkafka
//! compresses only for brokers that announce version 0.
//! Batches are stamped with their offsets inside the received frame, and these very bytes are appended. Only where the
//! topic's `compression.type` is another they are compressed again, on the thread that message sets are converted on.
//!
//! A producer's first batch in a transaction is appended if its coordinator knows the partition to be part of it (KIP-890).
//!
//! What only the broker itself writes, its internal topics, is refused (error 17), and everything while too little disk space is free
//! (error 56; 6 before version 4, whose clients look for the leader again).
//! Left out on purpose: creating topics (Metadata does it, as in Kafka). Of the records that are refused (they lack a key or are too far
//! from the broker's time), an answer names no more than the first 10,000.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::time::{Instant, timeout_at};
use wire::message::produce::{PartitionProduceData, ProduceRequest, ProduceResponse, TopicProduceResponse};
use wire::record::{BatchHeader, TimestampType as SetTime, legacy};
use wire::{Blob, ErrorCode};

use self::answer::{Failure, answer, count_errors, first_error};
use super::{Incoming, Refusal, RequestContext, Work};
use crate::log::{Appended, Partition, RefusedRecords, TimestampType, Verification};
use crate::state::{Broker, Topic, is_internal};
use crate::txn::Producer;

mod answer;

/// What the message sets of one partition in one request may decompress to when they are converted.
const CONVERTED_BYTES_MAX: usize = 64 << 20;

/// The first version whose records are batches; before it, a set may be empty.
const BATCHES_ONLY: i16 = 3;

/// The first version whose clients know error 120.
const KNOWS_ABORTABLE: i16 = 11;

const ACKS_NONE: i16 = 0;
const ACKS_ALL: i16 = -1;

/// The records of one partition, as a range of the frame.
struct Part {
    index: i32,
    records: Option<Range<usize>>,
}

/// A partition whose records have to become durable before the answer: where its response stands.
struct Unflushed {
    partition: Arc<Partition>,
    /// The offset after the last record.
    end: i64,
    topic: usize,
    response: usize,
}

/// Appends everything, in the order it came; what remains for later is only to wait for the disk.
pub(super) fn begin(mut incoming: Incoming<'_>, frame: Bytes) -> Result<(Work, Option<BytesMut>), Refusal> {
    let mut request = incoming.decode::<ProduceRequest>()?;
    let Incoming { broker, key, context, .. } = incoming;
    let named: usize = request.topic_data.iter().map(|topic| topic.partition_data.len()).sum();
    if named > broker.config.current().max_request_partitions {
        return Err(Refusal::TooManyPartitions { api: key });
    }
    let (acks, timeout_ms) = (request.acks, request.timeout_ms);
    let refused = refuse_all(broker, &request);
    let transactional_id = request.transactional_id.take();
    let parts = locate(&frame, request);
    let refused = refused.or_else(|| refuse_transaction(&frame, &parts, transactional_id.as_deref()));
    let transaction = transactional_id.as_deref().map(|id| (id, context.version >= KNOWS_ABORTABLE));
    // every other reference is gone by now: this is the received buffer itself, not a copy
    let mut frame = frame.try_into_mut().unwrap_or_else(|shared| BytesMut::from(shared.as_ref()));

    let mut response = ProduceResponse::default();
    let mut unflushed = Vec::new();
    let mut nameable = RefusedRecords::MAX;
    for (name, parts) in parts {
        let topic = broker.topic(&name);
        let mut answers = Vec::with_capacity(parts.len());
        for part in parts {
            let index = part.index;
            let mut appended = match refused {
                Some(refusal) => Err(Failure::from(refusal)),
                None if acks == ACKS_ALL && lacks_replicas(topic.as_deref(), index) => {
                    Err(Failure::from(ErrorCode::NotEnoughReplicas))
                }
                None => append(broker, topic.as_deref(), part, transaction, &mut frame, context.version),
            };
            if let Err(failure) = &mut appended {
                failure.name_at_most(&mut nameable);
            }
            if let Ok((partition, appended)) = &appended {
                let (topic, position) = (response.responses.len(), answers.len());
                let end = appended.last_offset.saturating_add(1);
                if acks == ACKS_ALL {
                    broker.start_flush(partition, end);
                    unflushed.push(Unflushed {
                        partition: partition.clone(),
                        end,
                        topic,
                        response: position,
                    });
                } else {
                    broker.flush_by_count(partition, end);
                }
            }
            answers.push(answer(context.version, index, appended.map(|(_, appended)| appended)));
        }
        response.responses.push(TopicProduceResponse { name, partition_responses: answers });
    }
    let work = finish(broker, context, acks, timeout_ms, (response, unflushed))?;
    Ok((work, Some(frame)))
}

/// What is answered when, by `acks`.
fn finish(
    broker: &Arc<Broker>,
    context: RequestContext,
    acks: i16,
    timeout_ms: i32,
    (response, unflushed): (ProduceResponse, Vec<Unflushed>),
) -> Result<Work, Refusal> {
    if unflushed.is_empty() {
        count_errors(broker, &response);
    }
    if acks == ACKS_NONE {
        return match first_error(&response) {
            Some(error) => Err(Refusal::Unacknowledged(error)),
            None => Ok(Work::Done(None)),
        };
    }
    if unflushed.is_empty() {
        return context.reply::<ProduceRequest>(&response).map(|reply| Work::Done(Some(reply)));
    }
    let deadline = Instant::now() + Duration::from_millis(u64::try_from(timeout_ms).unwrap_or_default());
    let broker = broker.clone();
    Ok(Work::Pending(Box::pin(async move {
        let response = await_flushes(context.version, response, unflushed, deadline).await;
        count_errors(&broker, &response);
        context.reply::<ProduceRequest>(&response)
    })))
}

/// Waits until everything is on the disk; what is not in time, or never will be, gets its error.
async fn await_flushes(
    version: i16,
    mut response: ProduceResponse,
    unflushed: Vec<Unflushed>,
    deadline: Instant,
) -> ProduceResponse {
    for Unflushed { partition, end, topic, response: position } in unflushed {
        let error = match timeout_at(deadline, partition.flushed_to(end)).await {
            Ok(Ok(())) => continue,
            Ok(Err(error)) => Failure::new(error.error_code(), error.to_string()),
            Err(_) => Failure::from(ErrorCode::RequestTimedOut),
        };
        let topic = response.responses.get_mut(topic);
        if let Some(place) = topic.and_then(|topic| topic.partition_responses.get_mut(position)) {
            *place = answer(version, place.index, Err(error));
        }
    }
    response
}

/// Why a request is refused as a whole.
fn refuse_all(broker: &Broker, request: &ProduceRequest) -> Option<ErrorCode> {
    if !(ACKS_ALL..=1).contains(&request.acks) {
        return Some(ErrorCode::InvalidRequiredAcks);
    }
    broker.free_space.is_short().then_some(ErrorCode::KafkaStorageError)
}

/// Why a transaction's request is refused as a whole: its batches are all of one producer, which has to say its name.
fn refuse_transaction(
    frame: &[u8],
    parts: &[(String, Vec<Part>)],
    transactional_id: Option<&str>,
) -> Option<ErrorCode> {
    let ranges = parts.iter().flat_map(|(_, parts)| parts).filter_map(|part| part.records.clone());
    let headers = ranges.filter_map(|range| transactional_header(frame.get(range)?));
    let mut producers = headers.map(|header| (header.producer_id, header.producer_epoch));
    let first = producers.next()?;
    if transactional_id.is_none() {
        return Some(ErrorCode::TransactionalIdAuthorizationFailed);
    }
    producers.any(|other| other != first).then_some(ErrorCode::InvalidProducerIdMapping)
}

/// The header of a batch that is part of a transaction.
fn transactional_header(records: &[u8]) -> Option<BatchHeader> {
    let header = BatchHeader::parse(records).ok()?;
    (header.is_transactional() && header.producer_id >= 0).then_some(header)
}

/// Takes the request apart until only ranges of the frame are left of its records.
fn locate(frame: &Bytes, request: ProduceRequest) -> Vec<(String, Vec<Part>)> {
    let part = |data: PartitionProduceData| Part {
        index: data.index,
        records: data.records.as_ref().and_then(Blob::bytes).map(|records| range_of(frame, records)),
    };
    let topics = request.topic_data.into_iter();
    topics.map(|topic| (topic.name, topic.partition_data.into_iter().map(part).collect())).collect()
}

/// Where in the frame a slice of it lies. One without bytes need not point into it.
fn range_of(frame: &Bytes, slice: &Bytes) -> Range<usize> {
    if slice.is_empty() {
        return 0..0;
    }
    let start = slice.as_ptr().addr().saturating_sub(frame.as_ptr().addr());
    start..start.saturating_add(slice.len())
}

/// Whether the topic demands more replicas than the one that there is.
fn lacks_replicas(topic: Option<&Topic>, index: i32) -> bool {
    let partition = topic.and_then(|topic| topic.partition(index));
    partition.is_some_and(|partition| partition.config().min_insync_replicas > 1)
}

fn append(
    broker: &Broker,
    topic: Option<&Topic>,
    part: Part,
    transaction: Option<(&str, bool)>,
    frame: &mut BytesMut,
    version: i16,
) -> Result<(Arc<Partition>, Appended), Failure> {
    let topic = topic.ok_or(ErrorCode::UnknownTopicOrPartition)?;
    if is_internal(topic.name()) {
        return Err(ErrorCode::InvalidTopicException.into());
    }
    let partition = topic.partition(part.index).ok_or(ErrorCode::UnknownTopicOrPartition)?;
    let Some(records) = part.records.and_then(|range| frame.get_mut(range)) else {
        return Err(ErrorCode::InvalidRecord.into());
    };
    let bytes = records.len();
    if bytes == 0 && version < BATCHES_ONLY {
        return Ok((partition.clone(), nothing_appended(partition)));
    }
    let appended = match wire::record::magic(records) {
        Ok(0 | 1) => append_converted(partition, records)?,
        _ => {
            let place = (topic.name(), part.index);
            let verification = verify(broker, partition, place, transaction, records)?;
            partition.append_verified(records, verification)?
        }
    };
    if !appended.duplicate {
        let records = appended.last_offset.saturating_sub(appended.base_offset).saturating_add(1);
        broker.metrics.appended(u64::try_from(records).unwrap_or_default(), bytes as u64);
    }
    Ok((partition.clone(), appended))
}

/// An old client may send a set without messages: that succeeds without an offset, as in Kafka.
fn nothing_appended(partition: &Partition) -> Appended {
    Appended {
        base_offset: -1,
        last_offset: -1,
        log_append_time: -1,
        log_start_offset: partition.log_start_offset(),
        duplicate: true,
    }
}

/// The coordinator's word that the partition is part of the batch's transaction, if it is needed.
fn verify(
    broker: &Broker,
    partition: &Partition,
    (topic, index): (&str, i32),
    transaction: Option<(&str, bool)>,
    records: &[u8],
) -> Result<Option<Verification>, Failure> {
    let Some(((transactional_id, knows_abortable), header)) = transaction.zip(transactional_header(records))
    else {
        return Ok(None);
    };
    let Some(needed) = partition.unverified(header.producer_id) else { return Ok(None) };
    let producer = Producer { transactional_id, id: header.producer_id, epoch: header.producer_epoch };
    match broker.txns.verify(producer, topic, index) {
        Ok(()) => Ok(Some(needed)),
        // the previous transaction is about to end: producers repeat what is refused with this error
        Err(ErrorCode::ConcurrentTransactions) => Err(ErrorCode::NotEnoughReplicas.into()),
        Err(error) => Err(verification_error(error, knows_abortable).into()),
    }
}

/// What a client is told when its partition is not part of its transaction, in words that it knows.
pub(super) fn verification_error(error: ErrorCode, knows_abortable: bool) -> ErrorCode {
    match error {
        ErrorCode::ProducerFenced => ErrorCode::InvalidProducerEpoch,
        ErrorCode::TransactionAbortable if !knows_abortable => ErrorCode::InvalidTxnState,
        error => error,
    }
}

/// Appends the message sets of old clients as record batches.
fn append_converted(partition: &Partition, set: &[u8]) -> Result<Appended, Failure> {
    let config = partition.config();
    let has_append_time = |message: legacy::Message<'_>| message.timestamp_type() == SetTime::LogAppendTime;
    if config.message_timestamp_type == TimestampType::LogAppendTime
        && legacy::entries(set).flatten().any(has_append_time)
    {
        return Err(ErrorCode::InvalidTimestamp.into());
    }
    let batch = config.max_message_bytes as usize;
    let limits = legacy::ConversionLimits { decompressed: CONVERTED_BYTES_MAX, batch };
    let batches = legacy::to_batches(set, config.compression_type.codec(), limits)?;
    let mut converted = Vec::with_capacity(batches.iter().map(Bytes::len).sum());
    for batch in &batches {
        converted.extend_from_slice(batch);
    }
    Ok(partition.append(&mut converted)?)
}
