//! Files that appear, are renamed, are replaced, go.

use std::fs::{self, File};
use std::io::Write;

use super::{World, lines, strs};

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_read_from_its_start_and_followed() {
    let mut world = World::new(&[("app.log", "app")]);
    world.write("app.log", &["one", "two"]);
    world.start();
    world.all_arrived().await;
    world.write("app.log", &["three"]);
    world.each_line_arrives_once().await;
    let records = world.broker.records();
    assert_eq!(records.iter().map(|record| record.offset).collect::<Vec<_>>(), [0, 4, 8]);
    assert_eq!(&*records[0].file.path, world.path("app.log").to_str().unwrap());
    assert_eq!(&*records[0].file.host, "web-1");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_appears_later_is_seen_without_a_scan() {
    let mut world = World::new(&[("app.log", "app"), ("deep/er/*.log", "app")]);
    world.config.rescan_interval_ms = 3_600_000;
    world.start();
    world.write("app.log", &["one"]);
    world.all_arrived().await;
    fs::create_dir_all(world.path("deep/er")).unwrap();
    world.write("deep/er/x.log", &["two"]);
    world.each_line_arrives_once().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn folders_made_at_once_are_looked_into() {
    let mut world = World::new(&[("**/*.log", "app")]);
    world.start();
    for n in 0..20 {
        let folder = format!("s{n}/t/u");
        fs::create_dir_all(world.path(&folder)).unwrap();
        world.write(&format!("{folder}/x.log"), &[&format!("line of {n}")]);
    }
    world.each_line_arrives_once().await;
    world.stop().await;
}

/// logrotate's `create`, with nginx that writes to the renamed file until it is told to reopen.
#[tokio::test(flavor = "multi_thread")]
async fn a_renamed_file_is_followed_while_its_writer_goes_on() {
    let mut world = World::new(&[("access.log", "nginx")]);
    let path = world.path("access.log");
    let open = || File::options().create(true).append(true).open(&path).unwrap();
    let mut nginx = open();
    world.start();
    // a file renamed before it was ever seen would not be known
    world.write_to(&mut nginx, &["first"]);
    world.all_arrived().await;
    for round in 0..3 {
        world.write_to(&mut nginx, &strs(&lines(&format!("before {round}"), 20)));
        for n in (1..3).rev().filter(|n| *n <= round) {
            world.rename(&format!("access.log.{n}"), &format!("access.log.{}", n + 1));
        }
        world.rename("access.log", "access.log.1");
        let mut reopened = open();
        world.write_to(&mut nginx, &strs(&lines(&format!("after {round}"), 20)));
        world.write_to(&mut reopened, &strs(&lines(&format!("new {round}"), 20)));
        nginx = reopened;
        world.all_arrived().await;
    }
    world.each_line_arrives_once().await;
    let generations: std::collections::HashSet<_> =
        world.broker.records().into_iter().map(|record| record.file.generation).collect();
    assert_eq!(generations.len(), 4);
    let path = path.to_str().unwrap();
    assert!(world.broker.records().iter().all(|record| &*record.file.path == path));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotated_file_that_the_glob_matches_is_not_read_again() {
    let mut world = World::new(&[("app.log*", "app")]);
    world.start();
    for round in 0..3 {
        world.write("app.log", &strs(&lines(&format!("round {round}"), 10)));
        world.all_arrived().await;
        world.rename("app.log", &format!("app.log.{round}"));
    }
    world.write("app.log", &["last"]);
    world.each_line_arrives_once().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_while_the_agent_is_down_is_followed_under_the_new_name() {
    let mut world = World::new(&[("app.log", "app")]);
    world.write("app.log", &["one"]);
    world.start();
    world.all_arrived().await;
    world.stop().await;
    world.write("app.log", &["two"]);
    world.rename("app.log", "app.log.1");
    world.write("app.log", &["three"]);
    world.start();
    world.each_line_arrives_once().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_file_is_read_to_its_end_and_forgotten() {
    let mut world = World::new(&[("app.log", "app")]);
    world.write("app.log", &["one"]);
    world.start();
    world.all_arrived().await;
    let key = world.broker.records()[0].file.key();
    let mut writer = File::options().append(true).open(world.path("app.log")).unwrap();
    fs::remove_file(world.path("app.log")).unwrap();
    world.write_to(&mut writer, &["two"]);
    drop(writer);
    world.write("app.log", &["new one"]);
    world.each_line_arrives_once().await;
    world.broker.until("the position is forgotten", || world.checkpoint().file(&key).is_none()).await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_to_a_file_does_not_double_its_lines() {
    let mut world = World::new(&[("*.log", "app"), ("a*", "app")]);
    world.write("app.log", &["one"]);
    std::os::unix::fs::symlink(world.path("app.log"), world.path("alias.log")).unwrap();
    fs::hard_link(world.path("app.log"), world.path("again.log")).unwrap();
    world.start();
    world.all_arrived().await;
    world.write("app.log", &["two"]);
    world.each_line_arrives_once().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_behind_a_link_to_another_folder_wakes_without_a_scan() {
    let mut world = World::new(&[("links/*.log", "app")]);
    world.config.rescan_interval_ms = 3_600_000;
    fs::create_dir_all(world.path("links")).unwrap();
    fs::create_dir_all(world.path("real")).unwrap();
    world.write("real/0.log", &["one"]);
    std::os::unix::fs::symlink(world.path("real/0.log"), world.path("links/x.log")).unwrap();
    world.start();
    world.all_arrived().await;
    world.write("real/0.log", &["two"]);
    world.each_line_arrives_once().await;
    let path = world.path("links/x.log");
    assert_eq!(&*world.broker.records()[0].file.path, path.to_str().unwrap());
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_topics_get_the_same_file_each() {
    let mut world = World::new(&[("app.log", "first"), ("app.*", "second")]);
    world.write("app.log", &["one"]);
    world.expect(&["one"]);
    world.start();
    world.all_arrived().await;
    world.write("app.log", &["two"]);
    world.expect(&["two"]);
    world.each_line_arrives_once().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_rotated_file_is_let_go_but_its_lines_do_not_come_again() {
    let mut world = World::new(&[("app.log", "app")]);
    world.config.rotated_expiry_ms = 0;
    world.write("app.log", &["one"]);
    world.start();
    world.all_arrived().await;
    let key = world.broker.records()[0].file.key();
    world.rename("app.log", "app.log.1");
    world.broker.until("the position is forgotten", || world.checkpoint().file(&key).is_none()).await;
    world.write("app.log", &["two"]);
    world.each_line_arrives_once().await;
    world.kill().await;
    world.start();
    world.write("app.log", &["three"]);
    world.each_line_arrives_once().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_big_file_poured_in_at_once_arrives_in_order() {
    let mut world = World::new(&[("app.log", "app")]);
    world.config.read_block_bytes = 512;
    world.start();
    let all = lines("pour", 5000);
    let mut file = File::create(world.path("app.log")).unwrap();
    file.write_all((all.join("\n") + "\n").as_bytes()).unwrap();
    world.expect(&strs(&all));
    world.each_line_arrives_once().await;
    assert_eq!(world.broker.values(), all);
    world.stop().await;
}
