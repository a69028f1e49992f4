//! A broker in a temporary directory on a free port, and a client that speaks any version of any API.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use broker::Config;
use broker::log::{Disk, RealDisk};
use bytes::{Bytes, BytesMut};
use daemon::Context;
use daemon::config::{Live, Source, quote};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use wire::frame;
use wire::message::Request;
use wire::message::create_topics::{CreatableTopic, CreateTopicsRequest};
use wire::message::fetch::{FetchPartition, FetchRequest, FetchTopic, PartitionData};
use wire::message::produce::{
    PartitionProduceData, PartitionProduceResponse, ProduceRequest, TopicProduceData,
};
use wire::record::{BatchBuilder, Compression, batch};
use wire::{Blob, ErrorCode};

/// A running broker.
pub(crate) struct TestBroker {
    pub(crate) addr: SocketAddr,
    pub(crate) dir: Arc<TempDir>,
    pub(crate) ctx: Context,
    running: Option<JoinHandle<Result<(), broker::Error>>>,
}

/// The shipped settings with a free port, a directory, and some keys replaced (YAML values). Nothing is deleted for
/// its age: the tests' records are of 1970.
pub(crate) fn config(dir: &Path, keys: &[(&str, &str)]) -> Config {
    let source = Source::new(<Config as daemon::config::Section>::DEFAULTS)
        .set_text("listen", "127.0.0.1:0")
        .set("retention_ms", "-1")
        .set("data_dir", quote(dir.to_str().unwrap()));
    keys.iter().fold(source, |source, (key, value)| source.set(*key, *value)).load().unwrap()
}

impl TestBroker {
    pub(crate) async fn start() -> Self {
        Self::start_with(&[]).await
    }

    pub(crate) async fn start_with(keys: &[(&str, &str)]) -> Self {
        Self::start_in(Arc::new(tempfile::tempdir().unwrap()), keys, Arc::new(RealDisk)).await
    }

    pub(crate) async fn start_in(dir: Arc<TempDir>, keys: &[(&str, &str)], disk: Arc<dyn Disk>) -> Self {
        let ctx = Context::for_tests();
        let config = Live::fixed(config(dir.path(), keys));
        let bound = broker::bind_with(config, ctx.clone(), disk).await.unwrap();
        let addr = bound.local_addr();
        TestBroker { addr, dir, ctx, running: Some(tokio::spawn(bound.run())) }
    }

    pub(crate) async fn client(&self) -> Client {
        Client::connect(self.addr).await
    }

    /// Stops as SIGTERM does, and hands over the directory.
    pub(crate) async fn stop(mut self) -> Arc<TempDir> {
        self.ctx.shutdown.cancel();
        self.running.take().unwrap().await.unwrap().unwrap();
        self.dir.clone()
    }

    /// One line of the metrics page.
    pub(crate) fn metric(&self, name: &str) -> u64 {
        let page = self.ctx.metrics.encode();
        let line =
            page.lines().find(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(' ')));
        line.and_then(|line| line.rsplit(' ').next()).map_or(0, |value| value.parse().unwrap())
    }
}

impl Drop for TestBroker {
    fn drop(&mut self) {
        self.ctx.shutdown.cancel();
    }
}

/// One connection.
pub(crate) struct Client {
    pub(crate) stream: TcpStream,
    correlation_id: i32,
}

impl Client {
    pub(crate) async fn connect(addr: SocketAddr) -> Self {
        let stream = TcpStream::connect(addr).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Client { stream, correlation_id: 0 }
    }

    /// Sends a request and returns its correlation id.
    pub(crate) async fn send<R: Request>(&mut self, version: i16, request: &R) -> i32 {
        self.correlation_id += 1;
        let encoded = frame::encode_request(Some("test"), self.correlation_id, version, request).unwrap();
        self.stream.write_all(&encoded.bytes).await.unwrap();
        self.correlation_id
    }

    /// The next frame; `None` when the connection was closed.
    pub(crate) async fn frame(&mut self) -> Option<Bytes> {
        let size = self.stream.read_i32().await.ok()?;
        let mut frame = BytesMut::zeroed(size as usize);
        self.stream.read_exact(&mut frame).await.ok()?;
        Some(frame.freeze())
    }

    /// The next frame as the response to an `R` of `version`.
    pub(crate) async fn receive<R: Request>(&mut self, version: i16) -> (i32, R::Response) {
        let frame = self.frame().await.expect("a response, not the end of the connection");
        frame::decode_response::<R>(frame, version).unwrap()
    }

    pub(crate) async fn call<R: Request>(&mut self, version: i16, request: &R) -> R::Response {
        let sent = self.send(version, request).await;
        let (answered, response) = self.receive::<R>(version).await;
        assert_eq!(answered, sent, "the correlation id comes back");
        response
    }

    /// Returns when the broker has closed the connection without another byte.
    pub(crate) async fn expect_closed(mut self) {
        let mut rest = Vec::new();
        // a reset is a close too: bytes that were not read are lost then
        let read = self.stream.read_to_end(&mut rest).await;
        assert!(rest.is_empty(), "got {} bytes, then {read:?}", rest.len());
    }

    pub(crate) async fn create(&mut self, topic: &str, partitions: i32) {
        self.create_with(topic, partitions, &[]).await;
    }

