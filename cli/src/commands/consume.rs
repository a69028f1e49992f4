//! `logagent consume`: the records of a topic on stdout, one on a line.

mod record;
mod start;
mod template;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufWriter, Write, stdout};

use clap::Args;
use futures_util::FutureExt as _;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _, StreamConsumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Message as _};
use rdkafka::{Offset, TopicPartitionList};

use crate::fail::Failure;
use crate::kafka::{Connection, Watermarks, block_on};
use crate::output::{self, progress};
use crate::time;
use record::Record;
use start::Start;
use template::Template;

const EXAMPLES: &str = "\
Examples:
  logagent consume --topic nginx_log --from-beginning
  logagent consume --topic nginx_log --from-beginning --until-end | wc -l
  logagent consume --topic nginx_log --partition 0 --offset 1000 --max-messages 1 -o json
  logagent consume --topic nginx_log --offset -10 --until-end
  logagent consume --topic nginx_log --from-time 2026-01-31T08:00:00Z --format '%T %p:%o %s\\n'
  logagent consume --topic nginx_log --group audit --count 100

In a format %t is the topic, %p the partition, %o the offset, %T the time in milliseconds since 1970, %k the key, %s the
value, %K and %S their lengths, %h the headers; \\n, \\r, \\t, \\0 and \\xNN are bytes. As in kcat no line's end is added.";

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
    #[arg(long, short, conflicts_with_all = ["offset", "partition", "from_time"])]
    group: Option<String>,
    /// Only this partition.
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(i32).range(0..))]
    partition: Option<i32>,
    /// Start at this offset of the partition; at so many records before the end with a minus, in all partitions too.
    #[arg(long, value_name = "N", conflicts_with = "from_beginning", allow_negative_numbers = true)]
    offset: Option<i64>,
    /// Start at the first record that is as new: ISO 8601 (UTC without a zone), or milliseconds since 1970.
    #[arg(long, value_name = "TIME", conflicts_with_all = ["from_beginning", "offset"], value_parser = time::millis)]
    from_time: Option<i64>,
    /// End after so many records.
    #[arg(long, short, value_name = "N", visible_alias = "count")]
    max_messages: Option<u64>,
    /// End at the end of every partition.
    #[arg(long, short = 'e')]
    until_end: bool,
    /// How a record is printed.
    #[arg(long, short, value_enum, default_value = "value")]
    output: Format,
    /// Print each record by this format, such as '%o %s\n'; see below.
    #[arg(long, short, value_name = "TEXT", conflicts_with = "output", value_parser = Template::parse)]
    format: Option<Template>,
    #[command(flatten)]
    connection: Connection,
}

impl Arguments {
    pub(crate) fn run(self) -> Result<(), Failure> {
        if self.partition.is_none() && self.offset.is_some_and(|offset| offset >= 0) {
            return Err(Failure::Usage(
                "--offset N needs --partition: each has offsets of its own".to_owned(),
            ));
        }
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
        let wanted: Vec<i32> = self.partition.into_iter().collect();
        let partitions = self.connection.chosen(&asker, &self.topic, &wanted)?;
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
            None => self.assignment(&asker, &partitions)?.and_then(|assignment| consumer.assign(&assignment)),
        };
        started.map_err(|error| self.connection.failure(&what, &error))?;
        Ok(consumer)
    }

    fn start(&self) -> Start {
        match (self.offset, self.from_time) {
            (Some(offset), _) => Start::Offset(offset),
            (None, Some(time)) => Start::Time(time),
            (None, None) if self.from_beginning => Start::Beginning,
            (None, None) => Start::End,
        }
    }

    /// The partitions to read without a group, and where to start.
    fn assignment(
        &self,
        asker: &BaseConsumer,
        partitions: &[i32],
    ) -> Result<Result<TopicPartitionList, KafkaError>, Failure> {
        let starts = self.starts(asker, partitions)?;
        let mut list = TopicPartitionList::new();
        let added: Result<(), KafkaError> = starts
            .into_iter()
            .try_for_each(|(partition, start)| list.add_partition_offset(&self.topic, partition, start));
        Ok(added.map(|()| list))
    }

    /// Where each partition is read from. Offsets are found out here, so that none is outside the log: the client would go
    /// on from the end, and silently.
    fn starts(&self, asker: &BaseConsumer, partitions: &[i32]) -> Result<Vec<(i32, Offset)>, Failure> {
        let (connection, topic) = (&self.connection, &self.topic);
        let start = self.start();
        let fixed = match start {
            Start::Beginning => Some(Offset::Beginning),
            Start::End => Some(Offset::End),
            Start::Offset(_) | Start::Time(_) => None,
        };
        if let Some(offset) = fixed {
            return Ok(partitions.iter().map(|partition| (*partition, offset)).collect());
        }
        let bounds = connection.watermarks(asker, topic, partitions)?;
        let times = match start {
            Start::Time(time) => connection.offsets_at(asker, topic, partitions, time)?,
            _ => BTreeMap::new(),
        };
        let found = partitions.iter().map(|partition| {
            let bounds = bounds.get(partition).copied().unwrap_or(Watermarks { start: 0, end: 0 });
            let offset = start.offset(bounds, times.get(partition).copied().flatten());
            if let Some(wanted) = self.offset.filter(|wanted| *wanted >= 0 && *wanted != offset) {
                let Watermarks { start, end } = bounds;
                output::note(&format!(
                    "{topic}-{partition} begins at {start} and ends at {end}: starting at {offset}, not {wanted}"
                ));
            }
            (*partition, Offset::Offset(offset))
        });
        Ok(found.collect())
    }

    async fn print_all(&self, consumer: &StreamConsumer) -> Result<(), Failure> {
        let mut out = BufWriter::new(stdout().lock());
        let mut left = self.max_messages.unwrap_or(u64::MAX);
        let mut ended = BTreeSet::new();
        let progress = progress::of_records(progress::is_unseen());
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
                    progress.inc(1);
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
        progress.finish_and_clear();
        out.flush().map_err(|error| output::failed(&error))
    }

    fn print(&self, out: &mut impl Write, message: &BorrowedMessage<'_>) -> std::io::Result<()> {
        match (&self.format, self.output) {
            (Some(template), _) => template.write(out, &Record::of(message)),
            (None, Format::Json) => writeln!(out, "{}", Record::of(message).json()),
            (None, Format::Value) => {
                out.write_all(message.payload().unwrap_or_default())?;
                out.write_all(b"\n")
            }
        }
    }
}
