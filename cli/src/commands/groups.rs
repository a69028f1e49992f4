//! `logagent groups list|describe|lag|reset-offsets|delete|delete-offsets`.

mod delete;
mod offsets;
mod reset;
mod scope;

use clap::Subcommand;
use serde::Serialize;

use crate::fail::Failure;
use crate::kafka::Connection;
use crate::output::{self, Format};
use scope::Scope;

const EXAMPLES: &str = "\
Examples:
  logagent groups list
  logagent groups lag logagent-transfer
  logagent groups describe logagent-transfer -o json | jq 'map(.lag) | add'
  logagent groups reset-offsets audit --topic nginx_log --to-earliest --execute
  logagent groups delete audit";

#[derive(Debug, Subcommand)]
#[command(after_help = EXAMPLES)]
pub(crate) enum Arguments {
    /// List the consumer groups.
    List {
        #[arg(long, short, value_enum, default_value_t)]
        output: Format,
        #[command(flatten)]
        connection: Connection,
    },
    /// Show for each partition how far a group has committed, what is left, and which member reads it.
    Describe {
        /// The group's name.
        group: String,
        #[arg(long, short, value_enum, default_value_t)]
        output: Format,
        #[command(flatten)]
        connection: Connection,
    },
    /// Show how many records a group has still to read, by partition and in all.
    Lag {
        /// The group's name.
        group: String,
        #[arg(long, short, value_enum, default_value_t)]
        output: Format,
        #[command(flatten)]
        connection: Connection,
    },
    /// Set where a group that nobody reads with begins next time.
    ResetOffsets(reset::Arguments),
    /// Delete groups with all that they have committed.
    Delete {
        /// Their names.
        #[arg(required = true, value_name = "GROUP")]
        groups: Vec<String>,
        #[command(flatten)]
        connection: Connection,
    },
    /// Forget what a group has committed in topics that it no longer reads.
    DeleteOffsets {
        /// The group's name.
        group: String,
        /// A topic, or some of its partitions, such as nginx_log:0,2; may be repeated.
        #[arg(long = "topic", short, required = true, value_name = "TOPIC[:N,N]", value_parser = Scope::parse)]
        topics: Vec<Scope>,
        #[command(flatten)]
        connection: Connection,
    },
}

impl Arguments {
    pub(crate) fn run(self) -> Result<(), Failure> {
        match self {
            Self::List { output, connection } => list(&connection, output),
            Self::Describe { group, output, connection } => offsets::describe(&connection, &group, output),
            Self::Lag { group, output, connection } => offsets::lag(&connection, &group, output),
            Self::ResetOffsets(arguments) => arguments.run(),
            Self::Delete { groups, connection } => delete::groups(&connection, groups),
            Self::DeleteOffsets { group, topics, connection } => {
                delete::offsets(&connection, &group, &topics)
            }
        }
    }
}

#[derive(Debug, Serialize)]
struct GroupRow {
    group: String,
    state: String,
    #[serde(rename = "type")]
    kind: &'static str,
    protocol: String,
    members: usize,
}

fn list(connection: &Connection, format: Format) -> Result<(), Failure> {
    let rows: Vec<GroupRow> = connection
        .groups("cannot list groups")?
        .into_iter()
        .map(|group| GroupRow {
            group: group.name,
            state: group.state,
            kind: group.kind,
            protocol: group.assignor,
            members: group.members.len(),
        })
        .collect();
    output::print_rows(format, &rows, &["GROUP", "STATE", "TYPE", "PROTOCOL", "MEMBERS"], |row| {
        let kind = row.kind.to_owned();
        vec![row.group.clone(), row.state.clone(), kind, row.protocol.clone(), row.members.to_string()]
    })
}

/// There is no such group.
fn no_group(name: &str) -> Failure {
    Failure::new(format!("there is no group {name:?}")).remedy("see `logagent groups list`")
}
