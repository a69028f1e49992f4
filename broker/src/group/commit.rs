//! OffsetCommit and OffsetFetch.

use wire::ErrorCode;
use wire::message::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic, OffsetCommitResponse,
    OffsetCommitResponsePartition, OffsetCommitResponseTopic,
};
use wire::message::offset_fetch::{
    OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchResponse, OffsetFetchResponseGroup,
    OffsetFetchResponsePartition, OffsetFetchResponsePartitions, OffsetFetchResponseTopic,
    OffsetFetchResponseTopics,
};

use super::coordinator::{Coordinator, check_group_id};
use super::offsets::{Committed, Offsets};
use super::records::{self, Record};
use super::state::{Group, Phase};
use super::store::Pending;

/// From this version on a member's commit to a group that does not exist is told so.
const KNOWS_MISSING_GROUPS_FROM: i16 = 9;

impl Coordinator {
    /// Serves OffsetCommit; returns when the offsets are durable. `exists` says whether there is such a partition.
    pub(crate) async fn commit(
        &self,
        version: i16,
        request: OffsetCommitRequest,
        exists: impl Fn(&str, i32) -> bool,
    ) -> OffsetCommitResponse {
        let (mut response, saved) = self.begin_commit(version, &request, exists);
        let failed = match saved {
            Some(saved) => saved.durable().await.err(),
            None => None,
        };
        if let Some(error) = failed {
            let partitions = response.topics.iter_mut().flat_map(|topic| &mut topic.partitions);
            partitions
                .filter(|partition| partition.error_code == 0)
                .for_each(|p| p.error_code = error.code());
        }
        response
    }

    fn begin_commit(
        &self,
        version: i16,
        request: &OffsetCommitRequest,
        exists: impl Fn(&str, i32) -> bool,
    ) -> (OffsetCommitResponse, Option<Pending>) {
        let group = match self.group_for_commit(version, request) {
            Ok(group) => group,
            Err(error) => return (answer(&request.topics, |_, _| error), None),
        };
        let mut group = group.lock();
        let now_ms = self.clock.now_ms();
        if let Err(error) = group.may_commit(version, request, now_ms) {
            return (answer(&request.topics, |_, _| error), None);
        }
        let verdict = |topic: &str, partition: &OffsetCommitRequestPartition| {
            let exists = exists(topic, partition.partition_index);
            self.offset_verdict(exists, partition.committed_metadata.as_deref())
        };
        let accepted: Vec<(&str, i32, Committed)> = request
            .topics
            .iter()
            .flat_map(|topic| topic.partitions.iter().map(move |partition| (topic.name.as_str(), partition)))
            .filter(|(topic, partition)| verdict(topic, partition) == ErrorCode::None)
            .map(|(topic, partition)| (topic, partition.partition_index, committed(partition, now_ms)))
            .collect();
        let saved = match self.save_offsets(&mut group, accepted, now_ms) {
            Ok(saved) => saved,
            Err(error) => return (answer(&request.topics, |_, _| error), None),
        };
        (answer(&request.topics, verdict), saved)
    }

    /// Whether an offset can be kept, in a transaction or not.
    pub(super) fn offset_verdict(&self, exists: bool, metadata: Option<&str>) -> ErrorCode {
        if !exists {
            ErrorCode::UnknownTopicOrPartition
        } else if metadata.unwrap_or_default().len() > self.config.offset_metadata_max_bytes {
            ErrorCode::OffsetMetadataTooLarge
        } else {
            ErrorCode::None
        }
    }

    /// The group; made if a client without members keeps its offsets here.
    fn group_for_commit(
        &self,
        version: i16,
        request: &OffsetCommitRequest,
    ) -> Result<std::sync::Arc<parking_lot::Mutex<Group>>, ErrorCode> {
        check_group_id(&request.group_id)?;
        match self.find(&request.group_id) {
            Some(group) => Ok(group),
            None if request.generation_id_or_member_epoch < 0 => self.find_or_create(&request.group_id),
            None if version >= KNOWS_MISSING_GROUPS_FROM => Err(ErrorCode::GroupIdNotFound),
            None => Err(ErrorCode::IllegalGeneration),
        }
    }

    fn save_offsets(
        &self,
        group: &mut Group,
        accepted: Vec<(&str, i32, Committed)>,
        now_ms: i64,
    ) -> Result<Option<Pending>, ErrorCode> {
        if accepted.is_empty() {
            return Ok(None);
        }
        let records = offset_records(&group.id, &accepted)?;
        let saved = self.store.append(&group.id, &records, now_ms)?;
        for (topic, partition, committed) in accepted {
            group.offsets.set(topic, partition, committed);
        }
        Ok(Some(saved))
    }

