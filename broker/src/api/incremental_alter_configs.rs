//! IncrementalAlterConfigs (44): changes some settings of topics and of this broker, and leaves the others.
//!
//! | version | |
//! |---|---|
//! | 0 | sets, deletes, adds to lists, takes out of lists; a dry run |
//! | 1 | flexible |
//!
//! Changes are in force and on the disk before they are answered; those of one resource all or none. Errors: as in
//! AlterConfigs, and 40 a list operation on what is no list, 42 an unknown operation.

use wire::ErrorCode;
use wire::message::incremental_alter_configs::{
    AlterConfigsResource, AlterConfigsResourceResponse, AlterableConfig, IncrementalAlterConfigsRequest,
    IncrementalAlterConfigsResponse,
};

use super::RequestContext;
use super::alter_configs::{named_twice, named_twice_failure};
use crate::error::Failure;
use crate::settings::{Change, Operation, alter};
use crate::state::Broker;

pub(super) fn named(request: &IncrementalAlterConfigsRequest) -> usize {
    request.resources.len()
}

pub(super) fn serve(
    broker: &Broker,
    _: &RequestContext,
    request: IncrementalAlterConfigsRequest,
) -> IncrementalAlterConfigsResponse {
    let twice = named_twice(request.resources.iter().map(|one| (one.resource_type, &*one.resource_name)));
    let responses = request.resources.into_iter().map(|wanted| {
        let AlterConfigsResource { resource_type, resource_name, configs } = wanted;
        let altered = if twice.contains(&(resource_type, resource_name.clone())) {
            Err(named_twice_failure())
        } else {
            changes(configs).and_then(|changes| {
                alter(broker, (resource_type, &resource_name), false, request.validate_only, &changes)
            })
        };
        let failure = altered.err();
        AlterConfigsResourceResponse {
            error_code: failure.as_ref().map_or(0, |failure| failure.code.code()),
            error_message: failure.map(|failure| failure.message),
            resource_type,
            resource_name,
        }
    });
    IncrementalAlterConfigsResponse { responses: responses.collect(), ..Default::default() }
}

fn changes(configs: Vec<AlterableConfig>) -> Result<Vec<Change>, Failure> {
    let change = |config: AlterableConfig| match Operation::from_number(config.config_operation) {
        Some(operation) => Ok(Change { name: config.name, operation, value: config.value }),
        None => {
            let message = format!("{} is no operation on {}", config.config_operation, config.name);
            Err(Failure::new(ErrorCode::InvalidRequest, message))
        }
    };
    configs.into_iter().map(change).collect()
}
