//! DeleteGroups and OffsetDelete.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use tracing::{info, warn};
use wire::ErrorCode;
use wire::codec::{DecodeError, EncodeError, Reader};
use wire::message::delete_groups::DeletableGroupResult;
use wire::message::offset_delete::{
    OffsetDeleteRequest, OffsetDeleteResponse, OffsetDeleteResponsePartition, OffsetDeleteResponseTopic,
};

use super::consumer::{Subscriptions, record as consumer_record};
use super::coordinator::{Coordinator, check_group_id};
use super::records::{self, Record};
use super::state::{Group, Phase};
use super::store::Pending;

/// The kind of group whose members say which topics they read.
const CONSUMER: &str = "consumer";

impl Coordinator {
    /// Serves DeleteGroups; returns when what was deleted stays so over a crash.
    pub(crate) async fn delete_groups(&self, ids: Vec<String>) -> Vec<DeletableGroupResult> {
        let begun: Vec<_> = ids.into_iter().map(|id| (self.begin_delete(&id), id)).collect();
        let mut results = Vec::with_capacity(begun.len());
        for (begun, group_id) in begun {
            let done = match begun {
                Ok(saved) => saved.durable().await,
                Err(error) => Err(error),
            };
            let error_code = done.err().map_or(0, ErrorCode::code);
            results.push(DeletableGroupResult { group_id, error_code });
        }
        results
    }

    fn begin_delete(&self, id: &str) -> Result<Pending, ErrorCode> {
        let group = self.existing(id)?;
        let mut group = group.lock();
        if group.is_forgettable() {
            return Err(ErrorCode::GroupIdNotFound);
        }
        if group.has_members() || group.phase != Phase::Empty {
            return Err(ErrorCode::NonEmptyGroup);
        }
        let partitions: Vec<(String, i32)> = group
            .offsets
            .topics()
            .flat_map(|(topic, known)| known.keys().map(move |partition| (topic.to_owned(), *partition)))
            .collect();
        let saved = self.append_tombstones(&group, &partitions, true)?;
        // a client that is about to join finds the group as if it were new
        *group = Group::new(id);
        info!(group = id, offsets = partitions.len(), "deleted a group");
        Ok(saved)
    }

    fn existing(&self, id: &str) -> Result<Arc<Mutex<Group>>, ErrorCode> {
        check_group_id(id)?;
        self.find(id).ok_or(ErrorCode::GroupIdNotFound)
    }

    /// Serves OffsetDelete; returns when the offsets stay deleted over a crash. `exists` says whether there is such a
    /// partition.
    pub(crate) async fn delete_offsets(
        &self,
        request: OffsetDeleteRequest,
        exists: impl Fn(&str, i32) -> bool,
    ) -> OffsetDeleteResponse {
        let refused =
            |error: ErrorCode| OffsetDeleteResponse { error_code: error.code(), ..Default::default() };
        match self.begin_delete_offsets(&request, exists) {
            Err(error) => refused(error),
            Ok((response, None)) => response,
            Ok((response, Some(saved))) => saved.durable().await.map_or_else(refused, |()| response),
        }
    }

    fn begin_delete_offsets(
        &self,
        request: &OffsetDeleteRequest,
        exists: impl Fn(&str, i32) -> bool,
    ) -> Result<(OffsetDeleteResponse, Option<Pending>), ErrorCode> {
        let group = self.existing(&request.group_id)?;
        let mut group = group.lock();
        if group.is_forgettable() {
            return Err(ErrorCode::GroupIdNotFound);
        }
        let reads = group.reading()?;
        let mut doomed = BTreeSet::new();
        let mut verdicts = HashMap::new();
        for topic in &request.topics {
            for partition in &topic.partitions {
                let place = (topic.name.clone(), partition.partition_index);
                let verdict = if !exists(&place.0, place.1) {
                    ErrorCode::UnknownTopicOrPartition
                } else if reads.contains(&topic.name) {
                    ErrorCode::GroupSubscribedToTopic
                } else {
                    if group.offsets.get(&place.0, place.1).is_some() {
                        doomed.insert(place.clone());
                    }
                    ErrorCode::None
                };
                verdicts.insert(place, verdict);
            }
        }
        drop(reads);
        let saved = self.forget_offsets(&mut group, &doomed.into_iter().collect::<Vec<_>>())?;
        Ok((answer(request, &verdicts), saved))
    }

