//! AddPartitionsToTxn (24): makes partitions part of a producer's transaction, and begins it with the first.
//!
//! | version | |
//! |---|---|
//! | 0 | the partitions of one transaction |
//! | 2 | a fenced producer is told so (error 90); before, that its epoch is old (47) |
//! | 3 | flexible |
//! | 4 | several transactions, or only whether the partitions belong to them: between brokers |
//! | 5 | error 120 for a partition that does not belong to the transaction |
//! | 1 | as the one before |
//!
//! All partitions of a transaction are added, or none: if one is refused (3 unknown, 29 of an internal topic, as in Kafka)
//! the others are answered with error 55. The response comes when the addition is durable.

use std::collections::BTreeSet;

use wire::ErrorCode;
use wire::message::add_partitions_to_txn::{
    AddPartitionsToTxnPartitionResult, AddPartitionsToTxnRequest, AddPartitionsToTxnResponse,
    AddPartitionsToTxnResult, AddPartitionsToTxnTopic, AddPartitionsToTxnTopicResult,
    AddPartitionsToTxnTransaction,
};

use super::RequestContext;
use crate::state::{Broker, is_internal};
use crate::txn::{Partitions, Producer};

/// The first version between brokers.
const OF_BROKERS: i16 = 4;
/// The first version whose clients know error 90.
const KNOWS_FENCED: i16 = 2;

pub(super) fn serve(
    broker: &Broker,
    context: &RequestContext,
    request: AddPartitionsToTxnRequest,
) -> AddPartitionsToTxnResponse {
    let version = context.version;
    if version >= OF_BROKERS {
        let results = request.transactions.into_iter().map(|transaction| AddPartitionsToTxnResult {
            topic_results: add(broker, version, &transaction),
            transactional_id: transaction.transactional_id,
        });
        return AddPartitionsToTxnResponse {
            results_by_transaction: results.collect(),
            ..Default::default()
        };
    }
    let transaction = AddPartitionsToTxnTransaction {
        transactional_id: request.v3_and_below_transactional_id,
        producer_id: request.v3_and_below_producer_id,
        producer_epoch: request.v3_and_below_producer_epoch,
        verify_only: false,
        topics: request.v3_and_below_topics,
    };
    let results_by_topic_v3_and_below = add(broker, version, &transaction);
    AddPartitionsToTxnResponse { results_by_topic_v3_and_below, ..Default::default() }
}

fn add(
    broker: &Broker,
    version: i16,
    transaction: &AddPartitionsToTxnTransaction,
) -> Vec<AddPartitionsToTxnTopicResult> {
    let refusal = |topic: &str, partition: i32| {
        if version < OF_BROKERS && is_internal(topic) {
            ErrorCode::TopicAuthorizationFailed
        } else if broker.topic(topic).is_none_or(|topic| topic.partition(partition).is_none()) {
            ErrorCode::UnknownTopicOrPartition
        } else {
            ErrorCode::None
        }
    };
    let mut named =
        transaction.topics.iter().flat_map(|topic| topic.partitions.iter().map(move |p| (topic, *p)));
    if named.any(|(topic, partition)| refusal(&topic.name, partition) != ErrorCode::None) {
        return answer(&transaction.topics, |topic, partition| match refusal(topic, partition) {
            ErrorCode::None => ErrorCode::OperationNotAttempted,
            refusal => refusal,
        });
    }
    let producer = Producer {
        transactional_id: &transaction.transactional_id,
        id: transaction.producer_id,
        epoch: transaction.producer_epoch,
    };
    if transaction.verify_only {
        return answer(&transaction.topics, |topic, partition| {
            broker.txns.verify(producer, topic, partition).err().unwrap_or(ErrorCode::None)
        });
    }
    let mut partitions = Partitions::new();
    for topic in &transaction.topics {
        let of_topic: &mut BTreeSet<i32> = partitions.entry(topic.name.clone()).or_default();
        of_topic.extend(&topic.partitions);
    }
    let error = match broker.txns.add_partitions(producer, &partitions) {
        Ok(()) => ErrorCode::None,
        Err(error) => old_name(error, version >= KNOWS_FENCED),
    };
    answer(&transaction.topics, |_, _| error)
}

/// Clients that do not know error 90 are told what they take for the same.
pub(super) fn old_name(error: ErrorCode, knows_fenced: bool) -> ErrorCode {
    match error {
        ErrorCode::ProducerFenced if !knows_fenced => ErrorCode::InvalidProducerEpoch,
        error => error,
    }
}

fn answer(
    topics: &[AddPartitionsToTxnTopic],
    verdict: impl Fn(&str, i32) -> ErrorCode,
) -> Vec<AddPartitionsToTxnTopicResult> {
    let topic = |topic: &AddPartitionsToTxnTopic| AddPartitionsToTxnTopicResult {
        name: topic.name.clone(),
        results_by_partition: topic
            .partitions
            .iter()
            .map(|partition| AddPartitionsToTxnPartitionResult {
                partition_index: *partition,
                partition_error_code: verdict(&topic.name, *partition).code(),
            })
            .collect(),
    };
    topics.iter().map(topic).collect()
}
