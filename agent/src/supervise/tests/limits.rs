//! Memory, descriptors, deleted files, and the books over bytes.

use std::fs::{self, File};

use super::{World, lines, strs};

/// beats#2395, #2011, #2608: a file that was deleted while the output was down.
#[tokio::test(flavor = "multi_thread")]
async fn lesson_07_a_file_deleted_while_the_broker_is_away_is_not_lost() {
    let mut world = World::new(&[("app.log", "app")]);
    world.write("app.log", &["one"]);
    world.start();
    world.all_arrived().await;
    world.broker.set_answering(false);
    world.write("app.log", &strs(&lines("unsent", 1000)));
    fs::remove_file(world.path("app.log")).unwrap();
    world.write("app.log", &["new"]);
    world.broker.set_answering(true);
    world.each_line_arrives_once().await;
    world.stop().await;
}

/// beats#12068: more files than descriptors stopped everything.
#[tokio::test(flavor = "multi_thread")]
async fn lesson_08_more_files_than_may_be_open_are_all_read() {
    let mut world = World::new(&[("*.log", "app")]);
    world.config.max_open_files = 2;
    for n in 0..10 {
        world.write(&format!("{n}.log"), &[&format!("first of {n}")]);
    }
    world.start();
    world.all_arrived().await;
    let metrics = world.metrics.clone();
    world.broker.until("idle files are closed", || metrics.files_open.get() <= 2).await;
    for n in 0..10 {
        world.write(&format!("{n}.log"), &[&format!("second of {n}")]);
    }
    world.all_arrived().await;
    world.broker.until("idle files are closed", || metrics.files_open.get() <= 2).await;
    // what happens to a closed file is noticed too
    world.rename("3.log", "3.log.1");
    let mut rotated = File::options().append(true).open(world.path("3.log.1")).unwrap();
    world.write_to(&mut rotated, &["third of 3"]);
    world.write("3.log", &["a new 3"]);
    fs::remove_file(world.path("4.log")).unwrap();
    world.write("4.log", &["a new 4"]);
    world.each_line_arrives_once().await;
    assert_eq!(metrics.abandoned_bytes.get(), 0);
    world.stop().await;
}

/// vector#24675, fluent-bit#12361, beats#36653: losses that no counter showed.
#[tokio::test(flavor = "multi_thread")]
async fn lesson_09_bytes_seen_are_acknowledged_abandoned_or_lag() {
    let mut world = World::new(&[("*.log", "app")]);
    world.config.max_line_bytes = 100;
    world.write("a.log", &strs(&lines("a", 50)));
    world.write("b.log", &["short", &"long".repeat(100), "short again"]);
    let seen = |world: &World| {
        let size = |name: &str| fs::metadata(world.path(name)).unwrap().len();
        size("a.log") + size("b.log")
    };
    let books = |world: &World| {
        let metrics = &world.metrics;
        metrics.shipped_bytes.get() + metrics.abandoned_bytes.get() + metrics.lag_bytes.get() as u64
    };
    world.start();
    let (metrics, total) = (world.metrics.clone(), seen(&world));
    world.broker.until("all is done", || metrics.lag_bytes.get() == 0 && books(&world) == total).await;
    assert_eq!(metrics.abandoned_bytes.get(), 301);
    world.broker.set_answering(false);
    world.write("a.log", &strs(&lines("more", 50)));
    let total = seen(&world);
    world.broker.until("the books are even in an outage", || books(&world) == total).await;
    assert!(metrics.lag_bytes.get() > 0);
    world.broker.set_answering(true);
    world.broker.until("all is done", || metrics.lag_bytes.get() == 0 && books(&world) == total).await;
    world.stop().await;
}

/// vector#11025, #2356, #7246, #23875, fluent-bit#5166: memory grew while the output was away.
#[tokio::test(flavor = "multi_thread")]
async fn lesson_13_an_outage_holds_no_more_than_the_budget() {
    let mut world = World::new(&[("*.log", "app")]);
    world.config.max_line_bytes = 1000;
    world.config.read_block_bytes = 1024;
    world.config.max_in_flight_bytes = 8192;
    world.broker.set_answering(false);
    for n in 0..20 {
        world.write(&format!("{n}.log"), &strs(&lines(&format!("of {n}"), 200)));
    }
    world.start();
    let metrics = world.metrics.clone();
    let total: u64 = (0..20).map(|n| fs::metadata(world.path(&format!("{n}.log"))).unwrap().len()).sum();
    world.broker.until("all is seen", || metrics.lag_bytes.get() as u64 == total).await;
    assert!(metrics.read_bytes.get() <= 8192, "read {}", metrics.read_bytes.get());
    world.broker.set_answering(true);
    world.each_line_arrives_once().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn more_files_than_allowed_wait_for_their_turn() {
    let mut world = World::new(&[("*.log", "app")]);
    world.config.max_files = 2;
    world.config.partial_line_timeout_ms = 1;
    for n in 0..3 {
        world.write(&format!("{n}.log"), &[&format!("of {n}")]);
    }
    world.start();
    let records = || world.broker.records().len();
    world.broker.until("two arrive", || records() == 2).await;
    fs::remove_file(world.path("0.log")).unwrap();
    world.each_line_arrives_once().await;
    world.stop().await;
}
