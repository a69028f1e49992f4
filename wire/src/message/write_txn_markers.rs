//! WriteTxnMarkers (27): ends transactions in partitions. Transaction coordinators send it to the partitions' leaders, and
//! administrators for transactions that no coordinator knows any more.
//!
//! | version | adds |
//! |---|---|
//! | 1 | flexible |

use crate::codec::message;

message! {
    /// Asks to write markers.
    pub struct WriteTxnMarkersRequest {
        /// The markers.
        markers: Vec<WritableTxnMarker>, 0..;
    }

    /// The end of one transaction.
    pub struct WritableTxnMarker {
        /// The producer id.
        producer_id: i64, 0..;
        /// The epoch of the producer id.
        producer_epoch: i16, 0..;
        /// Whether the transaction was committed; else it was aborted.
        transaction_result: bool, 0..;
        /// The partitions of the transaction.
        topics: Vec<WritableTxnMarkerTopic>, 0..;
        /// The epoch of the coordinator that has decided.
        coordinator_epoch: i32, 0..;
    }

    /// Partitions of one topic.
    pub struct WritableTxnMarkerTopic {
        /// The name of the topic.
        name: String, 0..;
        /// The partitions.
        partition_indexes: Vec<i32>, 0..;
    }

    /// Says which markers were written.
    pub struct WriteTxnMarkersResponse {
        /// The results.
        markers: Vec<WritableTxnMarkerResult>, 0..;
    }

    /// The results of one transaction.
    pub struct WritableTxnMarkerResult {
        /// The producer id.
        producer_id: i64, 0..;
        /// The results by topic.
        topics: Vec<WritableTxnMarkerTopicResult>, 0..;
    }

    /// The results of one topic.
    pub struct WritableTxnMarkerTopicResult {
        /// The name of the topic.
        name: String, 0..;
        /// The results by partition.
        partitions: Vec<WritableTxnMarkerPartitionResult>, 0..;
    }

    /// The result of one partition.
    pub struct WritableTxnMarkerPartitionResult {
        /// The partition.
        partition_index: i32, 0..;
        /// See [`ErrorCode`](crate::ErrorCode); 0 for none.
        error_code: i16, 0..;
    }
}
