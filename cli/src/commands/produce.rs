//! `logagent produce`: lines from stdin become records.

use std::io::{BufRead, IsTerminal as _, Read as _, stdin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use clap::Args;
use rdkafka::ClientContext;
use rdkafka::config::FromClientConfigAndContext as _;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, DeliveryResult, Producer as _, ProducerContext};
use std::sync::Mutex;

use super::topics::key_value;
use crate::fail::{Failure, OrFail as _};
use crate::kafka::Connection;
use crate::output::{self, progress};

/// Longer lines are refused rather than held in memory.
const MAX_LINE_BYTES: u64 = 64 << 20;
/// How long a full queue is waited for before looking again.
const POLL: Duration = Duration::from_millis(100);
/// How long a broker that is there may take for a record, from stdin to its acknowledgement (Kafka's `delivery.timeout.ms`).
const DELIVERY: Duration = Duration::from_secs(120);

const EXAMPLES: &str = "\
Examples:
  echo hello | logagent produce --topic greetings
  logagent produce --topic nginx_log --compression zstd < access.log
  echo 'user-1:{\"a\":1}' | logagent produce --topic events --key-separator :
  logagent produce --topic events --header source=import --header run=7 --acks 1 < events.ndjson";

#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Where the records go.
    #[arg(long, short)]
    topic: String,
    /// To this partition; else by the key's hash, or spread if there is none.
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(i32).range(0..))]
    partition: Option<i32>,
    /// What stands between a record's key and its value on each line; without it lines are values.
    #[arg(long, short, value_name = "TEXT")]
    key_separator: Option<String>,
    /// A header that every record gets; may be repeated.
    #[arg(long = "header", short = 'H', value_name = "KEY=VALUE", value_parser = key_value)]
    headers: Vec<(String, String)>,
    /// How batches are compressed.
    #[arg(long, short = 'z', value_name = "CODEC", default_value = "none",
          value_parser = ["none", "gzip", "snappy", "lz4", "zstd"])]
    compression: String,
    /// When a record counts as sent: 0 at once, 1 when the leader has it, all when it is durable.
    #[arg(long, default_value = "all", value_parser = ["0", "1", "all"])]
    acks: String,
    #[command(flatten)]
    connection: Connection,
}

/// What became of the records.
#[derive(Default)]
struct Outcome {
    delivered: AtomicU64,
    failed: AtomicU64,
    first_error: Mutex<Option<KafkaError>>,
}

#[derive(Clone, Default)]
struct Deliveries(Arc<Outcome>);

impl ClientContext for Deliveries {}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        match result {
            Ok(_) => {
                self.0.delivered.fetch_add(1, Ordering::Relaxed);
            }
            Err((error, _)) => {
                self.0.failed.fetch_add(1, Ordering::Relaxed);
                if let Ok(mut first) = self.0.first_error.lock() {
                    first.get_or_insert_with(|| error.clone());
                }
            }
        }
    }
}

