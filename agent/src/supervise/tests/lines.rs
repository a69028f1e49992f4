//! Lines without an end, and lines without end.

use std::fs::File;
use std::io::Write;

use super::World;
use crate::model::Shape;

/// beats#6132, #22542, #1324, file.d#912, beats#47247: the last line was missing.
#[tokio::test(flavor = "multi_thread")]
async fn lesson_10_a_last_line_without_a_line_feed_arrives_and_its_rest_is_a_record() {
    let mut world = World::new(&[("app.log", "app")]);
    world.start();
    let mut file = File::create(world.path("app.log")).unwrap();
    file.write_all(b"whole\nhalf").unwrap();
    world.expect(&["whole", "half"]);
    world.all_arrived().await;
    file.write_all(b" of it\nnext\n").unwrap();
    world.expect(&[" of it", "next"]);
    world.each_line_arrives_once().await;
    let shapes: Vec<_> = world.broker.records().iter().map(|record| (record.offset, record.shape)).collect();
    assert_eq!(shapes[..2], [(0, Shape::Lines), (6, Shape::Partial)]);
    assert_eq!((shapes[2].0, shapes[3].0), (10, 17));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lesson_10_the_last_line_of_a_deleted_file_arrives() {
    let mut world = World::new(&[("app.log", "app")]);
    world.write("app.log", &["whole"]);
    world.start();
    world.all_arrived().await;
    let mut file = File::options().append(true).open(world.path("app.log")).unwrap();
    std::fs::remove_file(world.path("app.log")).unwrap();
    file.write_all(b"last words").unwrap();
    drop(file);
    world.expect(&["last words"]);
    world.each_line_arrives_once().await;
    world.stop().await;
}

/// fluent-bit#370, #10435, #354: one long line stopped the file for good.
#[tokio::test(flavor = "multi_thread")]
async fn lesson_11_an_over_long_line_is_cut_and_the_file_goes_on() {
    for block in [512, 1 << 16] {
        let mut world = World::new(&[("app.log", "app")]);
        world.config.max_line_bytes = 1000;
        world.config.read_block_bytes = block;
        let (long, fits) = ("l".repeat(5000), "f".repeat(1000));
        let text = format!("before\n{long}\nbetween\n{fits}\nafter\n");
        std::fs::write(world.path("app.log"), &text).unwrap();
        world.expect(&["before", &"l".repeat(1000), "between", &fits, "after"]);
        world.start();
        world.each_line_arrives_once().await;
        let records = world.broker.records();
        assert_eq!((records[1].shape, records[1].offset), (Shape::Truncated, 7));
        assert_eq!(records[2].offset, 7 + 5001);
        assert_eq!(world.metrics.abandoned_bytes.get(), 4001);
        let read = world.metrics.read_bytes.get() + world.metrics.abandoned_bytes.get();
        assert_eq!(read, text.len() as u64);
        world.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lesson_11_a_line_that_never_ends_is_cut_after_a_pause() {
    let mut world = World::new(&[("app.log", "app")]);
    world.config.max_line_bytes = 1000;
    world.start();
    let mut file = File::create(world.path("app.log")).unwrap();
    file.write_all(&[b'l'; 3000]).unwrap();
    world.expect(&[&"l".repeat(1000)]);
    world.all_arrived().await;
    file.write_all(b"\nafter\n").unwrap();
    world.expect(&["", "after"]);
    world.each_line_arrives_once().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_longer_than_a_block_is_one_record() {
    let mut world = World::new(&[("app.log", "app")]);
    world.config.read_block_bytes = 512;
    let long = "l".repeat(10_000);
    world.write("app.log", &["before", &long, "after"]);
    world.start();
    world.each_line_arrives_once().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_written_piece_by_piece_is_one_record() {
    let mut world = World::new(&[("app.log", "app")]);
    world.config.partial_line_timeout_ms = 3_600_000;
    world.start();
    let mut file = File::create(world.path("app.log")).unwrap();
    let metrics = world.metrics.clone();
    for n in 1..=20 {
        file.write_all(b"piece ").unwrap();
        world.broker.until("it is seen", || metrics.lag_bytes.get() >= n * 6).await;
    }
    file.write_all(b"\n").unwrap();
    world.expect(&[&"piece ".repeat(20)]);
    world.each_line_arrives_once().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_half_line_sent_before_a_crash_is_not_sent_again_with_its_rest() {
    let mut world = World::new(&[("app.log", "app")]);
    world.start();
    let mut file = File::create(world.path("app.log")).unwrap();
    file.write_all(b"half").unwrap();
    world.expect(&["half"]);
    world.all_arrived().await;
    world.kill().await;
    file.write_all(b" rest\n").unwrap();
    world.expect(&[" rest"]);
    world.start();
    world.each_line_arrives_once().await;
    world.stop().await;
}
