//! `groups describe` and `groups lag`: how far a group has committed, what is left, and who reads it.

use std::collections::BTreeMap;

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::{Offset, TopicPartitionList};
use serde::Serialize;

use super::no_group;
use crate::fail::Failure;
use crate::kafka::groups::Group;
use crate::kafka::{Connection, Watermarks};
use crate::output::{self, Format};

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

/// What a group has still to read.
#[derive(Debug, Serialize)]
struct Lag {
    group: String,
    lag: i64,
    partitions: Vec<OffsetRow>,
}

/// A topic and one of its partitions.
pub(super) type Place = (String, i32);

/// Who reads a partition.
#[derive(Clone)]
struct Reader {
    member: String,
    host: String,
}

const COLUMNS: [&str; 8] =
    ["GROUP", "TOPIC", "PARTITION", "COMMITTED", "END-OFFSET", "LAG", "MEMBER", "HOST"];
const LAG_COLUMNS: [&str; 6] = ["TOPIC", "PARTITION", "CURRENT-OFFSET", "LOG-END-OFFSET", "LAG", "MEMBER"];

pub(super) fn describe(connection: &Connection, group: &str, format: Format) -> Result<(), Failure> {
    let rows = load(connection, group)?;
    output::print_rows(format, &rows, &COLUMNS, |row| {
        let mut line = vec![row.group.clone()];
        line.extend(cells(row));
        line.push(or_dash(row.host.as_ref()));
        line
    })
}

/// A partition, how far the group has come in it, and who reads it.
fn cells(row: &OffsetRow) -> [String; 6] {
    [
        row.topic.clone(),
        row.partition.to_string(),
        or_dash(row.committed.as_ref()),
        row.end_offset.to_string(),
        row.lag.to_string(),
        or_dash(row.member.as_ref()),
    ]
}

pub(super) fn lag(connection: &Connection, group: &str, format: Format) -> Result<(), Failure> {
    let partitions = load(connection, group)?;
    let total: i64 = partitions.iter().map(|row| row.lag).sum();
    let lag = Lag { group: group.to_owned(), lag: total, partitions };
    match format {
        Format::Json => output::print_json(&lag),
        Format::Table => output::print(lag_table(&lag)),
    }
}

fn lag_table(lag: &Lag) -> String {
    let total = ["TOTAL", "-", "-", "-", &lag.lag.to_string(), "-"].map(str::to_owned);
    output::table(&LAG_COLUMNS, lag.partitions.iter().map(cells).chain([total]).map(Vec::from).collect())
}

fn or_dash(value: Option<&impl ToString>) -> String {
    value.map_or_else(|| "-".to_owned(), ToString::to_string)
}

/// A row for each partition in which the group has committed or reads.
fn load(connection: &Connection, name: &str) -> Result<Vec<OffsetRow>, Failure> {
    let what = format!("cannot describe group {name}");
    let asker = connection.asker(Some(name))?;
    let group = connection.group(&what, name)?;
    let readers = group.as_ref().map(readers).unwrap_or_default();
    let committed = committed(connection, &asker, &what)?;
    if committed.is_empty() && readers.is_empty() {
        return match group {
            Some(group) => {
                output::note(&format!("group {name} is {}: it has committed nothing", group.state));
                Ok(Vec::new())
            }
            None => Err(no_group(name)),
        };
    }
    rows(connection, &asker, name, &readers, &committed)
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
            lag: left(offset, bounds),
            member: reader.map(|reader| reader.member.clone()),
            host: reader.map(|reader| reader.host.clone()),
        });
    }
    Ok(rows)
}

/// Records between the committed offset, or the oldest one kept, and the end.
fn left(committed: Option<i64>, bounds: Watermarks) -> i64 {
    let next = committed.unwrap_or(bounds.start).max(bounds.start);
    bounds.end.saturating_sub(next).max(0)
}

fn readers(group: &Group) -> BTreeMap<Place, Reader> {
    let mut readers = BTreeMap::new();
    for member in &group.members {
        let reader = Reader { member: member.id.clone(), host: member.host.clone() };
        for (topic, partitions) in &member.partitions {
            for partition in partitions {
                readers.insert((topic.clone(), *partition), reader.clone());
            }
        }
    }
    readers
}

/// What the asker's group has committed, in any topic.
pub(super) fn committed(
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
        assert_eq!(left(Some(120), bounds), 30);
        assert_eq!(left(Some(150), bounds), 0);
        assert_eq!(left(Some(10), bounds), 50);
        assert_eq!(left(None, bounds), 50);
        assert_eq!(left(Some(200), bounds), 0);
    }

    #[test]
    fn the_lag_of_all_partitions_is_summed_up() {
        let row = |partition, committed, lag| OffsetRow {
            group: "audit".to_owned(),
            topic: "web".to_owned(),
            partition,
            committed,
            end_offset: 9,
            lag,
            member: None,
            host: None,
        };
        let partitions = vec![row(0, Some(7), 2), row(1, None, 9)];
        let table = lag_table(&Lag { group: "audit".to_owned(), lag: 11, partitions });
        let lines: Vec<Vec<&str>> =
            table.lines().map(|line| line.split_ascii_whitespace().collect()).collect();
        assert_eq!(lines[0], LAG_COLUMNS);
        assert_eq!(lines[1], ["web", "0", "7", "9", "2", "-"]);
        assert_eq!(lines[2], ["web", "1", "-", "9", "9", "-"]);
        assert_eq!(lines[3], ["TOTAL", "-", "-", "-", "11", "-"]);
    }
}
