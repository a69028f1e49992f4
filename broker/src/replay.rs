//! Reads a partition of one of the broker's own topics from its start to its end, as coordinators do when they load.

use tracing::warn;
use wire::record::{BatchHeader, batch};

use crate::log::{Partition, StorageError};

/// Bytes read at a time.
const CHUNK_BYTES: u32 = 1 << 20;
/// The most that a batch of our own may hold when decompressed.
pub(crate) const BATCH_BYTES_MAX: usize = 64 << 20;

/// What was wrong with a batch.
pub(crate) type Refused = Box<dyn std::error::Error>;

/// Gives each batch to `load`, in order. What it refuses is logged and skipped, as is the rest of a partition that cannot
/// be read: a coordinator that knows most is better than none.
pub(crate) fn replay(
    partition: &Partition,
    mut load: impl FnMut(&BatchHeader, &[u8]) -> Result<(), Refused>,
) -> Result<(), StorageError> {
    let mut offset = partition.log_start_offset();
    while offset < partition.high_watermark() {
        let Ok(slice) = partition.read(offset, CHUNK_BYTES, true) else {
            warn!(partition = partition.name(), offset, "cannot read what is kept here, the rest is skipped");
            return Ok(());
        };
        let bytes = slice.read_bytes().map_err(|error| StorageError::io("read", partition.dir(), error))?;
        let before = offset;
        for found in batch::batches(&bytes) {
            let Ok((header, batch)) = found else { break };
            offset = header.last_offset().saturating_add(1);
            if let Err(error) = load(&header, batch) {
                warn!(partition = partition.name(), offset = header.base_offset, %error, "skipping a batch");
            }
        }
        if offset <= before {
            return Ok(());
        }
    }
    Ok(())
}
