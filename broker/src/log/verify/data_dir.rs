//! A whole data directory: whose it is, which topics there are, and how far each log was durable.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::partition::Span;
use super::{Verifier, VerifyError};
use crate::log::checkpoint::{self, Offsets};
use crate::log::disk::{RealDisk, list_dir, read_file};
use crate::log::manager::identity;
use crate::log::manager::names::{
    PARTITION_METADATA, parse_partition_dir, parse_partition_metadata, partition_dir,
};
use crate::log::manager::topics::FILE as REGISTRY;
use crate::log::manager::{FileTopicStore, TopicMeta, TopicStore};

/// Missing partitions of a topic that are named: a damaged registry may claim billions.
const ABSENT_MAX: usize = 100;

/// What a file system keeps at its root.
const FOREIGN: &str = "lost+found";

/// Whether a directory is a broker's data directory.
pub(super) fn is_one(dir: &Path) -> bool {
    dir.join(identity::META).exists() || dir.join(REGISTRY).exists()
}

fn registry(dir: &Path) -> Result<Option<Vec<TopicMeta>>, crate::log::StorageError> {
    FileTopicStore::new(Arc::new(RealDisk), dir).load()
}

fn is_compacted(meta: &TopicMeta) -> bool {
    meta.configs.get("cleanup.policy").is_some_and(|policy| policy.contains("compact"))
}

/// What is known of a partition's log beside its own files.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Rules {
    /// Compaction was never there, so that offsets have no gaps.
    pub(super) gapless: bool,
    /// What is before it was deleted; a crash may have brought back some of it.
    pub(super) log_start: i64,
}

/// What the data directory says of a partition that is in it; without one nothing is known.
pub(super) fn rules(dir: &Path) -> Rules {
    let name = dir.file_name().and_then(|name| parse_partition_dir(name.to_str()?));
    let (Some((topic, index)), Some(parent)) = (name, dir.parent()) else { return Rules::default() };
    let metas = registry(parent).ok().flatten().unwrap_or_default();
    let gapless = metas.iter().find(|meta| meta.name == topic).is_some_and(|meta| !is_compacted(meta));
    let starts = read_file(&parent.join(checkpoint::LOG_STARTS)).ok().flatten().unwrap_or_default();
    let starts = std::str::from_utf8(&starts).ok().and_then(checkpoint::parse).unwrap_or_default();
    Rules { gapless, log_start: starts.get(&(topic.to_owned(), index)).copied().unwrap_or(0) }
}

/// What the files of the data directory say.
struct Known<'a> {
    metas: Option<&'a [TopicMeta]>,
    starts: Offsets,
}

