//! `logagent consume`: the records of a topic on stdout, one on a line.

use std::collections::BTreeSet;
use std::io::{BufWriter, Write, stdout};

use clap::Args;
use futures_util::FutureExt as _;
use rdkafka::consumer::{CommitMode, Consumer as _, StreamConsumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Headers as _, Message as _};
use rdkafka::{Offset, TopicPartitionList};
use serde_json::{Map, Value, json};

use crate::fail::Failure;
use crate::kafka::{Connection, block_on};
use crate::output;

const EXAMPLES: &str = "\
Examples:
  logagent consume --topic nginx_log --from-beginning
  logagent consume --topic nginx_log --from-beginning --until-end | wc -l
  logagent consume --topic nginx_log --partition 0 --offset 1000 --max-messages 1 -o json
  logagent consume --topic nginx_log --group audit";

/// How a record is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// The value alone.
    Value,
    /// One JSON object for each record, with its place, key, headers and time.
    Json,
}

#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Which topic.
    #[arg(long, short)]
    topic: String,
    /// Start at the oldest record kept; else only records that come from now on are shown. With --group: where the
    /// group has no committed offset.
    #[arg(long)]
    from_beginning: bool,
    /// Read as a member of this group, and commit what was printed.
    #[arg(long, short, conflicts_with_all = ["offset", "partition"])]
    group: Option<String>,
    /// Only this partition.
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(i32).range(0..))]
    partition: Option<i32>,
    /// Start at this offset of the partition.
    #[arg(long, value_name = "N", requires = "partition", conflicts_with = "from_beginning",
          value_parser = clap::value_parser!(i64).range(0..))]
    offset: Option<i64>,
    /// End after so many records.
    #[arg(long, short, value_name = "N")]
    max_messages: Option<u64>,
    /// End at the end of every partition.
    #[arg(long, short = 'e')]
    until_end: bool,
    /// How a record is printed.
    #[arg(long, short, value_enum, default_value = "value")]
    output: Format,
    #[command(flatten)]
    connection: Connection,
}

impl Arguments {
    pub(crate) fn run(self) -> Result<(), Failure> {
        block_on(async {
            let consumer = self.consumer()?;
            let result = tokio::select! {
                result = self.print_all(&consumer) => result,
                _ = tokio::signal::ctrl_c() => Ok(()),
            };
            if self.group.is_some() {
                // Nothing printed means nothing to commit.
                match consumer.commit_consumer_state(CommitMode::Sync) {
                    Ok(()) | Err(KafkaError::ConsumerCommit(rdkafka::types::RDKafkaErrorCode::NoOffset)) => {}
                    Err(error) => {
                        return Err(self.connection.failure("cannot commit what was printed", &error));
                    }
                }
            }
            result
        })
    }

    fn consumer(&self) -> Result<StreamConsumer, Failure> {
        let asker = self.connection.asker(None)?;
        let partitions = self.connection.partitions(&asker, &self.topic)?;
        let mut config = self.connection.config();
        config
            .set("group.id", self.group.as_deref().unwrap_or("logagent-cli"))
            .set("enable.auto.commit", if self.group.is_some() { "true" } else { "false" })
            .set("enable.auto.offset.store", "false")
            .set("auto.offset.reset", if self.from_beginning { "earliest" } else { "latest" })
            .set("enable.partition.eof", if self.until_end { "true" } else { "false" })
            .set("queued.max.messages.kbytes", "16384");
        let consumer: StreamConsumer = self.connection.client(&config)?;
        let what = format!("cannot consume {}", self.topic);
        let started = match self.group {
            Some(_) => consumer.subscribe(&[&self.topic]),
            None => self.assignment(&partitions)?.and_then(|assignment| consumer.assign(&assignment)),
        };
        started.map_err(|error| self.connection.failure(&what, &error))?;
        Ok(consumer)
    }

    /// The partitions to read without a group, and where to start.
    fn assignment(&self, partitions: &[i32]) -> Result<Result<TopicPartitionList, KafkaError>, Failure> {
        if let Some(wanted) = self.partition.filter(|wanted| !partitions.contains(wanted)) {
            let (topic, count) = (&self.topic, partitions.len());
            return Err(Failure::new(format!(
                "topic {topic} has {count} partition(s), and no partition {wanted}"
            )));
        }
        let start = match self.offset {
            Some(offset) => Offset::Offset(offset),
            None if self.from_beginning => Offset::Beginning,
            None => Offset::End,
        };
        let mut list = TopicPartitionList::new();
        let wanted =
            partitions.iter().filter(|partition| self.partition.is_none_or(|only| only == **partition));
        let added: Result<(), KafkaError> = wanted
            .into_iter()
            .try_for_each(|partition| list.add_partition_offset(&self.topic, *partition, start));
        Ok(added.map(|()| list))
    }

    async fn print_all(&self, consumer: &StreamConsumer) -> Result<(), Failure> {
        let mut out = BufWriter::new(stdout().lock());
        let mut left = self.max_messages.unwrap_or(u64::MAX);
        let mut ended = BTreeSet::new();
        while left > 0 {
            let next = match consumer.recv().now_or_never() {
                Some(next) => next,
                None => {
                    // Nothing waits: let what was printed be seen.
                    out.flush().map_err(|error| output::failed(&error))?;
                    consumer.recv().await
                }
            };
            match next {
                Ok(message) => {
                    self.print(&mut out, &message).map_err(|error| output::failed(&error))?;
                    // Without a group offsets are not stored, and that is no error.
                    let _ = consumer.store_offset_from_message(&message);
                    ended.remove(&message.partition());
                    left -= 1;
                }
                Err(KafkaError::PartitionEOF(partition)) => {
                    ended.insert(partition);
                    if consumer.assignment().is_ok_and(|assignment| ended.len() >= assignment.count()) {
                        break;
                    }
                }
                Err(error) => {
                    let what = format!("cannot consume {}", self.topic);
                    return Err(self.connection.failure(&what, &error));
                }
            }
        }
        out.flush().map_err(|error| output::failed(&error))
    }

    fn print(&self, out: &mut impl Write, message: &BorrowedMessage<'_>) -> std::io::Result<()> {
        match self.output {
            Format::Value => {
                out.write_all(message.payload().unwrap_or_default())?;
                out.write_all(b"\n")
            }
            Format::Json => writeln!(out, "{}", describe(message)),
        }
    }
}

/// A record with everything that is known of it. Bytes that are no UTF-8 are shown as replacement characters.
fn describe(message: &BorrowedMessage<'_>) -> Value {
    let text = |bytes: Option<&[u8]>| bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    let mut headers = Map::new();
    if let Some(all) = message.headers() {
        for header in all.iter() {
            headers.insert(header.key.to_owned(), json!(text(header.value)));
        }
    }
    json!({
        "topic": message.topic(),
        "partition": message.partition(),
        "offset": message.offset(),
        "timestamp": message.timestamp().to_millis(),
        "key": text(message.key()),
        "value": text(message.payload()),
        "headers": headers,
    })
}
