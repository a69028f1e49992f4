//! `logagent topics create|list|describe|delete`.

use clap::{Args, Subcommand};
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::Consumer as _;
use rdkafka::metadata::MetadataTopic;
use rdkafka::types::RDKafkaErrorCode;
use serde::Serialize;

use crate::fail::Failure;
use crate::kafka::{Connection, block_on, plain};
use crate::output::{self, Format};

const EXAMPLES: &str = "\
Examples:
  logagent topics create nginx_log --partitions 4 --config retention.ms=86400000
  logagent topics list
  logagent topics describe nginx_log -o json
  logagent topics delete nginx_log";

#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
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
        match self.action {
            Action::Create { topic, partitions, replication_factor, configs, connection } => {
                let replication = TopicReplication::Fixed(replication_factor);
                let new = configs
                    .iter()
                    .fold(NewTopic::new(&topic, partitions, replication), |new, (key, value)| {
                        new.set(key, value)
                    });
                block_on(create(&connection, new))?;
                output::print(format!("created topic {topic} with {partitions} partition(s)\n"))
            }
            Action::List { all, output, connection } => list(&connection, all, output),
            Action::Describe { topic, output, connection } => describe(&connection, &topic, output),
            Action::Delete { topics, connection } => block_on(delete(&connection, &topics)),
        }
    }
}

fn admin(connection: &Connection) -> Result<(AdminClient<DefaultClientContext>, AdminOptions), Failure> {
    let timeout = Some(connection.timeout());
    let options = AdminOptions::new().request_timeout(timeout).operation_timeout(timeout);
    Ok((connection.client(&connection.config())?, options))
}

async fn create(connection: &Connection, topic: NewTopic<'_>) -> Result<(), Failure> {
    let what = format!("cannot create topic {}", topic.name);
    let (admin, options) = admin(connection)?;
    let results =
        admin.create_topics(&[topic], &options).await.map_err(|error| connection.failure(&what, &error))?;
    outcomes(&what, results)
}

async fn delete(connection: &Connection, topics: &[String]) -> Result<(), Failure> {
    let (admin, options) = admin(connection)?;
    let names: Vec<&str> = topics.iter().map(String::as_str).collect();
    let results = admin
        .delete_topics(&names, &options)
        .await
        .map_err(|error| connection.failure("cannot delete topics", &error))?;
    for result in &results {
        if let Ok(topic) = result {
            output::print(format!("deleted topic {topic}\n"))?;
        }
    }
    outcomes("cannot delete topic", results)
}

/// The first that went wrong.
fn outcomes(what: &str, results: Vec<Result<String, (String, RDKafkaErrorCode)>>) -> Result<(), Failure> {
    match results.into_iter().find_map(Result::err) {
        None => Ok(()),
        Some((topic, code)) => {
            let what = if what.ends_with(&topic) { what.to_owned() } else { format!("{what} {topic}") };
            Err(Failure::new(format!("{what}: {}", plain(&code.to_string()))))
        }
    }
}

#[derive(Debug, Serialize)]
struct TopicRow {
    topic: String,
    partitions: usize,
    replicas: usize,
}

fn list(connection: &Connection, all: bool, format: Format) -> Result<(), Failure> {
    let asker = connection.asker(None)?;
    let metadata = asker
        .fetch_metadata(None, connection.timeout())
        .map_err(|error| connection.failure("cannot list topics", &error))?;
    let mut rows: Vec<TopicRow> = metadata
        .topics()
        .iter()
        .filter(|topic| all || !topic.name().starts_with("__"))
        .map(|topic| TopicRow {
            topic: topic.name().to_owned(),
            partitions: topic.partitions().len(),
            replicas: topic
                .partitions()
                .iter()
                .map(|partition| partition.replicas().len())
                .max()
                .unwrap_or(0),
        })
        .collect();
    rows.sort_by(|a, b| a.topic.cmp(&b.topic));
    output::print_rows(format, &rows, &["TOPIC", "PARTITIONS", "REPLICAS"], |row| {
        vec![row.topic.clone(), row.partitions.to_string(), row.replicas.to_string()]
    })
}

#[derive(Debug, Serialize)]
struct PartitionRow {
    topic: String,
    partition: i32,
    leader: i32,
    replicas: Vec<i32>,
    in_sync_replicas: Vec<i32>,
    start_offset: i64,
    end_offset: i64,
}

fn describe(connection: &Connection, topic: &str, format: Format) -> Result<(), Failure> {
    let asker = connection.asker(None)?;
    let partitions = connection.partitions(&asker, topic)?;
    let watermarks = connection.watermarks(&asker, topic, &partitions)?;
    let metadata = asker
        .fetch_metadata(Some(topic), connection.timeout())
        .map_err(|error| connection.failure(&format!("cannot describe topic {topic}"), &error))?;
    let found = metadata.topics().iter().find(|found| found.name() == topic);
    let mut rows: Vec<PartitionRow> = found
        .map(MetadataTopic::partitions)
        .unwrap_or_default()
        .iter()
        .filter_map(|partition| {
            let watermarks = watermarks.get(&partition.id())?;
            Some(PartitionRow {
                topic: topic.to_owned(),
                partition: partition.id(),
                leader: partition.leader(),
                replicas: partition.replicas().to_vec(),
                in_sync_replicas: partition.isr().to_vec(),
                start_offset: watermarks.start,
                end_offset: watermarks.end,
            })
        })
        .collect();
    rows.sort_by_key(|row| row.partition);
    let columns = ["TOPIC", "PARTITION", "LEADER", "REPLICAS", "IN-SYNC", "START-OFFSET", "END-OFFSET"];
    output::print_rows(format, &rows, &columns, |row| {
        vec![
            row.topic.clone(),
            row.partition.to_string(),
            row.leader.to_string(),
            ids(&row.replicas),
            ids(&row.in_sync_replicas),
            row.start_offset.to_string(),
            row.end_offset.to_string(),
        ]
    })
}

fn ids(ids: &[i32]) -> String {
    ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}
