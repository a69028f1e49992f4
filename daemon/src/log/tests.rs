use std::time::{Duration, Instant};

use super::*;

#[test]
fn repeats_are_held_back_and_counted() {
    let repeats = Repeats::every(Duration::from_secs(10));
    let start = Instant::now();
    let at = |seconds| start + Duration::from_secs(seconds);
    assert_eq!(repeats.pass_at(at(0)), Some(0));
    assert_eq!(repeats.pass_at(at(1)), None);
    assert_eq!(repeats.pass_at(at(9)), None);
    assert_eq!(repeats.pass_at(at(10)), Some(2));
    assert_eq!(repeats.pass_at(at(11)), None);
    assert_eq!(repeats.pass_at(at(40)), Some(1));
    assert_eq!(repeats.pass_at(at(60)), Some(0));
}

#[test]
fn the_flag_wins_over_the_variable_and_the_variable_over_the_default() {
    assert_eq!(filter(Some("debug"), Some("warn")).unwrap().to_string(), "debug");
    assert_eq!(filter(None, Some("warn")).unwrap().to_string(), "warn");
    assert_eq!(filter(None, Some("")).unwrap().to_string(), "info");
    assert_eq!(filter(None, None).unwrap().to_string(), "info");
}

#[test]
fn a_level_that_does_not_exist_is_refused_by_name() {
    let error = filter(Some("info,broker=loud"), None).unwrap_err().to_string();
    assert!(error.starts_with("cannot understand the log level \"info,broker=loud\": "), "{error}");
}

#[test]
fn journald_is_used_only_when_its_socket_is_stderr_itself() {
    assert!(is_stream("8:1234", 8, 1234));
    assert!(!is_stream("8:1234", 8, 1235));
    assert!(!is_stream("8:1234", 9, 1234));
    for odd in ["", "8", ":", "8:", "a:b", "8:1234:5"] {
        assert!(!is_stream(odd, 8, 1234), "{odd}");
    }
}

#[test]
fn formats_have_names() {
    assert_eq!("json".parse(), Ok(Format::Json));
    assert_eq!("text".parse(), Ok(Format::Text));
    assert_eq!("auto".parse(), Ok(Format::Auto));
    assert_eq!("xml".parse::<Format>(), Err("\"xml\" is none of auto, text, json".to_owned()));
}
