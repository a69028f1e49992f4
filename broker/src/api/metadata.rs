//! Metadata (3): the topics, their partitions, and that this broker leads them all.
//!
//! | version | |
//! |---|---|
//! | 0 | an empty list asks for all topics |
//! | 1 | null asks for all; controller (this broker), internal topics |
//! | 2 | cluster id |
//! | 4 | the client may forbid creating what is missing |
//! | 7 | leader epoch |
//! | 8 | authorized operations: never told, there is no authorization |
//! | 9 | flexible |
//! | 10 | topic ids |
//! | 12 | topics by id alone |
//! | 3, 5, 6, 11 | as the one before; nothing is throttled, no replica is offline |
//!
//! A topic that is asked for by name and missing is created if both sides allow it, with `num_partitions`. Unlike
//! Kafka, which answers "leader not available" first, the answer is then complete.

use std::collections::BTreeMap;
use std::sync::Arc;

use wire::ErrorCode;
use wire::message::metadata::{
    MetadataRequest, MetadataRequestTopic, MetadataResponse, MetadataResponseBroker,
    MetadataResponsePartition, MetadataResponseTopic,
};

use super::{Incoming, Refusal, RequestContext, Work};
use crate::log::{TopicError, check_topic_name};
use crate::state::{Broker, Topic, is_internal};

/// Answers at once, unless a topic has to be created.
pub(super) fn begin(mut incoming: Incoming<'_>) -> Result<Work, Refusal> {
    let request = incoming.decode::<MetadataRequest>()?;
    if creates(incoming.broker, &request) {
        return Ok(incoming.answer_blocking(request, serve));
    }
    incoming.answer(request, serve)
}

fn creates(broker: &Broker, request: &MetadataRequest) -> bool {
    let mut named = request.topics.iter().flatten().filter_map(|topic| topic.name.as_deref());
    may_create(broker, request) && named.any(|name| broker.topic(name).is_none())
}

fn may_create(broker: &Broker, request: &MetadataRequest) -> bool {
    request.allow_auto_topic_creation && broker.config.current().auto_create_topics_enable
}

fn serve(broker: &Broker, context: &RequestContext, request: MetadataRequest) -> MetadataResponse {
    let may_create = may_create(broker, &request);
    let (host, port) = broker.advertised(context.local);
    let node =
        MetadataResponseBroker { node_id: broker.node_id, host, port: i32::from(port), ..Default::default() };
    let topics = match request.topics {
        Some(topics) if !topics.is_empty() || context.version >= 1 => {
            topics.into_iter().map(|wanted| answer(broker, wanted, may_create)).collect()
        }
        _ => broker.logs.topics().iter().map(|topic| describe(broker, topic)).collect(),
    };
    MetadataResponse {
        brokers: vec![node],
        cluster_id: Some(broker.logs.cluster_id().to_owned()),
        controller_id: broker.node_id,
        topics,
        ..Default::default()
    }
}

fn answer(broker: &Broker, wanted: MetadataRequestTopic, may_create: bool) -> MetadataResponseTopic {
    let found = match &wanted.name {
        Some(name) => match broker.topic(name) {
            Some(topic) => Ok(topic),
            None if may_create => create(broker, name),
            None if check_topic_name(name).is_err() => Err(ErrorCode::InvalidTopicException),
            None => Err(ErrorCode::UnknownTopicOrPartition),
        },
        None => broker.topic_by_id(wanted.topic_id).ok_or(ErrorCode::UnknownTopicId),
    };
    match found {
        Ok(topic) => describe(broker, &topic),
        Err(error) => MetadataResponseTopic {
            error_code: error.code(),
            is_internal: wanted.name.as_deref().is_some_and(is_internal),
            name: wanted.name,
            topic_id: wanted.topic_id,
            ..Default::default()
        },
    }
}

/// Creates a topic that was asked for; somebody else may have done so just now. The broker's own topics have settings of
/// their own.
fn create(broker: &Broker, name: &str) -> Result<Arc<Topic>, ErrorCode> {
    if is_internal(name) {
        broker.txns.ensure()?;
        return broker.topic(name).ok_or(ErrorCode::UnknownTopicOrPartition);
    }
    let partitions = broker.config.current().num_partitions;
    match broker.logs.create_topic(name, partitions, BTreeMap::new()) {
        Ok(topic) => Ok(topic),
        Err(TopicError::Exists(_)) => broker.topic(name).ok_or(ErrorCode::UnknownTopicOrPartition),
        Err(error) => {
            tracing::warn!(topic = name, %error, "cannot create a topic that a client asked for");
            Err(error.error_code())
        }
    }
}

fn describe(broker: &Broker, topic: &Topic) -> MetadataResponseTopic {
    let node = broker.node_id;
    let partitions =
        (0..).zip(topic.partitions()).map(|(partition_index, partition)| MetadataResponsePartition {
            error_code: if partition.is_offline() { ErrorCode::KafkaStorageError.code() } else { 0 },
            partition_index,
            leader_id: node,
            leader_epoch: partition.leader_epoch(),
            replica_nodes: vec![node],
            isr_nodes: vec![node],
            ..Default::default()
        });
    MetadataResponseTopic {
        name: Some(topic.name().to_owned()),
        topic_id: topic.id(),
        is_internal: is_internal(topic.name()),
        partitions: partitions.collect(),
        ..Default::default()
    }
}
