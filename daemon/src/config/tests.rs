mod errors;
mod layers;
mod reload;
mod shipped;
mod yaml;

use std::path::PathBuf;

use serde::Deserialize;
use tempfile::TempDir;

use super::{ConfigError, Invalid, Section, Source};

/// A configuration with a value of each kind.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sample {
    listen: String,
    host_id: Option<String>,
    segment_bytes: u64,
    ratio: f64,
    compacts: bool,
    codec: Codec,
    log: Log,
    topics: Vec<Topic>,
    labels: std::collections::BTreeMap<String, String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Codec {
    None,
    Zstd,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Log {
    flush_messages: u32,
    retention_ms: i64,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Topic {
    name: String,
    #[serde(default)]
    partitions: Option<u16>,
}

const DEFAULTS: &str = "\
listen: 127.0.0.1:9092
host_id: null
segment_bytes: 4096
ratio: 0.5
compacts: false
codec: none
log:
  flush_messages: 100
  retention_ms: -1
topics:
  - name: nginx_log
labels: {}
";

impl Section for Sample {
    const DEFAULTS: &'static str = DEFAULTS;

    fn validate(&self) -> Result<(), Invalid> {
        if self.segment_bytes < 1024 {
            return Err(Invalid::new("segment_bytes", "must be at least 1024"));
        }
        if self.log.flush_messages == 0 {
            return Err(Invalid::new("log.flush_messages", "must be at least 1"));
        }
        match self.topics.iter().position(|topic| topic.name.is_empty()) {
            Some(index) => Err(Invalid::new(format!("topics[{index}].name"), "must not be empty")),
            None => Ok(()),
        }
    }
}

/// A file in a directory that goes with it.
struct File {
    directory: TempDir,
}

impl File {
    fn new(text: impl AsRef<[u8]>) -> Self {
        let file = Self { directory: TempDir::new().unwrap() };
        file.write(text);
        file
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("sample.yaml")
    }

    fn write(&self, text: impl AsRef<[u8]>) {
        std::fs::write(self.path(), text).unwrap();
    }

    fn source(&self) -> Source {
        Source::new(DEFAULTS).file(Some(self.path()))
    }
}

fn load(text: &str) -> Result<Sample, ConfigError> {
    File::new(text).source().load()
}

fn defaults() -> Sample {
    Source::new(DEFAULTS).load().unwrap()
}

/// The error's text, with the directory taken out of it.
fn error(text: impl AsRef<[u8]>) -> String {
    let file = File::new(text);
    let error = file.source().load::<Sample>().unwrap_err().to_string();
    error.replace(&format!("{}/", file.directory.path().display()), "")
}
