//! The agent is killed at the worst moments and started again: the checkpoint's intents are sent again as they were.

use std::sync::Arc;

use bytes::Bytes;

use super::broker::Fault;
use super::{Agent, Broker, LINE, LONG, assert_exactly, config, file, text};
use crate::checkpoint::{Checkpoint, State};
use crate::model::{Intent, LaneId, Proof, Shape, boot_id};
use crate::ship::{Config, Shipper};

/// The file that the tests ship: its first 100,000 lines.
fn contents() -> String {
    text(0, 1000)
}

/// What the tails do at a start: hand every open intent over with its bytes.
async fn resend_all(shipper: &Shipper, state: &State) {
    let contents = contents();
    for intent in &state.intents {
        let range = intent.start as usize..(intent.start + intent.data_len()) as usize;
        let data = Bytes::copy_from_slice(&contents.as_bytes()[range]);
        shipper.resend(intent.clone(), Some(data)).await;
    }
}

/// Ships lines `from..to` in chunks of ten.
async fn ship_lines(agent: &Agent, shipper: &Shipper, from: usize, to: usize) {
    let file = file("app", 1);
    for first in (from..to).step_by(10) {
        shipper.ship(agent.chunk(&file, first as u64 * LINE, &text(first, 10))).await;
    }
}

/// Where the reading goes on: behind everything that was recorded, which is a sequence for each line.
fn next_line(state: &State) -> usize {
    state.lanes[&lane()] as usize
}

fn lane() -> LaneId {
    LaneId { topic: "app".into(), partition: 0 }
}

#[tokio::test]
async fn batches_whose_acknowledgement_never_came_are_not_repeated_after_a_kill() {
    let broker = Broker::start().await;
    let agent = Agent::new();
    let (shipper, _) = agent.start(config(&broker));
    ship_lines(&agent, &shipper, 0, 50).await;
    broker.until_lines(50).await;
    broker.change(|world| world.stalled = true);
    ship_lines(&agent, &shipper, 50, 100).await;
    broker.until_lines(60).await;
    agent.kill(shipper).await;

    broker.change(|world| world.stalled = false);
    let (shipper, state) = agent.start(config(&broker));
    assert!(!state.intents.is_empty());
    resend_all(&shipper, &state).await;
    ship_lines(&agent, &shipper, next_line(&state), 200).await;
    shipper.drain(LONG).await;
    assert_exactly(&broker.lines("app", 0), 200);
    assert_eq!(broker.world.lock().producer_ids, 1);
}

#[tokio::test]
async fn a_clean_stop_leaves_nothing_open_and_the_sequence_goes_on() {
    let broker = Broker::start().await;
    let agent = Agent::new();
    for run in 0..3 {
        let (shipper, state) = agent.start(config(&broker));
        assert_eq!(state.intents, []);
        ship_lines(&agent, &shipper, run * 100, run * 100 + 100).await;
        shipper.drain(LONG).await;
        agent.kill(shipper).await;
    }
    assert_exactly(&broker.lines("app", 0), 300);
    assert_eq!(broker.world.lock().producer_ids, 1);
}

#[tokio::test]
async fn a_kill_between_recording_and_sending_loses_nothing() {
    let mut broker = Broker::start().await;
    let agent = Agent::new();
    let (shipper, _) = agent.start(config(&broker));
    ship_lines(&agent, &shipper, 0, 10).await;
    broker.until_lines(10).await;
    broker.stop().await;
    ship_lines(&agent, &shipper, 10, 20).await;
    agent.until_recorded(20 * LINE).await;
    agent.kill(shipper).await;

    let again = Broker::start_at(broker.address).await;
    again.change(|world| std::mem::swap(world, &mut *broker.world.lock()));
    let (shipper, state) = agent.start(config(&again));
    resend_all(&shipper, &state).await;
    ship_lines(&agent, &shipper, next_line(&state), 50).await;
    shipper.drain(LONG).await;
    assert_exactly(&again.lines("app", 0), 50);
}

