//! All topics.

use std::cmp::Reverse;
use std::fmt;
use std::sync::Arc;

use daemon::pages::{Cell, Column, Request, View, table};
use serde::Serialize;

use super::Look;
use super::facts::alarm_unless_zero;
use super::listing::{Listing, Part, filter, sorting};
use super::rates::{Traffic, totals};
use crate::log::{Topic, encode_id};
use crate::state::is_internal;

/// A topic in one line.
#[derive(Debug, Serialize)]
pub(super) struct TopicRow {
    pub(super) name: String,
    /// As Kafka writes it.
    pub(super) id: String,
    /// Only the broker itself writes to it.
    pub(super) internal: bool,
    pub(super) partition_count: usize,
    pub(super) offline_partition_count: usize,
    /// All segments of all partitions.
    pub(super) size_bytes: u64,
    /// From the beginnings of the partitions to their ends; compaction may have left fewer.
    pub(super) record_count: i64,
    #[serde(flatten)]
    pub(super) traffic: Traffic,
}

impl TopicRow {
    pub(super) fn new(look: Look<'_>, topic: &Topic) -> Self {
        let partitions = topic.partitions();
        let records = partitions.iter().map(|partition| {
            let (start, end) = (partition.log_start_offset(), partition.high_watermark());
            end.saturating_sub(start).max(0)
        });
        TopicRow {
            name: topic.name().to_owned(),
            id: encode_id(topic.id()),
            internal: is_internal(topic.name()),
            partition_count: partitions.len(),
            offline_partition_count: partitions.iter().filter(|partition| partition.is_offline()).count(),
            size_bytes: size(topic),
            record_count: records.fold(0, i64::saturating_add),
            traffic: look.broker.rates.of_topic(topic.id(), totals(topic), look.now),
        }
    }
}

/// Bytes of all segments of all partitions.
fn size(topic: &Topic) -> u64 {
    topic.partitions().iter().map(|partition| partition.size_bytes()).sum()
}

/// A part of the topics, the largest first.
pub(super) fn list(look: Look<'_>, part: &Part<'_>) -> Listing<TopicRow> {
    let topics = look.broker.logs.topics();
    let total = topics.len();
    let wanted = topics.into_iter().filter(|topic| part.wants(topic.name()));
    let mut sized: Vec<(u64, Arc<Topic>)> = wanted.map(|topic| (size(&topic), topic)).collect();
    if !part.by_name {
        // topics come by name, and stay so where they are of one size
        sized.sort_by_key(|(bytes, _)| Reverse(*bytes));
    }
    Listing::new(sized, total, part).map(|(_, topic)| TopicRow::new(look, &topic))
}

/// Writes topics as a table.
pub(super) fn rows(topics: &[TopicRow], request: &Request, out: &mut String) -> fmt::Result {
    let columns = [
        Column::Text("topic"),
        Column::Number("partitions"),
        Column::Number("offline"),
        Column::Number("size"),
        Column::Number("records"),
        Column::Number("records in, /s"),
        Column::Number("bytes in"),
        Column::Number("bytes out"),
    ];
    let offline: Vec<String> = topics.iter().map(|topic| topic.offline_partition_count.to_string()).collect();
    table(out, columns, topics.iter().zip(&offline).map(|(topic, offline)| cells(topic, offline, request)))
}

fn cells<'a>(topic: &'a TopicRow, offline: &'a str, request: &Request) -> [Cell<'a>; 8] {
    [
        Cell::Link(&topic.name, request.link("topic", &[("name", &topic.name)])),
        Cell::count(topic.partition_count),
        alarm_unless_zero(topic.offline_partition_count, offline),
        Cell::Size(topic.size_bytes),
        Cell::Number(topic.record_count),
        Cell::Rate(topic.traffic.records_in_per_second),
        Cell::SizeRate(topic.traffic.bytes_in_per_second),
        Cell::SizeRate(topic.traffic.bytes_out_per_second),
    ]
}

/// The page of all topics.
#[derive(Debug, Serialize)]
pub(super) struct Topics {
    topics: Listing<TopicRow>,
}

impl Topics {
    pub(super) fn new(look: Look<'_>, request: &Request) -> Self {
        Topics { topics: list(look, &Part::of(request)) }
    }
}

impl View for Topics {
    fn title(&self) -> String {
        "Topics".to_owned()
    }

    fn html(&self, request: &Request, out: &mut String) -> fmt::Result {
        filter(request, &request.link("topics", &[]), out)?;
        sorting(request, "sort by size", out)?;
        self.topics.count("topics", out)?;
        rows(&self.topics.items, request, out)?;
        self.topics.pager(request, out)
    }
}
