//! `groups reset-offsets`: sets where a group begins next time. As Kafka's own tool it only shows what it would do unless it is
//! told to execute, and touches no group that is reading: a member would commit over it.

mod target;

use std::collections::BTreeMap;

use clap::Args;
use rdkafka::consumer::BaseConsumer;
use serde::Serialize;
use wire::ErrorCode;
use wire::message::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};

use super::offsets::committed;
use super::scope::{Scope, resolve};
use crate::fail::Failure;
use crate::kafka::direct::refusal;
use crate::kafka::{Connection, Watermarks};
use crate::output::{self, Format};
use crate::time;
use target::{Partition, Target};

const EXAMPLES: &str = "\
Examples:
  What would change if the group read all of a topic again?
    logagent groups reset-offsets audit --topic nginx_log --to-earliest

  Do it:
    logagent groups reset-offsets audit --topic nginx_log --to-earliest --execute

  Read again what came since eight o'clock (UTC), or the last thousand records of two partitions:
    logagent groups reset-offsets audit --topic nginx_log --to-datetime 2026-01-31T08:00:00 --execute
    logagent groups reset-offsets audit --topic nginx_log:0,2 --shift-by -1000 --execute

The group's consumers have to be stopped. An offset outside the log becomes the nearest one inside.";

const COLUMNS: [&str; 5] = ["TOPIC", "PARTITION", "OLD-OFFSET", "NEW-OFFSET", "NOTE"];

#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The group's name.
    group: String,
    /// A topic, or some of its partitions, such as nginx_log:0,2; may be repeated.
    #[arg(long = "topic", short, required = true, value_name = "TOPIC[:N,N]", value_parser = Scope::parse)]
    topics: Vec<Scope>,
    #[command(flatten)]
    to: To,
    /// Change the offsets, and not only show what would change.
    #[arg(long)]
    execute: bool,
    /// Only show what would change, which is the default.
    #[arg(long, conflicts_with = "execute")]
    dry_run: bool,
    #[arg(long, short, value_enum, default_value_t)]
    output: Format,
    #[command(flatten)]
    connection: Connection,
}

/// Where to; exactly one of them.
#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
struct To {
    /// To the oldest record kept.
    #[arg(long)]
    to_earliest: bool,
    /// To the end: what is there is not read.
    #[arg(long)]
    to_latest: bool,
    /// To this offset.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(0..))]
    to_offset: Option<i64>,
    /// To the first record that is as new: ISO 8601 (UTC without a zone), or milliseconds since 1970.
    #[arg(long, value_name = "TIME", value_parser = time::millis)]
    to_datetime: Option<i64>,
    /// So many records further, or back with a minus.
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    shift_by: Option<i64>,
}

impl To {
    fn target(&self) -> Option<Target> {
        let targets = [
            self.to_earliest.then_some(Target::Earliest),
            self.to_latest.then_some(Target::Latest),
            self.to_offset.map(Target::Offset),
            self.to_datetime.map(Target::Time),
            self.shift_by.map(Target::Shift),
        ];
        targets.into_iter().flatten().next()
    }
}

/// What becomes of one partition.
#[derive(Debug, Serialize)]
struct Move {
    group: String,
    topic: String,
    partition: i32,
    old_offset: Option<i64>,
    new_offset: i64,
    note: Option<String>,
}

impl Arguments {
    pub(super) fn run(self) -> Result<(), Failure> {
        let target = self.to.target().ok_or_else(|| Failure::Usage("say where to, as --to-latest".into()))?;
        let asker = self.connection.asker(Some(&self.group))?;
        self.refuse_members()?;
        let moves = self.plan(&asker, target)?;
        let execute = self.execute && !self.dry_run;
        if execute {
            self.commit(&moves)?;
        }
        self.show(&moves)?;
        if !execute {
            output::note("this was a dry run: nothing is changed without --execute");
        }
        Ok(())
    }

    fn what(&self) -> String {
        format!("cannot reset the offsets of group {}", self.group)
    }

    fn refuse_members(&self) -> Result<(), Failure> {
        match self.connection.group(&self.what(), &self.group)? {
            Some(group) if !group.members.is_empty() || !matches!(group.state.as_str(), "Empty" | "") => {
                let (members, state) = (group.members.len(), group.state);
                Err(self.is_read_with(&format!("it has {members} member(s) and is {state}")))
            }
            _ => Ok(()),
        }
    }

