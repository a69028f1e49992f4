//! Offsets that are committed in transactions (KIP-447).

use std::collections::HashSet;

use wire::ErrorCode;
use wire::message::txn_offset_commit::{
    TxnOffsetCommitRequest, TxnOffsetCommitRequestPartition, TxnOffsetCommitRequestTopic,
    TxnOffsetCommitResponse, TxnOffsetCommitResponsePartition, TxnOffsetCommitResponseTopic,
};

use super::commit::offset_records;
use super::coordinator::{Coordinator, check_group_id};
use super::offsets::Committed;
use super::state::{Group, Phase};
use super::store::Pending;
use crate::log::Verification;

impl Coordinator {
    /// The partition of `__consumer_offsets` to which a group belongs.
    pub(crate) fn partition_index(&self, group: &str) -> i32 {
        self.store.index_of(group)
    }

    /// What the transaction coordinator has to be asked before a producer may commit offsets of a group; `None` when
    /// its transaction is open there already.
    pub(crate) fn unverified(&self, group: &str, producer_id: i64) -> Option<Verification> {
        self.store.partition_of(group)?.unverified(producer_id)
    }

    /// Serves TxnOffsetCommit; returns when the offsets are durable. `exists` says whether there is such a partition;
    /// `verified` is the transaction coordinator's answer.
    pub(crate) async fn commit_transactional(
        &self,
        request: TxnOffsetCommitRequest,
        verified: Result<Option<Verification>, ErrorCode>,
        exists: impl Fn(&str, i32) -> bool,
    ) -> TxnOffsetCommitResponse {
        let verdict = |topic: &str, partition: &TxnOffsetCommitRequestPartition| {
            let exists = exists(topic, partition.partition_index);
            self.offset_verdict(exists, partition.committed_metadata.as_deref())
        };
        let stored = match verified.and_then(|verified| self.stage(&request, verified, verdict)) {
            Ok(Some(pending)) => pending.durable().await,
            Ok(None) => Ok(()),
            Err(error) => Err(error),
        };
        answer(&request.topics, |topic, partition| match (verdict(topic, partition), stored) {
            (ErrorCode::None, Err(error)) => error,
            (verdict, _) => verdict,
        })
    }

    fn stage(
        &self,
        request: &TxnOffsetCommitRequest,
        verified: Option<Verification>,
        verdict: impl Fn(&str, &TxnOffsetCommitRequestPartition) -> ErrorCode,
    ) -> Result<Option<Pending>, ErrorCode> {
        check_group_id(&request.group_id)?;
        let group = match self.find(&request.group_id) {
            Some(group) => group,
            None if request.generation_id < 0 => self.find_or_create(&request.group_id)?,
            None => return Err(ErrorCode::UnknownMemberId),
        };
        let mut group = group.lock();
        group.may_commit_transactional(request)?;
        let now_ms = self.clock.now_ms();
        let named = request
            .topics
            .iter()
            .flat_map(|topic| topic.partitions.iter().map(move |partition| (topic.name.as_str(), partition)));
        let accepted: Vec<(&str, i32, Committed)> = named
            .filter(|(topic, partition)| verdict(topic, partition) == ErrorCode::None)
            .map(|(topic, partition)| (topic, partition.partition_index, committed(partition, now_ms)))
            .collect();
        if accepted.is_empty() {
            return Ok(None);
        }
        let records = offset_records(&group.id, &accepted)?;
        let producer = (request.producer_id, request.producer_epoch, verified);
        // before the append: a marker behind it has to find the group
        self.pending_groups.lock().entry(request.producer_id).or_default().insert(group.id.clone());
        let (pending, first) = self.store.append_transactional(&group.id, &records, producer, now_ms)?;
        for (record_offset, (topic, partition, committed)) in (first..).zip(accepted) {
            group.offsets.stage(request.producer_id, topic, partition, committed, record_offset);
        }
        Ok(Some(pending))
    }

    /// Ends a producer's transaction in the groups of one partition of `__consumer_offsets`, whose marker was written.
    pub(crate) fn end_transaction(&self, partition: i32, producer_id: i64, is_commit: bool) {
        let ended: HashSet<String> = {
            let mut pending = self.pending_groups.lock();
            let Some(groups) = pending.get_mut(&producer_id) else { return };
            let ended: HashSet<String> =
                groups.iter().filter(|id| self.partition_index(id) == partition).cloned().collect();
            groups.retain(|id| !ended.contains(id));
            if groups.is_empty() {
                pending.remove(&producer_id);
            }
            ended
        };
        for group in ended.iter().filter_map(|id| self.find(id)) {
            group.lock().offsets.end_transaction(producer_id, is_commit);
        }
    }
}

impl Group {
    /// Whether the sender may commit: a member of this generation, or anyone who does not say that he is one, as clients
    /// before KIP-447 do.
    fn may_commit_transactional(&mut self, request: &TxnOffsetCommitRequest) -> Result<(), ErrorCode> {
        if let Some(consumer) = &self.consumer {
            return consumer.may_commit_transactional(request);
        }
        let generation = request.generation_id;
        let instance = request.group_instance_id.as_deref();
        let is_outsider = generation < 0 && self.phase == Phase::Empty;
        let says_member = generation >= 0 || !request.member_id.is_empty() || instance.is_some();
        if is_outsider || !says_member {
            return Ok(());
        }
        let current = self.generation;
        self.known_member(&request.member_id, instance)?;
        if generation == current { Ok(()) } else { Err(ErrorCode::IllegalGeneration) }
    }
}

fn committed(asked: &TxnOffsetCommitRequestPartition, now_ms: i64) -> Committed {
    Committed {
        offset: asked.committed_offset,
        leader_epoch: asked.committed_leader_epoch,
        metadata: asked.committed_metadata.clone().unwrap_or_default(),
        timestamp_ms: now_ms,
    }
}

/// The answer with a verdict on each partition.
fn answer(
    topics: &[TxnOffsetCommitRequestTopic],
    verdict: impl Fn(&str, &TxnOffsetCommitRequestPartition) -> ErrorCode,
) -> TxnOffsetCommitResponse {
    let topic = |topic: &TxnOffsetCommitRequestTopic| TxnOffsetCommitResponseTopic {
        name: topic.name.clone(),
        partitions: topic
            .partitions
            .iter()
            .map(|partition| TxnOffsetCommitResponsePartition {
                partition_index: partition.partition_index,
                error_code: verdict(&topic.name, partition).code(),
            })
            .collect(),
    };
    TxnOffsetCommitResponse { topics: topics.iter().map(topic).collect(), ..Default::default() }
}
