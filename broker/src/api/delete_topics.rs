//! DeleteTopics (20): deletes topics with all their records.
//!
//! | version | |
//! |---|---|
//! | 0 | by name |
//! | 4 | flexible |
//! | 5 | error messages |
//! | 6 | by name or id |
//! | 1, 2, 3 | as the one before; nothing is throttled |
//!
//! Errors: 3 unknown name, 17 a topic of the broker's own, 100 unknown id, 42 neither or both of them given.

use uuid::Uuid;
use wire::ErrorCode;
use wire::message::delete_topics::{
    DeletableTopicResult, DeleteTopicState, DeleteTopicsRequest, DeleteTopicsResponse,
};

use super::RequestContext;
use crate::state::{Broker, is_internal};

pub(super) fn serve(
    broker: &Broker,
    context: &RequestContext,
    request: DeleteTopicsRequest,
) -> DeleteTopicsResponse {
    let by_name = |name| DeleteTopicState { name: Some(name), ..Default::default() };
    let topics: Vec<DeleteTopicState> = if context.version >= 6 {
        request.topics
    } else {
        request.topic_names.into_iter().map(by_name).collect()
    };
    DeleteTopicsResponse {
        responses: topics.into_iter().map(|topic| delete(broker, topic)).collect(),
        ..Default::default()
    }
}

fn delete(broker: &Broker, wanted: DeleteTopicState) -> DeletableTopicResult {
    let refuse = |name: Option<String>, error: ErrorCode, message: String| DeletableTopicResult {
        name,
        topic_id: wanted.topic_id,
        error_code: error.code(),
        error_message: Some(message),
    };
    let found = match &wanted.name {
        Some(_) if wanted.topic_id != Uuid::nil() => {
            return refuse(
                None,
                ErrorCode::InvalidRequest,
                "a topic is named or given by id, not both".to_owned(),
            );
        }
        Some(name) => broker.topic(name).ok_or(ErrorCode::UnknownTopicOrPartition),
        None => broker.topic_by_id(wanted.topic_id).ok_or(ErrorCode::UnknownTopicId),
    };
    match found {
        Err(error) => refuse(wanted.name, error, error.message().to_owned()),
        Ok(topic) if is_internal(topic.name()) => {
            let message = "the broker keeps its own state in this topic".to_owned();
            refuse(Some(topic.name().to_owned()), ErrorCode::InvalidTopicException, message)
        }
        Ok(topic) => match broker.logs.delete_topic(topic.name()) {
            Err(error) => refuse(Some(topic.name().to_owned()), error.error_code(), error.to_string()),
            Ok(()) => {
                broker.groups.forget_topic(topic.name());
                DeletableTopicResult {
                    name: Some(topic.name().to_owned()),
                    topic_id: topic.id(),
                    ..Default::default()
                }
            }
        },
    }
}
