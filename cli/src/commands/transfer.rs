//! `logagent transfer`.

use clap::Args;
use daemon::config::Section as _;

use crate::fail::Failure;
use crate::part::{self, Common};

const EXAMPLES: &str = "\
Examples:
  logagent transfer --bootstrap kafka:9092 --topics nginx_log --elasticsearch http://127.0.0.1:9200
  logagent transfer --bootstrap kafka:9092 --topics nginx_log,app_log --group indexers

  Without Elasticsearch documents become files, one document on a line:
    logagent transfer --topics nginx_log --data-dir ./documents

Flags win over the file. SIGHUP loads the file again, SIGTERM stops and commits what is indexed.";

#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Brokers to ask first, as HOST:PORT, comma-separated.
    #[arg(long, value_name = "ADDRS")]
    bootstrap: Option<String>,
    /// Topics to consume, comma-separated; each is indexed under its own name.
    #[arg(long, value_name = "LIST")]
    topics: Option<String>,
    /// The consumer group: transfers of one group share the partitions.
    #[arg(long, value_name = "NAME")]
    group: Option<String>,
    /// Elasticsearch's or OpenSearch's address, several comma-separated; without it documents become files.
    #[arg(long, value_name = "URL")]
    elasticsearch: Option<String>,
    /// Where documents become files when there is no Elasticsearch.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<String>,
    #[command(flatten)]
    common: Common,
}

impl Arguments {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let flags = [
            ("bootstrap", &self.bootstrap),
            ("topics", &self.topics),
            ("group", &self.group),
            ("elasticsearch.url", &self.elasticsearch),
            ("data_dir", &self.data_dir),
        ];
        let source = self.common.source(transfer::Config::DEFAULTS, &flags);
        part::run(self.common, source, transfer::run)
    }
}
