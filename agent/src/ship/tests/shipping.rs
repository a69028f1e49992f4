//! The usual way: what arrives, where, in what form, and how much waits.

use std::time::Duration;

use super::{Agent, Broker, LINE, LONG, assert_exactly, config, file, text};
use crate::model::{Chunk, GenerationId, Shape};
use crate::ship::Config;
use crate::ship::partitioner::partition;

#[tokio::test]
async fn a_record_carries_line_host_path_file_offset_and_time() {
    let broker = Broker::start().await;
    let agent = Agent::new();
    let (shipper, _) = agent.start(config(&broker));
    shipper.ship(agent.chunk(&file("app", 0xabc), 100, "first\r\nsecond\n\n")).await;
    shipper.drain(LONG).await;
    let lines = broker.lines("app", 0);
    let values: Vec<_> = lines.iter().map(|line| (line.value.as_str(), line.header("offset"))).collect();
    assert_eq!(values, [("first\r", "100"), ("second", "107"), ("", "114")]);
    let expected =
        [("host", "web-1"), ("path", "/var/log/2748.log"), ("file", "0000000000000abc"), ("offset", "100")];
    let headers: Vec<_> =
        lines[0].headers.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    assert_eq!(headers, expected);
    assert_eq!(lines[0].timestamp_ms, 1_700_000_000_000);
    assert_eq!(agent.metrics.shipped_lines.get(), 3);
    assert_eq!(agent.metrics.shipped_bytes.get(), 15);
}

#[tokio::test]
async fn odd_lines_are_flagged() {
    let broker = Broker::start().await;
    let agent = Agent::new();
    let (shipper, _) = agent.start(config(&broker));
    let whole = agent.chunk(&file("app", 1), 0, "no end");
    shipper.ship(Chunk { shape: Shape::Partial, lines: 1, ..whole }).await;
    let long = agent.chunk(&file("app", 1), 6, "the first bytes");
    shipper.ship(Chunk { shape: Shape::Truncated, lines: 1, end: 5000, ..long }).await;
    shipper.drain(LONG).await;
    let lines = broker.lines("app", 0);
    let seen: Vec<_> = lines.iter().map(|line| (line.value.as_str(), line.header("flags"))).collect();
    assert_eq!(seen, [("no end", "partial"), ("the first bytes", "truncated")]);
    assert_eq!(agent.metrics.shipped_bytes.get(), 5000, "file bytes count, not sent ones");
}

#[tokio::test]
async fn each_codec_arrives() {
    for codec in ["none", "gzip", "snappy", "lz4", "zstd"] {
        let broker = Broker::start().await;
        let agent = Agent::new();
        let (shipper, _) = agent.start(Config { compression: codec.to_owned(), ..config(&broker) });
        shipper.ship(agent.chunk(&file("app", 1), 0, &text(0, 500))).await;
        shipper.drain(LONG).await;
        assert_exactly(&broker.lines("app", 0), 500);
    }
}

#[tokio::test]
async fn a_chunk_over_the_batch_limit_is_cut_at_line_ends() {
    let broker = Broker::start().await;
    let agent = Agent::new();
    let limit = 4096;
    let (shipper, _) =
        agent.start(Config { compression: "none".to_owned(), max_batch_bytes: limit, ..config(&broker) });
    broker.change(|world| world.max_batch = Some(limit as usize));
    shipper.ship(agent.chunk(&file("app", 1), 0, &text(0, 1000))).await;
    shipper.drain(LONG).await;
    assert_exactly(&broker.lines("app", 0), 1000);
    let sizes = broker.world.lock().partitions[&("app".to_owned(), 0)].batch_sizes.clone();
    assert!(sizes.len() > 10, "{sizes:?}");
    assert_eq!(agent.metrics.abandoned_bytes.get(), 0);
    assert_eq!(
        agent.credit.available_permits(),
        1 << 20,
        "the credit comes back once, when all pieces are there"
    );
}

#[tokio::test]
async fn files_spread_over_partitions_and_each_stays_in_one() {
    let broker = Broker::start().await;
    broker.world.lock().topics.insert("app".to_owned(), 4);
    let agent = Agent::new();
    let (shipper, _) = agent.start(config(&broker));
    for part in 0..5 {
        for generation in 0..16 {
            shipper
                .ship(agent.chunk(&file("app", generation), part * 10 * LINE, &text(part as usize * 10, 10)))
                .await;
        }
    }
    shipper.drain(LONG).await;
    for generation in 0..16 {
        let id = GenerationId(generation);
        let lines = broker.lines("app", partition(-1, id, 4));
        let of_file: Vec<_> =
            lines.into_iter().filter(|line| line.header("file") == id.to_string()).collect();
        assert_exactly(&of_file, 50);
    }
}

#[tokio::test]
async fn a_set_partition_is_used_for_every_file() {
    let broker = Broker::start().await;
    broker.world.lock().topics.insert("app".to_owned(), 4);
    let agent = Agent::new();
    let (shipper, _) = agent.start(Config { partition: 2, ..config(&broker) });
    for generation in 0..8 {
        shipper.ship(agent.chunk(&file("app", generation), 0, "x\n")).await;
    }
    shipper.drain(LONG).await;
    assert_eq!(broker.lines("app", 2).len(), 8);
}

#[test]
fn the_partition_of_a_generation_never_changes() {
    let places: Vec<i32> = (0..8).map(|number| partition(-1, GenerationId(number), 12)).collect();
    // computed once with Kafka's own hash of the generation's 16 digits; a change would move files between partitions
    assert_eq!(places, [6, 10, 3, 3, 8, 0, 9, 11]);
    assert_eq!(partition(-1, GenerationId(1), 0), 0, "no partitions known is no reason to panic");
}

#[tokio::test]
async fn a_silent_broker_stops_the_reader_and_not_the_memory() {
    let broker = Broker::start().await;
    let agent = Agent::new();
    broker.world.lock().stalled = true;
    let (shipper, _) = agent.start(config(&broker));
    let file = file("app", 1);
    // one is under way, one waits in the lane, one before it
    for number in 0..3 {
        shipper.ship(agent.chunk(&file, number * LINE, &text(number as usize, 1))).await;
    }
    let fourth = shipper.ship(agent.chunk(&file, 3 * LINE, &text(3, 1)));
    tokio::pin!(fourth);
    assert!(tokio::time::timeout(Duration::from_millis(100), &mut fourth).await.is_err());
    broker.change(|world| world.stalled = false);
    fourth.await;
    shipper.drain(LONG).await;
    assert_exactly(&broker.lines("app", 0), 4);
}
