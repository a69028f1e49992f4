//! A collect list that changes.

use super::World;

/// beats#5139, #23722, #31929, vector#24125, fluent-bit#9354: a reload touched what had not changed, or hung.
#[tokio::test(flavor = "multi_thread")]
async fn lesson_23_a_changed_list_does_not_reopen_an_unchanged_tail() {
    let mut world = World::new(&[("a.log", "app")]);
    world.write("a.log", &["a1"]);
    world.start();
    world.all_arrived().await;
    assert_eq!(world.metrics.file_opens_of(&world.path("a.log")), 1);
    world.write("b.log", &["b1"]);
    world.collect(&[("a.log", "app"), ("b.log", "app")]);
    world.all_arrived().await;
    world.collect(&[("b.log", "app"), ("a.log", "app"), ("c*.log", "app")]);
    world.write("a.log", &["a2"]);
    world.write("c.log", &["c1"]);
    world.each_line_arrives_once().await;
    assert_eq!(world.metrics.file_opens_of(&world.path("a.log")), 1);
    assert_eq!(world.metrics.file_opens_of(&world.path("b.log")), 1);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_taken_off_the_list_is_let_go_and_goes_on_where_it_was_when_it_comes_back() {
    let mut world = World::new(&[("a.log", "app"), ("b.log", "app")]);
    world.write("a.log", &["a1"]);
    world.write("b.log", &["b1"]);
    world.start();
    world.all_arrived().await;
    world.collect(&[("b.log", "app")]);
    let metrics = world.metrics.clone();
    world.broker.until("it is closed", || metrics.files_open.get() == 1).await;
    world.write("a.log", &["a2"]);
    world.write("b.log", &["b2"]);
    let records = || world.broker.records().len();
    world.broker.until("b goes on", || records() >= 3).await;
    assert!(!world.broker.values().contains(&"a2".to_owned()));
    world.collect(&[("a.log", "app"), ("b.log", "app")]);
    world.each_line_arrives_once().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_taken_off_the_list_keeps_its_position_over_a_restart() {
    let mut world = World::new(&[("a.log", "app"), ("b.log", "app")]);
    world.write("a.log", &["a1"]);
    world.start();
    world.all_arrived().await;
    world.collect(&[("b.log", "app")]);
    world.stop().await;
    world.start();
    world.write("b.log", &["b1"]);
    world.all_arrived().await;
    world.write("a.log", &["a2"]);
    world.collect(&[("a.log", "app"), ("b.log", "app")]);
    world.each_line_arrives_once().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lesson_23_a_list_that_changes_during_an_outage_does_not_hang() {
    let mut world = World::new(&[("a.log", "app")]);
    world.broker.set_answering(false);
    world.write("a.log", &["a1"]);
    world.start();
    let metrics = world.metrics.clone();
    world.broker.until("it is read", || metrics.read_lines.get() == 1).await;
    world.collect(&[("b.log", "app")]);
    world.write("b.log", &["b1"]);
    world.broker.until("the new one is opened", || metrics.lag_bytes.get() >= 6).await;
    world.collect(&[("a.log", "app"), ("b.log", "app")]);
    world.write("a.log", &["a2"]);
    world.broker.set_answering(true);
    world.each_line_arrives_once().await;
    world.stop().await;
}
