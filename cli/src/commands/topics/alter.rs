//! `topics alter`: more partitions, other settings.

use std::collections::BTreeSet;

use clap::Args;
use wire::message::create_partitions::{CreatePartitionsRequest, CreatePartitionsTopic};
use wire::message::incremental_alter_configs::{
    AlterConfigsResource, AlterableConfig, IncrementalAlterConfigsRequest,
};

use super::{TOPIC, accepted, key_value};
use crate::fail::Failure;
use crate::kafka::Connection;
use crate::kafka::direct::Direct;
use crate::output;

const EXAMPLES: &str = "\
Examples:
  logagent topics alter nginx_log --partitions 8
  logagent topics alter nginx_log --set retention.ms=86400000 --set max.message.bytes=2097152
  logagent topics alter nginx_log --unset retention.ms --dry-run

What is not named stays as it is. A change is in force at once; `logagent topics configs` shows all settings.";

/// What to do with a setting, as requests number it.
const SET: i8 = 0;
const BACK_TO_THE_DEFAULT: i8 = 1;

#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Its name.
    topic: String,
    /// How many partitions it shall have. Their number only grows; records of a key may go to another partition from then on.
    #[arg(long, short, value_name = "N", required_unless_present_any = ["set", "unset"],
          value_parser = clap::value_parser!(i32).range(1..))]
    partitions: Option<i32>,
    /// Set a setting, such as retention.ms=86400000; may be repeated.
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_value)]
    set: Vec<(String, String)>,
    /// Set a setting back to the broker's default; may be repeated.
    #[arg(long, value_name = "KEY")]
    unset: Vec<String>,
    /// Let the broker check the changes, but change nothing.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    connection: Connection,
}

impl Arguments {
    pub(super) fn run(self) -> Result<(), Failure> {
        if let Some(twice) = self.named_twice() {
            return Err(Failure::Usage(format!("the setting {twice} is named twice")));
        }
        let mut broker = self.connection.controller(&format!("cannot alter topic {}", self.topic))?;
        // All is checked before any of it is changed.
        self.send(&mut broker, true)?;
        if self.dry_run {
            return output::print(format!("would alter topic {}: {}\n", self.topic, self.summary()));
        }
        self.send(&mut broker, false)?;
        output::print(format!("altered topic {}: {}\n", self.topic, self.summary()))
    }

    fn named_twice(&self) -> Option<&str> {
        let mut seen = BTreeSet::new();
        let names = self.set.iter().map(|(key, _)| key).chain(&self.unset);
        names.map(String::as_str).find(|name| !seen.insert(*name))
    }

    fn send(&self, broker: &mut Direct, validate_only: bool) -> Result<(), Failure> {
        if let Some(count) = self.partitions {
            self.grow(broker, count, validate_only)?;
        }
        if self.set.is_empty() && self.unset.is_empty() {
            return Ok(());
        }
        self.configure(broker, validate_only)
    }

    fn grow(&self, broker: &mut Direct, count: i32, validate_only: bool) -> Result<(), Failure> {
        let topic = CreatePartitionsTopic { name: self.topic.clone(), count, assignments: None };
        let answer = broker.call(&CreatePartitionsRequest {
            topics: vec![topic],
            timeout_ms: self.connection.request_timeout_ms(),
            validate_only,
        })?;
        answer.results.iter().try_for_each(|result| {
            accepted(broker, &self.topic, result.error_code, result.error_message.as_deref())
        })
    }

    fn configure(&self, broker: &mut Direct, validate_only: bool) -> Result<(), Failure> {
        let set = self.set.iter().map(|(name, value)| AlterableConfig {
            name: name.clone(),
            config_operation: SET,
            value: Some(value.clone()),
        });
        let unset = self.unset.iter().map(|name| AlterableConfig {
            name: name.clone(),
            config_operation: BACK_TO_THE_DEFAULT,
            value: None,
        });
        let resource = AlterConfigsResource {
            resource_type: TOPIC,
            resource_name: self.topic.clone(),
            configs: set.chain(unset).collect(),
        };
        let answer =
            broker.call(&IncrementalAlterConfigsRequest { resources: vec![resource], validate_only })?;
        answer.responses.iter().try_for_each(|result| {
            accepted(broker, &self.topic, result.error_code, result.error_message.as_deref())
        })
    }

    /// `8 partitions, set retention.ms=1000, unset max.message.bytes`.
    fn summary(&self) -> String {
        let partitions = self.partitions.map(|count| format!("{count} partition(s)"));
        let set = self.set.iter().map(|(key, value)| format!("set {key}={value}"));
        let unset = self.unset.iter().map(|key| format!("unset {key}"));
        partitions.into_iter().chain(set).chain(unset).collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        arguments: Arguments,
    }

    fn parse(line: &str) -> Option<Arguments> {
        let words = ["alter", "web"].into_iter().chain(line.split_ascii_whitespace());
        Some(Line::try_parse_from(words).ok()?.arguments)
    }

    #[test]
    fn a_change_is_summed_up() {
        let arguments = parse("--partitions 8 --set a=1 --unset c --set b=x=y").unwrap();
        assert_eq!(arguments.summary(), "8 partition(s), set a=1, set b=x=y, unset c");
        assert_eq!(arguments.named_twice(), None);
    }

    #[test]
    fn a_change_of_nothing_or_of_one_thing_twice_is_refused() {
        for line in ["", "--dry-run", "--set a", "--set =1", "--partitions 0"] {
            assert!(parse(line).is_none(), "{line}");
        }
        assert_eq!(parse("--set a=1 --unset a").unwrap().named_twice(), Some("a"));
        assert_eq!(parse("--unset b --unset b").unwrap().named_twice(), Some("b"));
    }
}
