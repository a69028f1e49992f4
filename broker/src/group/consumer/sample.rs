//! One change of each kind, for the fuzz target's first inputs.

use uuid::Uuid;

use super::change::Change;
use super::member::{Current, Profile, Step};
use super::partitions::Partitions;
use super::topics::TopicSize;

/// What makes a group of one member.
pub(in crate::group) fn sample_changes(topic: Uuid) -> [Change; 6] {
    let partitions: Partitions = [(topic, [0, 5].into())].into();
    let profile = Profile {
        instance_id: Some("i".to_owned()),
        rack_id: None,
        client_id: "c".to_owned(),
        client_host: "/h".to_owned(),
        topics: ["t".to_owned()].into(),
        expression: Some("t.*".to_owned()),
        rebalance_timeout_ms: 45_000,
        assignor: Some("uniform".to_owned()),
    };
    let current = Current {
        epoch: 3,
        previous_epoch: 2,
        step: Step::Unrevoked,
        assigned: partitions.clone(),
        revoking: partitions.clone(),
    };
    [
        Change::Epoch(Some(3)),
        Change::Topics(Some([("t".to_owned(), TopicSize { id: topic, partitions: 6 })].into())),
        Change::Profile("m".to_owned(), Some(profile)),
        Change::TargetEpoch(Some(3)),
        Change::Target("m".to_owned(), Some(partitions)),
        Change::Current("m".to_owned(), Some(current)),
    ]
}
