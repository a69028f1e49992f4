//! DeleteTopics (20): deletes topics.
//!
//! | version | adds |
//! |---|---|
//! | 1 | throttle time |
//! | 4 | flexible |
//! | 5 | error messages |
//! | 6 | topics by id |
//! | 2, 3 | meaning only: error codes |

use uuid::Uuid;

use crate::codec::message;

message! {
    /// Asks to delete topics.
    pub struct DeleteTopicsRequest {
        /// The topics to delete, since version 6.
        topics: Vec<DeleteTopicState>, 6..;
        /// The topics to delete, until version 5.
        topic_names: Vec<String>, 0..=5, ignorable;
        /// How long the broker may take, in milliseconds.
        timeout_ms: i32, 0..;
    }

    /// A topic to delete, since version 6.
    pub struct DeleteTopicState {
        /// The name of the topic; null where it is meant by its id.
        name: Option<String>, 6..;
        /// The id of the topic; zero for none.
        topic_id: Uuid, 6..;
    }

    /// Says which topics were deleted.
    pub struct DeleteTopicsResponse {
        /// How long the broker held back or wants the client to wait for a quota, in milliseconds.
        throttle_time_ms: i32, 1.., ignorable;
        /// The answers by topic.
        responses: Vec<DeletableTopicResult>, 0..;
    }

    /// What became of one topic.
    pub struct DeletableTopicResult {
        /// The name of the topic; null where its id is not known.
        name: Option<String> = Some(String::new()), 0.., nullable 6..;
        /// The id of the topic; zero for none.
        topic_id: Uuid, 6.., ignorable;
        /// See [`ErrorCode`](crate::ErrorCode); 0 for none.
        error_code: i16, 0..;
        /// What went wrong, in words.
        error_message: Option<String>, 5.., ignorable;
    }
}