    fn is_read_with(&self, cause: &str) -> Failure {
        Failure::new(format!("{}: {cause}", self.what())).remedy(
            "stop the group's consumers first; one that was killed leaves when its session times out, see \
             `logagent groups describe`",
        )
    }

    /// The new offset of each partition.
    fn plan(&self, asker: &BaseConsumer, target: Target) -> Result<Vec<Move>, Failure> {
        let topics = resolve(&self.connection, asker, &self.topics)?;
        let committed = committed(&self.connection, asker, &self.what())?;
        let mut moves = Vec::new();
        for (topic, partitions) in topics {
            // The end is asked for first: a record that comes after that is not passed over where all are too old.
            let bounds = self.connection.watermarks(asker, &topic, &partitions)?;
            let times = match target {
                Target::Time(time) => self.connection.offsets_at(asker, &topic, &partitions, time)?,
                _ => BTreeMap::new(),
            };
            for partition in partitions {
                let known = Partition {
                    bounds: bounds.get(&partition).copied().unwrap_or(Watermarks { start: 0, end: 0 }),
                    committed: committed.get(&(topic.clone(), partition)).copied(),
                    at_time: times.get(&partition).copied().flatten(),
                };
                moves.push(self.move_one(target, &topic, partition, known)?);
            }
        }
        Ok(moves)
    }

    fn move_one(
        &self,
        target: Target,
        topic: &str,
        partition: i32,
        known: Partition,
    ) -> Result<Move, Failure> {
        let destination = target.destination(known).map_err(|_| {
            let cause = format!("it has committed nothing in {topic}-{partition} that could be shifted");
            Failure::new(format!("{}: {cause}", self.what()))
                .remedy("name the partitions that it has read with --topic TOPIC:N,N, or say --to-earliest")
        })?;
        Ok(Move {
            group: self.group.clone(),
            topic: topic.to_owned(),
            partition,
            old_offset: known.committed,
            new_offset: destination.offset,
            note: destination.note,
        })
    }

    /// Commits from outside the group, which its coordinator takes only while there is no member.
    fn commit(&self, moves: &[Move]) -> Result<(), Failure> {
        let mut coordinator = self.connection.coordinator(&self.what(), &self.group)?;
        let answer = coordinator.call(&request(&self.group, moves))?;
        let refused = answer.topics.iter().find_map(|topic| {
            let refused = topic.partitions.iter().find(|partition| partition.error_code != 0)?;
            Some((topic, refused))
        });
        let Some((topic, refused)) = refused else { return Ok(()) };
        match ErrorCode::from_code(refused.error_code) {
            ErrorCode::UnknownMemberId | ErrorCode::IllegalGeneration | ErrorCode::RebalanceInProgress => {
                Err(self.is_read_with("a member has joined it at this moment"))
            }
            _ => {
                let cause = refusal(refused.error_code, None).unwrap_or_default();
                let place = format!("{}-{}", topic.name, refused.partition_index);
                Err(Failure::new(format!("{}: {place}: {cause}", self.what())))
            }
        }
    }

    fn show(&self, moves: &[Move]) -> Result<(), Failure> {
        output::print_rows(self.output, moves, &COLUMNS, |row| {
            vec![
                row.topic.clone(),
                row.partition.to_string(),
                row.old_offset.map_or_else(|| "-".to_owned(), |offset| offset.to_string()),
                row.new_offset.to_string(),
                row.note.clone().unwrap_or_default(),
            ]
        })
    }
}

/// The request that commits all moves at once. They are sorted by topic.
fn request(group: &str, moves: &[Move]) -> OffsetCommitRequest {
    let partition = |to: &Move| OffsetCommitRequestPartition {
        partition_index: to.partition,
        committed_offset: to.new_offset,
        ..OffsetCommitRequestPartition::default()
    };
    let topics = moves.chunk_by(|a, b| a.topic == b.topic).map(|moves| OffsetCommitRequestTopic {
        name: moves.first().map(|first| first.topic.clone()).unwrap_or_default(),
        partitions: moves.iter().map(partition).collect(),
    });
    OffsetCommitRequest {
        group_id: group.to_owned(),
        topics: topics.collect(),
        ..OffsetCommitRequest::default()
    }
}

#[cfg(test)]
mod tests;