    fn forget_offsets(
        &self,
        group: &mut Group,
        doomed: &[(String, i32)],
    ) -> Result<Option<Pending>, ErrorCode> {
        if doomed.is_empty() {
            return Ok(None);
        }
        // a group without members ends with its last offset
        let kept: usize = group.offsets.topics().map(|(_, partitions)| partitions.len()).sum();
        let ends = !group.has_members() && group.pending.is_empty() && kept == doomed.len();
        let saved = self.append_tombstones(group, doomed, ends)?;
        doomed.iter().for_each(|(topic, partition)| group.offsets.remove(topic, *partition));
        if ends {
            group.consumer = None;
        }
        info!(group = %group.id, offsets = doomed.len(), "deleted offsets of a group");
        Ok(Some(saved))
    }

    /// Appends the records that remove offsets, and the group itself if it `ends`.
    pub(super) fn append_tombstones(
        &self,
        group: &Group,
        partitions: &[(String, i32)],
        ends: bool,
    ) -> Result<Pending, ErrorCode> {
        let id = group.id.as_str();
        let offset = |(topic, partition): &(String, i32)| records::offset_record(id, topic, *partition, None);
        let group = if ends { group.tombstones() } else { Vec::new() };
        let tombstones: Result<Vec<Record>, EncodeError> =
            partitions.iter().map(offset).chain(group).collect();
        let tombstones = tombstones.map_err(|error| {
            warn!(group = id, %error, "cannot encode what removes a group");
            ErrorCode::UnknownServerError
        })?;
        let saved = self.store.append_all(id, &tombstones, self.clock.now_ms())?;
        saved.ok_or(ErrorCode::UnknownServerError)
    }
}

/// The topics that a group is reading.
enum Reading<'a> {
    /// These.
    Topics(BTreeSet<String>),
    /// What members of the newer protocol subscribe to.
    Subscribed(Subscriptions<'a>),
    /// It is not known, so any.
    Any,
}

impl Reading<'_> {
    fn contains(&self, topic: &str) -> bool {
        match self {
            Reading::Topics(topics) => topics.contains(topic),
            Reading::Subscribed(subscriptions) => subscriptions.contains(topic),
            Reading::Any => true,
        }
    }
}

impl Group {
    /// The records that remove the group, but for its offsets.
    fn tombstones(&self) -> Vec<Result<Record, EncodeError>> {
        match &self.consumer {
            None => vec![records::group_tombstone(&self.id)],
            Some(consumer) => {
                consumer.tombstones().iter().map(|change| consumer_record(&self.id, change)).collect()
            }
        }
    }

    /// What the members read. A group of another kind than consumers cannot tell.
    fn reading(&self) -> Result<Reading<'_>, ErrorCode> {
        if let Some(consumer) = &self.consumer {
            return Ok(Reading::Subscribed(consumer.subscriptions(&[])));
        }
        if self.members.is_empty() && self.phase == Phase::Empty {
            return Ok(Reading::Topics(BTreeSet::new()));
        }
        if self.protocol_type.as_deref() != Some(CONSUMER) {
            return Err(ErrorCode::NonEmptyGroup);
        }
        let Some(protocol) = &self.protocol else { return Ok(Reading::Any) };
        let mut topics = BTreeSet::new();
        for member in &self.members {
            match subscription(member.metadata(protocol)) {
                Ok(subscribed) => topics.extend(subscribed),
                Err(_) => return Ok(Reading::Any),
            }
        }
        Ok(Reading::Topics(topics))
    }
}

/// The topics of a consumer's subscription (Kafka's ConsumerProtocolSubscription): an int16 version, then an array of
/// strings; what follows depends on the version.
pub(super) fn subscription(metadata: Bytes) -> Result<Vec<String>, DecodeError> {
    let mut reader = Reader::new(metadata);
    let _version = reader.i16()?;
    let count = reader.i32()?;
    (0..count).map(|_| reader.string(false).map(Option::unwrap_or_default)).collect()
}

/// The answer with the verdict on each partition.
fn answer(
    request: &OffsetDeleteRequest,
    verdicts: &HashMap<(String, i32), ErrorCode>,
) -> OffsetDeleteResponse {
    let topics = request.topics.iter().map(|topic| {
        let partition = |index| OffsetDeleteResponsePartition {
            partition_index: index,
            error_code: verdicts.get(&(topic.name.clone(), index)).map_or(0, |verdict| verdict.code()),
        };
        OffsetDeleteResponseTopic {
            name: topic.name.clone(),
            partitions: topic.partitions.iter().map(|asked| partition(asked.partition_index)).collect(),
        }
    });
    OffsetDeleteResponse { topics: topics.collect(), ..Default::default() }
}
