//! A registry that claims more partitions than there are.

use super::*;

/// The registry's text, of a topic with `real` partitions, of which it says that it has so many.
fn claim(dir: &Dir, real: i32, claimed: i32) -> String {
    let text = fs::read_to_string(dir.path("topics.json")).unwrap();
    let (real, claimed) = (format!("\"partitions\": {real},"), format!("\"partitions\": {claimed},"));
    assert!(text.contains(&real), "{text}");
    text.replace(&real, &claimed)
}

/// Two billion directories were made, one after the other.
#[test]
fn a_registry_that_names_more_partitions_than_there_may_be_is_refused() {
    let dir = Dir::new();
    let (logs, _) = dir.open();
    create(&logs, "t", 2);
    append(&logs, "t", 1, "kept");
    drop(logs);
    let good = fs::read(dir.path("topics.json")).unwrap();
    for claimed in [51, i32::MAX] {
        fs::write(dir.path("topics.json"), &good).unwrap();
        fs::write(dir.path("topics.json"), claim(&dir, 2, claimed)).unwrap();
        let error = LogManager::open(dir.options()).unwrap_err();
        let is_room = matches!(error, OpenError::TooManyPartitions { max: 50, present: 2, .. });
        assert!(is_room, "{error}");
        let text = error.to_string();
        let place = dir.path("topics.json").display().to_string();
        assert!(text.starts_with(&format!("{place} names {claimed} partitions")), "{text}");
        assert!(text.contains("max_partitions") && text.contains("restore the file"), "{text}");
        assert!(!dir.path("t-2").exists());
    }
    fs::write(dir.path("topics.json"), good).unwrap();
    assert_eq!(read_values(&dir.open().0.partition("t", 1).unwrap()), [(0, "kept".to_owned())]);
}

/// As many as may be are made: the registry is believed, and directories may have been lost.
#[test]
fn a_registry_that_names_as_many_partitions_as_there_may_be_is_believed() {
    let dir = Dir::new();
    let (logs, _) = dir.open();
    create(&logs, "t", 2);
    drop(logs);
    fs::write(dir.path("topics.json"), claim(&dir, 2, 50)).unwrap();
    assert_eq!(dir.open().1.partitions, 50);
}

/// Else nobody who has lowered `max_partitions` too far could start the broker.
#[test]
fn a_broker_with_more_partitions_than_there_may_be_starts_and_gets_no_new_ones() {
    let dir = Dir::new();
    let (logs, _) = dir.open();
    create(&logs, "t", 5);
    append(&logs, "t", 4, "kept");
    drop(logs);
    let (logs, report) = LogManager::open(ManagerOptions { partitions_max: 3, ..dir.options() }).unwrap();
    assert_eq!(report.partitions, 5);
    assert_eq!(read_values(&logs.partition("t", 4).unwrap()), [(0, "kept".to_owned())]);
    let refused = logs.create_topic("u", 1, BTreeMap::new()).unwrap_err();
    assert!(matches!(refused, TopicError::InvalidPartitions(1)));
}

/// Each of the partitions was looked for.
#[test]
fn the_deletion_of_a_topic_of_billions_of_partitions_is_completed_soon() {
    let dir = Dir::new();
    let (logs, _) = dir.open();
    create(&logs, "t", 2);
    create(&logs, "t-1", 1);
    append(&logs, "t-1", 0, "kept");
    let meta = logs.topic("t").unwrap().meta.clone();
    // as if the first directory was being removed when the power failed
    let doomed = format!("t-0.{}-delete", meta.id.simple());
    logs.store.put(&TopicMeta { deleting: true, partitions: i32::MAX, ..meta }).unwrap();
    drop(logs);
    fs::rename(dir.path("t-0"), dir.path(&doomed)).unwrap();
    let (logs, report) = dir.open();
    assert_eq!((report.partitions, logs.topics().len()), (1, 1));
    assert_eq!(read_values(&logs.partition("t-1", 0).unwrap()), [(0, "kept".to_owned())]);
    assert!(!dir.names().iter().any(|name| name == "t-1" || name.ends_with("-delete")));
    assert!(dir.path("t-1-0").exists());
}

/// What is lacking below that number would have been registered, and made.
#[test]
fn a_directory_with_a_huge_number_does_not_make_a_registry_anew() {
    let dir = Dir::new();
    let (logs, _) = dir.open();
    create(&logs, "t", 1);
    drop(logs);
    fs::remove_file(dir.path("topics.json")).unwrap();
    fs::rename(dir.path("t-0"), dir.path("t-2000000000")).unwrap();
    let error = LogManager::open(dir.options()).unwrap_err();
    assert!(
        matches!(error, OpenError::TooManyPartitions { named: 2_000_000_001, present: 1, .. }),
        "{error}"
    );
    assert!(!dir.path("topics.json").exists());
    fs::rename(dir.path("t-2000000000"), dir.path("t-0")).unwrap();
    assert_eq!(dir.open().1.partitions, 1);
}
