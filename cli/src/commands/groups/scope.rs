//! Which partitions a command means: `nginx_log` for all of a topic, `nginx_log:0,2` for some.

use std::collections::{BTreeMap, BTreeSet};

use rdkafka::consumer::BaseConsumer;

use crate::fail::Failure;
use crate::kafka::Connection;

/// Some or all partitions of a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scope {
    topic: String,
    /// Empty for all.
    partitions: Vec<i32>,
}

impl Scope {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let wrong = || "must be TOPIC, or TOPIC:N,N with numbers of partitions".to_owned();
        // A topic's name has no colon in it.
        let (topic, partitions) = match text.split_once(':') {
            None => (text, Vec::new()),
            Some((topic, list)) => {
                let numbers = list.split(',').map(|number| number.trim().parse::<i32>().ok());
                let numbers = numbers.map(|number| number.filter(|number| *number >= 0));
                (topic, numbers.collect::<Option<Vec<_>>>().ok_or_else(wrong)?)
            }
        };
        if topic.is_empty() { Err(wrong()) } else { Ok(Self { topic: topic.to_owned(), partitions }) }
    }
}

/// The partitions of each topic that are meant. All of them exist.
pub(super) fn resolve(
    connection: &Connection,
    asker: &BaseConsumer,
    scopes: &[Scope],
) -> Result<BTreeMap<String, Vec<i32>>, Failure> {
    let mut meant: BTreeMap<String, BTreeSet<i32>> = BTreeMap::new();
    for scope in scopes {
        let partitions = connection.chosen(asker, &scope.topic, &scope.partitions)?;
        meant.entry(scope.topic.clone()).or_default().extend(partitions);
    }
    Ok(meant.into_iter().map(|(topic, partitions)| (topic, partitions.into_iter().collect())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_stands_for_its_partitions_unless_some_are_named() {
        let scope = |topic: &str, partitions: &[i32]| Scope {
            topic: topic.to_owned(),
            partitions: partitions.to_vec(),
        };
        assert_eq!(Scope::parse("web"), Ok(scope("web", &[])));
        assert_eq!(Scope::parse("web:3"), Ok(scope("web", &[3])));
        assert_eq!(Scope::parse("web.log-1:0, 2"), Ok(scope("web.log-1", &[0, 2])));
    }

    #[test]
    fn what_names_no_partition_is_refused() {
        for text in ["", ":1", "web:", "web:a", "web:-1", "web:1,", "web:1:2", "web:99999999999"] {
            assert!(Scope::parse(text).unwrap_err().contains("TOPIC:N,N"), "{text}");
        }
    }
}
