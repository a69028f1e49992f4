//! The broker and the network fail: each line is in the topic once, in order, whatever happens.

use std::time::Duration;

use wire::error_code::ErrorCode;

use super::broker::Fault;
use super::{Agent, Broker, LINE, LONG, assert_exactly, config, file, text};
use crate::ship::{Config, Shipper};

/// Ships `count` chunks of ten lines.
async fn ship_chunks(agent: &Agent, shipper: &Shipper, count: u64) {
    let file = file("app", 1);
    for part in 0..count {
        shipper.ship(agent.chunk(&file, part * 10 * LINE, &text(part as usize * 10, 10))).await;
    }
}

/// Ships with these faults and checks that every line arrives once.
async fn survive(faults: &[Fault]) -> Broker {
    let broker = Broker::start().await;
    broker.fail(faults.iter().copied());
    let agent = Agent::new();
    let (shipper, _) = agent.start(config(&broker));
    ship_chunks(&agent, &shipper, 20).await;
    shipper.drain(LONG).await;
    assert_exactly(&broker.lines("app", 0), 200);
    assert_eq!(agent.metrics.shipped_lines.get(), 200, "{faults:?}");
    broker
}

#[tokio::test]
async fn a_lost_acknowledgement_does_not_repeat_lines() {
    survive(&[Fault::CloseAfter]).await;
    survive(&[Fault::CloseAfter, Fault::CloseAfter, Fault::CloseAfter]).await;
}

#[tokio::test]
async fn a_lost_request_does_not_lose_lines() {
    survive(&[Fault::CloseBefore, Fault::CloseBefore, Fault::CloseAfter]).await;
}

#[tokio::test]
async fn every_refusal_is_outlived() {
    let passing = ErrorCode::ALL.iter().copied().filter(|code| {
        use ErrorCode as E;
        !matches!(code, E::None | E::DuplicateSequenceNumber | E::MessageTooLarge | E::RecordListTooLarge)
    });
    for code in passing {
        survive(&[Fault::Refuse(code)]).await;
    }
}

#[tokio::test]
async fn a_refusal_after_the_append_does_not_repeat_lines() {
    for code in
        [ErrorCode::RequestTimedOut, ErrorCode::NotEnoughReplicasAfterAppend, ErrorCode::NotLeaderOrFollower]
    {
        let broker = survive(&[Fault::AppendAndRefuse(code), Fault::AppendAndRefuse(code)]).await;
        assert_eq!(broker.world.lock().producer_ids, 1);
    }
}

#[tokio::test]
async fn an_unreadable_answer_is_a_lost_one() {
    survive(&[Fault::Garbage, Fault::Garbage]).await;
}

#[tokio::test]
async fn a_refused_head_with_five_in_flight_keeps_the_order() {
    let broker = Broker::start().await;
    let agent = Agent::new();
    let (shipper, _) = agent.start(config(&broker));
    ship_chunks(&agent, &shipper, 1).await;
    broker.until_lines(10).await;
    broker.fail([Fault::Refuse(ErrorCode::NotEnoughReplicas)]);
    let file = file("app", 1);
    for part in 1..30 {
        shipper.ship(agent.chunk(&file, part * 10 * LINE, &text(part as usize * 10, 10))).await;
    }
    shipper.drain(LONG).await;
    assert_exactly(&broker.lines("app", 0), 300);
    assert_eq!(broker.world.lock().producer_ids, 1, "the followers' sequence errors are the head's fault");
}

#[tokio::test]
async fn a_silent_broker_is_given_up_after_the_time_limit() {
    let broker = Broker::start().await;
    broker.fail([Fault::Stall]);
    let agent = Agent::new();
    let (shipper, _) = agent.start(Config { request_timeout_ms: 50, ..config(&broker) });
    ship_chunks(&agent, &shipper, 3).await;
    shipper.drain(LONG).await;
    assert_exactly(&broker.lines("app", 0), 30);
    assert!(broker.world.lock().connections >= 2);
}

#[tokio::test]
async fn a_topic_that_is_created_late_is_waited_for() {
    let broker = Broker::start().await;
    broker.world.lock().hidden = 5;
    let agent = Agent::new();
    let (shipper, _) = agent.start(config(&broker));
    ship_chunks(&agent, &shipper, 3).await;
    shipper.drain(LONG).await;
    assert_exactly(&broker.lines("app", 0), 30);
}

#[tokio::test]
async fn a_forbidden_topic_is_tried_until_it_is_allowed_and_does_not_stop_others() {
    let broker = Broker::start().await;
    broker.world.lock().refused_topics.insert("secret".to_owned(), ErrorCode::TopicAuthorizationFailed);
    let agent = Agent::new();
    let (shipper, _) = agent.start(config(&broker));
    shipper.ship(agent.chunk(&file("secret", 2), 0, &text(0, 10))).await;
    broker.until(|world| world.produces >= 5).await;
    ship_chunks(&agent, &shipper, 3).await;
    broker.until_lines(30).await;
    broker.change(|world| world.refused_topics.clear());
    shipper.drain(LONG).await;
    assert_exactly(&broker.lines("app", 0), 30);
    assert_exactly(&broker.lines("secret", 0), 10);
}

#[tokio::test]
async fn a_broker_that_is_away_is_waited_for() {
    let mut broker = Broker::start().await;
    let address = broker.address;
    let agent = Agent::new();
    let (shipper, _) = agent.start(config(&broker));
    ship_chunks(&agent, &shipper, 1).await;
    broker.until_lines(10).await;
    broker.stop().await;
    let file = file("app", 1);
    shipper.ship(agent.chunk(&file, 10 * LINE, &text(10, 10))).await;
    let again = Broker::start_at(address).await;
    again.change(|world| std::mem::swap(world, &mut *broker.world.lock()));
    shipper.drain(LONG).await;
    assert_exactly(&again.lines("app", 0), 20);
}

#[tokio::test]
async fn a_broker_that_serves_only_old_versions_is_spoken_to_in_them() {
    let broker = Broker::start().await;
    broker.world.lock().produce_version = 3;
    let agent = Agent::new();
    let (shipper, _) = agent.start(config(&broker));
    ship_chunks(&agent, &shipper, 3).await;
    shipper.drain(LONG).await;
    assert_exactly(&broker.lines("app", 0), 30);
}

#[tokio::test]
async fn a_drain_ends_in_time_when_the_broker_does_not_answer() {
    let broker = Broker::start().await;
    broker.world.lock().stalled = true;
    let agent = Agent::new();
    let (shipper, _) = agent.start(Config { max_in_flight: 1, ..config(&broker) });
    ship_chunks(&agent, &shipper, 1).await;
    shipper.drain(Duration::from_millis(1)).await;
    assert_eq!(agent.metrics.shipped_lines.get(), 0);
}