    /// Forgets what all groups have read of a topic that was deleted: should a new one take its name, its offsets
    /// begin again. Blocks for writes.
    pub(crate) fn forget_topic(&self, topic: &str) {
        for group in self.all() {
            let mut group = group.lock();
            let partitions = group.offsets.partitions(topic);
            self.forget(
                &mut group,
                partitions.into_iter().map(|partition| (topic.to_owned(), partition)).collect(),
            );
        }
    }

    /// Forgets the offsets of groups that have had no members for the time that `offsets_retention_minutes` says
    /// (KIP-211); what was committed since then stays. A group of the newer protocol forgets them also while it has
    /// members, of topics to which none of them subscribes. Blocks for writes.
    pub(crate) fn expire_offsets(&self) {
        let limit_ms = self.clock.now_ms().saturating_sub(self.config.offsets_retention_ms);
        for group in self.all() {
            let mut group = group.lock();
            let mut old = group.offsets.committed_before(limit_ms);
            match group.consumer.as_deref() {
                Some(consumer) => {
                    let subscribed = consumer.subscriptions(&[]);
                    old.retain(|(topic, _)| !subscribed.contains(topic));
                }
                None if group.members.is_empty() && group.empty_since_ms < limit_ms => {}
                None => old.clear(),
            }
            self.forget(&mut group, old);
        }
    }

    fn forget(&self, group: &mut Group, partitions: Vec<(String, i32)>) {
        let tombstone = |(topic, partition): &(String, i32)| {
            records::offset_record(&group.id, topic, *partition, None).ok()
        };
        let tombstones: Vec<_> = partitions.iter().filter_map(tombstone).collect();
        if !tombstones.is_empty() && self.store.append(&group.id, &tombstones, self.clock.now_ms()).is_ok() {
            partitions.iter().for_each(|(topic, partition)| group.offsets.remove(topic, *partition));
            self.forget_consumer(group);
        }
    }

    /// A group of the newer protocol ends with its last offset, unless it has members. If that cannot be written the next
    /// start finds nothing in it that is worth keeping.
    fn forget_consumer(&self, group: &mut Group) {
        let ends = group.consumer.is_some() && group.is_forgettable();
        if ends && self.append_tombstones(group, &[], true).is_ok() {
            group.consumer = None;
        }
    }

    /// Serves OffsetFetch: one group up to version 7, any number from version 8 on.
    pub(crate) fn fetch_offsets(&self, request: OffsetFetchRequest, version: i16) -> OffsetFetchResponse {
        if version >= 8 {
            let fetch = |asked: OffsetFetchRequestGroup| {
                if let Err(error) = self.may_fetch(&asked) {
                    let error_code = error.code();
                    let group_id = asked.group_id;
                    return OffsetFetchResponseGroup { group_id, error_code, ..Default::default() };
                }
                let topics = asked
                    .topics
                    .map(|topics| topics.into_iter().map(|t| (t.name, t.partition_indexes)).collect());
                let topics = self
                    .fetch(&asked.group_id, topics, request.require_stable)
                    .into_iter()
                    .map(in_groups_form)
                    .collect();
                OffsetFetchResponseGroup { group_id: asked.group_id, topics, ..Default::default() }
            };
            return OffsetFetchResponse {
                groups: request.groups.into_iter().map(fetch).collect(),
                ..Default::default()
            };
        }
        let topics =
            request.topics.map(|topics| topics.into_iter().map(|t| (t.name, t.partition_indexes)).collect());
        let mut topics = self.fetch(&request.group_id, topics, request.require_stable);
        if version == 0 {
            topics.iter_mut().flat_map(|topic| &mut topic.partitions).for_each(in_zookeeper_form);
        }
        OffsetFetchResponse { topics, ..Default::default() }
    }

    /// Whether the sender may fetch: in a group of the newer protocol it may say which member it is, and must not be wrong.
    fn may_fetch(&self, asked: &OffsetFetchRequestGroup) -> Result<(), ErrorCode> {
        let Some(group) = self.find(&asked.group_id) else { return Ok(()) };
        let group = group.lock();
        match group.consumer.as_deref() {
            Some(consumer) => consumer.may_fetch(asked.member_id.as_deref(), asked.member_epoch),
            None => Ok(()),
        }
    }

