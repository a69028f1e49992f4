//! ElectLeaders (43): the leader of every partition is this broker, so no election is needed.
//!
//! | version | |
//! |---|---|
//! | 0 | the preferred replica is elected |
//! | 1 | any replica may be, where there is no leader; an error for the whole |
//! | 2 | flexible |
//!
//! Of all partitions (null), those that need no election are left out, so that topics without partitions remain, as
//! in Kafka. Errors: 3 unknown partition, 42 unknown type of election, 84 every other partition.

use wire::ErrorCode;
use wire::message::elect_leaders::{
    ElectLeadersRequest, ElectLeadersResponse, PartitionResult, ReplicaElectionResult, TopicPartitions,
};

use super::RequestContext;
use crate::error::Failure;
use crate::state::{Broker, Topic};

const PREFERRED: i8 = 0;
const UNCLEAN: i8 = 1;

pub(super) fn named(request: &ElectLeadersRequest) -> usize {
    request.topic_partitions.iter().flatten().map(|topic| topic.partitions.len()).sum()
}

pub(super) fn serve(
    broker: &Broker,
    _: &RequestContext,
    request: ElectLeadersRequest,
) -> ElectLeadersResponse {
    let refusal = check_type(request.election_type).err();
    let replica_election_results = match request.topic_partitions {
        Some(topics) => topics.into_iter().map(|topic| answer(broker, topic, refusal.as_ref())).collect(),
        None if refusal.is_some() => Vec::new(),
        None => broker.logs.topics().iter().map(|topic| without_partitions(topic)).collect(),
    };
    let error_code = refusal.map_or(0, |refusal| refusal.code.code());
    ElectLeadersResponse { error_code, replica_election_results, ..Default::default() }
}

fn check_type(election_type: i8) -> Result<(), Failure> {
    match election_type {
        PREFERRED | UNCLEAN => Ok(()),
        unknown => {
            let words = format!("there are elections of type {PREFERRED} and {UNCLEAN}, but not {unknown}");
            Err(Failure::new(ErrorCode::InvalidRequest, words))
        }
    }
}

fn without_partitions(topic: &Topic) -> ReplicaElectionResult {
    ReplicaElectionResult { topic: topic.name().to_owned(), ..Default::default() }
}

/// Answers for each partition that is named: with the refusal of the whole request, if there is one.
fn answer(broker: &Broker, wanted: TopicPartitions, refusal: Option<&Failure>) -> ReplicaElectionResult {
    let found = broker.topic(&wanted.topic);
    let partition = |partition_id| {
        let failure = refusal.cloned().unwrap_or_else(|| why_not_elected(found.as_deref(), partition_id));
        let Failure { code, message } = failure;
        PartitionResult { partition_id, error_code: code.code(), error_message: Some(message) }
    };
    let partition_result = wanted.partitions.into_iter().map(partition).collect();
    ReplicaElectionResult { topic: wanted.topic, partition_result }
}

/// The words do not repeat the name, which may be long and come with many partitions.
fn why_not_elected(topic: Option<&Topic>, partition_id: i32) -> Failure {
    let unknown = |words: String| Failure::new(ErrorCode::UnknownTopicOrPartition, words);
    match topic {
        None => unknown("there is no such topic".to_owned()),
        Some(topic) if topic.partition(partition_id).is_none() => {
            unknown(format!("the topic has no partition {partition_id}"))
        }
        Some(_) => Failure::new(ErrorCode::ElectionNotNeeded, ErrorCode::ElectionNotNeeded.message()),
    }
}
