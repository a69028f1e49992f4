use super::*;

#[test]
fn the_watchdog_is_fed_only_while_every_component_lives() {
    let health = Health::default();
    assert_eq!(hung(&health), None);
    let tail = health.component_beating("tail", Duration::ZERO);
    let ship = health.component("ship");
    tail.beat();
    ship.beat();
    while health.is_alive() {
        std::thread::yield_now();
    }
    assert_eq!(hung(&health).as_deref(), Some("tail"));
    tail.retire();
    assert_eq!(hung(&health), None);
}

#[test]
fn the_status_line_says_what_is_missing() {
    let health = Health::default();
    let broker = health.component("broker");
    broker.not_ready("recovering 3 of 40 partitions");
    assert_eq!(status_line(&health), "broker: recovering 3 of 40 partitions");
    broker.ready();
    assert_eq!(status_line(&health), "running");
}

#[test]
fn without_systemd_nothing_happens() {
    ready();
    reloading();
    stopping();
    status("running");
}

#[tokio::test]
async fn informing_ends_with_the_shutdown() {
    let ctx = Context::for_tests();
    let informing = tokio::spawn(inform(ctx.clone()));
    ctx.shutdown.cancel();
    informing.await.unwrap();
}
