//! `logagent groups list|describe`.

use std::collections::BTreeMap;

use clap::{Args, Subcommand};
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::groups::GroupInfo;
use rdkafka::{Offset, TopicPartitionList};
use serde::Serialize;

use crate::fail::Failure;
use crate::kafka::{Connection, Watermarks, assignment};
use crate::output::{self, Format};

const EXAMPLES: &str = "\
Examples:
  logagent groups list
  logagent groups describe logagent-transfer
  logagent groups describe logagent-transfer -o json | jq 'map(.lag) | add'";

#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
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
}

impl Arguments {
    pub(crate) fn run(self) -> Result<(), Failure> {
        match self.action {
            Action::List { output, connection } => list(&connection, output),
            Action::Describe { group, output, connection } => describe(&connection, &group, output),
        }
    }
}

#[derive(Debug, Serialize)]
struct GroupRow {
    group: String,
    state: String,
    protocol: String,
    members: usize,
}

fn list(connection: &Connection, format: Format) -> Result<(), Failure> {
    let asker = connection.asker(None)?;
    let groups = asker
        .fetch_group_list(None, connection.timeout())
        .map_err(|error| connection.failure("cannot list groups", &error))?;
    let mut rows: Vec<GroupRow> = groups
        .groups()
        .iter()
        .map(|group| GroupRow {
            group: group.name().to_owned(),
            state: group.state().to_owned(),
            protocol: group.protocol().to_owned(),
            members: group.members().len(),
        })
        .collect();
    rows.sort_by(|a, b| a.group.cmp(&b.group));
    output::print_rows(format, &rows, &["GROUP", "STATE", "PROTOCOL", "MEMBERS"], |row| {
        vec![row.group.clone(), row.state.clone(), row.protocol.clone(), row.members.to_string()]
    })
}

#[derive(Debug, Serialize)]
struct OffsetRow {
    group: String,
    topic: String,
    partition: i32,
    committed: Option<i64>,
    end_offset: i64,
    lag: i64,
    member: Option<String>,
    host: Option<String>,
}

/// A topic and one of its partitions.
type Place = (String, i32);

/// Who reads a partition.
#[derive(Clone)]
struct Reader {
    member: String,
    host: String,
}

fn describe(connection: &Connection, name: &str, format: Format) -> Result<(), Failure> {
    let what = format!("cannot describe group {name}");
    let asker = connection.asker(Some(name))?;
    let groups = asker
        .fetch_group_list(Some(name), connection.timeout())
        .map_err(|error| connection.failure(&what, &error))?;
    let group = groups.groups().iter().find(|group| group.name() == name);
    let readers = group.map(readers).unwrap_or_default();
    let committed = committed(connection, &asker, &what)?;
    if committed.is_empty() && readers.is_empty() {
        return match group {
            Some(group) if group.state() != "Dead" => {
                output::note(&format!("group {name} is {}: it has committed nothing", group.state()));
                output::print_rows::<OffsetRow>(format, &[], &COLUMNS, cells)
            }
            _ => {
                Err(Failure::new(format!("there is no group {name:?}")).remedy("see `logagent groups list`"))
            }
        };
    }
    let rows = rows(connection, &asker, name, &readers, &committed)?;
    output::print_rows(format, &rows, &COLUMNS, cells)
}

const COLUMNS: [&str; 8] =
    ["GROUP", "TOPIC", "PARTITION", "COMMITTED", "END-OFFSET", "LAG", "MEMBER", "HOST"];

fn cells(row: &OffsetRow) -> Vec<String> {
    let or_dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    vec![
        row.group.clone(),
        row.topic.clone(),
        row.partition.to_string(),
        row.committed.map_or_else(|| "-".to_owned(), |offset| offset.to_string()),
        row.end_offset.to_string(),
        row.lag.to_string(),
        or_dash(&row.member),
        or_dash(&row.host),
    ]
}

fn rows(
    connection: &Connection,
    asker: &BaseConsumer,
    group: &str,
    readers: &BTreeMap<Place, Reader>,
    committed: &BTreeMap<Place, i64>,
) -> Result<Vec<OffsetRow>, Failure> {
    let mut places: Vec<&Place> = readers.keys().chain(committed.keys()).collect();
    places.sort();
    places.dedup();
    let mut rows = Vec::new();
    for place in places {
        let (topic, partition) = place;
        let bounds = connection.watermarks(asker, topic, &[*partition])?;
        let bounds = bounds.get(partition).copied().unwrap_or(Watermarks { start: 0, end: 0 });
        let offset = committed.get(place).copied();
        let reader = readers.get(place);
        rows.push(OffsetRow {
            group: group.to_owned(),
            topic: topic.clone(),
            partition: *partition,
            committed: offset,
            end_offset: bounds.end,
            lag: lag(offset, bounds),
            member: reader.map(|reader| reader.member.clone()),
            host: reader.map(|reader| reader.host.clone()),
        });
    }
    Ok(rows)
}

/// Records between the committed offset, or the oldest one kept, and the end.
fn lag(committed: Option<i64>, bounds: Watermarks) -> i64 {
    let next = committed.unwrap_or(bounds.start).max(bounds.start);
    bounds.end.saturating_sub(next).max(0)
}

fn readers(group: &GroupInfo) -> BTreeMap<Place, Reader> {
    let mut readers = BTreeMap::new();
    for member in group.members() {
        let reader = Reader {
            member: member.id().to_owned(),
            host: member.client_host().trim_start_matches('/').to_owned(),
        };
        for (topic, partitions) in
            assignment::decode(member.assignment().unwrap_or_default()).unwrap_or_default()
        {
            for partition in partitions {
                readers.insert((topic.clone(), partition), reader.clone());
            }
        }
    }
    readers
}

/// What the asker's group has committed, in any topic.
fn committed(
    connection: &Connection,
    asker: &BaseConsumer,
    what: &str,
) -> Result<BTreeMap<Place, i64>, Failure> {
    let failed = |error| connection.failure(what, &error);
    let metadata = asker.fetch_metadata(None, connection.timeout()).map_err(failed)?;
    let mut list = TopicPartitionList::new();
    for topic in metadata.topics().iter().filter(|topic| !topic.name().starts_with("__")) {
        for partition in topic.partitions() {
            list.add_partition(topic.name(), partition.id());
        }
    }
    if list.count() == 0 {
        return Ok(BTreeMap::new());
    }
    let offsets = asker.committed_offsets(list, connection.timeout()).map_err(failed)?;
    Ok(offsets
        .elements()
        .iter()
        .filter_map(|element| match element.offset() {
            Offset::Offset(offset) => Some(((element.topic().to_owned(), element.partition()), offset)),
            _ => None,
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lag_counts_only_records_that_are_still_there() {
        let bounds = Watermarks { start: 100, end: 150 };
        assert_eq!(lag(Some(120), bounds), 30);
        assert_eq!(lag(Some(150), bounds), 0);
        assert_eq!(lag(Some(10), bounds), 50);
        assert_eq!(lag(None, bounds), 50);
        assert_eq!(lag(Some(200), bounds), 0);
    }
}
