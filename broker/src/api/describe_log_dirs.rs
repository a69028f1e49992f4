//! DescribeLogDirs (35): how large the partitions are on the disk. There is one directory, `data_dir`.
//!
//! | version | |
//! |---|---|
//! | 0 | bytes of segments by partition |
//! | 2 | flexible |
//! | 3 | an error for the whole: there is none |
//! | 4 | bytes of the file system, in all and free |
//! | 1 | as the one before; nothing is throttled |
//!
//! Partitions that do not exist are left out, as Kafka does it. A partition is never behind itself nor on its way from another
//! directory.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use wire::message::describe_log_dirs::{
    DescribeLogDirsPartition, DescribeLogDirsRequest, DescribeLogDirsResponse, DescribeLogDirsResult,
    DescribeLogDirsTopic,
};

use super::RequestContext;
use crate::free_space;
use crate::state::{Broker, Topic};

pub(super) fn named(request: &DescribeLogDirsRequest) -> usize {
    request.topics.iter().flatten().map(|topic| topic.partitions.len()).sum()
}

pub(super) fn serve(
    broker: &Broker,
    _: &RequestContext,
    request: DescribeLogDirsRequest,
) -> DescribeLogDirsResponse {
    let topics = match request.topics {
        None => broker.logs.topics().iter().map(|topic| measure(topic, |_| true)).collect(),
        Some(wanted) => {
            let mut indexes: BTreeMap<String, BTreeSet<i32>> = BTreeMap::new();
            for topic in wanted {
                indexes.entry(topic.topic).or_default().extend(topic.partitions);
            }
            let found = indexes.iter().filter_map(|(name, indexes)| {
                let topic = broker.topic(name)?;
                Some(measure(&topic, |index| indexes.contains(&index)))
            });
            found.filter(|topic| !topic.partitions.is_empty()).collect()
        }
    };
    let dir = broker.logs.data_dir();
    let (total_bytes, usable_bytes) = space(dir).unwrap_or((-1, -1));
    let log_dir = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned()).display().to_string();
    let result = DescribeLogDirsResult { log_dir, topics, total_bytes, usable_bytes, ..Default::default() };
    DescribeLogDirsResponse { results: vec![result], ..Default::default() }
}

fn measure(topic: &Topic, wanted: impl Fn(i32) -> bool) -> DescribeLogDirsTopic {
    let numbered = (0..).zip(topic.partitions()).filter(|(index, _)| wanted(*index));
    let partitions = numbered.map(|(partition_index, partition)| DescribeLogDirsPartition {
        partition_index,
        partition_size: i64::try_from(partition.size_bytes()).unwrap_or(i64::MAX),
        ..Default::default()
    });
    DescribeLogDirsTopic { name: topic.name().to_owned(), partitions: partitions.collect() }
}

/// Bytes of the file system, in all and free.
fn space(dir: &Path) -> Option<(i64, i64)> {
    let found = free_space::space(dir).ok()?;
    let signed = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
    Some((signed(found.total), signed(found.available)))
}
