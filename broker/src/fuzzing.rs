//! The bodies of the fuzz targets. Each takes any bytes and panics only if a promise of this crate is broken. The same
//! bodies run under proptest in this crate's tests.

use std::sync::{Arc, OnceLock};

use daemon::config::{Live, Section, Source};

pub use crate::group::fuzzing::group_record;
pub use crate::log::fuzzing::{log_file, partition, segment};
pub use crate::txn::fuzzing::transaction_record;

use crate::config::Config;
use crate::log::RealDisk;
use crate::log::fuzzing::{Scratch, directory, identity, registry};
use crate::producer_ids::{self, ProducerIds};
use crate::settings::{self, DynamicSettings};

/// Bytes as one of the small files of the data directory, which the first byte chooses.
pub fn data_file(bytes: &[u8]) {
    let Some((kind, content)) = bytes.split_first() else { return };
    match kind % 5 {
        0 => registry(content),
        1 => identity(content),
        2 => directory(content),
        3 => producer_ids(content),
        _ => dynamic_settings(content),
    }
}

/// Ids ascend, also over a restart.
fn producer_ids(content: &[u8]) {
    let scratch = Scratch::new();
    scratch.write(producer_ids::FILE, content);
    let open = || ProducerIds::open(Arc::new(RealDisk), scratch.path());
    let Ok(ids) = open() else { return };
    let (Ok(first), Ok(second)) = (ids.next(), ids.next()) else { return };
    assert!((0..second).contains(&first), "{first} is followed by {second}");
    let reopened = open().map(|ids| ids.next());
    assert!(reopened.is_ok(), "what was written can be read: {reopened:?}");
    if let Ok(Ok(third)) = reopened {
        assert!(third > second, "after a restart {second} is followed by {third}");
    }
}

/// What is in force is valid.
fn dynamic_settings(content: &[u8]) {
    static SHIPPED: OnceLock<Option<Config>> = OnceLock::new();
    let shipped = SHIPPED.get_or_init(|| Source::new(Config::DEFAULTS).load().ok());
    let Some(shipped) = shipped.clone() else { unreachable!("the shipped settings are not valid") };
    let scratch = Scratch::new();
    scratch.write(settings::FILE, content);
    let opened = DynamicSettings::open(Arc::new(RealDisk), scratch.path(), Live::fixed(shipped));
    let Ok(settings) = opened else { return };
    let valid = settings.live().current().validate();
    assert!(valid.is_ok(), "what is in force is not valid: {valid:?}");
}

/// Inputs to begin with, each with its target.
pub fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let mut seeds = crate::log::fuzzing::seeds();
    seeds.extend(crate::group::fuzzing::seeds().into_iter().map(|seed| ("group_record", seed)));
    seeds.extend(crate::txn::fuzzing::seeds().into_iter().map(|seed| ("transaction_record", seed)));
    let files: [(u8, &str); 7] = [
        (
            0,
            r#"{"version":1,"topics":[{"name":"nginx_log","id":"5q7QGYWjQ9y3bEwBemqaQA","partitions":4,"configs":{"cleanup.policy":"compact"},"deleting":false}]}"#,
        ),
        (1, "version=1\ncluster.id=5q7QGYWjQ9y3bEwBemqaQA\nnode.id=1\n"),
        (2, "version: 0\ntopic_id: 5q7QGYWjQ9y3bEwBemqaQA\n"),
        (2, "nginx_log-3"),
        (3, "version=1\nnext=2000\n"),
        (
            4,
            r#"{"version":1,"default":{"log.retention.ms":"86400000","message.max.bytes":"1000"},"broker":{"log.segment.bytes":"1048576"}}"#,
        ),
        (4, r#"{"version":1,"default":{},"broker":{"log.cleaner.min.cleanable.ratio":"0.1"}}"#),
    ];
    seeds.extend(files.map(|(kind, text)| ("data_file", [&[kind], text.as_bytes()].concat())));
    seeds
}

#[cfg(test)]
mod tests;
