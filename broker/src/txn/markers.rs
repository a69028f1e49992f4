//! Writing markers: the seam between the coordinator and the leaders of the partitions. With one broker it is a call; it
//! takes what WriteTxnMarkers takes, which serves through it too.

use std::fmt::Debug;
use std::sync::Arc;
use std::thread::ScopedJoinHandle;

use tracing::warn;
use wire::ErrorCode;
use wire::record::EndMarker;

use crate::group;
use crate::group::OFFSETS_TOPIC;
use crate::log::{LogManager, Partition};

/// Flushes that run at the same time.
const FLUSHES_MAX: usize = 8;

/// The end of a producer's transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Marker {
    pub(crate) producer_id: i64,
    pub(crate) producer_epoch: i16,
    pub(crate) end: EndMarker,
}

/// Whoever writes markers into partitions.
pub(crate) trait WriteMarkers: Send + Sync + Debug {
    /// Writes the marker to each of the partitions, and returns what came of each, in order, when those that were
    /// written are durable. Blocks.
    fn write(&self, marker: Marker, partitions: &[(&str, i32)]) -> Vec<Written>;
}

/// Appends markers to the partitions of this broker.
#[derive(Debug)]
pub(crate) struct LogMarkers {
    pub(crate) logs: Arc<LogManager>,
    pub(crate) groups: Arc<group::Coordinator>,
}

impl LogMarkers {
    fn append(&self, marker: Marker, topic: &str, index: i32) -> AppendedMarker {
        let partition = self.logs.partition(topic, index).ok_or(ErrorCode::UnknownTopicOrPartition)?;
        let appended = partition.append_marker(marker.producer_id, marker.producer_epoch, marker.end);
        let appended = appended.map_err(|error| {
            warn!(partition = partition.name(), %error, "cannot write a transaction's marker");
            error.error_code()
        })?;
        if topic == OFFSETS_TOPIC {
            self.groups.end_transaction(index, marker.producer_id, marker.end.committed);
        }
        Ok((partition, appended.last_offset.saturating_add(1)))
    }
}

impl WriteMarkers for LogMarkers {
    fn write(&self, marker: Marker, partitions: &[(&str, i32)]) -> Vec<Written> {
        let appended: Vec<_> =
            partitions.iter().map(|(topic, index)| self.append(marker, topic, *index)).collect();
        if appended.len() <= 1 {
            return flush_all(&appended);
        }
        let share = appended.len().div_ceil(FLUSHES_MAX);
        std::thread::scope(|scope| {
            let threads: Vec<_> = appended
                .chunks(share)
                .map(|part| (part.len(), scope.spawn(move || flush_all(part))))
                .collect();
            let join = |(len, thread): (usize, ScopedJoinHandle<'_, Vec<Written>>)| {
                thread.join().unwrap_or_else(|_| vec![Err(ErrorCode::UnknownServerError); len])
            };
            threads.into_iter().flat_map(join).collect()
        })
    }
}

/// What came of one marker.
pub(crate) type Written = Result<(), ErrorCode>;
/// A marker that was appended, and where it ends.
type AppendedMarker = Result<(Arc<Partition>, i64), ErrorCode>;

fn flush_all(appended: &[AppendedMarker]) -> Vec<Written> {
    let flush = |marker: &AppendedMarker| match marker {
        Ok((partition, end)) => partition.flush_to(*end).map_err(|error| error.error_code()),
        Err(error) => Err(*error),
    };
    appended.iter().map(flush).collect()
}
