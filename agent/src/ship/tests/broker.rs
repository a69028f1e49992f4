//! A broker in the test's process that speaks the protocol and fails as it is told to.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use wire::error_code::ErrorCode;
use wire::message::api_versions::ApiVersion;
use wire::message::metadata::{MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic};
use wire::message::produce::{PartitionProduceResponse, TopicProduceResponse};
use wire::message::{
    ApiKey, ApiVersionsResponse, InitProducerIdResponse, Message, MetadataRequest, MetadataResponse,
    ProduceRequest, ProduceResponse,
};

use super::log::{Line, Partition};

/// What happens to a produce request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The connection ends before the append.
    CloseBefore,
    /// The connection ends after the append: the acknowledgement is lost.
    CloseAfter,
    /// It is refused.
    Refuse(ErrorCode),
    /// It is appended, and refused all the same.
    AppendAndRefuse(ErrorCode),
    /// It is appended and never answered; the connection stays open.
    Stall,
    /// It is answered with garbage.
    Garbage,
}

/// What all connections share.
#[derive(Default)]
pub(super) struct World {
    pub(super) partitions: BTreeMap<(String, i32), Partition>,
    /// Partitions of each topic; others have `default_partitions`.
    pub(super) topics: HashMap<String, i32>,
    pub(super) default_partitions: i32,
    /// What happens to the next produce requests; `None` for nothing unusual.
    pub(super) faults: VecDeque<Option<Fault>>,
    /// What happens to all requests for a topic.
    pub(super) refused_topics: HashMap<String, ErrorCode>,
    /// How often a topic is still unknown to metadata.
    pub(super) hidden: u32,
    /// Batches over this size are refused.
    pub(super) max_batch: Option<usize>,
    pub(super) producer_ids: i64,
    pub(super) produces: usize,
    pub(super) connections: usize,
    /// No produce request is answered while it is true.
    pub(super) stalled: bool,
    /// The highest version of Produce that is served.
    pub(super) produce_version: i16,
}

/// A running broker; ends when it is dropped.
pub(super) struct Broker {
    pub(super) address: SocketAddr,
    pub(super) world: Arc<Mutex<World>>,
    /// Counts what happens, for tests that wait for it.
    changes: watch::Sender<u64>,
    tasks: JoinSet<()>,
}

impl Broker {
    pub(super) async fn start() -> Self {
        Self::start_at(([127, 0, 0, 1], 0).into()).await
    }

    pub(super) async fn start_at(address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let world = World { default_partitions: 1, produce_version: 11, ..World::default() };
        let world = Arc::new(Mutex::new(world));
        let changes = watch::Sender::new(0);
        let mut tasks = JoinSet::new();
        let (shared, reports) = (world.clone(), changes.clone());
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                shared.lock().connections += 1;
                let session = Session { stream, world: shared.clone(), changes: reports.clone(), address };
                connections.spawn(session.serve());
            }
        });
        Self { address, world, changes, tasks }
    }

    /// Ends all connections and gives the port back.
    pub(super) async fn stop(&mut self) {
        self.tasks.shutdown().await;
    }

    /// Waits until the world is as `wanted`.
    pub(super) async fn until(&self, wanted: impl Fn(&World) -> bool) {
        let mut changes = self.changes.subscribe();
        while !wanted(&self.world.lock()) {
            changes.changed().await.unwrap();
        }
    }

    /// Waits until `count` lines are in all partitions together.
    pub(super) async fn until_lines(&self, count: usize) {
        self.until(|world| {
            world.partitions.values().map(|partition| partition.lines.len()).sum::<usize>() >= count
        })
        .await;
    }

    /// Lets the next produce requests fail, one after the other.
    pub(super) fn fail(&self, faults: impl IntoIterator<Item = Fault>) {
        self.world.lock().faults.extend(faults.into_iter().map(Some));
    }

    /// The lines of a partition.
    pub(super) fn lines(&self, topic: &str, partition: i32) -> Vec<Line> {
        let world = self.world.lock();
        let found = world.partitions.get(&(topic.to_owned(), partition));
        found.map(|partition| partition.lines.clone()).unwrap_or_default()
    }

    /// Changes the world and lets the waiting look again.
    pub(super) fn change(&self, change: impl FnOnce(&mut World)) {
        change(&mut self.world.lock());
        self.changes.send_modify(|count| *count += 1);
    }
}

struct Session {
    stream: TcpStream,
    world: Arc<Mutex<World>>,
    changes: watch::Sender<u64>,
    address: SocketAddr,
}

