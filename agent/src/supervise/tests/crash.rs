//! The agent dies at each point of a batch's way.

use super::{Death, World, lines, strs};

/// Dies at `death` of the third batch, after which the file is treated by `meanwhile`.
async fn dies_at(death: Death, meanwhile: fn(&mut World)) {
    let mut world = World::new(&[("app.log", "app")]);
    world.config.read_block_bytes = 512;
    world.write("app.log", &strs(&lines("before", 100)));
    world.broker.kill_at(2, death);
    world.start();
    world.await_death().await;
    meanwhile(&mut world);
    world.start();
    world.each_line_arrives_once().await;
    assert_eq!(world.broker.lost(), 0);
    world.stop().await;
}

const POINTS: [Death; 4] = [Death::BeforeIntent, Death::BeforeSend, Death::BeforeAnswer, Death::AfterAnswer];

#[tokio::test(flavor = "multi_thread")]
async fn each_line_arrives_once_wherever_the_agent_dies() {
    for point in POINTS {
        dies_at(point, |world| world.write("app.log", &["after"])).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_batch_is_found_in_a_renamed_file() {
    for point in POINTS {
        dies_at(point, |world| {
            world.rename("app.log", "app.log.1");
            world.write("app.log", &["after"]);
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_batch_is_found_in_the_copy() {
    for point in POINTS {
        dies_at(point, |world| {
            world.copytruncate("app.log", "app.log.1");
            world.write("app.log", &["after"]);
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_batch_whose_file_is_gone_is_reported_and_nothing_stops() {
    let mut world = World::new(&[("app.log", "app")]);
    let before = lines("before", 10);
    std::fs::write(world.path("app.log"), before.join("\n") + "\n").unwrap();
    world.broker.kill_at(0, Death::BeforeSend);
    world.start();
    world.await_death().await;
    std::fs::remove_file(world.path("app.log")).unwrap();
    world.write("app.log", &["after"]);
    world.start();
    world.each_line_arrives_once().await;
    assert_eq!(world.broker.lost(), 1);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_new_is_read_before_open_batches_are_sent_again() {
    let mut world = World::new(&[("app.log", "app")]);
    world.write("app.log", &["one"]);
    world.broker.kill_at(0, Death::BeforeSend);
    world.start();
    world.await_death().await;
    world.broker.set_answering(false);
    world.write("app.log", &["two"]);
    world.start();
    let metrics = world.metrics.clone();
    let read = metrics.read_bytes.get();
    world.broker.until("the file is seen", || metrics.lag_bytes.get() >= 8).await;
    assert_eq!(metrics.read_bytes.get(), read);
    world.broker.set_answering(true);
    world.each_line_arrives_once().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_and_a_start_repeat_nothing() {
    let mut world = World::new(&[("*.log", "app")]);
    for round in 0..5 {
        world.write("a.log", &strs(&lines(&format!("a {round}"), 20)));
        world.start();
        world.write("b.log", &strs(&lines(&format!("b {round}"), 20)));
        world.all_arrived().await;
        world.stop().await;
    }
    world.start();
    world.each_line_arrives_once().await;
    world.stop().await;
}