impl Arguments {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let outcome = Deliveries::default();
        let producer = self.producer(outcome.clone())?;
        // A broker that is away is told before anything is read.
        let asked = producer.client().fetch_metadata(Some(&self.topic), self.connection.timeout());
        asked.map_err(|error| self.connection.failure(&self.what(), &error))?;
        let mut input = stdin().lock();
        let mut line = Vec::new();
        let mut number = 0_u64;
        let headers = self.headers();
        // Who types the lines knows how many they are.
        let progress = progress::of_records(!input.is_terminal());
        while outcome.0.failed.load(Ordering::Relaxed) == 0 && read_line(&mut input, &mut line)? {
            number += 1;
            let (key, value) = split(&line, self.key_separator.as_deref())
                .ok_or_else(|| Failure::new(format!("line {number} of the input has no key separator")))?;
            self.send(&producer, key, value, headers.as_ref())?;
            progress.inc(1);
        }
        let flushed = producer.flush(self.delivery_timeout());
        progress.finish_and_clear();
        self.conclude(&outcome.0, flushed)
    }

    /// What every record gets, if there is anything.
    fn headers(&self) -> Option<OwnedHeaders> {
        if self.headers.is_empty() {
            return None;
        }
        let none = OwnedHeaders::new_with_capacity(self.headers.len());
        Some(self.headers.iter().fold(none, |headers, (key, value)| {
            headers.insert(Header { key: key.as_str(), value: Some(value.as_bytes()) })
        }))
    }

    fn delivery_timeout(&self) -> Duration {
        self.connection.timeout().max(DELIVERY)
    }

    fn producer(&self, outcome: Deliveries) -> Result<BaseProducer<Deliveries>, Failure> {
        let mut config = self.connection.config();
        config
            .set("acks", &self.acks)
            .set("enable.idempotence", if self.acks == "all" { "true" } else { "false" })
            .set("compression.type", &self.compression)
            .set("message.timeout.ms", self.delivery_timeout().as_millis().to_string())
            .set("linger.ms", "5")
            .set("queue.buffering.max.kbytes", "65536");
        BaseProducer::from_config_and_context(&config, outcome)
            .map_err(|error| self.connection.failure("cannot create a producer", &error))
    }

    /// Waits while the client's queue is full.
    fn send(
        &self,
        producer: &BaseProducer<Deliveries>,
        key: Option<&[u8]>,
        value: &[u8],
        headers: Option<&OwnedHeaders>,
    ) -> Result<(), Failure> {
        let mut record = BaseRecord::<[u8], [u8], ()>::to(&self.topic).payload(value);
        if let Some(key) = key {
            record = record.key(key);
        }
        if let Some(partition) = self.partition {
            record = record.partition(partition);
        }
        if let Some(headers) = headers {
            record = record.headers(headers.clone());
        }
        loop {
            match producer.send(record) {
                Ok(()) => {
                    producer.poll(Duration::ZERO);
                    return Ok(());
                }
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), refused)) => {
                    producer.poll(POLL);
                    record = refused;
                }
                Err((error, _)) => return Err(self.connection.failure(&self.what(), &error)),
            }
        }
    }

    fn conclude(&self, outcome: &Outcome, flushed: Result<(), KafkaError>) -> Result<(), Failure> {
        let delivered = outcome.delivered.load(Ordering::Relaxed);
        let first = outcome.first_error.lock().ok().and_then(|mut first| first.take());
        let error = first.or(flushed.err());
        if let Some(error) = error {
            let what = format!("{} ({delivered} were sent before)", self.what());
            return Err(self.connection.failure(&what, &error));
        }
        output::note(&format!("sent {delivered} record(s) to {}", self.topic));
        Ok(())
    }

    fn what(&self) -> String {
        format!("cannot send records to {}", self.topic)
    }
}

/// Reads a line without its end; `false` at the end of the input.
fn read_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> Result<bool, Failure> {
    line.clear();
    let read = input.take(MAX_LINE_BYTES + 1).read_until(b'\n', line).or_fail("cannot read stdin")?;
    if line.last() == Some(&b'\n') {
        line.pop();
    } else if line.len() as u64 > MAX_LINE_BYTES {
        return Err(Failure::new(format!("a line of the input is longer than {MAX_LINE_BYTES} bytes")));
    }
    Ok(read > 0)
}

/// Key and value of a line. `None` when there should be a key and is none.
fn split<'a>(line: &'a [u8], separator: Option<&str>) -> Option<(Option<&'a [u8]>, &'a [u8])> {
    let Some(separator) = separator.filter(|separator| !separator.is_empty()) else {
        return Some((None, line));
    };
    let separator = separator.as_bytes();
    let at = line.windows(separator.len()).position(|window| window == separator)?;
    let (key, rest) = line.split_at_checked(at)?;
    Some((Some(key), rest.get(separator.len()..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_value_unless_a_separator_is_given() {
        assert_eq!(split(b"a:b", None), Some((None, b"a:b".as_slice())));
        assert_eq!(split(b"a:b:c", Some(":")), Some((Some(b"a".as_slice()), b"b:c".as_slice())));
        assert_eq!(split(b"::", Some("::")), Some((Some(b"".as_slice()), b"".as_slice())));
        assert_eq!(split(b"ab", Some(":")), None);
        assert_eq!(split(b"ab", Some("")), Some((None, b"ab".as_slice())));
    }

    #[test]
    fn lines_keep_carriage_returns_and_the_last_needs_no_end() {
        let mut input = b"a\r\n\nb".as_slice();
        let mut line = Vec::new();
        let mut lines = Vec::new();
        while read_line(&mut input, &mut line).unwrap() {
            lines.push(line.clone());
        }
        assert_eq!(lines, [b"a\r".to_vec(), b"".to_vec(), b"b".to_vec()]);
    }

    #[test]
    fn an_endless_line_is_refused() {
        let mut endless = std::io::BufReader::with_capacity(1 << 20, std::io::repeat(b'x'));
        assert!(read_line(&mut endless, &mut Vec::new()).is_err());
    }
}
