//! The agent's settings: `configs/agent.yaml`.

use std::path::PathBuf;
use std::time::Duration;

use daemon::config::{Invalid, Section};
use serde::Deserialize;

use crate::{collect, ship};

/// All settings of the agent.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Names this host in records and in etcd; empty: the host's name.
    pub host_id: String,
    /// Where the checkpoint and the cached collect list live.
    pub data_dir: PathBuf,
    /// Address of `/metrics`, `/healthz` and `/readyz`.
    pub admin: Option<String>,
    /// How long a stop waits for acknowledgements.
    pub drain_timeout_ms: u64,
    /// How files are followed.
    pub tail: TailConfig,
    /// How lines are sent.
    pub ship: ship::Config,
    /// Where the collect list comes from.
    pub collect: collect::Config,
}

/// How files are found, followed and read.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TailConfig {
    /// File names that globs never match.
    pub exclude: Vec<String>,
    /// The most files followed at the same time.
    pub max_files: usize,
    /// The most files held open while nothing happens to them.
    pub max_open_files: usize,
    /// The most of a file that is read at once.
    pub read_block_bytes: usize,
    /// The longest line; the rest of a longer one is dropped and counted.
    pub max_line_bytes: usize,
    /// When the last line without a line feed is sent as it is.
    pub partial_line_timeout_ms: u64,
    /// The most file bytes in memory between reading and acknowledgement.
    pub max_in_flight_bytes: usize,
    /// How often folders are looked through, besides when they report a change.
    pub rescan_interval_ms: u64,
    /// How long a file is followed after it was renamed away from the collected paths and went silent.
    pub rotated_expiry_ms: u64,
}

impl Section for Config {
    const DEFAULTS: &'static str = include_str!("../../configs/agent.yaml");

    fn validate(&self) -> Result<(), Invalid> {
        if self.data_dir.as_os_str().is_empty() {
            return Err(Invalid::new("data_dir", "must name a directory"));
        }
        if self.host_id.contains(['/', '\0', ',']) {
            return Err(Invalid::new("host_id", "must not contain a slash or a comma"));
        }
        let nested = |section: &str| {
            let section = section.to_owned();
            move |invalid: Invalid| Invalid::new(format!("{section}.{}", invalid.key), invalid.rule)
        };
        self.tail.validate().map_err(nested("tail"))?;
        self.ship.validate().map_err(nested("ship"))?;
        self.collect.validate().map_err(nested("collect"))
    }
}

impl Config {
    /// The id of this host.
    pub fn host(&self) -> String {
        if self.host_id.is_empty() {
            gethostname::gethostname().to_string_lossy().into_owned()
        } else {
            self.host_id.clone()
        }
    }
}

impl TailConfig {
    /// Checks what the types cannot say. Keys are relative to the section.
    pub fn validate(&self) -> Result<(), Invalid> {
        if let Some(bad) = self.exclude.iter().find(|glob| globset::Glob::new(glob).is_err()) {
            return Err(Invalid::new("exclude", format!("contains {bad:?}, which is not a valid glob")));
        }
        let counts = [
            ("max_files", self.max_files),
            ("max_open_files", self.max_open_files),
            ("max_line_bytes", self.max_line_bytes),
        ];
        if let Some((key, _)) = counts.iter().find(|(_, value)| *value == 0) {
            return Err(Invalid::new(*key, "must be at least 1"));
        }
        if !(512..=16 << 20).contains(&self.read_block_bytes) {
            return Err(Invalid::new("read_block_bytes", "must be between 512 and 16777216"));
        }
        if self.max_line_bytes > 64 << 20 {
            return Err(Invalid::new("max_line_bytes", "must be at most 67108864"));
        }
        // a whole line and a whole block must be able to get their share, or reading would stop for good
        let least = self.largest_read();
        if self.max_in_flight_bytes < least {
            return Err(Invalid::new(
                "max_in_flight_bytes",
                "must be more than max_line_bytes and read_block_bytes",
            ));
        }
        if self.max_in_flight_bytes > u32::MAX as usize {
            return Err(Invalid::new("max_in_flight_bytes", "must be at most 4294967295"));
        }
        if self.rescan_interval_ms == 0 {
            return Err(Invalid::new("rescan_interval_ms", "must be at least 1"));
        }
        Ok(())
    }

    /// The most bytes that one read asks of the memory budget.
    fn largest_read(&self) -> usize {
        self.read_block_bytes.max(self.max_line_bytes + 1)
    }

    /// [`TailConfig::partial_line_timeout_ms`] as a duration.
    pub fn partial_line_timeout(&self) -> Duration {
        Duration::from_millis(self.partial_line_timeout_ms)
    }
}
