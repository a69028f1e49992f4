//! What the cluster looks like: its brokers, the topics' partitions and their leaders.
//!
//! It is asked for when something is missing, when a leader turned out not to be one, and when the knowledge is older than
//! `metadata_max_age_ms`. Asking for a topic creates it where the broker allows that. One question is under way at a time:
//! who finds that another has just asked uses its answer.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rand::seq::SliceRandom;
use tokio::time::Instant;
use wire::error_code::ErrorCode;
use wire::message::metadata::MetadataRequestTopic;
use wire::message::{MetadataRequest, MetadataResponse};

use super::config::Config;
use super::connection::{CallError, Connection};
use super::decide::Failure;
use super::pool::Pool;

/// One answer to the question.
#[derive(Debug, Default)]
struct Cluster {
    /// Counts the answers.
    version: u64,
    asked: Option<Instant>,
    brokers: HashMap<i32, Arc<str>>,
    topics: HashMap<Arc<str>, Topic>,
}

#[derive(Debug)]
struct Topic {
    /// Why its partitions are not known.
    error: ErrorCode,
    /// The leader of each partition that has one.
    leaders: HashMap<i32, i32>,
    partitions: i32,
}

/// The cluster as it was last seen.
pub(super) struct Metadata {
    pool: Pool,
    bootstrap: Vec<Arc<str>>,
    max_age: Duration,
    seen: Mutex<Cluster>,
    wanted: Mutex<BTreeSet<Arc<str>>>,
    asking: tokio::sync::Mutex<()>,
}

impl Metadata {
    pub(super) fn new(config: &Arc<Config>) -> Self {
        Self {
            pool: Pool::new(config.clone()),
            bootstrap: config.bootstrap_servers().into_iter().map(Arc::from).collect(),
            max_age: Duration::from_millis(config.metadata_max_age_ms),
            seen: Mutex::default(),
            wanted: Mutex::default(),
            asking: tokio::sync::Mutex::default(),
        }
    }

    /// How many partitions the topic has, or why that is not known. Asks the cluster when it must.
    pub(super) async fn partitions(&self, topic: &Arc<str>) -> Result<i32, Failure> {
        if let Some(count) = self.partitions_seen(topic) {
            return Ok(count);
        }
        self.wanted.lock().insert(topic.clone());
        let version = self.version();
        self.refresh(version).await?;
        match self.seen.lock().topics.get(topic) {
            Some(topic) if topic.partitions > 0 => Ok(topic.partitions),
            Some(topic) if topic.error != ErrorCode::None => Err(Failure::Refused(topic.error)),
            _ => Err(Failure::NoLeader),
        }
    }

    /// As [`Metadata::partitions`], from fresh knowledge only.
    fn partitions_seen(&self, topic: &Arc<str>) -> Option<i32> {
        let cluster = self.seen.lock();
        let fresh = cluster.asked.is_some_and(|asked| asked.elapsed() < self.max_age);
        let count = cluster.topics.get(topic).map_or(0, |topic| topic.partitions);
        (fresh && count > 0).then_some(count)
    }

    /// A connection to the leader of a partition; `None` when no leader is known.
    pub(super) async fn leader(
        &self,
        topic: &Arc<str>,
        partition: i32,
    ) -> Result<Option<Arc<Connection>>, CallError> {
        let address = {
            let cluster = self.seen.lock();
            let leader = cluster.topics.get(topic).and_then(|topic| topic.leaders.get(&partition));
            leader.and_then(|id| cluster.brokers.get(id)).cloned()
        };
        match address {
            Some(address) => self.pool.get(&address).await.map(Some),
            None => {
                self.wanted.lock().insert(topic.clone());
                Ok(None)
            }
        }
    }

    /// A connection to any broker.
    pub(super) async fn any(&self) -> Result<Arc<Connection>, CallError> {
        let mut failure = None;
        for address in self.candidates() {
            match self.pool.get(&address).await {
                Ok(connection) => return Ok(connection),
                Err(error) => failure = Some(error),
            }
        }
        Err(failure.unwrap_or_else(no_server))
    }

    /// Which answer is known at present, for [`Metadata::refresh`].
    pub(super) fn version(&self) -> u64 {
        self.seen.lock().version
    }

    /// Asks the cluster, unless another has since `version` was the present answer.
    pub(super) async fn refresh(&self, version: u64) -> Result<(), CallError> {
        let _asking = self.asking.lock().await;
        if self.version() != version {
            return Ok(());
        }
        let mut failure = None;
        for address in self.candidates() {
            match self.ask(&address).await {
                Ok(answer) => {
                    self.learn(answer);
                    return Ok(());
                }
                Err(error) => failure = Some(error),
            }
        }
        Err(failure.unwrap_or_else(no_server))
    }

    async fn ask(&self, address: &str) -> Result<MetadataResponse, CallError> {
        let wanted = self.wanted.lock().clone();
        let topic =
            |name: &Arc<str>| MetadataRequestTopic { name: Some(name.to_string()), ..Default::default() };
        let request = MetadataRequest {
            topics: Some(wanted.iter().map(topic).collect()),
            allow_auto_topic_creation: true,
            ..Default::default()
        };
        self.pool.get(address).await?.call(&request).await
    }

    fn learn(&self, answer: MetadataResponse) {
        let brokers: HashMap<i32, Arc<str>> = answer
            .brokers
            .iter()
            .map(|broker| (broker.node_id, format!("{}:{}", broker.host, broker.port).into()))
            .collect();
        let mut keep: Vec<Arc<str>> = brokers.values().cloned().collect();
        keep.extend(self.bootstrap.iter().cloned());
        self.pool.retain(&keep);
        let topics = answer.topics.into_iter().filter_map(|topic| {
            let partitions = i32::try_from(topic.partitions.len()).ok()?;
            let leaders = topic
                .partitions
                .iter()
                .filter(|partition| partition.leader_id >= 0)
                .map(|partition| (partition.partition_index, partition.leader_id))
                .collect();
            let error = ErrorCode::from_code(topic.error_code);
            Some((topic.name?.into(), Topic { error, leaders, partitions }))
        });
        let topics = topics.collect();
        let mut seen = self.seen.lock();
        let version = seen.version.wrapping_add(1);
        *seen = Cluster { version, asked: Some(Instant::now()), brokers, topics };
    }

    /// The known brokers in random order, then the bootstrap servers.
    fn candidates(&self) -> Vec<Arc<str>> {
        let mut known: Vec<Arc<str>> = self.seen.lock().brokers.values().cloned().collect();
        let mut bootstrap = self.bootstrap.clone();
        let mut random = rand::rng();
        known.shuffle(&mut random);
        bootstrap.shuffle(&mut random);
        bootstrap.retain(|address| !known.contains(address));
        known.append(&mut bootstrap);
        known
    }
}

fn no_server() -> CallError {
    CallError::Unreachable { address: "".into(), reason: "no bootstrap server is configured".into() }
}
