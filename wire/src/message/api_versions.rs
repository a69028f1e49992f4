//! ApiVersions (18): which APIs a broker serves, in which versions.
//!
//! A broker that does not serve the version asked for answers in version 0 with error 35 and its list, so
//! that the client can ask again. For the same reason the response header never has tagged fields.
//!
//! | version | adds |
//! |---|---|
//! | 1 | throttle time |
//! | 3 | flexible; the client's name; features |
//! | 4 | meaning only: features of minimum version 0 are listed |

use crate::codec::message;

message! {
    /// Asks for the versions served.
    pub struct ApiVersionsRequest {
        /// The client's name.
        client_software_name: String, 3.., ignorable;
        /// The client's version.
        client_software_version: String, 3.., ignorable;
    }

    /// Lists the versions served.
    pub struct ApiVersionsResponse {
        /// See [`ErrorCode`](crate::ErrorCode); 0 for none.
        error_code: i16, 0..;
        /// The APIs served.
        api_keys: Vec<ApiVersion>, 0..;
        /// How long the broker held back or wants the client to wait for a quota, in milliseconds.
        throttle_time_ms: i32, 1.., ignorable;
    } tagged {
        /// The features that the broker supports.
        0 => supported_features: Vec<SupportedFeatureKey>, 3.., ignorable;
        /// The epoch of the features in force; −1 if not known.
        1 => finalized_features_epoch: i64 = -1, 3.., ignorable;
        /// The features in force.
        2 => finalized_features: Vec<FinalizedFeatureKey>, 3.., ignorable;
        /// Whether a controller could take over from ZooKeeper.
        3 => zk_migration_ready: bool, 3.., ignorable;
    }

    /// The versions of one API.
    pub struct ApiVersion {
        /// The API key.
        api_key: i16, 0..;
        /// The lowest version served.
        min_version: i16, 0..;
        /// The highest version served.
        max_version: i16, 0..;
    }

    /// A feature that the broker supports.
    pub struct SupportedFeatureKey {
        /// The name of the feature.
        name: String, 3..;
        /// The lowest version supported.
        min_version: i16, 3..;
        /// The highest version supported.
        max_version: i16, 3..;
    }

    /// A feature that is in force in the cluster.
    pub struct FinalizedFeatureKey {
        /// The name of the feature.
        name: String, 3..;
        /// The highest version in force.
        max_version_level: i16, 3..;
        /// The lowest version in force.
        min_version_level: i16, 3..;
    }
}
