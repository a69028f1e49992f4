//! Topics that change: more partitions, other settings, records deleted by request.

use super::*;

fn alter(logs: &LogManager, topic: &str, texts: &[(&str, &str)]) -> Result<(), TopicError> {
    logs.alter_topic(topic, false, |_| Ok(configs(texts)))
}

#[test]
fn new_partitions_have_the_topics_settings_and_survive() {
    let dir = Dir::new();
    let (logs, _) = dir.open();
    logs.create_topic("t", 1, configs(&[("retention.ms", "1000")])).unwrap();
    append(&logs, "t", 0, "old");
    let id = logs.topic("t").unwrap().id();
    logs.add_partitions("t", 3, false).unwrap();
    append(&logs, "t", 2, "new");
    assert_eq!(logs.partition("t", 2).unwrap().config().retention_ms, 1000);
    assert_eq!(logs.topic_by_id(id).unwrap().partitions().len(), 3);
    drop(logs);
    let (logs, report) = dir.open();
    assert_eq!(report.partitions, 3);
    assert_eq!(read_values(&logs.partition("t", 0).unwrap()), [(0, "old".to_owned())]);
    assert_eq!(read_values(&logs.partition("t", 2).unwrap()), [(0, "new".to_owned())]);
    logs.delete_topic("t").unwrap();
    assert!(!dir.path("t-2").exists());
}

#[test]
fn the_number_of_partitions_only_grows_and_has_a_limit() {
    let dir = Dir::new();
    let (logs, _) = dir.open();
    create(&logs, "t", 2);
    for count in [2, 1, 0, -1, i32::MIN] {
        let error = logs.add_partitions("t", count, false).unwrap_err();
        assert!(matches!(error, TopicError::NotMorePartitions { present: 2, .. }), "{count}: {error}");
    }
    for count in [51, i32::MAX] {
        let error = logs.add_partitions("t", count, false).unwrap_err();
        assert!(matches!(error, TopicError::InvalidPartitions(_)), "{count}: {error}");
    }
    assert!(matches!(logs.add_partitions("u", 3, false), Err(TopicError::Unknown(_))));
    logs.add_partitions("t", 50, true).unwrap();
    assert_eq!(logs.topic("t").unwrap().partitions().len(), 2, "a dry run");
    assert!(!dir.path("t-2").exists());
}

/// The registry decides: a directory that it does not know is out of the way of the next attempt.
#[test]
fn partitions_whose_creation_was_interrupted_are_created_again() {
    let dir = Dir::new();
    let (logs, _) = dir.open();
    create(&logs, "t", 1);
    dir.disk.fail(Fault::Rename);
    assert!(logs.add_partitions("t", 2, false).is_err());
    assert_eq!(logs.topic("t").unwrap().partitions().len(), 1);
    logs.add_partitions("t", 2, false).unwrap();
    append(&logs, "t", 1, "value");
    drop(logs);
    let (logs, _) = dir.open();
    assert_eq!(read_values(&logs.partition("t", 1).unwrap()).len(), 1);
}

#[test]
fn altered_settings_are_in_force_at_once_and_after_a_restart() {
    let dir = Dir::new();
    let (logs, _) = dir.open();
    logs.create_topic("t", 1, configs(&[("retention.ms", "1000")])).unwrap();
    let partition = logs.partition("t", 0).unwrap();
    alter(&logs, "t", &[("max.message.bytes", "100")]).unwrap();
    assert_eq!(partition.config().max_message_bytes, 100);
    assert_eq!(partition.config().retention_ms, 604_800_000, "what is no longer set is the default again");
    assert!(partition.append(&mut values(&["x".repeat(200).as_str()])).is_err());
    drop((logs, partition));
    let (logs, _) = dir.open();
    assert_eq!(logs.topic("t").unwrap().configs(), &configs(&[("max.message.bytes", "100")]));
    assert_eq!(logs.partition("t", 0).unwrap().config().max_message_bytes, 100);
}

#[test]
fn what_is_refused_or_cannot_be_kept_changes_nothing() {
    let dir = Dir::new();
    let (logs, _) = dir.open();
    create(&logs, "t", 1);
    assert!(matches!(alter(&logs, "t", &[("retention.ms", "soon")]), Err(TopicError::Config(_))));
    assert!(matches!(alter(&logs, "u", &[]), Err(TopicError::Unknown(_))));
    logs.alter_topic::<TopicError>("t", true, |_| Ok(configs(&[("retention.ms", "1")]))).unwrap();
    dir.disk.fail(Fault::Rename);
    assert!(matches!(alter(&logs, "t", &[("retention.ms", "2")]), Err(TopicError::Storage(_))));
    assert!(logs.topic("t").unwrap().configs().is_empty());
    assert_eq!(logs.partition("t", 0).unwrap().config().retention_ms, 604_800_000);
}

/// A topic's own settings may contradict new defaults; then none of the topics gets them.
#[test]
fn defaults_that_do_not_fit_one_topic_reach_none() {
    let dir = Dir::new();
    let (logs, _) = dir.open();
    create(&logs, "a", 1);
    logs.create_topic("b", 1, configs(&[("min.compaction.lag.ms", "1000")])).unwrap();
    let defaults = LogConfig { max_compaction_lag_ms: 999, retention_ms: 5, ..LogConfig::default() };
    assert!(logs.check_defaults(&defaults).is_err());
    assert!(logs.set_defaults(defaults).is_err());
    assert_eq!(logs.partition("a", 0).unwrap().config().retention_ms, 604_800_000);
}

#[test]
fn deleted_records_stay_deleted_after_a_crash() {
    let dir = Dir::new();
    let (logs, _) = dir.open();
    create(&logs, "t", 1);
    for value in ["a", "b", "c"] {
        append(&logs, "t", 0, value);
    }
    let partition = logs.partition("t", 0).unwrap();
    assert_eq!(partition.delete_records_before(2).unwrap(), 2);
    logs.save_log_starts().unwrap();
    drop((logs, partition));
    let (logs, report) = dir.open();
    assert!(!report.clean);
    let partition = logs.partition("t", 0).unwrap();
    assert_eq!(partition.log_start_offset(), 2);
    assert_eq!(read_values(&partition), [(2, "c".to_owned())]);
}
