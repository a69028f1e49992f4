//! `logagent up`.

use std::path::PathBuf;

use clap::Args;
use daemon::config::Section as _;

use crate::fail::Failure;
use crate::part::{self, Common};
use crate::up::{Flags, Plan, UpConfig, start};

const EXAMPLES: &str = "\
Examples:
  logagent up /var/log/nginx/access.log --data-dir ./data
  logagent up '/var/log/nginx/*.log' --data-dir ./data --elasticsearch http://127.0.0.1:9200
  logagent up --collect collect.yaml --data-dir ./data
  logagent up --config /etc/logagent/up.yaml

Nothing else is needed: no etcd, no Elasticsearch, no Kafka. Documents are written as NDJSON files unless --elasticsearch
says where to index them; any Kafka client can connect to the broker. Ctrl-C stops; the next start with the same
--data-dir goes on where this one stopped.";

#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Log files or quoted globs to collect.
    #[arg(value_name = "PATHS", conflicts_with = "collect")]
    paths: Vec<PathBuf>,
    /// A list of paths and topics, instead of PATHS.
    #[arg(long, value_name = "FILE")]
    collect: Option<PathBuf>,
    /// The topic of the PATHS.
    #[arg(long, value_name = "NAME")]
    topic: Option<String>,
    /// Where everything is kept.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Where Kafka clients reach the broker; port 0 takes a free one.
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
    /// Index the documents here instead of writing files.
    #[arg(long, value_name = "URL")]
    elasticsearch: Option<String>,
    #[command(flatten)]
    common: Common,
}

impl Arguments {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let flags = Flags {
            paths: self.paths,
            collect: self.collect,
            topic: self.topic,
            data_dir: self.data_dir,
            listen: self.listen,
            elasticsearch: self.elasticsearch,
        };
        let plan = Plan::new(flags.over(self.common.source(UpConfig::DEFAULTS, &[])))?;
        let admin = self.common.admin(plan.config.admin.clone());
        part::supervise(move |supervisor| start(supervisor, plan, admin))
    }
}
