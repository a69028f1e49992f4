//! `topics list` and `topics describe`: which topics there are, and how their partitions are.

use rdkafka::consumer::Consumer as _;
use rdkafka::metadata::MetadataTopic;
use serde::Serialize;

use crate::fail::Failure;
use crate::kafka::Connection;
use crate::output::{self, Format};

#[derive(Debug, Serialize)]
struct TopicRow {
    topic: String,
    partitions: usize,
    replicas: usize,
}

pub(super) fn list(connection: &Connection, all: bool, format: Format) -> Result<(), Failure> {
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

pub(super) fn describe(connection: &Connection, topic: &str, format: Format) -> Result<(), Failure> {
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