impl Verifier<'_> {
    /// Verifies all of a data directory.
    pub(super) fn data_dir(&mut self, dir: &Path) -> Result<(), VerifyError> {
        self.identity(dir)?;
        let metas = self.registered(dir)?;
        let starts = self.checkpoint(&dir.join(checkpoint::LOG_STARTS))?;
        let known = Known { metas: metas.as_deref(), starts };
        let mut spans = BTreeMap::new();
        for path in list_dir(dir)? {
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
            if path.is_dir() {
                self.directory(&path, name, &known, &mut spans)?;
            } else if name.ends_with(".tmp") {
                let remedy = "it is overwritten when the file is next written, and may be deleted";
                self.leftover(&path, "an interrupted write has left it", remedy);
            }
        }
        self.absent(dir, metas.as_deref().unwrap_or_default());
        self.ends(dir, &spans, &known.starts)
    }

    fn identity(&mut self, dir: &Path) -> Result<(), VerifyError> {
        let path = dir.join(identity::META);
        match read_file(&path)? {
            None => self.damage(
                &path,
                "it is missing: nothing says which broker of which cluster this is",
                "restore it; else the broker gives the directory a new cluster id",
            ),
            Some(bytes) if std::str::from_utf8(&bytes).ok().and_then(identity::parse).is_none() => {
                self.damage(
                    &path,
                    "it names no cluster.id and node.id",
                    "restore it: the broker does not start",
                );
            }
            Some(_) => {}
        }
        Ok(())
    }

    /// The registered topics; `None` when that is not known.
    fn registered(&mut self, dir: &Path) -> Result<Option<Vec<TopicMeta>>, VerifyError> {
        let path = dir.join(REGISTRY);
        match registry(dir) {
            Ok(Some(metas)) => return Ok(Some(metas)),
            Ok(None) => self.damage(
                &path,
                "it is missing",
                "restore it; else the broker finds the topics by their directories, without their settings",
            ),
            Err(error) => self.damage(&path, error.to_string(), "restore it: the broker does not start"),
        }
        Ok(None)
    }

    fn directory(
        &mut self,
        path: &Path,
        name: &str,
        known: &Known<'_>,
        spans: &mut BTreeMap<(String, i32), Span>,
    ) -> Result<(), VerifyError> {
        let Some((topic, index)) = parse_partition_dir(name) else {
            if name.ends_with("-delete") {
                self.leftover(path, "a topic was being deleted", "the broker goes on with it when it starts");
            } else if name.ends_with("-stray") {
                let remedy = "look into it and delete it: nothing uses it";
                self.leftover(path, "it was found in the way of a new topic", remedy);
            } else if name != FOREIGN {
                let remedy = "move it away: the broker does not look into it";
                self.damage(path, "the name is not that of a topic and its partition", remedy);
            }
            return Ok(());
        };
        let meta = known.metas.and_then(|metas| metas.iter().find(|meta| meta.name == topic));
        let place = (topic.to_owned(), index);
        let rules = Rules {
            gapless: meta.is_some_and(|meta| !is_compacted(meta)),
            log_start: known.starts.get(&place).copied().unwrap_or(0),
        };
        let span = self.partition(path, rules)?;
        spans.insert(place, span);
        match meta {
            None if known.metas.is_some() => self.damage(
                path,
                format!("topic {topic} is not in {REGISTRY}"),
                "nothing reads it: its creation was interrupted, or the registry is not of this directory",
            ),
            Some(meta) if index >= meta.partitions => {
                let problem = format!("topic {topic} has only {} partitions", meta.partitions);
                self.damage(path, problem, "nothing reads it: the registry is not of this directory");
            }
            Some(meta) => self.topic_id(path, meta)?,
            None => {}
        }
        Ok(())
    }

    fn topic_id(&mut self, dir: &Path, meta: &TopicMeta) -> Result<(), VerifyError> {
        let path = dir.join(PARTITION_METADATA);
        let bytes = read_file(&path)?.unwrap_or_default();
        let found = std::str::from_utf8(&bytes).ok().and_then(parse_partition_metadata);
        if found.is_some_and(|id| id != meta.id) {
            let problem = format!("it is of another topic than the {} of {REGISTRY}", meta.name);
            self.damage(
                &path,
                problem,
                "the directory is of a deleted topic, or of another broker: restore the right one",
            );
        }
        Ok(())
    }

    /// Partitions without a directory, the first ones of each topic.
    fn absent(&mut self, dir: &Path, metas: &[TopicMeta]) {
        for meta in metas.iter().filter(|meta| !meta.deleting) {
            let paths = (0..meta.partitions).map(|index| dir.join(partition_dir(&meta.name, index)));
            for path in paths.filter(|path| !path.is_dir()).take(ABSENT_MAX) {
                self.damage(&path, "it is missing", "restore it; else the broker begins an empty log");
            }
        }
    }

    /// The offsets in one of the data directory's checkpoints.
    pub(super) fn checkpoint(&mut self, path: &Path) -> Result<Offsets, VerifyError> {
        let Some(bytes) = read_file(path)? else { return Ok(Offsets::new()) };
        let offsets = std::str::from_utf8(&bytes).ok().and_then(checkpoint::parse);
        Ok(offsets.unwrap_or_else(|| {
            self.damage(path, "it is no list of offsets", "the broker ignores it, and writes it anew");
            Offsets::new()
        }))
    }

    /// Compares what was durable with what is there.
    fn ends(
        &mut self,
        dir: &Path,
        spans: &BTreeMap<(String, i32), Span>,
        starts: &Offsets,
    ) -> Result<(), VerifyError> {
        for name in checkpoint::ALL {
            let path = dir.join(name);
            let offsets =
                if name == checkpoint::LOG_STARTS { starts.clone() } else { self.checkpoint(&path)? };
            for ((topic, index), offset) in offsets {
                let Some(span) = spans.get(&(topic.clone(), index)) else { continue };
                if offset > span.end {
                    let problem =
                        format!("{topic}-{index} had offset {offset}, and its log ends at {}", span.end);
                    let remedy =
                        "what lies between is lost or cannot be read: restore the partition from a backup";
                    self.damage(&path, problem, remedy);
                }
            }
        }
        Ok(())
    }
}
