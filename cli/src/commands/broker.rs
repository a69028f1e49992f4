//! `logagent broker`.

use clap::Args;
use daemon::config::Section as _;

use crate::fail::Failure;
use crate::part::{self, Common};

const EXAMPLES: &str = "\
Examples:
  logagent broker --listen 127.0.0.1:9092 --data-dir ./broker-data
  logagent broker --config /etc/logagent/broker.yaml --admin 127.0.0.1:9401
  logagent broker --data-dir ./broker-data --set retention_ms=86400000

Flags win over the file. SIGHUP loads the file again, SIGTERM stops without losing what was acknowledged.";

#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Where clients connect, as ADDRESS:PORT.
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
    /// Where topics are kept.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<String>,
    #[command(flatten)]
    common: Common,
}

impl Arguments {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let flags = [("listen", &self.listen), ("data_dir", &self.data_dir)];
        let source = self.common.source(broker::Config::DEFAULTS, &flags);
        part::run(self.common, source, broker::run)
    }
}
