//! `topics create` and `topics delete`.

use rdkafka::admin::NewTopic;
use rdkafka::types::RDKafkaErrorCode;

use crate::fail::Failure;
use crate::kafka::{Connection, plain};
use crate::output;

pub(super) async fn create(connection: &Connection, topic: NewTopic<'_>) -> Result<(), Failure> {
    let what = format!("cannot create topic {}", topic.name);
    let (admin, options) = connection.admin()?;
    let results =
        admin.create_topics(&[topic], &options).await.map_err(|error| connection.failure(&what, &error))?;
    outcomes(&what, results)
}

pub(super) async fn delete(connection: &Connection, topics: &[String]) -> Result<(), Failure> {
    let (admin, options) = connection.admin()?;
    let names: Vec<&str> = topics.iter().map(String::as_str).collect();
    let results = admin
        .delete_topics(&names, &options)
        .await
        .map_err(|error| connection.failure("cannot delete topics", &error))?;
    for topic in results.iter().flatten() {
        output::print(format!("deleted topic {topic}\n"))?;
    }
    outcomes("cannot delete topic", results)
}

/// The first that went wrong.
fn outcomes(what: &str, results: Vec<Result<String, (String, RDKafkaErrorCode)>>) -> Result<(), Failure> {
    match results.into_iter().find_map(Result::err) {
        None => Ok(()),
        Some((topic, code)) => {
            let what = if what.ends_with(&topic) { what.to_owned() } else { format!("{what} {topic}") };
            Err(Failure::new(format!("{what}: {}", plain(&code.to_string()))))
        }
    }
}
