//! `topics configs`: all settings of a topic, and where each value comes from.

use serde::Serialize;
use wire::message::describe_configs::{
    DescribeConfigsRequest, DescribeConfigsResource, DescribeConfigsResourceResult,
};

use super::{TOPIC, accepted};
use crate::fail::Failure;
use crate::kafka::Connection;
use crate::output::{self, Format};

#[derive(Debug, Serialize)]
struct ConfigRow {
    name: String,
    /// None for a secret too.
    value: Option<String>,
    source: &'static str,
    is_default: bool,
    is_sensitive: bool,
}

pub(super) fn show(connection: &Connection, topic: &str, format: Format) -> Result<(), Failure> {
    let mut broker = connection.controller(&format!("cannot read the settings of topic {topic}"))?;
    let resource = DescribeConfigsResource {
        resource_type: TOPIC,
        resource_name: topic.to_owned(),
        configuration_keys: None,
    };
    let answer = broker
        .call(&DescribeConfigsRequest { resources: vec![resource], ..DescribeConfigsRequest::default() })?;
    let mut rows = Vec::new();
    for result in answer.results {
        accepted(&broker, topic, result.error_code, result.error_message.as_deref())?;
        rows.extend(result.configs.into_iter().map(row));
    }
    rows.sort_by(|a, b| a.name.cmp(&b.name));
    output::print_rows(format, &rows, &["SETTING", "VALUE", "DEFAULT", "SOURCE"], |row| {
        let value = match &row.value {
            Some(value) => value.clone(),
            None if row.is_sensitive => "(secret)".to_owned(),
            None => "-".to_owned(),
        };
        let default = if row.is_default { "yes" } else { "no" };
        vec![row.name.clone(), value, default.to_owned(), row.source.to_owned()]
    })
}

fn row(config: DescribeConfigsResourceResult) -> ConfigRow {
    let source = source(config.config_source, config.is_default);
    ConfigRow {
        name: config.name,
        value: config.value,
        is_default: source == DEFAULT,
        source,
        is_sensitive: config.is_sensitive,
    }
}

const DEFAULT: &str = "default";

/// Brokers before 1.1 say of a value only whether it is the default.
fn source(config_source: i8, is_default: bool) -> &'static str {
    match config_source {
        1 => "topic",
        2 => "broker",
        3 => "all brokers",
        4 => "broker's file",
        5 => DEFAULT,
        _ if is_default => DEFAULT,
        _ => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_default_is_known_from_old_and_new_answers() {
        let config = |config_source, is_default| DescribeConfigsResourceResult {
            config_source,
            is_default,
            ..DescribeConfigsResourceResult::default()
        };
        assert!(row(config(5, false)).is_default);
        assert!(row(config(-1, true)).is_default);
        assert!(!row(config(1, false)).is_default);
        assert_eq!(row(config(-1, false)).source, "unknown");
        assert_eq!(row(config(4, false)).source, "broker's file");
    }
}
