//! CreateTopics (19): creates topics.
//!
//! | version | |
//! |---|---|
//! | 0 | creates |
//! | 1 | a dry run; error messages |
//! | 4 | -1 for the default number of partitions and replicas (taken in earlier versions too) |
//! | 5 | flexible; partitions, replicas and all settings of the topic in the answer |
//! | 7 | topic ids |
//! | 2, 3, 6 | as the one before; nothing is throttled |
//!
//! Errors: 17 name, 36 exists, 37 partitions, 38 replicas (there is one broker), 39 assignment, 40 settings, 42 a name that comes twice.

use std::collections::{BTreeMap, HashSet};

use wire::ErrorCode;
use wire::message::create_topics::{
    CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfigs, CreatableTopicResult,
    CreateTopicsRequest, CreateTopicsResponse,
};

use super::RequestContext;
use crate::error::Failure;
use crate::log::TopicError;
use crate::settings::Described;
use crate::state::{Broker, is_internal};

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
            let message = "the request names this topic more than once";
            Err(Failure::new(ErrorCode::InvalidRequest, message))
        } else {
            create(broker, topic, request.validate_only)
        };
        result.unwrap_or_else(|Failure { code, message }| CreatableTopicResult {
            name,
            error_code: code.code(),
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
    if is_internal(&name) && broker.topic(&name).is_none() {
        let message = "the broker makes this topic itself when it needs it";
        return Err(Failure::new(ErrorCode::InvalidTopicException, message));
    }
    let mut configs = BTreeMap::new();
    for config in topic.configs {
        let Some(value) = config.value else {
            let message = format!("{} needs a value, it cannot be null", config.name);
            return Err(Failure::new(ErrorCode::InvalidConfig, message));
        };
        configs.insert(config.name, value);
    }
    let described = broker.settings.describe().topic(&configs);
    let mut topic_id = uuid::Uuid::nil();
    if validate_only {
        broker.logs.check_new_topic(&name, partitions, &configs)?;
    } else {
        topic_id = broker.logs.create_topic(&name, partitions, configs)?.id();
    }
    let setting = |setting: Described| CreatableTopicConfigs {
        name: setting.name.to_owned(),
        value: setting.value().map(str::to_owned),
        read_only: setting.read_only,
        config_source: setting.place() as i8,
        is_sensitive: false,
    };
    Ok(CreatableTopicResult {
        name,
        topic_id,
        num_partitions: partitions,
        replication_factor: 1,
        configs: Some(described.into_iter().map(setting).collect()),
        ..Default::default()
    })
}

/// How many partitions the topic gets.
fn partitions(broker: &Broker, topic: &CreatableTopic) -> Result<i32, Failure> {
    if !topic.assignments.is_empty() {
        if topic.num_partitions != -1 || topic.replication_factor != -1 {
            let message = "with an assignment, the numbers of partitions and replicas must be -1";
            return Err(Failure::new(ErrorCode::InvalidRequest, message));
        }
        return assigned(broker.node_id, &topic.assignments);
    }
    if !matches!(topic.replication_factor, -1 | 1) {
        let message = format!("{} replicas are not possible with one broker", topic.replication_factor);
        return Err(Failure::new(ErrorCode::InvalidReplicationFactor, message));
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
            Err(Failure::new(ErrorCode::InvalidReplicaAssignment, message))
        }
    }
}
