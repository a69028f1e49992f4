//! Real Kafka clients and tools.

use std::collections::BTreeMap;
use std::path::Path;

use crate::cache;
use crate::process::{run, try_run};

/// A record as kcat prints it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Record {
    /// The partition.
    pub partition: i32,
    /// Its offset there.
    pub offset: i64,
    /// The value.
    pub value: String,
    /// The headers in order.
    pub headers: Vec<(String, String)>,
}

/// Everything in a topic, by kcat.
pub fn consume_all(bootstrap: &str, topic: &str) -> Vec<Record> {
    let args = ["-b", bootstrap, "-C", "-t", topic, "-o", "beginning", "-e", "-q", "-J"];
    let output = run("kcat", &args, b"");
    let text = String::from_utf8(output).expect("kcat prints UTF-8");
    text.lines().map(record).collect()
}

fn record(line: &str) -> Record {
    let json: serde_json::Value =
        serde_json::from_str(line).unwrap_or_else(|error| panic!("kcat: {error}: {line}"));
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let headers = json["headers"].as_array().cloned().unwrap_or_default();
    Record {
        partition: i32::try_from(json["partition"].as_i64().unwrap_or(-1)).unwrap(),
        offset: json["offset"].as_i64().unwrap_or(-1),
        value: text(&json["payload"]),
        headers: headers
            .chunks(2)
            .map(|pair| (text(&pair[0]), text(pair.get(1).unwrap_or(&serde_json::Value::Null))))
            .collect(),
    }
}

/// How often each value occurs.
pub fn tally<'a>(values: impl IntoIterator<Item = &'a str>) -> BTreeMap<&'a str, usize> {
    let mut tally = BTreeMap::new();
    for value in values {
        *tally.entry(value).or_insert(0) += 1;
    }
    tally
}

/// Runs a class of Apache Kafka's tools; returns what it printed and whether it succeeded.
pub fn tool(class: &str, args: &[&str]) -> (String, bool) {
    let classpath = format!("{}/*", cache().join("kafka-3.9.1").display());
    let mut all = vec!["-Xmx256m", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", &classpath, class];
    all.extend(args);
    let ((stdout, stderr), ok) = try_run(Path::new("java"), &all, b"");
    (format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr)), ok)
}
