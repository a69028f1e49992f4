//! When sequences and producer ids go wrong, and when batches must be cut.

use wire::error_code::ErrorCode;

use super::broker::Fault;
use super::{Agent, Broker, LINE, LONG, assert_exactly, config, file, text};
use crate::model::{Chunk, Shape};

#[tokio::test]
async fn a_broker_that_forgot_the_producer_is_gone_on_with() {
    let broker = Broker::start().await;
    let agent = Agent::new();
    let (shipper, _) = agent.start(config(&broker));
    let file = file("app", 1);
    shipper.ship(agent.chunk(&file, 0, &text(0, 10))).await;
    broker.until_lines(10).await;
    broker.change(|world| world.partitions.values_mut().for_each(|partition| partition.forget_producers()));
    shipper.ship(agent.chunk(&file, 10 * LINE, &text(10, 10))).await;
    shipper.drain(LONG).await;
    assert_exactly(&broker.lines("app", 0), 20);
    assert_eq!(broker.world.lock().producer_ids, 1);
}

#[tokio::test]
async fn a_sequence_that_the_broker_does_not_expect_takes_a_new_producer_id() {
    let broker = Broker::start().await;
    broker.world.lock().topics.insert("app".to_owned(), 2);
    let agent = Agent::new();
    let (shipper, _) = agent.start(config(&broker));
    let files: Vec<_> = (0..8).map(|generation| file("app", generation)).collect();
    for (part, skip) in [(0, true), (1, true), (2, false)] {
        for file in &files {
            shipper.ship(agent.chunk(file, part * 10 * LINE, &text(part as usize * 10, 10))).await;
        }
        broker.until_lines((part as usize + 1) * 80).await;
        if skip {
            broker.change(|world| {
                world.partitions.values_mut().for_each(|partition| partition.skip_sequences());
            });
        }
    }
    shipper.drain(LONG).await;
    for file in &files {
        let all = [broker.lines("app", 0), broker.lines("app", 1)].concat();
        let of_file: Vec<_> =
            all.into_iter().filter(|line| line.header("file") == file.generation.to_string()).collect();
        assert_exactly(&of_file, 30);
    }
    let taken = broker.world.lock().producer_ids;
    assert!((2..=5).contains(&taken), "two lanes in trouble twice share their new ids: {taken}");
}

#[tokio::test]
async fn the_first_batch_of_a_producer_goes_alone() {
    // a broker takes any first sequence of a producer that it does not know: if the first batch is refused and the second
    // got in before its repeat, the first could never follow
    let broker = Broker::start().await;
    broker.fail([Fault::Refuse(ErrorCode::NotEnoughReplicas)]);
    let agent = Agent::new();
    let (shipper, _) = agent.start(config(&broker));
    let file = file("app", 1);
    for part in 0..10 {
        shipper.ship(agent.chunk(&file, part * LINE, &text(part as usize, 1))).await;
    }
    shipper.drain(LONG).await;
    assert_exactly(&broker.lines("app", 0), 10);
    assert_eq!(broker.world.lock().producer_ids, 1);
}

#[tokio::test]
async fn a_batch_over_the_brokers_limit_is_cut_until_it_fits() {
    let broker = Broker::start().await;
    broker.world.lock().max_batch = Some(2000);
    let agent = Agent::new();
    let (shipper, _) = agent.start(super::Config { compression: "none".to_owned(), ..config(&broker) });
    let file = file("app", 1);
    shipper.ship(agent.chunk(&file, 0, &text(0, 300))).await;
    shipper.ship(agent.chunk(&file, 300 * LINE, &text(300, 300))).await;
    shipper.drain(LONG).await;
    assert_exactly(&broker.lines("app", 0), 600);
    assert_eq!(broker.world.lock().producer_ids, 1, "cutting keeps the sequence");
    let produces = broker.world.lock().produces;
    let batches = broker.world.lock().partitions[&("app".to_owned(), 0)].batch_sizes.len();
    assert!(produces < batches + 20, "the size is learnt: {produces} requests for {batches} batches");
}

#[tokio::test]
async fn one_line_that_no_broker_takes_is_counted_and_what_follows_goes_on() {
    let broker = Broker::start().await;
    broker.world.lock().max_batch = Some(2000);
    let agent = Agent::new();
    let (shipper, _) = agent.start(super::Config { compression: "none".to_owned(), ..config(&broker) });
    let file = file("app", 1);
    shipper.ship(agent.chunk(&file, 0, &text(0, 5))).await;
    let giant = "x".repeat(3000);
    let chunk = agent.chunk(&file, 5 * LINE, &giant);
    shipper.ship(Chunk { shape: Shape::Truncated, lines: 1, end: 5 * LINE + 4000, ..chunk }).await;
    shipper.ship(agent.chunk(&file, 5 * LINE + 4000, &text(5, 5))).await;
    shipper.drain(LONG).await;
    assert_exactly(&broker.lines("app", 0), 10);
    assert_eq!(agent.metrics.abandoned_bytes.get(), 4000);
    assert_eq!(agent.metrics.shipped_lines.get(), 10);
    agent.kill(shipper).await;
    assert_eq!(agent.state().intents, [], "nothing is left open");
}

#[tokio::test]
async fn a_giant_line_between_others_in_one_chunk_is_singled_out() {
    let broker = Broker::start().await;
    broker.world.lock().max_batch = Some(2000);
    let agent = Agent::new();
    let (shipper, _) = agent.start(super::Config { compression: "none".to_owned(), ..config(&broker) });
    let mixed = format!("{}{}\n{}", text(0, 20), "x".repeat(3000), text(20, 20));
    shipper.ship(agent.chunk(&file("app", 1), 0, &mixed)).await;
    shipper.drain(LONG).await;
    assert_exactly(&broker.lines("app", 0), 40);
    assert_eq!(agent.metrics.abandoned_bytes.get(), 3001);
}
