//! The command line: what can be asked for. Each command's own arguments stand in its file.

use clap::{Args, Parser, Subcommand};
use daemon::log;

use crate::commands::{
    agent, broker, check, collect, completion, consume, delete_records, groups, log as log_files, produce,
    topics, transfer, up,
};
use crate::fail::Failure;

const EXAMPLES: &str = "\
Examples:
  See the nginx log of this host, nothing else installed:
    logagent up /var/log/nginx/access.log --data-dir ./data

  The same pipeline as daemons of their own:
    logagent broker --listen 127.0.0.1:9092 --data-dir /var/lib/logagent/broker
    logagent agent --bootstrap 127.0.0.1:9092 --collect collect.yaml --data-dir /var/lib/logagent/agent
    logagent transfer --bootstrap 127.0.0.1:9092 --topics nginx_log --elasticsearch http://127.0.0.1:9200

  Look into a topic, and at who has read how far:
    logagent consume --topic nginx_log --from-beginning
    logagent groups lag logagent-transfer

  Let a group read again what came since eight o'clock:
    logagent groups reset-offsets logagent-transfer --topic nginx_log --to-datetime 2026-01-31T08:00:00Z

  Change what a host collects, without logging in to it:
    logagent collect put web-1 collect.yaml --etcd http://etcd:2379

Exit codes: 0 done, 1 failed, 2 the command line is wrong.";

/// Log files on many hosts become searchable, charted events; no line is lost or counted twice on the way.
#[derive(Debug, Parser)]
#[command(name = "logagent", version, about, after_help = EXAMPLES, propagate_version = true, max_term_width = 110)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) logging: Logging,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Args, Debug)]
#[command(next_help_heading = "Logging")]
pub(crate) struct Logging {
    /// What is logged: error, warn, info, debug, trace, or by room: info,broker=debug.
    #[arg(long, global = true, value_name = "LEVEL", env = log::LEVEL_VARIABLE)]
    log_level: Option<String>,
    /// How it is logged to stderr: auto (journald under systemd, else text), text, json.
    #[arg(long, global = true, value_name = "FORMAT", default_value = "auto")]
    log_format: log::Format,
}

impl Logging {
    pub(crate) fn init(&self) -> Result<(), Failure> {
        let options = log::Options { level: self.log_level.clone(), format: self.log_format };
        log::init(&options).map_err(|error| Failure::Usage(error.to_string()))
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Collect log files of this host and ship them to a broker.
    Agent(agent::Arguments),
    /// Keep topics on disk and serve Kafka clients.
    Broker(broker::Arguments),
    /// Consume topics, parse their lines, index the documents.
    Transfer(transfer::Arguments),
    /// Run broker, agent and transfer in one process, and watch the lines flow.
    Up(up::Arguments),
    /// Check a config file or a collect list, without starting anything.
    Check(check::Arguments),
    /// Create, list, describe, change, delete topics.
    #[command(subcommand)]
    Topics(topics::Arguments),
    /// Send lines from stdin to a topic.
    Produce(produce::Arguments),
    /// Print the records of a topic.
    Consume(consume::Arguments),
    /// List consumer groups, see their lag, set their offsets, delete them.
    #[command(subcommand)]
    Groups(groups::Arguments),
    /// Delete the oldest records of a partition.
    DeleteRecords(delete_records::Arguments),
    /// Look into the files of a broker's data directory: print them, or verify them.
    #[command(subcommand)]
    Log(log_files::Arguments),
    /// Read, change, watch the list of files that a host collects (in etcd).
    #[command(subcommand)]
    Collect(collect::Arguments),
    /// Print a shell's completion script.
    Completion(completion::Arguments),
}

impl Command {
    pub(crate) fn run(self) -> Result<(), Failure> {
        match self {
            Self::Agent(arguments) => arguments.run(),
            Self::Broker(arguments) => arguments.run(),
            Self::Transfer(arguments) => arguments.run(),
            Self::Up(arguments) => arguments.run(),
            Self::Check(arguments) => arguments.run(),
            Self::Topics(arguments) => arguments.run(),
            Self::Produce(arguments) => arguments.run(),
            Self::Consume(arguments) => arguments.run(),
            Self::Groups(arguments) => arguments.run(),
            Self::DeleteRecords(arguments) => arguments.run(),
            Self::Log(arguments) => arguments.run(),
            Self::Collect(arguments) => arguments.run(),
            Self::Completion(arguments) => arguments.run(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        <Cli as clap::CommandFactory>::command().debug_assert();
    }
}
