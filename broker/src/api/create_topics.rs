//! CreateTopics (19): creates topics.
//!
//! | version | |
//! |---|---|
//! | 0 | creates |
//! | 1 | a dry run; error messages |
//! | 4 | -1 for the default number of partitions and replicas (taken in earlier versions too) |
//! | 5 | flexible; partitions, replicas and the topic's own settings in the answer |
//! | 7 | topic ids |
//! | 2, 3, 6 | as the one before; nothing is throttled |
//!
//! Errors: 17 name, 36 exists, 37 partitions, 38 replicas (there is one broker), 39 assignment, 40 settings, 42 a name that comes twice.
//! Left out on purpose: the broker's defaults among the settings in the answer.

use std::collections::{BTreeMap, HashSet};

use wire::ErrorCode;
use wire::message::create_topics::{
    CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfigs, CreatableTopicResult,
    CreateTopicsRequest, CreateTopicsResponse,
};

use super::RequestContext;
use crate::log::{TopicError, check_topic_name};
use crate::state::Broker;

/// Kafka's number for a setting that belongs to the topic.
const TOPIC_CONFIG: i8 = 1;

/// Why a topic was not created.
struct Failure(ErrorCode, String);

impl From<TopicError> for Failure {
    fn from(error: TopicError) -> Self {
        Failure(error.error_code(), error.to_string())
    }
}

pub(super) fn serve(
    broker: &Broker,
    _: &RequestContext,
    request: CreateTopicsRequest,
) -> CreateTopicsResponse {
    let mut seen = HashSet::new();
    let mut twice = HashSet::new();
    for topic in &request.topics {
        if !seen.insert(topic.name.clone()) {
            twice.insert(topic.name.clone());
        }
    }
    let topics = request.topics.into_iter().map(|topic| {
        let name = topic.name.clone();
        let result = if twice.contains(&name) {
            Err(Failure(ErrorCode::InvalidRequest, "the request names this topic more than once".to_owned()))
        } else {
            create(broker, topic, request.validate_only)
        };
        result.unwrap_or_else(|Failure(error, message)| CreatableTopicResult {
            name,
            error_code: error.code(),
            error_message: Some(message),
            ..Default::default()
        })
    });
    CreateTopicsResponse { topics: topics.collect(), ..Default::default() }
}

fn create(
    broker: &Broker,
    topic: CreatableTopic,
    validate_only: bool,
) -> Result<CreatableTopicResult, Failure> {
    let partitions = partitions(broker, &topic)?;
    let name = topic.name;
    let configs: BTreeMap<String, String> =
        topic.configs.into_iter().map(|config| (config.name, config.value.unwrap_or_default())).collect();
    let mut topic_id = uuid::Uuid::nil();
    if validate_only {
        check_topic_name(&name).map_err(|reason| TopicError::InvalidName(name.clone(), reason))?;
        if broker.topic(&name).is_some() {
            return Err(TopicError::Exists(name).into());
        }
        broker.config.current().log().with_overrides(&configs).map_err(TopicError::from)?;
    } else {
        topic_id = broker.logs.create_topic(&name, partitions, configs.clone())?.id();
    }
    let own = |(name, value): (String, String)| CreatableTopicConfigs {
        name,
        value: Some(value),
        config_source: TOPIC_CONFIG,
        ..Default::default()
    };
    Ok(CreatableTopicResult {
        name,
        topic_id,
        num_partitions: partitions,
        replication_factor: 1,
        configs: Some(configs.into_iter().map(own).collect()),
        ..Default::default()
    })
}

/// How many partitions the topic gets.
fn partitions(broker: &Broker, topic: &CreatableTopic) -> Result<i32, Failure> {
    if !topic.assignments.is_empty() {
        if topic.num_partitions != -1 || topic.replication_factor != -1 {
            let message = "with an assignment, the numbers of partitions and replicas must be -1";
            return Err(Failure(ErrorCode::InvalidRequest, message.to_owned()));
        }
        return assigned(broker.node_id, &topic.assignments);
    }
    if !matches!(topic.replication_factor, -1 | 1) {
        let message = format!("{} replicas are not possible with one broker", topic.replication_factor);
        return Err(Failure(ErrorCode::InvalidReplicationFactor, message));
    }
    match topic.num_partitions {
        -1 => Ok(broker.config.current().num_partitions),
        partitions if partitions >= 1 => Ok(partitions),
        partitions => Err(TopicError::InvalidPartitions(partitions).into()),
    }
}

/// The number of partitions of an assignment, which can only be to this broker.
fn assigned(node_id: i32, assignments: &[CreatableReplicaAssignment]) -> Result<i32, Failure> {
    let mut indexes: Vec<i32> = assignments.iter().map(|assignment| assignment.partition_index).collect();
    indexes.sort_unstable();
    let complete = (0..).zip(&indexes).all(|(expected, index)| expected == *index);
    let ours = assignments.iter().all(|assignment| assignment.broker_ids == [node_id]);
    match i32::try_from(indexes.len()) {
        Ok(partitions) if complete && ours => Ok(partitions),
        _ => {
            let message = format!("each partition from 0 on must be assigned once, to broker {node_id}");
            Err(Failure(ErrorCode::InvalidReplicaAssignment, message))
        }
    }
}