#[tokio::test]
async fn another_boot_takes_a_new_producer_id() {
    let broker = Broker::start().await;
    let agent = Agent::new();
    let (shipper, _) = agent.start(config(&broker));
    ship_lines(&agent, &shipper, 0, 10).await;
    shipper.drain(LONG).await;
    agent.kill(shipper).await;
    {
        let (checkpoint, state) = Checkpoint::open(agent.data_dir()).unwrap();
        let mut producer = state.producer.unwrap();
        assert_eq!(producer.boot_id, boot_id());
        producer.boot_id = "before the power cut".to_owned();
        checkpoint.set_producer(producer).unwrap();
    }
    let (shipper, _) = agent.start(config(&broker));
    ship_lines(&agent, &shipper, 10, 20).await;
    shipper.drain(LONG).await;
    assert_exactly(&broker.lines("app", 0), 20);
    assert_eq!(broker.world.lock().producer_ids, 2);
}

#[tokio::test]
async fn a_range_that_cannot_be_read_again_is_counted_and_the_rest_goes_on() {
    let broker = Broker::start().await;
    let agent = Agent::new();
    let (shipper, _) = agent.start(config(&broker));
    ship_lines(&agent, &shipper, 0, 10).await;
    shipper.drain(LONG).await;
    agent.kill(shipper).await;
    leave_open(&agent, 10, 20);
    leave_open(&agent, 20, 30);

    let (shipper, state) = agent.start(config(&broker));
    let [gone, kept] = state.intents.as_slice() else { panic!("{:?}", state.intents) };
    shipper.resend(gone.clone(), None).await;
    let data = Bytes::from(text(20, 10));
    shipper.resend(kept.clone(), Some(data)).await;
    ship_lines(&agent, &shipper, 30, 40).await;
    shipper.drain(LONG).await;
    let numbers: Vec<_> = broker.lines("app", 0).iter().map(|line| line.place().1 / LINE).collect();
    assert_eq!(numbers, (0..10).chain(20..40).collect::<Vec<_>>());
    assert_eq!(agent.metrics.abandoned_bytes.get(), 10 * LINE);
    agent.kill(shipper).await;
    assert_eq!(agent.state().intents, []);
}

/// Records a batch as if it had been sent and the agent killed.
fn leave_open(agent: &Agent, from: usize, to: usize) {
    let (checkpoint, state) = Checkpoint::open(agent.data_dir()).unwrap();
    let lane = lane();
    let data = text(from, to - from);
    let start = from as u64 * LINE;
    let intent = Intent {
        base_sequence: state.lanes[&lane],
        lane,
        count: (to - from) as u32,
        file: file("app", 1),
        start,
        end: to as u64 * LINE,
        shape: Shape::Lines,
        timestamp_ms: 1_700_000_000_000,
        proof: Proof::of(start, data.as_bytes()),
    };
    checkpoint.intend(&intent).unwrap();
}

#[tokio::test]
async fn a_cut_batch_is_recorded_as_it_was_cut() {
    // killed after the cut: the halves are sent again, not the whole
    let broker = Broker::start().await;
    // less than ten lines, more than five
    broker.world.lock().max_batch = Some(700);
    let agent = Agent::new();
    let plain = || Config { compression: "none".to_owned(), ..config(&broker) };
    let (shipper, _) = agent.start(plain());
    broker.world.lock().faults.extend([None, None, Some(Fault::Stall)]);
    ship_lines(&agent, &shipper, 0, 20).await;
    broker.until(|world| world.produces >= 3).await;
    agent.kill(shipper).await;
    let (shipper, state) = agent.start(plain());
    assert!(!state.intents.is_empty(), "nothing was under way");
    assert!(state.intents.iter().all(|intent| intent.count == 5), "{:?}", state.intents);
    resend_all(&shipper, &state).await;
    ship_lines(&agent, &shipper, next_line(&state), 40).await;
    shipper.drain(LONG).await;
    assert_exactly(&broker.lines("app", 0), 40);
}

#[tokio::test]
async fn dropping_the_shipper_gives_the_credit_back() {
    let broker = Broker::start().await;
    broker.world.lock().stalled = true;
    let agent = Agent::new();
    let (shipper, _) = agent.start(config(&broker));
    ship_lines(&agent, &shipper, 0, 20).await;
    drop(shipper);
    let credit = Arc::clone(&agent.credit).acquire_many_owned(1 << 20);
    drop(tokio::time::timeout(LONG, credit).await.unwrap().unwrap());
}
