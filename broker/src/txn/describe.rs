//! A record of `__transaction_state` for people, in the words of Kafka's tool.

use bytes::Bytes;
use serde_json::Value;

use super::records::{read_key, read_value};
use crate::group::{DELETE, as_text};

/// The key and the value of a record; what cannot be read is shown as text.
pub(crate) fn describe(key: Option<&[u8]>, value: Option<&[u8]>) -> (Option<Value>, Option<Value>) {
    let id = key.and_then(|key| read_key(Bytes::copy_from_slice(key)).ok()?);
    let Some(id) = id else { return (key.map(as_text), value.map(as_text)) };
    let payload = value.map_or_else(|| DELETE.into(), |bytes| state(bytes).unwrap_or_else(|| as_text(bytes)));
    (Some(format!("transaction_metadata::transactionalId={id}").into()), Some(payload))
}

fn state(value: &[u8]) -> Option<Value> {
    let state = read_value(Bytes::copy_from_slice(value)).ok()??;
    let places = state.partitions.iter().flat_map(|(topic, partitions)| {
        partitions.iter().map(move |partition| format!("{topic}-{partition}"))
    });
    let places = places.collect::<Vec<_>>().join(",");
    let text = format!(
        "producerId:{},producerEpoch:{},state={},partitions=[{places}],txnLastUpdateTimestamp={},txnTimeoutMs={}",
        state.producer_id,
        state.producer_epoch,
        state.state.name(),
        state.updated_ms,
        state.timeout_ms
    );
    Some(text.into())
}
