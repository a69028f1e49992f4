//! `logagent topics create|list|describe|configs|alter|delete`.

mod alter;
mod configs;
mod life;
mod show;

use clap::Subcommand;
use rdkafka::admin::{NewTopic, TopicReplication};
use wire::ErrorCode;

use crate::fail::Failure;
use crate::kafka::direct::Direct;
use crate::kafka::{Connection, block_on, no_topic};
use crate::output::{self, Format};

const EXAMPLES: &str = "\
Examples:
  logagent topics create nginx_log --partitions 4 --config retention.ms=86400000
  logagent topics list
  logagent topics describe nginx_log -o json
  logagent topics configs nginx_log
  logagent topics alter nginx_log --set retention.ms=86400000
  logagent topics delete nginx_log";

/// A topic, among the resources that have settings.
const TOPIC: i8 = 2;

#[derive(Debug, Subcommand)]
#[command(after_help = EXAMPLES)]
pub(crate) enum Arguments {
    /// Create a topic.
    Create {
        /// Its name.
        topic: String,
        /// How many partitions it has: the most consumers of one group that can share it.
        #[arg(long, short, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(i32).range(1..))]
        partitions: i32,
        /// On how many brokers each partition is kept.
        #[arg(long, short, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(i32).range(1..))]
        replication_factor: i32,
        /// A setting of its own, such as retention.ms=86400000; may be repeated.
        #[arg(long = "config", short = 'c', value_name = "KEY=VALUE", value_parser = key_value)]
        configs: Vec<(String, String)>,
        #[command(flatten)]
        connection: Connection,
    },
    /// List the topics.
    List {
        /// Show the brokers' own topics too.
        #[arg(long, short)]
        all: bool,
        #[arg(long, short, value_enum, default_value_t)]
        output: Format,
        #[command(flatten)]
        connection: Connection,
    },
    /// Show each partition of a topic: leader, replicas, first and next offset.
    Describe {
        /// Its name.
        topic: String,
        #[arg(long, short, value_enum, default_value_t)]
        output: Format,
        #[command(flatten)]
        connection: Connection,
    },
    /// Show all settings of a topic, and where each value comes from.
    Configs {
        /// Its name.
        topic: String,
        #[arg(long, short, value_enum, default_value_t)]
        output: Format,
        #[command(flatten)]
        connection: Connection,
    },
    /// Give a topic more partitions, or change its settings.
    Alter(alter::Arguments),
    /// Delete topics with all their records.
    Delete {
        /// Their names.
        #[arg(required = true, value_name = "TOPIC")]
        topics: Vec<String>,
        #[command(flatten)]
        connection: Connection,
    },
}

/// `KEY=VALUE`.
pub(crate) fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("must be KEY=VALUE".to_owned()),
    }
}

impl Arguments {
    pub(crate) fn run(self) -> Result<(), Failure> {
        match self {
            Self::Create { topic, partitions, replication_factor, configs, connection } => {
                let replication = TopicReplication::Fixed(replication_factor);
                let new = configs
                    .iter()
                    .fold(NewTopic::new(&topic, partitions, replication), |new, (key, value)| {
                        new.set(key, value)
                    });
                block_on(life::create(&connection, new))?;
                output::print(format!("created topic {topic} with {partitions} partition(s)\n"))
            }
            Self::List { all, output, connection } => show::list(&connection, all, output),
            Self::Describe { topic, output, connection } => show::describe(&connection, &topic, output),
            Self::Configs { topic, output, connection } => configs::show(&connection, &topic, output),
            Self::Alter(arguments) => arguments.run(),
            Self::Delete { topics, connection } => block_on(life::delete(&connection, &topics)),
        }
    }
}

/// Whether a broker did what was asked of a topic. One that is not there is said as everywhere.
fn accepted(broker: &Direct, topic: &str, code: i16, words: Option<&str>) -> Result<(), Failure> {
    match ErrorCode::check(code) {
        Err(ErrorCode::UnknownTopicOrPartition) => Err(no_topic(topic)),
        _ => broker.accepted(code, words),
    }
}
