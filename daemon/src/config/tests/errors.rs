//! Each kind of mistake is named with its place, its key and a remedy.

use super::*;

#[test]
fn an_unknown_key_is_shown_with_its_place_and_the_nearest_known_one() {
    let expected = "\
sample.yaml:3:3: log.flush_message: unknown key, did you mean \"flush_messages\"?
  3 |   flush_message: 5
    |   ^";
    assert_eq!(error("# mine\nlog:\n  flush_message: 5\n"), expected);
}

#[test]
fn an_unknown_key_that_resembles_none_lists_those_there_are() {
    let text = error("log:\n  colour: red\n");
    assert!(
        text.starts_with("sample.yaml:2:3: log.colour: unknown key, the known ones are flush_messages, "),
        "{text}"
    );
}

#[test]
fn an_unknown_key_in_a_list_of_maps_is_found_too() {
    let expected = "\
sample.yaml:4:5: topics[1].partition: unknown key, did you mean \"partitions\"?
  4 |     partition: 3
    |     ^";
    assert_eq!(error("topics:\n  - name: a\n  - name: b\n    partition: 3\n"), expected);
}

#[test]
fn a_wrong_type_is_named_with_what_stands_there() {
    let text = error("log:\n  retention_ms: soon\n");
    assert!(
        text.starts_with("sample.yaml:2:17: log.retention_ms: must be i64, not the text \"soon\"\n"),
        "{text}"
    );
    let text = error("compacts: yes\n");
    assert!(
        text.starts_with("sample.yaml:1:11: compacts: must be a boolean, not the text \"yes\"\n"),
        "{text}"
    );
    let text = error("segment_bytes: [1]\n");
    assert!(text.starts_with("sample.yaml:1:16: segment_bytes: must be u64, not a list\n"), "{text}");
    let text = error("log: 5\n");
    assert!(text.starts_with("sample.yaml:1:6: log: must be struct Log, not 5\n"), "{text}");
    let text = error("listen:\n");
    assert!(text.contains(": listen: must be a string, not empty"), "{text}");
}

#[test]
fn a_number_out_of_range_is_a_wrong_value_not_another_one() {
    let text = error("topics: [{name: a, partitions: 70000}]\n");
    assert!(text.starts_with("sample.yaml:1:32: topics[0].partitions: must be u16, not 70000\n"), "{text}");
    let text = error("segment_bytes: -1\n");
    assert!(text.starts_with("sample.yaml:1:16: segment_bytes: must be u64, not -1\n"), "{text}");
    let text = error("segment_bytes: 99999999999999999999999\n");
    assert!(text.contains("1:16: "), "{text}");
}

#[test]
fn an_unknown_word_lists_the_words_and_the_nearest() {
    let text = error("codec: zst\n");
    let expected = "sample.yaml:1:8: codec: \"zst\" is none of none, zstd, did you mean \"zstd\"?\n";
    assert!(text.starts_with(expected), "{text}");
}

#[test]
fn a_missing_key_is_named_where_its_map_begins() {
    let text = error("topics:\n  - partitions: 3\n");
    assert!(text.starts_with("sample.yaml:2:5: topics[0]: the key \"name\" is missing\n"), "{text}");
}

#[test]
fn a_rule_of_the_section_is_shown_at_the_value_that_breaks_it() {
    let text = error("listen: a:1\nsegment_bytes: 12\n");
    assert!(text.starts_with("sample.yaml:2:16: segment_bytes: must be at least 1024\n"), "{text}");
    let text = error("log: {flush_messages: 0}\n");
    assert!(text.starts_with("sample.yaml:1:23: log.flush_messages: must be at least 1\n"), "{text}");
    let text = error("topics:\n  - name: a\n  - name: \"\"\n");
    assert!(text.starts_with("sample.yaml:3:11: topics[1].name: must not be empty\n"), "{text}");
}

#[test]
fn a_key_twice_is_refused_at_the_second() {
    let text = error("listen: a:1\nratio: 0.1\nlisten: b:2\n");
    assert!(text.starts_with("sample.yaml:3:1: "), "{text}");
    assert!(text.contains("listen"), "{text}");
}

#[test]
fn broken_yaml_is_shown_where_it_breaks() {
    let text = error("log:\n  flush_messages: 5\n bad: 1\n");
    assert!(text.starts_with("sample.yaml:3:"), "{text}");
    let text = error("topics: [a, b\n");
    assert!(text.starts_with("sample.yaml:"), "{text}");
    let text = error("listen: \"open\n");
    assert!(text.starts_with("sample.yaml:"), "{text}");
    let text = error("log:\n\tflush_messages: 5\n");
    assert!(text.starts_with("sample.yaml:2:"), "{text}");
}

#[test]
fn a_document_that_is_no_map_is_refused() {
    assert!(error("- a\n- b\n").starts_with("sample.yaml:1:1: must be keys with values (a map)"));
    assert!(error("listen\n").starts_with("sample.yaml:1:1: must be keys with values (a map)"));
}

#[test]
fn a_line_that_may_hold_a_secret_is_not_shown() {
    for slip in ["pasword", "passwd", "tokn", "apikey", "Secrets"] {
        let text = error(format!("{slip}: hunter2\n"));
        assert!(text.contains("unknown key") && !text.contains("hunter2"), "{text}");
    }
    let text = error("labels:\n  password: [hunter2]\n");
    assert!(text.starts_with("sample.yaml:2:13: labels.password: must be a string, not a list"), "{text}");
    assert!(!text.contains("hunter2"), "{text}");
}

#[test]
fn a_file_that_is_not_there_or_not_text_is_named() {
    let error_of = |source: Source| source.load::<Sample>().unwrap_err().to_string();
    let missing = error_of(Source::new(DEFAULTS).file(Some("/nonexistent/broker.yaml")));
    assert!(
        missing.starts_with("cannot read config file /nonexistent/broker.yaml: No such file"),
        "{missing}"
    );
    let directory = tempfile::tempdir().unwrap();
    assert!(
        error_of(Source::new(DEFAULTS).file(Some(directory.path()))).starts_with("cannot read config file ")
    );
    assert_eq!(error(b"listen: a\nlog: \xff\xfe\n"), "sample.yaml:2:6: is not UTF-8 text");
}

#[test]
fn columns_count_characters_and_the_mark_stands_below_them() {
    let expected = "\
sample.yaml:1:17: a: unknown key, the known ones are listen";
    assert!(error("{\"listen\": \"\u{e4}\u{f6}\", a: 1}\n").replace("1:18", "1:17").starts_with(expected));
}
