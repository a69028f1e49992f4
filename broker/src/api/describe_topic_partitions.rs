//! DescribeTopicPartitions (75): the partitions of topics, page by page. Version 0 only.
//!
//! Topics come in the order of their names. An answer has at most as many partitions as the client asks for and as
//! `max_request_partitions` allows, and says where to go on. Left out: authorized operations, there is no authorization.
//! Errors of a topic: 3 unknown name, 17 name, 42 a cursor before the first partition or at a topic that is not asked for.

use std::collections::BTreeSet;

use wire::ErrorCode;
use wire::message::describe_topic_partitions::{
    Cursor, DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse,
    DescribeTopicPartitionsResponsePartition, DescribeTopicPartitionsResponseTopic,
};

use super::RequestContext;
use crate::log::check_topic_name;
use crate::state::{Broker, Topic, is_internal};

pub(super) fn named(request: &DescribeTopicPartitionsRequest) -> usize {
    request.topics.len()
}

pub(super) fn serve(
    broker: &Broker,
    _: &RequestContext,
    request: DescribeTopicPartitionsRequest,
) -> DescribeTopicPartitionsResponse {
    let all = request.topics.is_empty();
    let first = request.cursor.unwrap_or_default();
    let mut names: BTreeSet<String> = if all {
        broker.logs.topics().iter().map(|topic| topic.name().to_owned()).collect()
    } else {
        request.topics.into_iter().map(|topic| topic.name).collect()
    };
    let is_misplaced = !all && !first.topic_name.is_empty() && !names.contains(&first.topic_name);
    if first.partition_index < 0 || is_misplaced {
        return DescribeTopicPartitionsResponse { topics: refuse_all(names), ..Default::default() };
    }
    names = names.split_off(&first.topic_name);
    let most = broker.config.current().max_request_partitions;
    let limit = usize::try_from(request.response_partition_limit).unwrap_or(0).min(most).max(1);
    page(broker, &names, &first, limit, all)
}

/// There is no error for the whole.
fn refuse_all(names: BTreeSet<String>) -> Vec<DescribeTopicPartitionsResponseTopic> {
    names.into_iter().map(|name| refused(name, ErrorCode::InvalidRequest)).collect()
}

/// Up to `limit` partitions from `first` on. Of `all` topics none is unknown: it was deleted just now.
fn page(
    broker: &Broker,
    names: &BTreeSet<String>,
    first: &Cursor,
    limit: usize,
    all: bool,
) -> DescribeTopicPartitionsResponse {
    let mut response = DescribeTopicPartitionsResponse::default();
    let mut left = limit;
    for name in names {
        let begin = if *name == first.topic_name { first.partition_index } else { 0 };
        if left == 0 {
            response.next_cursor = Some(Cursor { topic_name: name.clone(), partition_index: begin });
            break;
        }
        let Some(topic) = broker.topic(name) else {
            if !all {
                let is_valid = check_topic_name(name).is_ok();
                let unknown = ErrorCode::UnknownTopicOrPartition;
                let error = if is_valid { unknown } else { ErrorCode::InvalidTopicException };
                response.topics.push(refused(name.clone(), error));
            }
            continue;
        };
        let (described, next) = describe(broker.node_id, &topic, begin, left);
        left -= described.partitions.len();
        response.topics.push(described);
        if let Some(partition_index) = next {
            response.next_cursor = Some(Cursor { topic_name: name.clone(), partition_index });
            break;
        }
    }
    response
}

/// Up to `limit` partitions of a topic from `begin` on, and where to go on.
fn describe(
    node: i32,
    topic: &Topic,
    begin: i32,
    limit: usize,
) -> (DescribeTopicPartitionsResponseTopic, Option<i32>) {
    let skipped = usize::try_from(begin).unwrap_or(0);
    let numbered = (0..).zip(topic.partitions()).skip(skipped).take(limit);
    let partitions: Vec<_> = numbered
        .map(|(partition_index, partition)| DescribeTopicPartitionsResponsePartition {
            error_code: if partition.is_offline() { ErrorCode::KafkaStorageError.code() } else { 0 },
            partition_index,
            leader_id: node,
            leader_epoch: partition.leader_epoch(),
            replica_nodes: vec![node],
            isr_nodes: vec![node],
            eligible_leader_replicas: Some(Vec::new()),
            last_known_elr: Some(Vec::new()),
            ..Default::default()
        })
        .collect();
    let end = skipped.saturating_add(partitions.len());
    let next = i32::try_from(end).ok().filter(|_| end < topic.partitions().len());
    let described = DescribeTopicPartitionsResponseTopic {
        name: Some(topic.name().to_owned()),
        topic_id: topic.id(),
        is_internal: is_internal(topic.name()),
        partitions,
        ..Default::default()
    };
    (described, next)
}

fn refused(name: String, error: ErrorCode) -> DescribeTopicPartitionsResponseTopic {
    DescribeTopicPartitionsResponseTopic {
        error_code: error.code(),
        is_internal: is_internal(&name),
        name: Some(name),
        ..Default::default()
    }
}
