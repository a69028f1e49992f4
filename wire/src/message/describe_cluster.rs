//! DescribeCluster (60): the brokers of the cluster. All versions are flexible.
//!
//! | version | adds |
//! |---|---|
//! | 1 | controllers may be asked for instead of brokers |

use crate::codec::message;

message! {
    /// Asks for the brokers.
    pub struct DescribeClusterRequest {
        /// Whether to tell what the client may do to the cluster.
        include_cluster_authorized_operations: bool, 0..;
        /// Whom to describe: 1 brokers, 2 controllers.
        endpoint_type: i8 = 1, 1..;
    }

    /// Describes the brokers.
    pub struct DescribeClusterResponse {
        /// How long the broker held back or wants the client to wait for a quota, in milliseconds.
        throttle_time_ms: i32, 0..;
        /// See [`ErrorCode`](crate::ErrorCode); 0 for none.
        error_code: i16, 0..;
        /// What went wrong, in words.
        error_message: Option<String>, 0..;
        /// Who is described: 1 brokers, 2 controllers.
        endpoint_type: i8 = 1, 1..;
        /// The id of the cluster.
        cluster_id: String, 0..;
        /// The id of the controller; −1 if not known.
        controller_id: i32 = -1, 0..;
        /// The brokers.
        brokers: Vec<DescribeClusterBroker>, 0..;
        /// What the client may do to the cluster, a bit for each operation; the minimum if not told.
        cluster_authorized_operations: i32 = i32::MIN, 0..;
    }

    /// One broker.
    pub struct DescribeClusterBroker {
        /// The id of the broker.
        broker_id: i32, 0..;
        /// The host name of the broker.
        host: String, 0..;
        /// The port of the broker.
        port: i32, 0..;
        /// The rack of the broker; null for none.
        rack: Option<String>, 0..;
    }
}
