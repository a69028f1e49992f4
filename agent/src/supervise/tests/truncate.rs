//! copytruncate, and files that are emptied without a copy.

use std::fs::File;

use super::{World, lines, strs};

/// beats#45300, #39731, fluent-bit#4839: copytruncate lost or doubled lines.
#[tokio::test(flavor = "multi_thread")]
async fn lesson_01_copytruncate_while_the_broker_is_away_reads_the_rest_from_the_copy() {
    let mut world = World::new(&[("app.log", "app")]);
    world.write("app.log", &strs(&lines("sent", 50)));
    world.start();
    world.all_arrived().await;
    world.broker.set_answering(false);
    world.write("app.log", &strs(&lines("unsent", 5000)));
    world.copytruncate("app.log", "app.log.1");
    world.write("app.log", &strs(&lines("after", 50)));
    world.broker.set_answering(true);
    world.each_line_arrives_once().await;
    assert_eq!(world.metrics.abandoned_bytes.get(), 0);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lesson_01_a_copy_that_the_glob_matches_is_not_a_new_file() {
    let mut world = World::new(&[("app.log*", "app")]);
    world.start();
    for round in 0..4 {
        world.write("app.log", &strs(&lines(&format!("round {round}"), 100)));
        if round % 2 == 0 {
            world.all_arrived().await;
        }
        world.copytruncate("app.log", &format!("app.log.{round}"));
    }
    world.write("app.log", &["last"]);
    world.each_line_arrives_once().await;
    // nor after a restart
    world.kill().await;
    world.start();
    world.write("app.log", &["very last"]);
    world.each_line_arrives_once().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lesson_01_a_plain_copy_beside_its_file_is_not_read() {
    let mut world = World::new(&[("app.log*", "app")]);
    world.start();
    world.write("app.log", &["one", "two"]);
    world.all_arrived().await;
    std::fs::copy(world.path("app.log"), world.path("app.log.bak")).unwrap();
    world.write("app.log", &["three"]);
    world.each_line_arrives_once().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lesson_01_two_truncations_in_one_outage_lose_nothing() {
    let mut world = World::new(&[("app.log", "app")]);
    world.write("app.log", &["first"]);
    world.start();
    world.all_arrived().await;
    world.broker.set_answering(false);
    let mut waiting = 0;
    for round in 0..2 {
        let before = world.metrics.file_opens_of(&world.path("app.log"));
        let more = lines(&format!("round {round}"), 100);
        world.write("app.log", &strs(&more));
        waiting += more.iter().map(|line| line.len() as i64 + 1).sum::<i64>();
        let metrics = world.metrics.clone();
        world.broker.until("it is seen", || metrics.lag_bytes.get() >= waiting).await;
        world.copytruncate("app.log", &format!("app.log.{round}"));
        let path = world.path("app.log");
        // the copy is opened, and the file itself anew
        world.broker.until("it is noticed", || metrics.file_opens_of(&path) >= before + 2).await;
    }
    world.write("app.log", &["last"]);
    world.broker.set_answering(true);
    world.each_line_arrives_once().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lesson_01_copytruncate_while_the_agent_is_down_is_found_in_the_copy() {
    let mut world = World::new(&[("app.log*", "app")]);
    world.write("app.log", &["one"]);
    world.start();
    world.all_arrived().await;
    world.kill().await;
    world.write("app.log", &["two"]);
    world.copytruncate("app.log", "app.log.1");
    world.write("app.log", &["three, longer than all that was there before"]);
    world.start();
    world.each_line_arrives_once().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lesson_01_what_no_copy_holds_is_counted() {
    let mut world = World::new(&[("app.log", "app")]);
    world.write("app.log", &["one"]);
    world.start();
    world.all_arrived().await;
    world.broker.set_answering(false);
    // the first is with the lane, the second is found but not read
    let lost = lines("lost", 1000);
    let mut file = File::options().append(true).open(world.path("app.log")).unwrap();
    let read_before = world.metrics.read_bytes.get();
    std::io::Write::write_all(&mut file, b"in flight\n").unwrap();
    let metrics = world.metrics.clone();
    world.broker.until("it is read", || metrics.read_bytes.get() > read_before).await;
    let text = lost.join("\n") + "\n";
    std::io::Write::write_all(&mut file, text.as_bytes()).unwrap();
    let unread = text.len() as i64;
    world.broker.until("it is seen", || metrics.lag_bytes.get() >= unread).await;
    file.set_len(0).unwrap();
    world.expect(&["in flight"]);
    world.write("app.log", &["after"]);
    world.broker.set_answering(true);
    world.each_line_arrives_once().await;
    world.broker.until("it is counted", || metrics.abandoned_bytes.get() == unread as u64).await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_generation_after_a_truncation_has_an_id_of_its_own_though_its_lines_are_the_same() {
    let mut world = World::new(&[("app.log", "app")]);
    world.start();
    for round in 1..4 {
        world.write("app.log", &["# header", "the same"]);
        world.all_arrived().await;
        let before = world.metrics.file_opens_of(&world.path("app.log"));
        world.copytruncate("app.log", "app.log.1");
        // written before that, the file would look as it did
        let path = world.path("app.log");
        let noticed = || world.metrics.file_opens_of(&path) > before;
        world.broker.until("it is noticed", noticed).await;
        let generations: std::collections::HashSet<_> =
            world.broker.records().into_iter().map(|record| record.file.generation).collect();
        assert_eq!(generations.len(), round);
    }
    world.each_line_arrives_once().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_written_anew_up_to_more_than_before_is_noticed() {
    let mut world = World::new(&[("app.log", "app")]);
    world.write("app.log", &["one"]);
    world.start();
    world.all_arrived().await;
    // truncated and written in one step, as `>` does it
    std::fs::write(world.path("app.log"), "another, longer line\nand one more\n").unwrap();
    world.expect(&["another, longer line", "and one more"]);
    world.each_line_arrives_once().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_written_anew_with_the_very_same_size_is_noticed() {
    let mut world = World::new(&[("app.log", "app")]);
    world.write("app.log", &["one"]);
    world.start();
    world.all_arrived().await;
    std::fs::write(world.path("app.log"), "two\n").unwrap();
    world.expect(&["two"]);
    world.each_line_arrives_once().await;
    world.stop().await;
}
