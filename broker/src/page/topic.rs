//! One topic with its partitions.

use std::fmt;

use daemon::pages::{Cell, Column, PageError, Request, View, facts, table};
use serde::Serialize;

use super::listing::{Listing, Part};
use super::topics::TopicRow;
use super::{Look, name_in};
use crate::log::Partition;

/// A partition in one line.
#[derive(Debug, Serialize)]
struct PartitionRow {
    partition: i32,
    log_start_offset: i64,
    high_watermark: i64,
    last_stable_offset: i64,
    leader_epoch: i32,
    size_bytes: u64,
    segment_count: usize,
    /// A failure of the disk has taken it out of service.
    offline: bool,
}

impl PartitionRow {
    fn new(number: i32, partition: &Partition) -> Self {
        // in this order: what grows meanwhile does not end before it begins
        let (log_start_offset, last_stable_offset) =
            (partition.log_start_offset(), partition.last_stable_offset());
        PartitionRow {
            partition: number,
            log_start_offset,
            high_watermark: partition.high_watermark(),
            last_stable_offset,
            leader_epoch: partition.leader_epoch(),
            size_bytes: partition.size_bytes(),
            segment_count: partition.segment_count(),
            offline: partition.is_offline(),
        }
    }

    fn cells<'a>(&self, number: &'a str) -> [Cell<'a>; 8] {
        [
            Cell::Text(number),
            Cell::Number(self.log_start_offset),
            Cell::Number(self.high_watermark),
            Cell::Number(self.last_stable_offset),
            Cell::Number(i64::from(self.leader_epoch)),
            Cell::Size(self.size_bytes),
            Cell::count(self.segment_count),
            if self.offline { Cell::Alarm("offline") } else { Cell::Text("online") },
        ]
    }
}

/// The page of a topic.
#[derive(Debug, Serialize)]
pub(super) struct TopicView {
    topic: TopicRow,
    partitions: Listing<PartitionRow>,
}

impl TopicView {
    pub(super) fn new(look: Look<'_>, request: &Request) -> Result<Self, PageError> {
        let name = name_in(request)?;
        let topic = look.broker.topic(name);
        let topic = topic.ok_or_else(|| PageError::NotFound(format!("there is no topic {name}")))?;
        let numbered: Vec<_> = (0..).zip(topic.partitions()).collect();
        let total = numbered.len();
        let partitions = Listing::new(numbered, total, &Part::of(request));
        let partitions = partitions.map(|(number, partition)| PartitionRow::new(number, partition));
        Ok(TopicView { topic: TopicRow::new(look, &topic), partitions })
    }
}

impl View for TopicView {
    fn title(&self) -> String {
        format!("Topic {}", self.topic.name)
    }

    fn html(&self, request: &Request, out: &mut String) -> fmt::Result {
        let topic = &self.topic;
        facts(
            out,
            &[
                ("id", Cell::Text(&topic.id)),
                ("written by", Cell::Text(if topic.internal { "the broker itself" } else { "producers" })),
                ("size", Cell::Size(topic.size_bytes)),
                ("records", Cell::Number(topic.record_count)),
                ("records in per second", Cell::Rate(topic.traffic.records_in_per_second)),
                ("bytes in", Cell::SizeRate(topic.traffic.bytes_in_per_second)),
                ("bytes out", Cell::SizeRate(topic.traffic.bytes_out_per_second)),
            ],
        )?;
        out.push_str("<h2>Partitions</h2>\n");
        self.partitions.count("partitions", out)?;
        let columns = [
            Column::Text("partition"),
            Column::Number("start"),
            Column::Number("high watermark"),
            Column::Number("last stable"),
            Column::Number("leader epoch"),
            Column::Number("size"),
            Column::Number("segments"),
            Column::Text("state"),
        ];
        let items = &self.partitions.items;
        let numbers: Vec<String> = items.iter().map(|row| row.partition.to_string()).collect();
        table(out, columns, items.iter().zip(&numbers).map(|(row, number)| row.cells(number)))?;
        self.partitions.pager(request, out)
    }
}
