//! `logagent delete-records`: the oldest records of a partition go, up to an offset.

use std::io::{IsTerminal as _, stdin};

use clap::Args;
use rdkafka::{Offset, TopicPartitionList};
use serde::Serialize;

use crate::fail::{Failure, OrFail as _};
use crate::kafka::{Connection, Watermarks, block_on};
use crate::output::{self, Format};

const EXAMPLES: &str = "\
Examples:
  logagent delete-records nginx_log --partition 0 --before 1500
  logagent delete-records nginx_log --partition 0 --before latest --yes

What is deleted cannot be brought back. On a terminal it asks first, elsewhere it wants --yes.";

#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The topic's name.
    topic: String,
    /// Which partition.
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(i32).range(0..))]
    partition: i32,
    /// The first offset that stays, or "latest" to delete all that there is.
    #[arg(long, value_name = "OFFSET", value_parser = Before::parse)]
    before: Before,
    /// Do not ask.
    #[arg(long, short)]
    yes: bool,
    #[arg(long, short, value_enum, default_value_t)]
    output: Format,
    #[command(flatten)]
    connection: Connection,
}

/// Which records go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Before {
    Offset(i64),
    Latest,
}

impl Before {
    fn parse(text: &str) -> Result<Self, String> {
        let offset = text.parse::<i64>().ok().filter(|offset| *offset >= 0).map(Self::Offset);
        let latest = (text == "latest").then_some(Self::Latest);
        offset.or(latest).ok_or_else(|| "must be an offset or \"latest\"".to_owned())
    }

    /// The first offset that stays; none for one that is not there yet.
    fn first_kept(self, bounds: Watermarks) -> Option<i64> {
        match self {
            Self::Latest => Some(bounds.end),
            Self::Offset(offset) => (offset <= bounds.end).then_some(offset),
        }
    }
}

/// Where the partition begins now.
#[derive(Debug, Serialize)]
struct Row {
    topic: String,
    partition: i32,
    old_start_offset: i64,
    start_offset: i64,
}

impl Arguments {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let asker = self.connection.asker(None)?;
        self.connection.chosen(&asker, &self.topic, &[self.partition])?;
        let bounds = self.connection.watermarks(&asker, &self.topic, &[self.partition])?;
        let bounds = bounds.get(&self.partition).copied().unwrap_or(Watermarks { start: 0, end: 0 });
        let Some(first_kept) = self.before.first_kept(bounds) else {
            return Err(Failure::new(format!("{}: its log ends at {}", self.what(), bounds.end))
                .remedy("say --before latest to delete all that there is"));
        };
        if first_kept <= bounds.start {
            output::note(&format!("nothing to delete: {} begins at {}", self.place(), bounds.start));
            return self.show(bounds.start, bounds.start);
        }
        if !self.yes {
            self.confirm(bounds.start, first_kept)?;
        }
        let start = block_on(self.delete(first_kept))?;
        self.show(bounds.start, start)
    }

    fn place(&self) -> String {
        format!("{}-{}", self.topic, self.partition)
    }

    fn what(&self) -> String {
        format!("cannot delete records of {}", self.place())
    }

    fn confirm(&self, start: i64, first_kept: i64) -> Result<(), Failure> {
        let last = first_kept.saturating_sub(1);
        let question = format!("offsets {start} to {last} of {} will be gone for good", self.place());
        if !stdin().is_terminal() {
            return Err(Failure::new(format!("{}: {question}", self.what())).remedy("say so with --yes"));
        }
        output::note(&format!("{question}. Delete them? (yes/no)"));
        let mut answer = String::new();
        stdin().read_line(&mut answer).or_fail("cannot read the answer")?;
        if matches!(answer.trim(), "y" | "yes") { Ok(()) } else { Err(Failure::new("nothing was deleted")) }
    }

    /// Deletes, and returns where the partition begins now.
    async fn delete(&self, first_kept: i64) -> Result<i64, Failure> {
        let failed = |error| self.connection.failure(&self.what(), &error);
        // The offset that was shown, not the end at this moment: what came since then stays.
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(&self.topic, self.partition, Offset::Offset(first_kept)).map_err(failed)?;
        let (admin, options) = self.connection.admin()?;
        let deleted = admin.delete_records(&list, &options).await.map_err(failed)?;
        let mut start = first_kept;
        for element in deleted.elements() {
            element.error().map_err(failed)?;
            if let Offset::Offset(offset) = element.offset() {
                start = offset;
            }
        }
        Ok(start)
    }

    fn show(&self, old_start_offset: i64, start_offset: i64) -> Result<(), Failure> {
        let (topic, partition) = (self.topic.clone(), self.partition);
        let row = Row { topic, partition, old_start_offset, start_offset };
        let columns = ["TOPIC", "PARTITION", "OLD-START-OFFSET", "START-OFFSET"];
        output::print_rows(self.output, &[row], &columns, |row| {
            vec![
                row.topic.clone(),
                row.partition.to_string(),
                row.old_start_offset.to_string(),
                row.start_offset.to_string(),
            ]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_is_said_by_an_offset_or_by_latest() {
        assert_eq!(Before::parse("7"), Ok(Before::Offset(7)));
        assert_eq!(Before::parse("latest"), Ok(Before::Latest));
        for text in ["", "-1", "earliest", "1.5", "99999999999999999999"] {
            assert!(Before::parse(text).unwrap_err().contains("latest"), "{text}");
        }
    }

    #[test]
    fn an_offset_that_is_not_there_yet_deletes_nothing() {
        let bounds = Watermarks { start: 5, end: 9 };
        assert_eq!(Before::Latest.first_kept(bounds), Some(9));
        assert_eq!(Before::Offset(9).first_kept(bounds), Some(9));
        assert_eq!(Before::Offset(2).first_kept(bounds), Some(2));
        assert_eq!(Before::Offset(10).first_kept(bounds), None);
    }
}
