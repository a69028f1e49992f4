//! Real files to begin with.

use std::fs;

use wire::record::{BatchBuilder, Compression, EndMarker, RecordError};

use super::partition::{DIR, KINDS, Way};
use super::{LOG, NOON, Scratch, log_file};
use crate::log::disk::list_dir;
use crate::log::epochs;
use crate::log::error::AppendError;
use crate::log::partition::Partition;
use crate::log::segment::base_of;

/// Inputs of [`segment`](super::segment), [`partition`](super::partition) and [`log_file`](super::log_file).
pub(crate) fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let mut seeds = Vec::new();
    for closed in [false, true] {
        let scratch = Scratch::new();
        let files = files(&scratch, closed);
        let logs = files.iter().filter(|(name, _)| name == LOG);
        let ways =
            [0, Way::CLEAN, Way::COMPACT | Way::MEND, Way::MEND | Way::RENUMBER, Way::DURABLE | Way::SPARSE];
        for way in ways {
            seeds.extend(logs.clone().map(|(_, content)| ("segment", prefixed(way, content))));
            seeds.push(("partition", packed(way | if closed { Way::CLEAN } else { 0 }, &files)));
        }
        for (name, content) in files.iter().filter(|_| closed) {
            let known =
                log_file::NAMES.iter().position(|known| known.rsplit('.').next() == name.rsplit('.').next());
            let kind = known.and_then(|at| u8::try_from(at).ok());
            seeds.extend(kind.map(|kind| ("log_file", prefixed(kind | log_file::MEND, content))));
        }
    }
    seeds.push(("log_file", prefixed(5, b"0\n2\n0 0\n3 17\n")));
    seeds.push(("log_file", prefixed(6, b"0\n2\nnginx_log 0 4942639\nnginx_log 1 0\n")));
    seeds
}

/// A segment of three batches.
pub(super) fn log() -> Vec<u8> {
    let mut log = Vec::new();
    for number in 0..3 {
        let mut batch = batch(BatchBuilder::new(Compression::None), number).unwrap_or_default();
        wire::record::batch::set_base_offset(&mut batch, number);
        log.append(&mut batch);
    }
    log
}

fn prefixed(first: u8, content: &[u8]) -> Vec<u8> {
    [&[first], content].concat()
}

/// The files as [`partition`](super::partition) takes them.
fn packed(way: u8, files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut out = vec![way];
    for (name, content) in files {
        let base = KINDS.iter().find_map(|suffix| base_of(name.as_ref(), suffix)).unwrap_or(0);
        let kind = KINDS.iter().position(|suffix| name.ends_with(&format!(".{suffix}")));
        let kind = if name == epochs::FILE { Some(KINDS.len()) } else { kind };
        let (Some(kind), Ok(len)) = (kind, u16::try_from(content.len())) else { continue };
        out.extend_from_slice(&[kind as u8, base as u8]);
        out.extend_from_slice(&len.to_be_bytes());
        out.extend_from_slice(content);
    }
    out
}

/// The files of a partition that has seen a bit of everything.
fn files(scratch: &Scratch, closed: bool) -> Vec<(String, Vec<u8>)> {
    scratch.write(&format!("{DIR}/.keep"), b"");
    let dir = scratch.path().join(DIR);
    let filled = Partition::open(Way(0).origin(&dir)).map(|(partition, _)| {
        let filled = fill(&partition);
        assert!(filled.is_ok(), "a seed cannot be made: {filled:?}");
        if closed { partition.close() } else { Ok(()) }
    });
    assert!(matches!(filled, Ok(Ok(()))), "a seed cannot be made: {filled:?}");
    let named = |path: std::path::PathBuf| {
        let name = path.file_name()?.to_str()?.to_owned();
        Some((name, fs::read(&path).ok()?))
    };
    list_dir(&dir).unwrap_or_default().into_iter().filter_map(named).collect()
}

fn fill(partition: &Partition) -> Result<(), AppendError> {
    for number in 0..6 {
        partition.append(&mut batch(BatchBuilder::new(Compression::None), number)?)?;
        let idempotent = BatchBuilder::new(Compression::Lz4).producer(7, 0, number as i32);
        partition.append(&mut batch(idempotent, number)?)?;
        let transactional =
            BatchBuilder::new(Compression::None).producer(9, 0, number as i32).transactional();
        partition.append_verified(&mut batch(transactional, number)?, partition.unverified(9))?;
        let marker = EndMarker { committed: number % 2 == 0, coordinator_epoch: 0 };
        partition.append_marker(9, 0, marker)?;
    }
    Ok(())
}

fn batch(mut builder: BatchBuilder, number: i64) -> Result<Vec<u8>, RecordError> {
    builder.append(NOON + number, Some(b"key"), Some(b"value"), &[("file", b"x".as_slice())])?;
    builder.finish().map(Vec::from)
}
