//! DescribeConfigs (32): the settings of topics and of this broker, by Kafka's names.
//!
//! | version | |
//! |---|---|
//! | 0 | names and values; whether a value is the default, and whether it can be changed |
//! | 1 | where a value comes from; all places that it may come from |
//! | 3 | types and documentation |
//! | 4 | flexible |
//! | 2 | as the one before; nothing is throttled |
//!
//! A broker is asked for by its id; by the empty name for what was set for all brokers. A value of the broker's file counts
//! as static where it differs from the shipped file. Of settings that Kafka has and we have not, nothing is told.
//! Errors: 3 unknown topic, 17 topic name, 42 another broker, loggers, client metrics, groups, a resource that comes twice.

use std::collections::HashSet;

use wire::ErrorCode;
use wire::message::describe_configs::{
    DescribeConfigsRequest, DescribeConfigsResource, DescribeConfigsResourceResult, DescribeConfigsResponse,
    DescribeConfigsResult, DescribeConfigsSynonym,
};

use super::RequestContext;
use crate::error::Failure;
use crate::log::{TopicError, check_topic_name};
use crate::settings::{Described, Layers, Origin, Place, Scope, resource, scope};
use crate::state::Broker;

pub(super) fn named(request: &DescribeConfigsRequest) -> usize {
    request.resources.len()
}

pub(super) fn serve(
    broker: &Broker,
    _: &RequestContext,
    request: DescribeConfigsRequest,
) -> DescribeConfigsResponse {
    let layers = broker.settings.describe();
    let mut seen = HashSet::new();
    let mut results = Vec::with_capacity(request.resources.len());
    for wanted in request.resources {
        // each is told once: what is asked for in few bytes must not be answered many times at length
        let described = if seen.insert((wanted.resource_type, wanted.resource_name.clone())) {
            describe(broker, &layers, &wanted)
        } else {
            let message = "the request names this resource more than once";
            Err(Failure::new(ErrorCode::InvalidRequest, message))
        };
        let told = described.map(|settings| {
            let settings = settings.into_iter().filter(|setting| is_wanted(&wanted, setting));
            let entry = |setting| entry(setting, request.include_synonyms, request.include_documentation);
            settings.map(entry).collect::<Vec<_>>()
        });
        let (configs, failure) = match told {
            Ok(configs) => (configs, None),
            Err(failure) => (Vec::new(), Some(failure)),
        };
        results.push(DescribeConfigsResult {
            error_code: failure.as_ref().map_or(0, |failure| failure.code.code()),
            error_message: failure.map(|failure| failure.message),
            resource_type: wanted.resource_type,
            resource_name: wanted.resource_name,
            configs,
        });
    }
    DescribeConfigsResponse { results, ..Default::default() }
}

fn describe(
    broker: &Broker,
    layers: &Layers,
    wanted: &DescribeConfigsResource,
) -> Result<Vec<Described>, Failure> {
    let name = &wanted.resource_name;
    match wanted.resource_type {
        resource::TOPIC => {
            check_topic_name(name).map_err(|reason| TopicError::InvalidName(name.clone(), reason))?;
            let topic = broker.topic(name).ok_or_else(|| TopicError::Unknown(name.clone()))?;
            Ok(layers.topic(topic.configs()))
        }
        resource::BROKER => Ok(match scope(broker, name)? {
            Scope::Broker => layers.broker(),
            Scope::Default => layers.all_brokers(),
        }),
        other => Err(resource::refused(other)),
    }
}

fn is_wanted(wanted: &DescribeConfigsResource, setting: &Described) -> bool {
    match wanted.configuration_keys.as_deref() {
        None | Some([]) => true,
        Some(keys) => keys.iter().any(|key| key == setting.name),
    }
}

fn entry(setting: Described, synonyms: bool, documentation: bool) -> DescribeConfigsResourceResult {
    let place = setting.place();
    let synonym = |origin: Origin| DescribeConfigsSynonym {
        name: origin.name.to_owned(),
        value: origin.value,
        source: origin.place as i8,
    };
    DescribeConfigsResourceResult {
        name: setting.name.to_owned(),
        value: setting.value().map(str::to_owned),
        read_only: setting.read_only,
        is_default: place == Place::Default,
        config_source: place as i8,
        is_sensitive: false,
        config_type: setting.kind as i8,
        documentation: documentation.then(|| setting.documentation.to_owned()),
        synonyms: if synonyms { setting.origins.into_iter().map(synonym).collect() } else { Vec::new() },
    }
}
