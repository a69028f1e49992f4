//! The bodies of the fuzz targets of the record formats: they take any bytes, must not panic, must
//! not allocate beyond their limit, and assert what must hold for whatever was accepted. The same
//! functions run under proptest in this crate's tests.

use super::{BatchBuilder, Compression, RecordError, batch, legacy};

/// What decompression may yield here, bytes.
const LIMIT: usize = 1 << 20;

/// Bytes as record batches: walked, checked, patched, and every accepted batch built again.
pub fn batch(bytes: &[u8]) {
    for item in batch::batches(bytes) {
        let Ok((header, one)) = item else { break };
        assert_eq!(one.len(), header.size(), "a batch is as long as its header says");
        let _ = rebuild(one);
        let _ = batch::validate(one, LIMIT);
        for magic in [legacy::Magic::V0, legacy::Magic::V1] {
            let mut old = legacy::SetBuilder::new(magic, i64::MIN, LIMIT);
            let _ = old.push(one, LIMIT);
            assert!(legacy::entries(&old.finish()).all(|entry| entry.is_ok()), "what is converted is whole");
        }
        let mut patched = one.to_vec();
        batch::set_base_offset(&mut patched, i64::MAX);
        batch::set_leader_epoch(&mut patched, 7);
        let _ = batch::validate(&patched, LIMIT);
        assert_eq!(
            batch::verify_crc(&patched).is_ok(),
            batch::verify_crc(one).is_ok(),
            "offset and epoch are outside the checksum"
        );
        batch::set_log_append_time(&mut patched, header.max_timestamp);
        assert_eq!(batch::verify_crc(&patched), Ok(()), "the append time renews the checksum");
    }
}

/// Builds a batch of the records of `bytes`, which must then read the same.
fn rebuild(bytes: &[u8]) -> Result<(), RecordError> {
    let records = batch::records(bytes, LIMIT)?;
    let mut builder = BatchBuilder::new(Compression::None);
    for record in &records {
        let record = record?;
        builder.append(record.timestamp, record.key, record.value, &[])?;
    }
    let built = builder.finish()?;
    assert_eq!(batch::validate(&built, usize::MAX).map(|_| ()), Ok(()), "what is built is valid");
    let again = batch::records(&built, usize::MAX)?;
    for (before, after) in records.iter().flatten().zip(again.iter().flatten()) {
        assert_eq!(
            (before.timestamp, before.key, before.value),
            (after.timestamp, after.key, after.value),
            "a record survives being built"
        );
    }
    Ok(())
}

/// Bytes as a message set of magic 0 or 1, with the checksums made right first, so that the fuzzer
/// gets behind them; what is accepted must convert to valid batches, and these to message sets.
pub fn message_set(bytes: &[u8]) {
    let limits = legacy::ConversionLimits { decompressed: LIMIT, batch: LIMIT };
    let _ = legacy::to_batches(bytes, None, limits);
    let mut set = bytes.to_vec();
    legacy::fix_checksums(&mut set);
    for converted in legacy::to_batches(&set, None, limits).unwrap_or_default() {
        assert_eq!(batch::validate(&converted, usize::MAX).map(|_| ()), Ok(()), "what is converted is valid");
        for magic in [legacy::Magic::V0, legacy::Magic::V1] {
            let mut old = legacy::SetBuilder::new(magic, 0, usize::MAX);
            assert_eq!(old.push(&converted, usize::MAX), Ok(()), "what is valid converts back");
            let all = legacy::entries(&old.finish()).all(|entry| entry.is_ok());
            assert!(all, "what is converted back is whole");
        }
    }
}

/// The first byte chooses the codec, the others are what it is to decompress.
pub fn decompress(bytes: &[u8]) {
    let Some((id, input)) = bytes.split_first() else { return };
    for limit in [0, 1000, LIMIT] {
        let Ok(codec) = Compression::from_id((id % 5) as i8) else { return };
        for output in [codec.decompress(input, limit), codec.decompress_magic_0(input, limit)] {
            assert!(output.map_or(0, |out| out.len()) <= limit, "{codec} exceeds its limit");
        }
    }
}