    pub(crate) async fn create_with(&mut self, topic: &str, num_partitions: i32, configs: &[(&str, &str)]) {
        let configs =
            configs.iter().map(|(name, value)| wire::message::create_topics::CreatableTopicConfig {
                name: (*name).to_owned(),
                value: Some((*value).to_owned()),
            });
        let topic = CreatableTopic {
            name: topic.to_owned(),
            num_partitions,
            replication_factor: -1,
            configs: configs.collect(),
            ..Default::default()
        };
        let request = CreateTopicsRequest { topics: vec![topic], ..Default::default() };
        let response = self.call(7, &request).await;
        assert_eq!(response.topics[0].error_code, 0, "{:?}", response.topics[0].error_message);
    }

    /// Produces to partition 0 with acks=1 and demands success.
    pub(crate) async fn produce(&mut self, topic: &str, records: Bytes) -> i64 {
        let response = self.try_produce(topic, 1, records).await;
        assert_eq!(response.error_code, 0, "{:?}", response.error_message);
        response.base_offset
    }

    /// Produces to partition 0.
    pub(crate) async fn try_produce(
        &mut self,
        topic: &str,
        acks: i16,
        records: Bytes,
    ) -> PartitionProduceResponse {
        let mut response = self.call(9, &produce_request(topic, acks, records)).await;
        response.responses.remove(0).partition_responses.remove(0)
    }

    /// Fetches from partition 0, and returns its records' bytes with the rest.
    pub(crate) async fn fetch(&mut self, topic: &str, offset: i64) -> (PartitionData, Bytes) {
        let mut response = self.call(12, &fetch_request(topic, offset)).await;
        let data = response.responses.remove(0).partitions.remove(0);
        let bytes = data.records.as_ref().and_then(Blob::bytes).cloned().unwrap_or_default();
        (data, bytes)
    }

    /// All values of partition 0, from the beginning, with their offsets.
    pub(crate) async fn consume(&mut self, topic: &str) -> Vec<(i64, String)> {
        let mut all = Vec::new();
        loop {
            let next = all.last().map_or(0, |(offset, _)| offset + 1);
            let (data, bytes) = self.fetch(topic, next).await;
            assert_eq!(data.error_code, 0, "{:?}", ErrorCode::from_code(data.error_code));
            let records = values(&bytes);
            if records.is_empty() {
                return all;
            }
            all.extend(records.into_iter().filter(|(offset, _)| *offset >= next));
        }
    }
}

pub(crate) fn produce_request(topic: &str, acks: i16, records: Bytes) -> ProduceRequest {
    let data = PartitionProduceData { index: 0, records: Some(records.into()) };
    let topic = TopicProduceData { name: topic.to_owned(), partition_data: vec![data] };
    ProduceRequest { acks, timeout_ms: 10_000, topic_data: vec![topic], ..Default::default() }
}

/// Asks for what there is of partition 0, at once.
pub(crate) fn fetch_request(topic: &str, fetch_offset: i64) -> FetchRequest {
    let partition = FetchPartition { fetch_offset, partition_max_bytes: 1 << 20, ..Default::default() };
    let topic = FetchTopic { topic: topic.to_owned(), partitions: vec![partition], ..Default::default() };
    FetchRequest {
        max_wait_ms: 0,
        min_bytes: 1,
        max_bytes: 50 << 20,
        topics: vec![topic],
        ..Default::default()
    }
}

/// A batch of these values.
pub(crate) fn batch_of(values: &[&str]) -> Bytes {
    compressed(Compression::None, values)
}

pub(crate) fn compressed(codec: Compression, values: &[&str]) -> Bytes {
    finish(BatchBuilder::new(codec), values)
}

/// A batch of an idempotent producer.
pub(crate) fn batch_from(producer_id: i64, epoch: i16, base_sequence: i32, values: &[&str]) -> Bytes {
    finish(BatchBuilder::new(Compression::None).producer(producer_id, epoch, base_sequence), values)
}

fn finish(mut builder: BatchBuilder, values: &[&str]) -> Bytes {
    for (i, value) in values.iter().enumerate() {
        builder.append(1_000 + i as i64, None, Some(value.as_bytes()), &[]).unwrap();
    }
    builder.finish().unwrap()
}

/// Offsets and values of the whole batches in fetched bytes; each batch's CRC is checked.
pub(crate) fn values(bytes: &[u8]) -> Vec<(i64, String)> {
    let mut values = Vec::new();
    for found in batch::batches(bytes) {
        let Ok((_, whole)) = found else { break };
        batch::verify_crc(whole).unwrap();
        for record in batch::records(whole, 64 << 20).unwrap().iter() {
            let record = record.unwrap();
            values.push((record.offset, String::from_utf8(record.value.unwrap().to_vec()).unwrap()));
        }
    }
    values
}

/// What is expected of [`Client::consume`] when these values were produced in this order.
pub(crate) fn numbered(values: &[&str]) -> Vec<(i64, String)> {
    (0..).zip(values.iter().map(|value| (*value).to_owned())).collect()
}

/// The errors of partition 0 by name, for short assertions.
pub(crate) fn error_of(response: &PartitionProduceResponse) -> ErrorCode {
    ErrorCode::from_code(response.error_code)
}
