//! Files that are alike, used again, short, compressed.

use std::fs;

use super::{Death, World, lines, strs};

/// vector#23076, #25079, fluent-bit#8025, beats#1341: a stale offset was applied to a new file.
#[tokio::test(flavor = "multi_thread")]
async fn lesson_02_a_used_inode_does_not_inherit_a_position() {
    for longer in [false, true] {
        let mut world = World::new(&[("*.log", "app")]);
        world.write("app.log", &strs(&lines("old", 20)));
        world.start();
        world.all_arrived().await;
        world.kill().await;
        fs::remove_file(world.path("app.log")).unwrap();
        // the file system hands the freed inode out again, to one of these
        for n in 0..20 {
            let count = if longer { 40 } else { 3 };
            world.write(&format!("new{n}.log"), &strs(&lines(&format!("new {n}"), count)));
        }
        world.start();
        world.each_line_arrives_once().await;
        world.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lesson_02_a_position_behind_the_end_is_never_taken() {
    let mut world = World::new(&[("app.log", "app")]);
    world.write("app.log", &strs(&lines("old", 100)));
    world.start();
    world.all_arrived().await;
    world.kill().await;
    // the same inode, shorter
    fs::write(world.path("app.log"), "short\n").unwrap();
    world.expect(&["short"]);
    world.start();
    world.each_line_arrives_once().await;
    world.stop().await;
}

/// beats#44780, vector#25079, #2701, #643: short files unread, equal first lines taken for the same file.
#[tokio::test(flavor = "multi_thread")]
async fn lesson_03_short_empty_and_equal_files_are_files() {
    let mut world = World::new(&[("*.log", "app")]);
    for name in ["empty1", "empty2"] {
        fs::write(world.path(&format!("{name}.log")), "").unwrap();
    }
    world.write("short.log", &[""]);
    for name in ["equal1", "equal2", "equal3"] {
        world.write(&format!("{name}.log"), &["# the same header", "the same line"]);
    }
    world.start();
    world.all_arrived().await;
    world.write("empty1.log", &["no longer empty"]);
    world.write("empty2.log", &["no longer empty"]);
    world.write("equal2.log", &["now different"]);
    world.each_line_arrives_once().await;
    let generations: std::collections::HashSet<_> =
        world.broker.records().into_iter().map(|record| record.file.generation).collect();
    assert_eq!(generations.len(), 6);
    world.stop().await;
}

/// vector#13193, #7990: a rotated file was read again once it was compressed.
#[tokio::test(flavor = "multi_thread")]
async fn lesson_04_a_compressed_rotated_file_is_not_read_again() {
    let mut world = World::new(&[("app.log*", "app")]);
    world.start();
    world.write("app.log", &strs(&lines("rotated", 50)));
    world.all_arrived().await;
    world.rename("app.log", "app.log.1");
    world.compress("app.log.1");
    world.write("app.log", &["new"]);
    world.each_line_arrives_once().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lesson_04_what_was_compressed_while_the_agent_was_down_is_read_on_from_there() {
    for point in [Death::BeforeSend, Death::BeforeAnswer, Death::AfterAnswer] {
        let mut world = World::new(&[("app.log*", "app")]);
        world.config.read_block_bytes = 4096;
        world.write("app.log", &strs(&lines("packed", 1000)));
        world.broker.kill_at(2, point);
        world.start();
        world.await_death().await;
        world.rename("app.log", "app.log.1");
        world.compress("app.log.1");
        world.write("app.log", &["new"]);
        world.start();
        world.each_line_arrives_once().await;
        assert_eq!(world.broker.lost(), 0);
        world.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_generation_keeps_its_id_when_the_checkpoint_is_lost() {
    let mut world = World::new(&[("app.log*", "app")]);
    world.write("app.log", &["one", "two"]);
    world.start();
    world.all_arrived().await;
    let before = world.broker.records();
    world.rename("app.log", "app.log.1");
    world.stop().await;
    world.lose_the_checkpoint();
    world.start();
    world.expect(&["one", "two"]);
    world.all_arrived().await;
    let again = world.broker.records().split_off(2);
    let identity = |record: &super::world::Record| (record.file.generation, record.offset);
    assert_eq!(
        again.iter().map(identity).collect::<Vec<_>>(),
        before.iter().map(identity).collect::<Vec<_>>()
    );
    world.stop().await;
}
