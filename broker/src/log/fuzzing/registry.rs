//! The small files of the data directory: topics, identity, directories.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Scratch;
use crate::log::disk::RealDisk;
use crate::log::manager::names::{
    decode_id, encode_id, parse_partition_dir, parse_partition_metadata, partition_dir, partition_metadata,
};
use crate::log::manager::topics::{self, FileTopicStore};
use crate::log::manager::{TopicStore, identity};
use crate::log::verify::verify;

/// Bytes as `topics.json`: what is read can be verified, and written again.
pub(crate) fn registry(content: &[u8]) {
    let scratch = Scratch::new();
    scratch.write(topics::FILE, content);
    let report = verify(&[scratch.path().to_owned()], &mut |_| {});
    assert!(report.is_ok(), "cannot verify: {report:?}");
    let open = || FileTopicStore::new(Arc::new(RealDisk), scratch.path());
    let store = open();
    let Ok(Some(found)) = store.load() else { return };
    let Some(first) = found.first() else { return };
    assert!(store.put(first).is_ok(), "a registry can be written");
    let named = |metas: Vec<_>| metas.into_iter().map(|meta: topics::TopicMeta| (meta.name.clone(), meta));
    let before: BTreeMap<_, _> = named(found).collect();
    let after: Option<BTreeMap<_, _>> = open().load().ok().flatten().map(|metas| named(metas).collect());
    assert_eq!(after, Some(before), "topics are kept");
}

/// Bytes as `meta.properties`.
pub(crate) fn identity(content: &[u8]) {
    let scratch = Scratch::new();
    scratch.write(identity::META, content);
    let found = std::str::from_utf8(content).ok().and_then(identity::parse);
    let node_id = found.as_ref().map_or(1, |identity| identity.node_id);
    let loaded = identity::load_or_create(&RealDisk, scratch.path(), node_id).ok();
    assert_eq!(loaded, found, "an identity is what the file says");
}

/// Bytes as `partition.metadata`, and as the name of a partition's directory.
pub(crate) fn directory(content: &[u8]) {
    let Ok(text) = std::str::from_utf8(content) else { return };
    if let Some(id) = parse_partition_metadata(text) {
        assert_eq!(parse_partition_metadata(&partition_metadata(id)), Some(id), "an id is kept");
        assert_eq!(decode_id(&encode_id(id)), Some(id), "an id is kept");
    }
    if let Some((topic, index)) = parse_partition_dir(text) {
        assert_eq!(partition_dir(topic, index), text, "a directory has one name");
    }
}
