//! What wins over what.

use super::*;

#[test]
fn the_shipped_defaults_alone_are_a_configuration() {
    let sample = defaults();
    assert_eq!(sample.listen, "127.0.0.1:9092");
    assert_eq!(sample.host_id, None);
    assert_eq!(sample.log, Log { flush_messages: 100, retention_ms: -1 });
    assert_eq!(sample.topics, [Topic { name: "nginx_log".to_owned(), partitions: None }]);
}

#[test]
fn an_empty_file_changes_nothing() {
    for text in ["", "\n", "# only a comment\n", "---\n", "null\n", "~\n", "{}\n"] {
        assert_eq!(load(text).unwrap(), defaults(), "{text:?}");
    }
}

#[test]
fn a_heading_with_nothing_below_it_changes_nothing() {
    assert_eq!(load("log:\n  # flush_messages: 3\ntopics:\nlabels:\n").unwrap(), defaults());
}

#[test]
fn maps_merge_and_lists_and_scalars_replace() {
    let sample = load("log:\n  retention_ms: 60000\ntopics:\n  - name: a\n    partitions: 3\n").unwrap();
    assert_eq!(sample.log, Log { flush_messages: 100, retention_ms: 60_000 });
    assert_eq!(sample.topics, [Topic { name: "a".to_owned(), partitions: Some(3) }]);
    assert_eq!(load("topics: []\n").unwrap().topics, []);
}

#[test]
fn a_null_takes_a_scalar_back_to_nothing() {
    let text = DEFAULTS.replace("host_id: null", "host_id: web-1");
    let source = Source::new(Box::leak(text.into_boxed_str()));
    assert_eq!(source.load::<Sample>().unwrap().host_id.as_deref(), Some("web-1"));
    let file = File::new("host_id: null\n");
    assert_eq!(source.file(Some(file.path())).load::<Sample>().unwrap().host_id, None);
}

#[test]
fn an_empty_map_in_the_defaults_takes_any_keys() {
    let sample = load("labels: {dc: eu-1, rack: 7}\n").unwrap();
    assert_eq!(sample.labels["dc"], "eu-1");
    assert_eq!(sample.labels["rack"], "7");
}

#[test]
fn overrides_win_over_the_file() {
    let file = File::new("listen: file:1\nlog: {flush_messages: 7}\n");
    let source =
        file.source().set_text("listen", "flag:2").set("log.retention_ms", "5").set("topics", "[{name: x}]");
    let sample: Sample = source.load().unwrap();
    assert_eq!(sample.listen, "flag:2");
    assert_eq!(sample.log, Log { flush_messages: 7, retention_ms: 5 });
    assert_eq!(sample.topics[0].name, "x");
}

#[test]
fn a_text_override_is_taken_as_it_is() {
    for text in
        ["007", "true", "null", "*", "# no comment", "a: b", "[x", "\"q\"", "line\nbreak", "\u{e4}", ""]
    {
        let sample: Sample = Source::new(DEFAULTS).set_text("host_id", text).load().unwrap();
        assert_eq!(sample.host_id.as_deref(), Some(text));
    }
}

#[test]
fn a_wrong_override_is_blamed_on_the_command_line() {
    let error = |key: &str, value: &str| {
        Source::new(DEFAULTS).set(key, value).load::<Sample>().unwrap_err().to_string()
    };
    let unknown = error("log.flush_mesages", "1");
    assert_eq!(unknown, "command line: log.flush_mesages: unknown key, did you mean \"flush_messages\"?");
    assert_eq!(
        error("segment_bytes", "big"),
        "command line: segment_bytes: must be u64, not the text \"big\""
    );
    assert_eq!(error("segment_bytes", "1"), "command line: segment_bytes: must be at least 1024");
    assert!(error("listen", "[").starts_with("command line: listen: "));
}

#[test]
fn a_number_stays_the_text_it_was_written_as_where_text_is_wanted() {
    assert_eq!(load("host_id: 007\n").unwrap().host_id.as_deref(), Some("007"));
    assert_eq!(load("host_id: 1.10 # version\n").unwrap().host_id.as_deref(), Some("1.10"));
    assert_eq!(load("host_id: true\n").unwrap().host_id.as_deref(), Some("true"));
    assert_eq!(load("{host_id: 0x1F, listen: b}\n").unwrap().host_id.as_deref(), Some("0x1F"));
}

#[test]
fn a_part_of_a_common_file_overlays_its_own_defaults() {
    const COMMON: &str = "data_dir: /x\nsample:\n  listen: common:1\n  segment_bytes: 2048\nother: {}\n";
    let file = File::new("data_dir: /y\nsample:\n  segment_bytes: 8192\nother:\n  anything: 1\n");
    let source = Source::new(COMMON).file(Some(file.path())).set("sample.ratio", "0.9").set("other.x", "1");
    let sample: Sample = source.load_part("sample").unwrap();
    assert_eq!(sample.listen, "common:1");
    assert_eq!(sample.segment_bytes, 8192);
    assert_eq!(sample.ratio, 0.9);
    assert_eq!(sample.log, defaults().log);
}

#[test]
fn a_mistake_in_a_part_has_its_whole_path() {
    let file = File::new("sample:\n  log:\n    retention: 5\n");
    let source = Source::new("sample: {}\n").file(Some(file.path()));
    let error = source.load_part::<Sample>("sample").unwrap_err();
    let problem = error.problem().unwrap();
    assert_eq!((problem.line, problem.column, problem.path.as_str()), (3, 5, "sample.log.retention"));
    let file = File::new("sample: 5\n");
    let source = Source::new("sample: {}\n").file(Some(file.path()));
    let error = source.load_part::<Sample>("sample").unwrap_err().to_string();
    assert!(error.contains(":1:9: sample: must be keys with values (a map)"), "{error}");
    let file = File::new("sample:\n  segment_bytes: 5\n");
    let source = Source::new("sample: {}\n").file(Some(file.path()));
    let error = source.load_part::<Sample>("sample").unwrap_err().to_string();
    assert!(error.contains(":2:18: sample.segment_bytes: must be at least 1024"), "{error}");
    let error =
        Source::new("sample: {}\n").set("sample.nope", "1").load_part::<Sample>("sample").unwrap_err();
    assert!(error.to_string().starts_with("command line: sample.nope: unknown key"), "{error}");
}

#[test]
fn the_keys_of_a_file_tell_which_part_it_is_for() {
    let file = File::new("listen: a\nlog: {}\nnew: 1\n");
    assert_eq!(crate::config::keys_known(&file.path(), DEFAULTS).unwrap(), Some(2));
    assert_eq!(crate::config::keys_known(&file.path(), "other: 1\n").unwrap(), Some(0));
    file.write("- a\n");
    assert_eq!(crate::config::keys_known(&file.path(), DEFAULTS).unwrap(), None);
    file.write("");
    assert_eq!(crate::config::keys_known(&file.path(), DEFAULTS).unwrap(), Some(0));
}

#[test]
fn what_follows_from_other_settings_yields_to_what_is_said() {
    let file = File::new("sample:\n  segment_bytes: 8192\n");
    let source = Source::new("sample: {}\n").file(Some(file.path()));
    let derived = [("segment_bytes", "2048".to_owned()), ("listen", "derived:1".to_owned())];
    let sample: Sample = source.load_part_over("sample", &derived).unwrap();
    assert_eq!((sample.segment_bytes, sample.listen.as_str()), (8192, "derived:1"));
}
