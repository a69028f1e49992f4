//! `logagent check`: whether a file would be taken, without starting anything.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use daemon::config::{ConfigError, Section as _, Source, keys_known};

use crate::fail::{Failure, OrFail as _};
use crate::output;
use crate::part::{Part as _, refused};
use crate::up::UpConfig;

const EXAMPLES: &str = "\
Examples:
  logagent check /etc/logagent/broker.yaml
  logagent check --part agent my-agent.yaml
  logagent check collect.yaml

Mistakes are named with file, line, column, key, and what was probably meant. Exit code 0: good, 1: not.";

#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Config files and collect lists.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// What the files are for; else it is seen from their keys.
    #[arg(long, value_enum)]
    part: Option<Kind>,
}

/// What a file can be for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    Agent,
    Broker,
    Transfer,
    Up,
    /// A list of paths and topics.
    Collect,
}

impl Kind {
    fn describe(self) -> &'static str {
        match self {
            Self::Agent => "an agent's configuration",
            Self::Broker => "a broker's configuration",
            Self::Transfer => "a transfer's configuration",
            Self::Up => "a configuration of all parts (up)",
            Self::Collect => "a collect list",
        }
    }
}

impl Arguments {
    pub(crate) fn run(self) -> Result<(), Failure> {
        for file in &self.files {
            let kind = match self.part {
                Some(kind) => kind,
                None => detect(file)?,
            };
            check(kind, file)?;
            output::print(format!("{}: good, {}\n", file.display(), kind.describe()))?;
        }
        Ok(())
    }
}

/// The kind whose keys the file uses most.
fn detect(file: &Path) -> Result<Kind, Failure> {
    let candidates = [
        (Kind::Agent, agent::Config::DEFAULTS),
        (Kind::Broker, broker::Config::DEFAULTS),
        (Kind::Transfer, transfer::Config::DEFAULTS),
        (Kind::Up, UpConfig::DEFAULTS),
    ];
    let mut scores = Vec::new();
    for (kind, defaults) in candidates {
        match keys_known(file, defaults).map_err(refused)? {
            Some(known) => scores.push((known, kind)),
            None => return Ok(Kind::Collect),
        }
    }
    scores.sort_by_key(|(known, _)| std::cmp::Reverse(*known));
    match scores.as_slice() {
        [(best, kind), (second, _), ..] if best > second => Ok(*kind),
        _ => Err(Failure::Usage(format!(
            "cannot see from its keys what {} is for: say it with --part",
            file.display()
        ))),
    }
}

fn check(kind: Kind, file: &Path) -> Result<(), Failure> {
    let result = match kind {
        Kind::Agent => load::<agent::Config>(file),
        Kind::Broker => load::<broker::Config>(file),
        Kind::Transfer => load::<transfer::Config>(file),
        Kind::Up => up(file),
        Kind::Collect => return collect(file),
    };
    result.map_err(refused)
}

fn load<T: daemon::config::Section>(file: &Path) -> Result<(), ConfigError> {
    Source::new(T::DEFAULTS).file(Some(file)).load::<T>().map(drop)
}

/// Each part's section of the common file, and the rest.
fn up(file: &Path) -> Result<(), ConfigError> {
    let source = Source::new(UpConfig::DEFAULTS).file(Some(file));
    source.load::<UpConfig>()?;
    source.load_part::<agent::Config>(agent::Config::NAME)?;
    source.load_part::<broker::Config>(broker::Config::NAME)?;
    source.load_part::<transfer::Config>(transfer::Config::NAME).map(drop)
}

fn collect(file: &Path) -> Result<(), Failure> {
    let bytes = std::fs::read(file).or_fail(format!("cannot read {}", file.display()))?;
    let checked = agent::collect::parse_bytes(&bytes);
    checked.map(drop).map_err(|error| Failure::new(format!("{}: {error}", file.display())))
}
