//! AlterConfigs (33): replaces all settings of topics and brokers; what is left out goes back to its default.
//!
//! | version | adds |
//! |---|---|
//! | 2 | flexible |
//! | 1 | meaning only: throttling |

use crate::codec::message;

message! {
    /// Asks to replace settings.
    pub struct AlterConfigsRequest {
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
        /// All settings that it shall have.
        configs: Vec<AlterableConfig>, 0..;
    }

    /// One setting.
    pub struct AlterableConfig {
        /// The name of the setting.
        name: String, 0..;
        /// Its value.
        value: Option<String>, 0..;
    }

    /// Says which settings were replaced.
    pub struct AlterConfigsResponse {
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
