//! Changing topics: their partitions, their settings, their oldest records.

use serde_json::Value;

use crate::kafka::Broker;
use crate::support::run;

/// The setting of a name, in what `topics configs -o json` prints.
fn setting(broker: &Broker, name: &str) -> Value {
    let settings = broker.json(&["topics", "configs", "web"]);
    let found = settings.as_array().unwrap().iter().find(|setting| setting["name"] == name);
    found.cloned().unwrap_or_else(|| panic!("no {name} in {settings}"))
}

#[test]
fn a_setting_is_changed_shown_and_set_back() {
    let broker = Broker::start();
    broker.good(&["topics", "create", "web", "--config", "max.message.bytes=50000"]);
    let default = setting(&broker, "retention.ms");
    assert_eq!((&default["source"], &default["is_default"]), (&"default".into(), &true.into()));

    let changed = broker.good(&["topics", "alter", "web", "--set", "retention.ms=60000"]);
    assert_eq!(changed, "altered topic web: set retention.ms=60000\n");
    let own = setting(&broker, "retention.ms");
    assert_eq!((&own["value"], &own["source"]), (&"60000".into(), &"topic".into()));
    // What is not named stays.
    assert_eq!(setting(&broker, "max.message.bytes")["value"], "50000");

    let table = broker.good(&["topics", "configs", "web"]);
    let line = table.lines().find(|line| line.starts_with("retention.ms ")).unwrap();
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    assert_eq!(words, ["retention.ms", "60000", "no", "topic"]);

    broker.good(&["topics", "alter", "web", "--unset", "retention.ms"]);
    assert_eq!(setting(&broker, "retention.ms"), default);
}

#[test]
fn partitions_are_added_and_a_dry_run_adds_none() {
    let broker = Broker::start();
    broker.good(&["topics", "create", "web"]);
    let count = || broker.json(&["topics", "describe", "web"]).as_array().unwrap().len();
    let shown = broker.good(&["topics", "alter", "web", "--partitions", "3", "--dry-run"]);
    assert_eq!(shown, "would alter topic web: 3 partition(s)\n");
    assert_eq!(count(), 1);
    broker.good(&["topics", "alter", "web", "--partitions", "3"]);
    assert_eq!(count(), 3);
    let fewer = broker.bad(&["topics", "alter", "web", "--partitions", "2"]);
    assert!(fewer.starts_with("error: cannot alter topic web: "), "{fewer}");
}

#[test]
fn a_change_of_which_a_part_is_refused_changes_nothing() {
    let broker = Broker::start();
    broker.good(&["topics", "create", "web"]);
    let refused = broker.bad(&["topics", "alter", "web", "--partitions", "3", "--set", "retention.ms=soon"]);
    assert!(refused.contains("retention.ms"), "{refused}");
    assert_eq!(broker.json(&["topics", "describe", "web"]).as_array().unwrap().len(), 1);
}

#[test]
fn a_topic_that_is_not_there_is_said_by_every_command() {
    let broker = Broker::start();
    for command in [
        &["topics", "configs", "nope"][..],
        &["topics", "alter", "nope", "--partitions", "2"],
        &["topics", "alter", "nope", "--set", "retention.ms=1000"],
        &["delete-records", "nope", "--partition", "0", "--before", "latest"],
    ] {
        let said = broker.bad(command);
        assert!(said.starts_with("error: there is no topic \"nope\"\nhint: "), "{command:?}: {said}");
    }
    assert_eq!(broker.json(&["topics", "list"]), Value::Array(Vec::new()));
}

#[test]
fn a_change_of_nothing_is_a_wrong_command_line() {
    assert_eq!(run(&["topics", "alter", "web"]).code, Some(2));
    let done = run(&["topics", "alter", "web", "--set", "a=1", "--unset", "a"]);
    assert_eq!(done.code, Some(2));
    assert!(done.stderr.contains("the setting a is named twice"), "{}", done.stderr);
}

#[test]
fn the_oldest_records_are_deleted_when_that_is_confirmed() {
    let broker = Broker::start();
    broker.produce(&["--topic", "web"], "1\n2\n3\n4\n");
    let command = ["delete-records", "web", "--partition", "0", "--before"];
    let asked = broker.bad(&[&command, ["3"].as_slice()].concat());
    assert!(
        asked.contains("offsets 0 to 2 of web-0") && asked.contains("hint: say so with --yes"),
        "{asked}"
    );
    let beyond = broker.bad(&[&command, ["5", "--yes"].as_slice()].concat());
    assert!(beyond.contains("its log ends at 4"), "{beyond}");

    let rows = broker.json(&[&command, ["3", "--yes"].as_slice()].concat());
    assert_eq!((&rows[0]["old_start_offset"], &rows[0]["start_offset"]), (&0.into(), &3.into()));
    let left = ["consume", "--topic", "web", "--from-beginning", "--until-end"];
    assert_eq!(broker.good(&left), "4\n");
    // Again is no failure: there is nothing left to do.
    broker.good(&[&command, ["3", "--yes"].as_slice()].concat());

    broker.good(&[&command, ["latest", "--yes"].as_slice()].concat());
    assert_eq!(broker.json(&["topics", "describe", "web"])[0]["start_offset"], 4);
    assert_eq!(broker.good(&left), "");
    let missing = broker.bad(&["delete-records", "web", "--partition", "7", "--before", "latest", "--yes"]);
    assert!(missing.contains("no partition 7"), "{missing}");
}
