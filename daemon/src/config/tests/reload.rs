//! What happens to the configuration in force.

use std::time::Duration;

use super::*;
use crate::config::{Live, Reloads};

fn live(file: &File, reloads: &Reloads) -> Live<Sample> {
    let source = file.source();
    reloads.live(move || source.load()).unwrap()
}

#[tokio::test]
async fn a_changed_file_takes_effect_at_the_reload() {
    let file = File::new("ratio: 0.1\n");
    let reloads = Reloads::default();
    let mut live = live(&file, &reloads);
    file.write("ratio: 0.2\n");
    assert_eq!(live.current().ratio, 0.1);
    assert!(reloads.reload().unwrap());
    assert_eq!(live.changed().await.ratio, 0.2);
    assert_eq!(live.current().ratio, 0.2);
}

#[tokio::test]
async fn an_unchanged_file_is_no_change() {
    let file = File::new("ratio: 0.1\n");
    let reloads = Reloads::default();
    let mut live = live(&file, &reloads);
    file.write("# another comment\nratio: 0.1\n");
    assert!(!reloads.reload().unwrap());
    assert!(tokio::time::timeout(Duration::ZERO, live.changed()).await.is_err());
}

#[test]
fn a_bad_file_leaves_the_old_configuration_in_force() {
    let file = File::new("ratio: 0.1\n");
    let reloads = Reloads::default();
    let live = live(&file, &reloads);
    for bad in ["ratio: much\n", "rate: 1\n", "segment_bytes: 1\n", "[", "\u{0}"] {
        file.write(bad);
        assert!(reloads.reload().is_err(), "{bad}");
        assert_eq!(live.current().ratio, 0.1, "{bad}");
    }
    std::fs::remove_file(file.path()).unwrap();
    assert!(reloads.reload().is_err());
    assert_eq!(live.current().ratio, 0.1);
    file.write("ratio: 0.3\n");
    assert!(reloads.reload().unwrap());
    assert_eq!(live.current().ratio, 0.3);
}

#[test]
fn several_configurations_change_together_or_not_at_all() {
    let (first, second) = (File::new("ratio: 0.1\n"), File::new("ratio: 0.1\n"));
    let reloads = Reloads::default();
    let (one, two) = (live(&first, &reloads), live(&second, &reloads));
    first.write("ratio: 0.9\n");
    second.write("ratio: wrong\n");
    assert!(reloads.reload().is_err());
    assert_eq!((one.current().ratio, two.current().ratio), (0.1, 0.1));
    second.write("ratio: 0.8\n");
    assert!(reloads.reload().unwrap());
    assert_eq!((one.current().ratio, two.current().ratio), (0.9, 0.8));
}

#[test]
fn a_start_with_a_bad_file_fails_and_registers_nothing() {
    let file = File::new("ratio: wrong\n");
    let reloads = Reloads::default();
    let source = file.source();
    assert!(reloads.live::<Sample>(move || source.load()).is_err());
    assert!(!reloads.reload().unwrap());
}

#[tokio::test]
async fn every_clone_sees_a_change_once() {
    let (change, mut first) = Live::changing(1);
    let mut second = first.clone();
    assert!(change.set(2));
    assert_eq!((*first.changed().await, *second.changed().await), (2, 2));
    assert!(tokio::time::timeout(Duration::ZERO, first.changed()).await.is_err());
    assert!(!change.set(2));
    assert!(tokio::time::timeout(Duration::ZERO, second.changed()).await.is_err());
}

#[tokio::test]
async fn a_fixed_configuration_never_changes() {
    let mut live = Live::fixed(7);
    assert_eq!(*live.current(), 7);
    assert!(tokio::time::timeout(Duration::ZERO, live.changed()).await.is_err());
}
