//! What acks mean, on a disk that can be held up or broken; and the order of a connection's answers.

use std::fs::File;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use broker::log::Disk;
use parking_lot::{Condvar, Mutex};
use wire::ErrorCode;
use wire::message::metadata::MetadataRequest;
use wire::message::produce::ProduceRequest;

use super::support::{Client, TestBroker, batch_of, error_of, fetch_request, numbered, produce_request};

/// Never flushed by count or time, so that only acks=all flushes.
const NO_FLUSH: [(&str, &str); 2] = [("flush_ms", "3600000"), ("flush_messages", "1000000000")];

/// A disk whose flushes of segments wait for a gate, and may fail.
#[derive(Debug, Default)]
struct GatedDisk {
    closed: Mutex<bool>,
    opened: Condvar,
    waiting: AtomicUsize,
    syncs: AtomicUsize,
    fails: AtomicBool,
}

impl GatedDisk {
    fn close(&self) {
        *self.closed.lock() = true;
    }

    fn open_gate(&self) {
        *self.closed.lock() = false;
        self.opened.notify_all();
    }

    /// Returns when a flush stands at the gate.
    async fn someone_waits(&self) {
        while self.waiting.load(Ordering::SeqCst) == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

impl Disk for GatedDisk {
    fn sync(&self, file: &File) -> io::Result<()> {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let mut closed = self.closed.lock();
        while *closed {
            self.opened.wait(&mut closed);
        }
        drop(closed);
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        self.syncs.fetch_add(1, Ordering::SeqCst);
        if self.fails.load(Ordering::SeqCst) {
            return Err(io::Error::other("the disk is broken"));
        }
        file.sync_data()
    }
}

async fn start(disk: &Arc<GatedDisk>) -> (TestBroker, Client) {
    let dir = Arc::new(tempfile::tempdir().unwrap());
    let broker = TestBroker::start_in(dir, &NO_FLUSH, disk.clone()).await;
    let mut client = broker.client().await;
    client.create("t", 1).await;
    (broker, client)
}

#[tokio::test]
async fn acks_all_is_answered_after_the_flush_and_acks_1_before() {
    let disk = Arc::new(GatedDisk::default());
    let (broker, mut client) = start(&disk).await;
    disk.close();
    client.produce("t", batch_of(&["in the page cache"])).await;
    client.send(9, &produce_request("t", -1, batch_of(&["on the disk"]))).await;
    disk.someone_waits().await;
    // visible to consumers, but not acknowledged
    assert_eq!(broker.client().await.consume("t").await.len(), 2);
    let mut byte = [0];
    let early = tokio::time::timeout(Duration::from_millis(20), client.stream.peek(&mut byte)).await;
    // whatever comes out: a flush that is held up for ever would hold up the end of the test as well
    disk.open_gate();
    assert!(early.is_err(), "acknowledged before the flush");
    let (_, response) = client.receive::<ProduceRequest>(9).await;
    assert_eq!(response.responses[0].partition_responses[0].base_offset, 1);
}

/// One flush serves the pipelined requests of a connection: they must not take turns.
#[tokio::test]
async fn pipelined_requests_share_flushes_and_are_answered_in_order() {
    let disk = Arc::new(GatedDisk::default());
    let (broker, mut client) = start(&disk).await;
    disk.close();
    let before = disk.syncs.load(Ordering::SeqCst);
    let sent: Vec<i32> = {
        let mut sent = Vec::new();
        for i in 0..10 {
            sent.push(client.send(9, &produce_request("t", -1, batch_of(&[&i.to_string()]))).await);
        }
        sent
    };
    disk.someone_waits().await;
    let mut reader = broker.client().await;
    while reader.consume("t").await.len() < 10 {}
    disk.open_gate();
    for (offset, correlation_id) in (0..).zip(sent) {
        let (answered, response) = client.receive::<ProduceRequest>(9).await;
        let partition = &response.responses[0].partition_responses[0];
        assert_eq!((answered, partition.base_offset, partition.error_code), (correlation_id, offset, 0));
    }
    let flushes = disk.syncs.load(Ordering::SeqCst) - before;
    assert!(flushes <= 3, "{flushes} flushes for 10 requests");
}

#[tokio::test]
async fn other_requests_wait_for_the_ones_before_them() {
    let disk = Arc::new(GatedDisk::default());
    let (_broker, mut client) = start(&disk).await;
    disk.close();
    let produced = client.send(9, &produce_request("t", -1, batch_of(&["x"]))).await;
    let asked = client.send(12, &MetadataRequest::default()).await;
    let again = client.send(9, &produce_request("t", -1, batch_of(&["y"]))).await;
    disk.someone_waits().await;
    disk.open_gate();
    assert_eq!(client.receive::<ProduceRequest>(9).await.0, produced);
    assert_eq!(client.receive::<MetadataRequest>(12).await.0, asked);
    assert_eq!(client.receive::<ProduceRequest>(9).await.0, again);
}

/// When it is not known what is on the disk, nothing is acknowledged any more.
#[tokio::test]
async fn a_failed_flush_is_never_acknowledged() {
    let disk = Arc::new(GatedDisk::default());
    let (broker, mut client) = start(&disk).await;
    client.create("other", 1).await;
    disk.fails.store(true, Ordering::SeqCst);
    let response = client.try_produce("t", -1, batch_of(&["x"])).await;
    assert_eq!(error_of(&response), ErrorCode::KafkaStorageError);
    disk.fails.store(false, Ordering::SeqCst);
    let response = client.try_produce("t", 1, batch_of(&["y"])).await;
    assert_eq!(error_of(&response), ErrorCode::KafkaStorageError, "the partition stays out of service");
    let fetched = client.call(12, &fetch_request("t", 0)).await;
    let error = ErrorCode::from_code(fetched.responses[0].partitions[0].error_code);
    assert_eq!(error, ErrorCode::KafkaStorageError);
    client.produce("other", batch_of(&["fine"])).await;
    drop(broker);
}

#[tokio::test]
async fn a_flush_that_takes_too_long_is_answered_with_a_timeout() {
    let disk = Arc::new(GatedDisk::default());
    let (_broker, mut client) = start(&disk).await;
    disk.close();
    let request = ProduceRequest { timeout_ms: 20, ..produce_request("t", -1, batch_of(&["x"])) };
    let response = client.call(9, &request).await;
    let error = error_of(&response.responses[0].partition_responses[0]);
    assert_eq!(error, ErrorCode::RequestTimedOut);
    disk.open_gate();
}

#[tokio::test]
async fn a_stop_answers_what_is_in_flight() {
    let disk = Arc::new(GatedDisk::default());
    let (broker, mut client) = start(&disk).await;
    disk.close();
    for value in ["a", "b", "c"] {
        client.send(9, &produce_request("t", -1, batch_of(&[value]))).await;
    }
    let mut reader = broker.client().await;
    while reader.consume("t").await.len() < 3 {}
    broker.ctx.shutdown.cancel();
    disk.someone_waits().await;
    disk.open_gate();
    for offset in 0..3 {
        let (_, response) = client.receive::<ProduceRequest>(9).await;
        assert_eq!(response.responses[0].partition_responses[0].base_offset, offset);
    }
    assert!(client.frame().await.is_none(), "then the connection ends");
    let dir = broker.stop().await;
    let broker = TestBroker::start_in(dir, &[], Arc::new(broker::log::RealDisk)).await;
    assert_eq!(broker.client().await.consume("t").await, numbered(&["a", "b", "c"]));
}
