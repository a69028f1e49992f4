//! DescribeConfigs (32): the settings of topics and brokers, and where their values come from.
//!
//! | version | adds |
//! |---|---|
//! | 1 | where a value comes from, and its synonyms; before: only whether it is the default |
//! | 3 | types and documentation |
//! | 4 | flexible |
//! | 2 | meaning only: throttling |

use crate::codec::message;

message! {
    /// Asks for settings.
    pub struct DescribeConfigsRequest {
        /// Whose settings.
        resources: Vec<DescribeConfigsResource>, 0..;
        /// Whether to tell all places that a value may come from.
        include_synonyms: bool, 1..;
        /// Whether to tell what each setting means.
        include_documentation: bool, 3..;
    }

    /// Something that has settings.
    pub struct DescribeConfigsResource {
        /// Its kind: 2 a topic, 4 a broker, 8 the loggers of a broker, 16 client metrics, 32 a group.
        resource_type: i8, 0..;
        /// Its name: of a broker its id, or empty for the defaults of all brokers.
        resource_name: String, 0..;
        /// The settings to tell; null for all.
        configuration_keys: Option<Vec<String>>, 0..;
    }

    /// Tells settings.
    pub struct DescribeConfigsResponse {
        /// How long the broker held back or wants the client to wait for a quota, in milliseconds.
        throttle_time_ms: i32, 0..;
        /// The resources.
        results: Vec<DescribeConfigsResult>, 0..;
    }

    /// The settings of one resource.
    pub struct DescribeConfigsResult {
        /// See [`ErrorCode`](crate::ErrorCode); 0 for none.
        error_code: i16, 0..;
        /// What went wrong, in words.
        error_message: Option<String>, 0..;
        /// The kind of the resource.
        resource_type: i8, 0..;
        /// The name of the resource.
        resource_name: String, 0..;
        /// The settings.
        configs: Vec<DescribeConfigsResourceResult>, 0..;
    }

    /// One setting.
    pub struct DescribeConfigsResourceResult {
        /// The name of the setting.
        name: String, 0..;
        /// The value of the setting; null for none.
        value: Option<String>, 0..;
        /// Whether the setting cannot be changed by a request.
        read_only: bool, 0..;
        /// Whether nobody has set it; later versions say so with `config_source`.
        is_default: bool, 0..=0, ignorable;
        /// Where the value comes from: 1 the topic, 2 the broker's dynamic settings, 3 those of all brokers, 4 the
        /// broker's file, 5 the default; −1 if not known.
        config_source: i8 = -1, 1.., ignorable;
        /// Whether the value is secret, and thus not told.
        is_sensitive: bool, 0..;
        /// All places that the value may come from, the one in force first.
        synonyms: Vec<DescribeConfigsSynonym>, 1.., ignorable;
        /// The type of the value: 1 boolean, 2 string, 3 int, 4 short, 5 long, 6 double, 7 list, 8 class, 9 password; 0 if
        /// not known.
        config_type: i8, 3.., ignorable;
        /// What the setting means.
        documentation: Option<String>, 3.., ignorable;
    }

    /// A place that a value may come from.
    pub struct DescribeConfigsSynonym {
        /// The name of the setting there.
        name: String, 1..;
        /// Its value there; null for none.
        value: Option<String>, 1..;
        /// The place, numbered as `config_source`.
        source: i8, 1..;
    }
}
