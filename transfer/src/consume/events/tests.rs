use daemon::Context;

use super::*;
use crate::tests::settings;

fn events() -> (Arc<BaseConsumer<Events>>, Context) {
    let ctx = Context::for_tests();
    let health = ctx.health.component("transfer");
    let config = settings(&[("bootstrap", "127.0.0.1:1")]);
    (connect(&config, health).unwrap(), ctx)
}

#[test]
fn offsets_are_committed_by_hand_only() {
    let client = client_config(&settings(&[]));
    for key in ["enable.auto.commit", "enable.auto.offset.store"] {
        assert_eq!(client.get(key), Some("false"), "{key}");
    }
    assert_eq!(client.get("auto.offset.reset"), Some("earliest"));
    assert_eq!(client.get("group.instance.id"), None);
}

#[test]
fn settings_reach_the_client() {
    let client = client_config(&settings(&[
        ("bootstrap", "a:1,b:2"),
        ("group", "g"),
        ("group_instance_id", "one"),
        ("session_timeout_ms", "900000"),
        ("queued_max_kbytes", "777"),
    ]));
    let expected = [
        ("bootstrap.servers", "a:1,b:2"),
        ("group.id", "g"),
        ("group.instance.id", "one"),
        ("session.timeout.ms", "900000"),
        ("heartbeat.interval.ms", "3000"),
        ("queued.max.messages.kbytes", "777"),
        // librdkafka refuses one below the session's
        ("max.poll.interval.ms", "900000"),
    ];
    for (key, value) in expected {
        assert_eq!(client.get(key), Some(value), "{key}");
    }
}

#[tokio::test]
async fn any_allowed_setting_makes_a_client() {
    for (key, values) in [
        ("session_timeout_ms", ["1000", "1800000"]),
        ("queued_max_kbytes", ["64", "1048576"]),
        ("fetch_max_bytes", ["1024", "536870912"]),
        ("fetch_partition_max_bytes", ["1024", "536870912"]),
    ] {
        for value in values {
            let health = Context::for_tests().health.component("transfer");
            let made = connect(&settings(&[(key, value)]), health);
            assert!(made.is_ok(), "{key}={value}: {:?}", made.err());
        }
    }
}

#[test]
fn a_broker_that_is_away_makes_the_part_not_ready_and_other_errors_do_not() {
    let (client, ctx) = events();
    client.context().health.ready();
    client.context().error(KafkaError::Global(RDKafkaErrorCode::UnknownTopicOrPartition), "no such topic");
    assert!(ctx.health.is_ready());
    client.context().error(KafkaError::Global(RDKafkaErrorCode::AllBrokersDown), "1/1 brokers are down");
    assert!(ctx.health.waiting_for().unwrap().contains("1/1 brokers are down"));
}

#[test]
fn an_error_that_repeats_is_counted_instead_of_logged() {
    let (client, _ctx) = events();
    let events = client.context();
    for _ in 0..3 {
        events.error(KafkaError::Global(RDKafkaErrorCode::BrokerTransportFailure), "refused");
    }
    assert_eq!(events.last_error.lock().as_ref().unwrap().suppressed, 2);
    events.error(KafkaError::Global(RDKafkaErrorCode::Resolve), "no such host");
    let last = events.last_error.lock();
    let last = last.as_ref().unwrap();
    assert_eq!((last.code, last.suppressed), (RDKafkaErrorCode::Resolve, 0));
}
