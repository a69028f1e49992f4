//! AlterConfigs (33): replaces all settings of topics and of this broker; what is left out goes back to its default.
//!
//! | version | |
//! |---|---|
//! | 0 | replaces; a dry run |
//! | 2 | flexible |
//! | 1 | as the one before; nothing is throttled |
//!
//! Changes are in force and on the disk before they are answered. Errors: 3 unknown topic, 17 topic name, 40 unknown setting
//! or bad value, 42 a setting that takes a restart, no value, twice the same, another broker, loggers, client metrics, groups.

use std::collections::HashSet;

use wire::ErrorCode;
use wire::message::alter_configs::{
    AlterConfigsRequest, AlterConfigsResource, AlterConfigsResourceResponse, AlterConfigsResponse,
    AlterableConfig,
};

use super::RequestContext;
use crate::error::Failure;
use crate::settings::{Change, Operation, alter};
use crate::state::Broker;

pub(super) fn named(request: &AlterConfigsRequest) -> usize {
    request.resources.len()
}

pub(super) fn serve(
    broker: &Broker,
    _: &RequestContext,
    request: AlterConfigsRequest,
) -> AlterConfigsResponse {
    let twice = named_twice(request.resources.iter().map(|one| (one.resource_type, &*one.resource_name)));
    let responses = request.resources.into_iter().map(|wanted| {
        let AlterConfigsResource { resource_type, resource_name, configs } = wanted;
        let set = |config: AlterableConfig| Change {
            name: config.name,
            operation: Operation::Set,
            value: config.value,
        };
        let changes: Vec<Change> = configs.into_iter().map(set).collect();
        let altered = if twice.contains(&(resource_type, resource_name.clone())) {
            Err(named_twice_failure())
        } else {
            alter(broker, (resource_type, &resource_name), true, request.validate_only, &changes)
        };
        let failure = altered.err();
        AlterConfigsResourceResponse {
            error_code: failure.as_ref().map_or(0, |failure| failure.code.code()),
            error_message: failure.map(|failure| failure.message),
            resource_type,
            resource_name,
        }
    });
    AlterConfigsResponse { responses: responses.collect(), ..Default::default() }
}

/// The resources that come more than once: which of their changes were meant cannot be known.
pub(super) fn named_twice<'a>(resources: impl Iterator<Item = (i8, &'a str)>) -> HashSet<(i8, String)> {
    let mut seen = HashSet::new();
    resources.filter(|one| !seen.insert(*one)).map(|(kind, name)| (kind, name.to_owned())).collect()
}

pub(super) fn named_twice_failure() -> Failure {
    Failure::new(ErrorCode::InvalidRequest, "the request names this resource more than once")
}
