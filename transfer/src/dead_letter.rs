//! Records whose document the index refuses for good: they go to `<topic>.dead`, so that nothing waits behind them and
//! nothing is lost. Delivered before their offsets count as acknowledged; a kill in between repeats a letter.
//!
//! A letter is the record as it was (key, value, timestamp, headers) with these headers after its own, all text:
//!
//! | header | value |
//! |---|---|
//! | `dead_letter.topic` `.partition` `.offset` | the record's place |
//! | `dead_letter.index` `.id` | where the document would have been |
//! | `dead_letter.status` `.type` `.reason` | the index's answer |
//! | `dead_letter.value` | `too_large` when the topic does not take the value: it is to be found at the record's place |

use daemon::Backoff;
use parking_lot::Mutex;
use rdkafka::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord, Producer};
use rdkafka::util::Timeout;
use tracing::warn;

use crate::batch::{Batch, Item, Original, Partition};
use crate::document;
use crate::elastic::outcome::Refusal;
use crate::record::{Origin, Record};

/// The index's reason may quote the whole document.
const MAX_REASON_CHARS: usize = 1000;

/// A record to be buried, and why.
#[derive(Debug)]
pub(crate) struct DeadLetter<'a> {
    partition: &'a Partition,
    item: &'a Item,
    index: &'a str,
    original: Original<'a>,
    refusal: Refusal,
}

impl<'a> DeadLetter<'a> {
    /// The letter of a batch's item; `None` only if the item is not of that batch.
    pub(crate) fn new(batch: &'a Batch, item: &'a Item, refusal: Refusal) -> Option<Self> {
        let (partition, _) = batch.partitions.get(item.partition)?;
        let index = batch.indices.get(item.index)?;
        Some(Self { partition, item, index, original: batch.original(item)?, refusal })
    }

    /// All headers: the record's own, then the letter's.
    pub(crate) fn headers(&self) -> Vec<(&str, Option<Vec<u8>>)> {
        let own = self.original.headers.iter().map(|(name, value)| (*name, value.map(<[u8]>::to_vec)));
        let reason: String = self.refusal.reason.chars().take(MAX_REASON_CHARS).collect();
        let added = [
            ("dead_letter.topic", self.partition.topic.to_string()),
            ("dead_letter.partition", self.partition.number.to_string()),
            ("dead_letter.offset", self.item.offset.to_string()),
            ("dead_letter.index", self.index.to_owned()),
            ("dead_letter.status", self.refusal.status.to_string()),
            ("dead_letter.type", self.refusal.kind.clone()),
            ("dead_letter.reason", reason),
        ];
        let added = added.into_iter().map(|(name, value)| (name, Some(value.into_bytes())));
        own.chain(added).chain([("dead_letter.id", Some(self.id()))]).collect()
    }

    /// The document's `_id`, derived once more.
    fn id(&self) -> Vec<u8> {
        let mut origin = Origin::default();
        for (name, value) in &self.original.headers {
            origin.header(name, *value);
        }
        let (topic, partition, offset) =
            (self.partition.topic.as_ref(), self.partition.number, self.item.offset);
        let record = Record { topic, partition, offset, origin, ..Record::default() };
        let mut id = Vec::new();
        document::write_id(&mut id, &record);
        id
    }
}

/// The dead-letter topics. Its client is made when the first letter comes: most never see one.
pub(crate) struct DeadLetters {
    bootstrap: String,
    suffix: String,
    backoff: Backoff,
    producer: Mutex<Option<FutureProducer>>,
}

impl std::fmt::Debug for DeadLetters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DeadLetters").field("suffix", &self.suffix).finish_non_exhaustive()
    }
}

impl DeadLetters {
    pub(crate) fn new(bootstrap: &str, suffix: &str, backoff: Backoff) -> Self {
        let producer = Mutex::new(None);
        Self { bootstrap: bootstrap.to_owned(), suffix: suffix.to_owned(), backoff, producer }
    }

    /// Returns when the letter is in its topic on all in-sync replicas. Tries for ever.
    pub(crate) async fn deliver(&self, letter: &DeadLetter<'_>) {
        let topic = format!("{}{}", letter.partition.topic, self.suffix);
        let mut backoff = self.backoff.clone();
        let mut with_value = true;
        loop {
            match self.send(&topic, letter, with_value).await {
                Ok(()) => break,
                Err(error) if with_value && is_too_large(&error) => with_value = false,
                Err(error) => {
                    let (partition, offset) = (letter.partition.number, letter.item.offset);
                    warn!(topic, partition, offset, %error, "cannot write dead letter yet");
                    self.replace_if_broken();
                    tokio::time::sleep(backoff.next_pause()).await;
                }
            }
        }
        let (partition, offset) = (letter.partition.number, letter.item.offset);
        let (status, kind) = (letter.refusal.status, &letter.refusal.kind);
        // not the reason: it may quote the line
        warn!(
            topic,
            partition,
            offset,
            status,
            kind,
            with_value,
            "index refused a document: record is a dead letter now"
        );
    }

    async fn send(&self, topic: &str, letter: &DeadLetter<'_>, with_value: bool) -> Result<(), KafkaError> {
        let producer = self.producer()?;
        let mut headers = OwnedHeaders::new();
        for (key, value) in letter.headers() {
            headers = headers.insert(Header { key, value: value.as_ref() });
        }
        if !with_value {
            headers = headers.insert(Header { key: "dead_letter.value", value: Some("too_large") });
        }
        let mut record = FutureRecord::<[u8], [u8]>::to(topic).headers(headers);
        record.key = letter.original.key;
        record.payload = letter.original.value.filter(|_| with_value);
        record.timestamp = letter.item.timestamp_ms;
        producer.send(record, Timeout::Never).await.map(|_| ()).map_err(|(error, _)| error)
    }

    fn producer(&self) -> Result<FutureProducer, KafkaError> {
        let mut producer = self.producer.lock();
        if let Some(producer) = &*producer {
            return Ok(producer.clone());
        }
        let mut config = ClientConfig::new();
        config
            .set("client.id", "logagent-transfer-dead-letters")
            .set("bootstrap.servers", &self.bootstrap)
            .set("acks", "all")
            .set("enable.idempotence", "true")
            .set("linger.ms", "5")
            .set("delivery.timeout.ms", "30000")
            // the value came out of a topic; whether its dead-letter topic takes it is for the broker to say
            .set("message.max.bytes", "134217728")
            .set("queue.buffering.max.kbytes", "16384")
            .set("reconnect.backoff.max.ms", "2000");
        let created: FutureProducer = config.create()?;
        *producer = Some(created.clone());
        Ok(created)
    }

    /// An idempotent producer can break for good (its id expired, a gap): another one takes over.
    fn replace_if_broken(&self) {
        let mut producer = self.producer.lock();
        if producer.as_ref().is_some_and(|producer| producer.client().fatal_error().is_some()) {
            *producer = None;
        }
    }
}

/// What the topic will not take at any time.
fn is_too_large(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(RDKafkaErrorCode::MessageSizeTooLarge | RDKafkaErrorCode::InvalidMessageSize)
    )
}

#[cfg(test)]
mod tests;
