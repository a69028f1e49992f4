//! `groups delete` and `groups delete-offsets`.

use wire::ErrorCode;
use wire::message::delete_groups::DeleteGroupsRequest;
use wire::message::offset_delete::{
    OffsetDeleteRequest, OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};

use super::no_group;
use super::scope::{Scope, resolve};
use crate::fail::Failure;
use crate::kafka::Connection;
use crate::kafka::direct::{Direct, refusal};
use crate::output;

/// Deletes groups, each at its own coordinator. The first that cannot be deleted ends it.
pub(super) fn groups(connection: &Connection, names: Vec<String>) -> Result<(), Failure> {
    for name in names {
        let what = format!("cannot delete group {name}");
        let mut coordinator = connection.coordinator(&what, &name)?;
        let answer = coordinator.call(&DeleteGroupsRequest { groups_names: vec![name.clone()] })?;
        for result in &answer.results {
            accepted(&coordinator, &name, result.error_code)?;
        }
        output::print(format!("deleted group {name}\n"))?;
    }
    Ok(())
}

/// Forgets a group's offsets in some partitions.
pub(super) fn offsets(connection: &Connection, group: &str, scopes: &[Scope]) -> Result<(), Failure> {
    let what = format!("cannot delete offsets of group {group}");
    let meant = resolve(connection, &connection.asker(None)?, scopes)?;
    let topics = meant.into_iter().map(|(name, partitions)| OffsetDeleteRequestTopic {
        name,
        partitions: partitions
            .into_iter()
            .map(|partition_index| OffsetDeleteRequestPartition { partition_index })
            .collect(),
    });
    let request = OffsetDeleteRequest { group_id: group.to_owned(), topics: topics.collect() };
    let mut coordinator = connection.coordinator(&what, group)?;
    let answer = coordinator.call(&request)?;
    accepted(&coordinator, group, answer.error_code)?;
    for topic in answer.topics {
        for partition in topic.partitions {
            let place = format!("{}-{}", topic.name, partition.partition_index);
            if let Some(cause) = refusal(partition.error_code, None) {
                return Err(Failure::new(format!("{what}: {place}: {cause}"))
                    .remedy("stop the group's consumers that read the topic first"));
            }
            output::print(format!("deleted the offset of group {group} in {place}\n"))?;
        }
    }
    Ok(())
}

fn accepted(coordinator: &Direct, group: &str, code: i16) -> Result<(), Failure> {
    match ErrorCode::from_code(code) {
        ErrorCode::GroupIdNotFound => Err(no_group(group)),
        ErrorCode::NonEmptyGroup => {
            coordinator.accepted(code, None).map_err(|failure| failure.remedy("stop its consumers first"))
        }
        _ => coordinator.accepted(code, None),
    }
}
