//! DescribeLogDirs (35): how large the partitions are on a broker's disks.
//!
//! | version | adds |
//! |---|---|
//! | 2 | flexible |
//! | 3 | an error code for the whole |
//! | 4 | size and free space of the disk |
//! | 1 | meaning only: throttling |

use crate::codec::message;

message! {
    /// Asks for sizes.
    pub struct DescribeLogDirsRequest {
        /// The partitions; null for all.
        topics: Option<Vec<DescribableLogDirTopic>>, 0..;
    }

    /// Partitions of one topic.
    pub struct DescribableLogDirTopic {
        /// The name of the topic.
        topic: String, 0..;
        /// The partitions.
        partitions: Vec<i32>, 0..;
    }

    /// Tells sizes.
    pub struct DescribeLogDirsResponse {
        /// How long the broker held back or wants the client to wait for a quota, in milliseconds.
        throttle_time_ms: i32, 0..;
        /// See [`ErrorCode`](crate::ErrorCode); 0 for none.
        error_code: i16, 3.., ignorable;
        /// The directories.
        results: Vec<DescribeLogDirsResult>, 0..;
    }

    /// One directory.
    pub struct DescribeLogDirsResult {
        /// See [`ErrorCode`](crate::ErrorCode); 0 for none.
        error_code: i16, 0..;
        /// The path of the directory.
        log_dir: String, 0..;
        /// The topics in it.
        topics: Vec<DescribeLogDirsTopic>, 0..;
        /// Bytes of the file system; −1 if not known.
        total_bytes: i64 = -1, 4.., ignorable;
        /// Bytes of the file system that are free for the broker; −1 if not known.
        usable_bytes: i64 = -1, 4.., ignorable;
    }

    /// The partitions of one topic in a directory.
    pub struct DescribeLogDirsTopic {
        /// The name of the topic.
        name: String, 0..;
        /// The partitions.
        partitions: Vec<DescribeLogDirsPartition>, 0..;
    }

    /// One partition.
    pub struct DescribeLogDirsPartition {
        /// The partition.
        partition_index: i32, 0..;
        /// Bytes of its segments.
        partition_size: i64, 0..;
        /// How many offsets it is behind.
        offset_lag: i64, 0..;
        /// Whether it is being copied here from another directory.
        is_future_key: bool, 0..;
    }
}