    /// The offsets asked for, or all that there are; -1 stands for none. Those that an open transaction may change are
    /// not told if they must be stable: the client asks again.
    fn fetch(
        &self,
        group: &str,
        asked: Option<Vec<(String, Vec<i32>)>>,
        require_stable: bool,
    ) -> Vec<OffsetFetchResponseTopic> {
        let group = self.find(group);
        let group = group.as_ref().map(|group| group.lock());
        let none = Offsets::default();
        let offsets = group.as_ref().map_or(&none, |group| &group.offsets);
        let asked = asked.unwrap_or_else(|| {
            offsets
                .topics()
                .map(|(topic, known)| (topic.to_owned(), known.keys().copied().collect()))
                .collect()
        });
        let partition = |topic: &str, index: i32| match offsets.get(topic, index) {
            _ if require_stable && offsets.is_unstable(topic, index) => OffsetFetchResponsePartition {
                partition_index: index,
                committed_offset: -1,
                metadata: Some(String::new()),
                error_code: ErrorCode::UnstableOffsetCommit.code(),
                ..Default::default()
            },
            Some(committed) => OffsetFetchResponsePartition {
                partition_index: index,
                committed_offset: committed.offset,
                committed_leader_epoch: committed.leader_epoch,
                metadata: Some(committed.metadata.clone()),
                ..Default::default()
            },
            None => OffsetFetchResponsePartition {
                partition_index: index,
                committed_offset: -1,
                metadata: Some(String::new()),
                ..Default::default()
            },
        };
        asked
            .into_iter()
            .map(|(name, indexes)| OffsetFetchResponseTopic {
                partitions: indexes.into_iter().map(|index| partition(&name, index)).collect(),
                name,
            })
            .collect()
    }
}

impl Group {
    /// Whether the sender may commit: a member of this generation, or anyone while the group has no members.
    fn may_commit(
        &mut self,
        version: i16,
        request: &OffsetCommitRequest,
        now_ms: i64,
    ) -> Result<(), ErrorCode> {
        if let Some(consumer) = &self.consumer {
            return consumer.may_commit(request, version);
        }
        let outsider = request.generation_id_or_member_epoch < 0 && request.member_id.is_empty();
        if outsider {
            return if self.members.is_empty() { Ok(()) } else { Err(ErrorCode::UnknownMemberId) };
        }
        let (generation, phase) = (self.generation, self.phase);
        let member = self.known_member(&request.member_id, request.group_instance_id.as_deref())?;
        if request.generation_id_or_member_epoch != generation {
            return Err(ErrorCode::IllegalGeneration);
        }
        member.touch(now_ms);
        match phase {
            Phase::CompletingRebalance { .. } => Err(ErrorCode::RebalanceInProgress),
            Phase::Empty | Phase::PreparingRebalance { .. } | Phase::Stable => Ok(()),
        }
    }
}

/// What is written when a group commits these offsets.
pub(super) fn offset_records(
    group: &str,
    accepted: &[(&str, i32, Committed)],
) -> Result<Vec<Record>, ErrorCode> {
    let record = |(topic, partition, committed): &(&str, i32, Committed)| {
        records::offset_record(group, topic, *partition, Some(committed))
    };
    accepted.iter().map(record).collect::<Result<_, _>>().map_err(|_| ErrorCode::InvalidCommitOffsetSize)
}

fn committed(asked: &OffsetCommitRequestPartition, now_ms: i64) -> Committed {
    Committed {
        offset: asked.committed_offset,
        leader_epoch: asked.committed_leader_epoch,
        metadata: asked.committed_metadata.clone().unwrap_or_default(),
        timestamp_ms: now_ms,
    }
}

/// The answer with a verdict on each partition.
fn answer(
    topics: &[OffsetCommitRequestTopic],
    verdict: impl Fn(&str, &OffsetCommitRequestPartition) -> ErrorCode,
) -> OffsetCommitResponse {
    let topic = |topic: &OffsetCommitRequestTopic| OffsetCommitResponseTopic {
        name: topic.name.clone(),
        partitions: topic
            .partitions
            .iter()
            .map(|partition| OffsetCommitResponsePartition {
                partition_index: partition.partition_index,
                error_code: verdict(&topic.name, partition).code(),
            })
            .collect(),
    };
    OffsetCommitResponse { topics: topics.iter().map(topic).collect(), ..Default::default() }
}

/// Where there is no offset, version 0 says that there is no such partition: ZooKeeper's node was missing.
fn in_zookeeper_form(partition: &mut OffsetFetchResponsePartition) {
    if partition.committed_offset < 0 {
        partition.error_code = ErrorCode::UnknownTopicOrPartition.code();
    }
}

/// The same in the form of version 8 and later.
fn in_groups_form(topic: OffsetFetchResponseTopic) -> OffsetFetchResponseTopics {
    let partition = |partition: OffsetFetchResponsePartition| OffsetFetchResponsePartitions {
        partition_index: partition.partition_index,
        committed_offset: partition.committed_offset,
        committed_leader_epoch: partition.committed_leader_epoch,
        metadata: partition.metadata,
        error_code: partition.error_code,
    };
    OffsetFetchResponseTopics {
        name: topic.name,
        partitions: topic.partitions.into_iter().map(partition).collect(),
    }
}
