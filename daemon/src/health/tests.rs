use super::*;

#[test]
fn a_process_without_components_is_alive_but_not_ready() {
    let health = Health::default();
    assert!(health.is_alive());
    assert!(!health.is_ready());
}

#[test]
fn every_component_must_be_ready() {
    let health = Health::default();
    let broker = health.component("broker");
    let agent = health.component("agent");
    assert_eq!(health.waiting_for().as_deref(), Some("broker: starting; agent: starting"));
    broker.ready();
    assert!(!health.is_ready());
    agent.not_ready("connecting to 127.0.0.1:9092");
    assert_eq!(health.waiting_for().as_deref(), Some("agent: connecting to 127.0.0.1:9092"));
    agent.ready();
    assert!(health.is_ready());
    assert_eq!(health.waiting_for(), None);
    broker.not_ready("disk full");
    assert!(!health.is_ready());
}

#[test]
fn a_component_that_never_beats_is_not_watched() {
    let health = Health::default();
    health.component("once").ready();
    let later = Instant::now() + Duration::from_secs(3600);
    assert!(health.report_at(later)[0].alive);
    assert_eq!(health.report_at(later)[0].last_beat_ms, None);
}

#[test]
fn a_beat_older_than_the_limit_is_a_hang_and_the_next_beat_ends_it() {
    let health = Health::default();
    let start = health.shared.start;
    let tail = health.component_beating("tail", Duration::from_secs(10));
    tail.beat_at(start + Duration::from_secs(5));
    assert!(health.report_at(start + Duration::from_secs(15))[0].alive);
    let hung = health.report_at(start + Duration::from_millis(15_001));
    assert!(!hung[0].alive);
    assert_eq!(hung[0].last_beat_ms, Some(10_001));
    tail.beat_at(start + Duration::from_secs(16));
    assert!(health.report_at(start + Duration::from_secs(17))[0].alive);
}

#[test]
fn a_beat_at_the_very_start_counts_as_a_beat() {
    let health = Health::default();
    let component = health.component("early");
    component.beat_at(health.shared.start);
    assert_eq!(health.report_at(health.shared.start)[0].last_beat_ms, Some(0));
}

#[test]
fn a_retired_component_is_no_longer_watched() {
    let health = Health::default();
    let start = health.shared.start;
    let component = health.component_beating("done", Duration::from_secs(1));
    component.beat_at(start);
    component.retire();
    assert!(health.report_at(start + Duration::from_secs(60))[0].alive);
}

#[tokio::test]
async fn ready_wakes_the_one_who_waits() {
    let health = Health::default();
    let component = health.component("slow");
    let waiting = tokio::spawn({
        let health = health.clone();
        async move { health.ready().await }
    });
    tokio::task::yield_now().await;
    component.ready();
    waiting.await.unwrap();
}

#[test]
fn saying_the_same_again_is_no_change() {
    let health = Health::default();
    let component = health.component("steady");
    component.ready();
    let mut changes = health.changes();
    changes.mark_unchanged();
    component.ready();
    assert!(!changes.has_changed().unwrap());
    component.not_ready("later");
    assert!(changes.has_changed().unwrap());
}
