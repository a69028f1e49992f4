//! Settings of the collect list's source: the `collect` section of `configs/agent.yaml`.

use std::path::PathBuf;
use std::time::Duration;

use daemon::config::Invalid;
use serde::Deserialize;

/// Where the collect list comes from.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// A YAML or JSON file with the list. When it is set, etcd is not used.
    pub file: String,
    /// How often the file is looked at, besides when its folder reports a change.
    pub file_poll_ms: u64,
    /// The etcd cluster.
    pub etcd: EtcdConfig,
}

/// How etcd is reached and which key holds the list.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EtcdConfig {
    /// `host:port` or `http://host:port`, separated by commas.
    pub endpoints: String,
    /// The list of a host is the key `<key_prefix>/<host>/collect_config`.
    pub key_prefix: String,
    /// User name; empty for an etcd without authentication.
    pub user: String,
    /// A file with the user's password. The password itself is never part of a config.
    pub password_file: String,
    /// Longest wait for a connection and for an answer.
    pub timeout_ms: u64,
    /// How often a silent connection is probed; it is given up when the probe stays unanswered for `timeout_ms`.
    pub keep_alive_ms: u64,
    /// How often the key is read again although the watch is silent.
    pub recheck_ms: u64,
    /// First wait after a failure; it doubles with each further one.
    pub backoff_ms: u64,
    /// Longest wait after a failure.
    pub backoff_max_ms: u64,
}

impl Config {
    /// Checks what the types cannot say. Keys are relative to the section.
    pub fn validate(&self) -> Result<(), Invalid> {
        if self.file_poll_ms == 0 {
            return Err(Invalid::new("file_poll_ms", "must be at least 1"));
        }
        if self.file.is_empty() { self.etcd.validate() } else { Ok(()) }
    }

    /// The file, when the list comes from one.
    pub fn file(&self) -> Option<PathBuf> {
        (!self.file.is_empty()).then(|| PathBuf::from(&self.file))
    }
}

impl EtcdConfig {
    fn validate(&self) -> Result<(), Invalid> {
        if self.endpoints().is_empty() {
            return Err(Invalid::new(
                "etcd.endpoints",
                "must name at least one host:port when collect.file is not set",
            ));
        }
        if self.endpoints().iter().any(|endpoint| endpoint.starts_with("https://")) {
            return Err(Invalid::new(
                "etcd.endpoints",
                "must not be https: this build has no TLS towards etcd",
            ));
        }
        if !self.key_prefix.starts_with('/') || self.key_prefix.ends_with('/') {
            return Err(Invalid::new("etcd.key_prefix", "must begin with a slash and not end with one"));
        }
        if self.user.is_empty() != self.password_file.is_empty() {
            return Err(Invalid::new("etcd.user", "needs etcd.password_file, and the other way round"));
        }
        let times = [
            ("etcd.timeout_ms", self.timeout_ms),
            ("etcd.keep_alive_ms", self.keep_alive_ms),
            ("etcd.recheck_ms", self.recheck_ms),
            ("etcd.backoff_ms", self.backoff_ms),
        ];
        if let Some((key, _)) = times.iter().find(|(_, value)| *value == 0) {
            return Err(Invalid::new(*key, "must be at least 1"));
        }
        if self.backoff_max_ms < self.backoff_ms {
            return Err(Invalid::new("etcd.backoff_max_ms", "must not be less than etcd.backoff_ms"));
        }
        Ok(())
    }

    /// The endpoints, one by one.
    pub fn endpoints(&self) -> Vec<String> {
        self.endpoints.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
    }

    /// The key that holds the collect list of `host`.
    pub fn key(&self, host: &str) -> String {
        format!("{}/{host}/collect_config", self.key_prefix)
    }

    /// [`EtcdConfig::timeout_ms`] as a duration.
    pub fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms)
    }
}
