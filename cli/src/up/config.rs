//! The settings of `up`: `configs/up.yaml` describes each key.

use std::path::PathBuf;

use daemon::config::{Invalid, Section};
use serde::Deserialize;
use serde::de::IgnoredAny;

/// What stands beside the parts' own sections.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpConfig {
    pub(crate) data_dir: PathBuf,
    pub(crate) admin: Option<String>,
    pub(crate) paths: Vec<String>,
    pub(crate) topic: String,
    pub(crate) collect: Option<PathBuf>,
    agent: IgnoredAny,
    broker: IgnoredAny,
    transfer: IgnoredAny,
}

impl Section for UpConfig {
    const DEFAULTS: &'static str = include_str!("../../../configs/up.yaml");
    const FOREIGN: &'static [&'static str] = &["agent", "broker", "transfer"];

    fn validate(&self) -> Result<(), Invalid> {
        if self.data_dir.as_os_str().is_empty() {
            return Err(Invalid::new("data_dir", "must name a directory"));
        }
        if self.collect.is_some() && !self.paths.is_empty() {
            return Err(Invalid::new("collect", "cannot be given together with paths"));
        }
        if self.topic.is_empty() {
            return Err(Invalid::new("topic", "must not be empty"));
        }
        Ok(())
    }
}
