//! What the parts' settings follow from: the settings of `up`, and where the broker listens.

use std::collections::BTreeSet;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf, absolute};

use daemon::config::{ConfigError, Source, quote};

use super::config::UpConfig;
use crate::fail::{Failure, OrFail as _};
use crate::part::{Part as _, refused};

/// What the command line says, beside the config file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Flags {
    pub(crate) paths: Vec<PathBuf>,
    pub(crate) collect: Option<PathBuf>,
    pub(crate) topic: Option<String>,
    pub(crate) data_dir: Option<PathBuf>,
    pub(crate) listen: Option<String>,
    pub(crate) elasticsearch: Option<String>,
}

impl Flags {
    /// Lays them over the file.
    pub(crate) fn over(&self, source: Source) -> Source {
        let text = |path: &PathBuf| path.display().to_string();
        let texts = [
            ("topic", self.topic.clone()),
            ("data_dir", self.data_dir.as_ref().map(text)),
            ("collect", self.collect.as_ref().map(text)),
            ("broker.listen", self.listen.clone()),
            ("transfer.elasticsearch.url", self.elasticsearch.clone()),
        ];
        let mut source = texts.into_iter().fold(source, |source, (key, value)| match value {
            Some(value) => source.set_text(key, &value),
            None => source,
        });
        if !self.paths.is_empty() {
            let paths: Vec<String> = self.paths.iter().map(text).collect();
            source = source.set("paths", list(&paths)).set("collect", "null");
        } else if self.collect.is_some() {
            source = source.set("paths", "[]");
        }
        source
    }
}

/// The settings of all parts.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    source: Source,
    pub(crate) config: UpConfig,
    /// The list that the agent reads; `None` when the agent's own section names etcd.
    pub(crate) list: Option<PathBuf>,
}

impl Plan {
    /// Reads the settings of `up`, and writes the list if it is given as paths.
    pub(crate) fn new(source: Source) -> Result<Self, Failure> {
        let mut config: UpConfig = source.load().map_err(refused)?;
        let absolute = |path: &Path| absolute(path).or_fail(format!("cannot find {}", path.display()));
        config.data_dir = absolute(&config.data_dir)?;
        fs::create_dir_all(&config.data_dir).map_err(|error| {
            Failure::new(format!("cannot create the data directory {}: {error}", config.data_dir.display()))
                .remedy("name another with --data-dir DIR")
        })?;
        let list = match &config.collect {
            Some(file) => Some(absolute(file)?),
            None if config.paths.is_empty() => None,
            None => {
                let file = config.data_dir.join("collect.yaml");
                let text = collect_list(&config.paths, &config.topic)?;
                fs::write(&file, text).or_fail(format!("cannot write {}", file.display()))?;
                Some(file)
            }
        };
        let plan = Self { source, config, list };
        plan.something_to_collect()?;
        Ok(plan)
    }

    /// Without a list of its own the agent must have been told of one.
    fn something_to_collect(&self) -> Result<(), Failure> {
        let told = match &self.list {
            Some(file) => {
                topics(file)?;
                true
            }
            None => {
                let default = Source::new(<agent::Config as daemon::config::Section>::DEFAULTS);
                let default: agent::Config = default.load().map_err(refused)?;
                self.agent(SocketAddr::from((Ipv4Addr::LOCALHOST, 9092))).map_err(refused)?.collect
                    != default.collect
            }
        };
        if told {
            return Ok(());
        }
        Err(Failure::Usage("nothing to collect: name files, or a list with --collect FILE".to_owned()))
    }

    pub(crate) fn broker(&self) -> Result<broker::Config, ConfigError> {
        self.source.load_part_over(broker::Config::NAME, &[("data_dir", self.directory("broker"))])
    }

    /// The agent ships to the broker at `address`.
    pub(crate) fn agent(&self, address: SocketAddr) -> Result<agent::Config, ConfigError> {
        let mut derived = vec![
            ("data_dir", self.directory("agent")),
            ("ship.bootstrap_servers", quote(&reachable(address).to_string())),
        ];
        if let Some(list) = &self.list {
            derived.push(("collect.file", quote(&list.display().to_string())));
        }
        self.source.load_part_over(agent::Config::NAME, &derived)
    }

    /// The transfer consumes the topics that the list names now.
    pub(crate) fn transfer(&self, address: SocketAddr) -> Result<transfer::Config, ConfigError> {
        let mut derived = vec![
            ("data_dir", self.directory("documents")),
            ("bootstrap", quote(&reachable(address).to_string())),
            ("admin", "null".to_owned()),
        ];
        // A list that is bad at the moment is refused by the agent; the topics stay.
        if let Some(topics) = self.list.as_deref().and_then(|list| topics(list).ok()) {
            let topics: Vec<String> = topics.into_iter().collect();
            derived.push(("topics", list(&topics)));
        }
        self.source.load_part_over(transfer::Config::NAME, &derived)
    }

    fn directory(&self, part: &str) -> String {
        quote(&self.config.data_dir.join(part).display().to_string())
    }
}

/// The topics of a collect list.
fn topics(file: &Path) -> Result<BTreeSet<String>, Failure> {
    let bytes = fs::read(file).or_fail(format!("cannot read the collect list {}", file.display()))?;
    let items = agent::collect::parse_bytes(&bytes).or_fail(file.display())?;
    Ok(items.into_iter().map(|item| item.topic).collect())
}

/// A YAML list of texts.
fn list(texts: &[String]) -> String {
    format!("[{}]", texts.iter().map(|text| quote(text)).collect::<Vec<_>>().join(", "))
}

/// A collect list of `paths`, which may be relative to where the command was started.
fn collect_list(paths: &[String], topic: &str) -> Result<String, Failure> {
    let mut text = String::from("# written at each start of `logagent up`\n");
    for path in paths {
        let path = absolute(path).or_fail(format!("cannot find {path}"))?;
        let (path, topic) = (quote(&path.display().to_string()), quote(topic));
        text.push_str(&format!("- {{path: {path}, topic: {topic}}}\n"));
    }
    Ok(text)
}

/// The address by which the broker is reached from this process: "all addresses" is none to connect to.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address {
            SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
            SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
        });
    }
    address
}

#[cfg(test)]
mod tests;