impl Session {
    async fn serve(mut self) {
        while let Some(frame) = self.read().await {
            let (header, mut body) = wire::frame::decode_request_header(frame).unwrap();
            let key = ApiKey::try_from(header.api_key).unwrap();
            let (version, id) = (header.api_version, header.correlation_id);
            let encoded = match key {
                ApiKey::ApiVersions => wire::frame::encode_response(key, version, id, &self.versions()),
                ApiKey::Metadata => {
                    let request = MetadataRequest::decode(&mut body, version).unwrap();
                    wire::frame::encode_response(key, version, id, &self.metadata(&request))
                }
                ApiKey::InitProducerId => {
                    let producer_id = {
                        let mut world = self.world.lock();
                        world.producer_ids += 1;
                        world.producer_ids
                    };
                    let answer = InitProducerIdResponse { producer_id, ..Default::default() };
                    wire::frame::encode_response(key, version, id, &answer)
                }
                ApiKey::Produce => {
                    let request = ProduceRequest::decode(&mut body, version).unwrap();
                    let Some(answer) = self.produce(&request).await else { return };
                    wire::frame::encode_response(key, version, id, &answer)
                }
                other => panic!("the agent does not need {other}"),
            };
            self.changes.send_modify(|count| *count += 1);
            if self.stream.write_all(&encoded.unwrap().bytes).await.is_err() {
                return;
            }
        }
    }

    async fn read(&mut self) -> Option<Bytes> {
        let size = self.stream.read_i32().await.ok()?;
        let mut frame = vec![0; usize::try_from(size).unwrap()];
        self.stream.read_exact(&mut frame).await.ok()?;
        Some(frame.into())
    }

    fn versions(&self) -> ApiVersionsResponse {
        let produce_version = self.world.lock().produce_version;
        let served = |key: ApiKey| ApiVersion {
            api_key: key.code(),
            min_version: 0,
            max_version: if key == ApiKey::Produce { produce_version } else { *key.versions().end() },
        };
        let keys = [ApiKey::ApiVersions, ApiKey::Metadata, ApiKey::InitProducerId, ApiKey::Produce];
        ApiVersionsResponse { api_keys: keys.map(served).to_vec(), ..Default::default() }
    }

    fn metadata(&self, request: &MetadataRequest) -> MetadataResponse {
        let mut world = self.world.lock();
        let hidden = world.hidden > 0;
        world.hidden = world.hidden.saturating_sub(1);
        let topics = request.topics.iter().flatten().map(|topic| {
            let name = topic.name.clone().unwrap();
            if hidden {
                let error_code = ErrorCode::UnknownTopicOrPartition.code();
                return MetadataResponseTopic { error_code, name: Some(name), ..Default::default() };
            }
            let count = world.topics.get(&name).copied().unwrap_or(world.default_partitions);
            let partitions = (0..count)
                .map(|partition_index| MetadataResponsePartition {
                    partition_index,
                    leader_id: 7,
                    ..Default::default()
                })
                .collect();
            MetadataResponseTopic { name: Some(name), partitions, ..Default::default() }
        });
        let broker = MetadataResponseBroker {
            node_id: 7,
            host: self.address.ip().to_string(),
            port: self.address.port().into(),
            ..Default::default()
        };
        MetadataResponse { topics: topics.collect(), brokers: vec![broker], ..Default::default() }
    }

    /// The answer; `None` when the connection is to end.
    async fn produce(&mut self, request: &ProduceRequest) -> Option<ProduceResponse> {
        assert_eq!(request.acks, -1, "every batch is acknowledged by all in-sync replicas");
        let topic = request.topic_data.first().unwrap();
        let data = topic.partition_data.first().unwrap();
        let batch = data.records.as_ref().unwrap().bytes().unwrap().clone();
        let (fault, code) = self.judge(&topic.name, data.index, &batch);
        self.changes.send_modify(|count| *count += 1);
        match fault {
            Some(Fault::CloseBefore | Fault::CloseAfter) => return None,
            Some(Fault::Stall) => std::future::pending().await,
            Some(Fault::Garbage) => {
                let _ = self.stream.write_all(b"\0\0\0\x08 garbage").await;
                return None;
            }
            _ => {}
        }
        let mut changes = self.changes.subscribe();
        while self.world.lock().stalled {
            changes.changed().await.unwrap();
        }
        let partition =
            PartitionProduceResponse { index: data.index, error_code: code.code(), ..Default::default() };
        let topic = TopicProduceResponse { name: topic.name.clone(), partition_responses: vec![partition] };
        Some(ProduceResponse { responses: vec![topic], ..Default::default() })
    }

    fn judge(&self, topic: &str, partition: i32, batch: &[u8]) -> (Option<Fault>, ErrorCode) {
        let mut world = self.world.lock();
        world.produces += 1;
        let fault = world.faults.pop_front().flatten();
        if let Some(code) = world.refused_topics.get(topic) {
            return (fault, *code);
        }
        if world.max_batch.is_some_and(|max| batch.len() > max) {
            return (fault, ErrorCode::MessageTooLarge);
        }
        match fault {
            Some(Fault::CloseBefore) => return (fault, ErrorCode::None),
            Some(Fault::Refuse(code)) => return (fault, code),
            _ => {}
        }
        let code = world.partitions.entry((topic.to_owned(), partition)).or_default().append(batch);
        match fault {
            Some(Fault::AppendAndRefuse(answer)) if code == ErrorCode::None => (fault, answer),
            _ => (fault, code),
        }
    }
}
