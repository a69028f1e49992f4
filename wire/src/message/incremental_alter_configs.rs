//! IncrementalAlterConfigs (44): changes some settings of topics and brokers, and leaves the others.
//!
//! | version | adds |
//! |---|---|
//! | 1 | flexible |

use crate::codec::message;

message! {
    /// Asks to change settings.
    pub struct IncrementalAlterConfigsRequest {
        /// Whose settings.
        resources: Vec<AlterConfigsResource>, 0..;
        /// Whether to check only, and change nothing.
        validate_only: bool, 0..;
    }

    /// Something that has settings.
    pub struct AlterConfigsResource {
        /// Its kind, as in [`describe_configs`](super::describe_configs).
        resource_type: i8, 0..;
        /// Its name: of a broker its id, or empty for the defaults of all brokers.
        resource_name: String, 0..;
        /// The changes.
        configs: Vec<AlterableConfig>, 0..;
    }

    /// The change of one setting.
    pub struct AlterableConfig {
        /// The name of the setting.
        name: String, 0..;
        /// What to do: 0 set it, 1 back to the default, 2 add to a list, 3 take out of a list.
        config_operation: i8, 0..;
        /// The value; null where there is none.
        value: Option<String>, 0..;
    }

    /// Says which settings were changed.
    pub struct IncrementalAlterConfigsResponse {
        /// How long the broker held back or wants the client to wait for a quota, in milliseconds.
        throttle_time_ms: i32, 0..;
        /// The resources.
        responses: Vec<AlterConfigsResourceResponse>, 0..;
    }

    /// What became of one resource.
    pub struct AlterConfigsResourceResponse {
        /// See [`ErrorCode`](crate::ErrorCode); 0 for none.
        error_code: i16, 0..;
        /// What went wrong, in words.
        error_message: Option<String>, 0..;
        /// The kind of the resource.
        resource_type: i8, 0..;
        /// The name of the resource.
        resource_name: String, 0..;
    }
}
