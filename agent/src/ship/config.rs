//! Settings of the shipping: the `ship` section of `configs/agent.yaml`.

use std::time::Duration;

use daemon::config::Invalid;
use serde::Deserialize;
use wire::record::Compression;

/// How lines travel to the broker.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// `host:port`, separated by commas: where the cluster is asked for its brokers.
    pub bootstrap_servers: String,
    /// What the broker's logs call us.
    pub client_id: String,
    /// `none`, `gzip`, `snappy`, `lz4` or `zstd`.
    pub compression: String,
    /// -1: by a hash of the file's generation; else always this partition.
    pub partition: i32,
    /// The largest batch, before compression. Not above the broker's `max.message.bytes`.
    pub max_batch_bytes: u32,
    /// Batches of a partition that wait for their acknowledgement at the same time.
    pub max_in_flight: usize,
    /// Encoded batches in memory, of all partitions together.
    pub buffer_bytes: u32,
    /// How long the broker may take to replicate a batch. An answer is waited for twice as long.
    pub request_timeout_ms: u32,
    /// Longest wait for a connection.
    pub connect_timeout_ms: u64,
    /// First wait after a failure; it doubles with each further one.
    pub retry_backoff_ms: u64,
    /// Longest wait after a failure.
    pub retry_backoff_max_ms: u64,
    /// How old the knowledge of partitions may become before new ones are looked for.
    pub metadata_max_age_ms: u64,
    /// The largest answer that is accepted from a broker.
    pub max_response_bytes: u32,
}

/// The most batches of a partition and producer for which a broker recognises a repeat.
const REMEMBERED_BATCHES: usize = 5;

impl Config {
    /// Checks what the types cannot say. Keys are relative to the section.
    pub fn validate(&self) -> Result<(), Invalid> {
        let servers = self.bootstrap_servers();
        if servers.is_empty() {
            return Err(Invalid::new("bootstrap_servers", "must name at least one host:port"));
        }
        if !servers.iter().all(|server| has_port(server)) {
            return Err(Invalid::new("bootstrap_servers", "must be host:port, separated by commas"));
        }
        if Compression::from_name(&self.compression).is_none() {
            return Err(Invalid::new("compression", "must be none, gzip, snappy, lz4 or zstd"));
        }
        if self.partition < -1 {
            return Err(Invalid::new("partition", "must be -1 or the number of a partition"));
        }
        if !(1024..=1 << 28).contains(&self.max_batch_bytes) {
            return Err(Invalid::new("max_batch_bytes", "must be between 1024 and 268435456"));
        }
        if !(1..=REMEMBERED_BATCHES).contains(&self.max_in_flight) {
            return Err(Invalid::new(
                "max_in_flight",
                "must be between 1 and 5: a broker recognises no more repeats",
            ));
        }
        if self.buffer_bytes < self.max_batch_bytes {
            return Err(Invalid::new("buffer_bytes", "must not be less than max_batch_bytes"));
        }
        if self.max_response_bytes < 1024 {
            return Err(Invalid::new("max_response_bytes", "must be at least 1024"));
        }
        if self.retry_backoff_max_ms < self.retry_backoff_ms {
            return Err(Invalid::new("retry_backoff_max_ms", "must not be less than retry_backoff_ms"));
        }
        self.validate_times()
    }

    fn validate_times(&self) -> Result<(), Invalid> {
        let times = [
            ("request_timeout_ms", u64::from(self.request_timeout_ms)),
            ("connect_timeout_ms", self.connect_timeout_ms),
            ("retry_backoff_ms", self.retry_backoff_ms),
            ("metadata_max_age_ms", self.metadata_max_age_ms),
        ];
        match times.iter().find(|(_, value)| !(1..=i32::MAX as u64).contains(value)) {
            Some((key, _)) => Err(Invalid::new(*key, "must be between 1 and 2147483647")),
            None => Ok(()),
        }
    }

    /// The bootstrap servers, one by one.
    pub(super) fn bootstrap_servers(&self) -> Vec<String> {
        let parts = self.bootstrap_servers.split(',').map(str::trim);
        parts.filter(|part| !part.is_empty()).map(str::to_owned).collect()
    }

    /// The codec of the batches.
    pub(super) fn compression(&self) -> Compression {
        Compression::from_name(&self.compression).unwrap_or(Compression::None)
    }

    /// How long an answer is waited for.
    pub(super) fn answer_timeout(&self) -> Duration {
        Duration::from_millis(u64::from(self.request_timeout_ms)) * 2
    }
}

fn has_port(server: &str) -> bool {
    server.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok())
}
