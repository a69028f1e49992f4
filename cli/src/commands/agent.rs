//! `logagent agent`.

use clap::Args;
use daemon::config::Section as _;

use crate::fail::Failure;
use crate::part::{self, Common};

const EXAMPLES: &str = "\
Examples:
  What to collect stands in etcd, under /logagent/<host id>/collect_config:
    logagent agent --bootstrap kafka:9092 --etcd etcd:2379 --host-id web-1

  What to collect stands in a file; changes take effect at once:
    printf -- '- {path: /var/log/nginx/*.log, topic: nginx_log}\\n' > collect.yaml
    logagent agent --bootstrap 127.0.0.1:9092 --collect collect.yaml --data-dir ./agent-data

Flags win over the file. SIGHUP loads the file again, SIGTERM stops; the next start goes on where this one stopped.";

#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Brokers to ask first, as HOST:PORT, comma-separated.
    #[arg(long, value_name = "ADDRS")]
    bootstrap: Option<String>,
    /// etcd's addresses, comma-separated: the list of files is read and watched there.
    #[arg(long, value_name = "ENDPOINTS", conflicts_with = "collect")]
    etcd: Option<String>,
    /// A file with the list of paths and topics, instead of etcd.
    #[arg(long, value_name = "FILE")]
    collect: Option<String>,
    /// This host's name in etcd and in records; else the system's.
    #[arg(long, value_name = "NAME")]
    host_id: Option<String>,
    /// Where the checkpoint is kept.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<String>,
    #[command(flatten)]
    common: Common,
}

impl Arguments {
    pub(crate) fn run(self) -> Result<(), Failure> {
        // --etcd also takes back a file that the config names.
        let collect = self.collect.clone().or_else(|| self.etcd.as_ref().map(|_| String::new()));
        let flags = [
            ("ship.bootstrap_servers", &self.bootstrap),
            ("collect.etcd.endpoints", &self.etcd),
            ("collect.file", &collect),
            ("host_id", &self.host_id),
            ("data_dir", &self.data_dir),
        ];
        let source = self.common.source(agent::Config::DEFAULTS, &flags);
        part::run(self.common, source, agent::run)
    }
}
