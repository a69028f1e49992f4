//! Checksums made right, so that a fuzzer gets behind them.

use wire::record::batch::{self, BatchHeader};

/// Where a batch's checksum stands, and from where on it counts.
const BATCH_CRC: (usize, usize) = (17, 21);
/// The same for a snapshot of producers.
const SNAPSHOT_CRC: (usize, usize) = (2, 6);

/// Mends the checksums of the batches of a segment, as far as their lengths lead.
pub(super) fn checksums(log: &mut [u8]) {
    each_batch(log, |_, batch| put_crc(batch, BATCH_CRC));
}

/// Lets each batch begin where the one before it ends, the first one at `base_offset`.
pub(super) fn offsets(log: &mut [u8], base_offset: i64) {
    let mut next = base_offset;
    each_batch(log, |header, bytes| {
        batch::set_base_offset(bytes, next);
        next = next.saturating_add(i64::from(header.last_offset_delta)).saturating_add(1);
    });
}

/// Mends the checksum of a snapshot.
pub(super) fn snapshot(bytes: &mut [u8]) {
    put_crc(bytes, SNAPSHOT_CRC);
}

fn each_batch(log: &mut [u8], mut change: impl FnMut(&BatchHeader, &mut [u8])) {
    let mut rest = log;
    while let Ok(header) = BatchHeader::parse(rest) {
        let Some((bytes, behind)) = rest.split_at_mut_checked(header.size()) else { return };
        change(&header, bytes);
        rest = behind;
    }
}

fn put_crc(bytes: &mut [u8], (at, from): (usize, usize)) {
    let crc = wire::crc32c(bytes.get(from..).unwrap_or_default());
    if let Some(place) = bytes.get_mut(at..at + 4) {
        place.copy_from_slice(&crc.to_be_bytes());
    }
}
