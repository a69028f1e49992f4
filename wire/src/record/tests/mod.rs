//! Tests of the record formats, one file for each of the modules beside them, and for each kind of proof.

mod batch;
mod builder;
mod compression;
mod control;
mod differential;
mod error;
mod golden;
mod headers;
mod hostile;
mod lz4;
mod old_sets;
mod records;
mod set_builder;
mod validate;
mod varint;

use bytes::Bytes;

use super::{BatchBuilder, Compression};

/// More than any batch of these tests decompresses to.
const LIMIT: usize = 1 << 24;

/// A batch of three records of an idempotent producer, which exercises nulls and headers.
fn sample(compression: Compression) -> Bytes {
    let mut builder = BatchBuilder::new(compression).producer(4000, 5, 17);
    builder.append(1_000, Some(b"key"), Some(b"first"), &[("host", b"web-1"), ("path", b"/a.log")]).unwrap();
    builder.append(1_005, None, Some(&[b'a'; 300]), &[]).unwrap();
    builder.append(998, Some(b"gone"), None, &[]).unwrap();
    builder.finish().unwrap()
}

/// `batch` with its bytes changed by `change` and its checksum made right again.
fn resealed(batch: &[u8], change: impl FnOnce(&mut [u8])) -> Vec<u8> {
    let mut changed = batch.to_vec();
    change(&mut changed);
    let crc = super::batch::crc_of(&changed);
    changed[17..21].copy_from_slice(&crc.to_be_bytes());
    changed
}
