//! The broker itself.

use std::fmt;

use daemon::pages::{Cell, facts};
use serde::Serialize;

use super::Look;
use super::rates::Traffic;
use crate::free_space;

/// What is said of the broker.
#[derive(Debug, Serialize)]
pub(super) struct BrokerFacts {
    pub(super) node_id: i32,
    cluster_id: String,
    version: &'static str,
    uptime_seconds: u64,
    /// Where it listens.
    address: String,
    /// Where clients are told to connect, if that is configured.
    advertised_address: Option<String>,
    data_dir: String,
    disk_size_bytes: Option<u64>,
    disk_free_bytes: Option<u64>,
    /// Whether producers are refused because too little is free.
    refuses_producers: bool,
    topic_count: usize,
    partition_count: usize,
    offline_partition_count: usize,
    /// All segments of all partitions.
    size_bytes: u64,
    connection_count: usize,
    requests_per_second: Option<f64>,
    #[serde(flatten)]
    traffic: Traffic,
}

impl BrokerFacts {
    pub(super) fn new(look: Look<'_>) -> Self {
        let broker = look.broker;
        let dir = broker.logs.data_dir();
        let space = free_space::space(dir).ok();
        let topics = broker.logs.topics();
        let partitions = || topics.iter().flat_map(|topic| topic.partitions());
        let (traffic, requests_per_second) = broker.rates.of_broker(broker.metrics.totals(), look.now);
        let advertised = broker.advertised.as_ref();
        BrokerFacts {
            node_id: broker.node_id,
            cluster_id: broker.logs.cluster_id().to_owned(),
            version: env!("CARGO_PKG_VERSION"),
            uptime_seconds: look.now.saturating_duration_since(broker.started).as_secs(),
            address: look.address.to_string(),
            advertised_address: advertised.map(|(host, port)| format!("{host}:{port}")),
            data_dir: std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned()).display().to_string(),
            disk_size_bytes: space.map(|space| space.total),
            disk_free_bytes: space.map(|space| space.available),
            refuses_producers: broker.free_space.is_short(),
            topic_count: topics.len(),
            partition_count: partitions().count(),
            offline_partition_count: partitions().filter(|partition| partition.is_offline()).count(),
            size_bytes: partitions().map(|partition| partition.size_bytes()).sum(),
            connection_count: broker.clients.len(),
            requests_per_second,
            traffic,
        }
    }

    /// Writes it as a list.
    pub(super) fn html(&self, out: &mut String) -> fmt::Result {
        let offline = self.offline_partition_count.to_string();
        let free = self.disk_free_bytes.map_or(Cell::None, Cell::Size);
        let advertised = self.advertised_address.as_deref().map_or(Cell::None, Cell::Text);
        facts(
            out,
            &[
                ("node id", Cell::Number(i64::from(self.node_id))),
                ("cluster id", Cell::Text(&self.cluster_id)),
                ("version", Cell::Text(self.version)),
                ("up for", Cell::Age(self.uptime_seconds)),
                ("listens at", Cell::Text(&self.address)),
                ("advertised as", advertised),
                ("data directory", Cell::Text(&self.data_dir)),
                ("records on disk", Cell::Size(self.size_bytes)),
                ("free on its disk", free),
                ("producers", refusal(self.refuses_producers)),
                ("topics", Cell::count(self.topic_count)),
                ("partitions", Cell::count(self.partition_count)),
                ("partitions offline", alarm_unless_zero(self.offline_partition_count, &offline)),
                ("connections", Cell::count(self.connection_count)),
                ("requests per second", Cell::Rate(self.requests_per_second)),
                ("records in per second", Cell::Rate(self.traffic.records_in_per_second)),
                ("bytes in", Cell::SizeRate(self.traffic.bytes_in_per_second)),
                ("bytes out", Cell::SizeRate(self.traffic.bytes_out_per_second)),
            ],
        )
    }
}

fn refusal(refused: bool) -> Cell<'static> {
    if refused { Cell::Alarm("refused: too little disk space is free") } else { Cell::Text("served") }
}

/// A number of things of which there should be none.
pub(super) fn alarm_unless_zero(count: usize, text: &str) -> Cell<'_> {
    if count == 0 { Cell::Number(0) } else { Cell::Alarm(text) }
}
