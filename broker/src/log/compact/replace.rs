//! The partition's side of a compaction: its list of segments changes together with the files.

use std::sync::Arc;

use super::swap;
use crate::log::error::StorageError;
use crate::log::partition::Partition;
use crate::log::segment::Segment;
use crate::log::segment::open::{Place, open_verified};

impl Partition {
    /// Puts the `.cleaned` file in the place of a run of closed segments. Readers that found one of them before
    /// go on reading the old files. A failure halfway is completed by the next start, until which the partition is
    /// offline.
    pub(super) fn replace_segments(&self, old: &[Arc<Segment>]) -> Result<(), StorageError> {
        let (Some(first), Some(last)) = (old.first(), old.last()) else { return Ok(()) };
        let end_offset = self.segment_after(last.base_offset()).map_or(i64::MAX, |next| next.base_offset());
        // the first one's names become those of the new segment's files
        old.iter().for_each(|segment| segment.detach_open());
        let replaced =
            swap::commit(self.disk(), self.dir(), first.base_offset()..end_offset).and_then(|()| {
                open_verified(Place {
                    disk: self.disk(),
                    dir: self.dir(),
                    base_offset: first.base_offset(),
                    end_offset,
                    gapless: false,
                    index_interval_bytes: self.config().index_interval_bytes,
                })
            });
        // it lies before the recovery point, where a start trusts the indexes; no aborted transaction is left in it
        let replaced = replaced.and_then(|opened| {
            opened.segment.complete(self.disk())?;
            opened.segment.sync_indexes(self.disk())?;
            Ok(opened)
        });
        match replaced {
            Ok(opened) => {
                self.exchange_segments(old, Arc::new(opened.segment));
                Ok(())
            }
            Err(error) => {
                self.go_offline(&error);
                Err(error)
            }
        }
    }
}
