//! Writing and reading transactions as clients do it.

use std::collections::HashSet;

use wire::record::{BatchBuilder, Compression, EndMarker, batch};

use super::NOON;
use crate::log::error::AppendError;
use crate::log::partition::{Appended, Partition};

/// Appends a keyed record in the producer's transaction, which the coordinator knows to include the partition.
pub(crate) fn send(
    partition: &Partition,
    (id, epoch, sequence): (i64, i16, i32),
    key: &str,
    value: &str,
) -> Result<Appended, AppendError> {
    let mut builder = BatchBuilder::new(Compression::None).producer(id, epoch, sequence).transactional();
    builder.append(NOON, Some(key.as_bytes()), Some(value.as_bytes()), &[]).unwrap();
    let verification = partition.unverified(id);
    partition.append_verified(&mut builder.finish().unwrap().to_vec(), verification)
}

/// Commits the producer's transaction in the partition.
pub(crate) fn commit(partition: &Partition, id: i64, epoch: i16) -> i64 {
    end(partition, id, epoch, true)
}

/// Aborts the producer's transaction in the partition.
pub(crate) fn abort(partition: &Partition, id: i64, epoch: i16) -> i64 {
    end(partition, id, epoch, false)
}

fn end(partition: &Partition, id: i64, epoch: i16, committed: bool) -> i64 {
    let marker = EndMarker { committed, coordinator_epoch: 0 };
    partition.append_marker(id, epoch, marker).unwrap().base_offset
}

/// What a consumer of committed records gets, `max_bytes` at a time: it leaves out what it is told was aborted, as Kafka's
/// clients do.
pub(crate) fn committed(partition: &Partition, max_bytes: u32) -> Vec<(i64, String)> {
    let (mut got, mut next) = (Vec::new(), partition.log_start_offset());
    loop {
        let (slice, last_stable, aborted) = partition.read_committed(next, max_bytes, true).unwrap();
        if slice.len == 0 {
            return got;
        }
        let bytes = slice.read_bytes().unwrap();
        let mut skipped = HashSet::new();
        for (header, bytes) in batch::batches(&bytes).map_while(Result::ok) {
            assert!(header.last_offset() < last_stable, "{header:?} is not stable at {last_stable}");
            let begun = aborted.iter().filter(|aborted| {
                aborted.first_offset <= header.last_offset() && aborted.last_offset > header.last_offset()
            });
            skipped.extend(begun.map(|aborted| aborted.producer_id));
            next = header.last_offset() + 1;
            if header.is_control() {
                skipped.remove(&header.producer_id);
            } else if !(header.is_transactional() && skipped.contains(&header.producer_id)) {
                for record in batch::records(bytes, 1 << 20).unwrap().iter().map(Result::unwrap) {
                    got.push((record.offset, String::from_utf8(record.value.unwrap().to_vec()).unwrap()));
                }
            }
        }
    }
}
