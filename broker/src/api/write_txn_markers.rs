//! WriteTxnMarkers (27): ends transactions in partitions, whatever their coordinator says. An administrator sends it for a
//! transaction that hangs (`kafka-transactions.sh abort`).
//!
//! | version | |
//! |---|---|
//! | 0 | markers by producer |
//! | 1 | flexible |
//!
//! The response comes when the markers are on the disk. Negative ids and epochs, and more than `max_request_partitions`
//! partitions, are refused (42).

use wire::ErrorCode;
use wire::message::write_txn_markers::{
    WritableTxnMarker, WritableTxnMarkerPartitionResult, WritableTxnMarkerResult, WritableTxnMarkerTopic,
    WritableTxnMarkerTopicResult, WriteTxnMarkersRequest, WriteTxnMarkersResponse,
};
use wire::record::EndMarker;

use super::RequestContext;
use crate::state::Broker;
use crate::txn::Marker;

pub(super) fn serve(
    broker: &Broker,
    _: &RequestContext,
    request: WriteTxnMarkersRequest,
) -> WriteTxnMarkersResponse {
    let named = request.markers.iter().flat_map(|marker| &marker.topics);
    let named: usize = named.map(|topic| topic.partition_indexes.len()).sum();
    let may_write = named <= broker.config.current().max_request_partitions;
    let markers = request.markers.iter().map(|marker| write(broker, marker, may_write)).collect();
    WriteTxnMarkersResponse { markers }
}

fn write(broker: &Broker, asked: &WritableTxnMarker, may_write: bool) -> WritableTxnMarkerResult {
    let marker = Marker {
        producer_id: asked.producer_id,
        producer_epoch: asked.producer_epoch,
        end: EndMarker { committed: asked.transaction_result, coordinator_epoch: asked.coordinator_epoch },
    };
    let topic = |topic: &WritableTxnMarkerTopic| {
        let places: Vec<(&str, i32)> =
            topic.partition_indexes.iter().map(|index| (topic.name.as_str(), *index)).collect();
        let written = if may_write && asked.producer_id >= 0 && asked.producer_epoch >= 0 {
            broker.txns.write_markers_of(marker, &places)
        } else {
            vec![Err(ErrorCode::InvalidRequest); places.len()]
        };
        let partitions = topic.partition_indexes.iter().zip(written);
        WritableTxnMarkerTopicResult {
            name: topic.name.clone(),
            partitions: partitions
                .map(|(index, written)| WritableTxnMarkerPartitionResult {
                    partition_index: *index,
                    error_code: written.err().map_or(0, ErrorCode::code),
                })
                .collect(),
        }
    };
    WritableTxnMarkerResult {
        producer_id: asked.producer_id,
        topics: asked.topics.iter().map(topic).collect(),
    }
}
