use daemon::config::{ConfigError, Source};

use super::*;

fn load(yaml: &[(&str, &str)]) -> Result<Config, ConfigError> {
    yaml.iter().fold(Source::new(Config::DEFAULTS), |source, (key, value)| source.set(*key, *value)).load()
}

fn refusal(yaml: &[(&str, &str)]) -> String {
    load(yaml).unwrap_err().to_string()
}

fn topic(name: &str, index: &str, format: Format) -> Topic {
    Topic { name: name.to_owned(), index: index.to_owned(), format }
}

#[test]
fn the_shipped_file_is_complete_and_valid() {
    let config = load(&[]).unwrap();
    assert_eq!(config.topics, [topic("nginx_log", "nginx_log", Format::Auto)]);
    assert_eq!(config.elasticsearch.url, None);
    assert_eq!(config.elasticsearch.bulk_max_bytes, 5 << 20);
}

#[test]
fn topics_are_names_entries_or_a_comma_list() {
    let topics = |yaml: &str| load(&[("topics", yaml)]).unwrap().topics;
    let (a, b) = (topic("a", "a", Format::Auto), topic("b", "b", Format::Auto));
    assert_eq!(topics("a, b"), [a.clone(), b.clone()]);
    assert_eq!(topics("a"), std::slice::from_ref(&a));
    assert_eq!(topics("[a, b]"), [a.clone(), b]);
    let mixed = topics("[a, {name: B.c, index: web, format: nginx_error}]");
    assert_eq!(mixed, [a, topic("B.c", "web", Format::NginxError)]);
}

#[test]
fn topics_that_cannot_be_are_refused_by_place() {
    let refused = |yaml: &str, words: &[&str]| {
        let text = refusal(&[("topics", yaml)]);
        for word in words {
            assert!(text.contains(word), "{yaml}: {text}");
        }
    };
    refused("[]", &["topics", "at least one"]);
    refused("[a, a]", &["topics[1].name", "twice"]);
    refused("[a b]", &["topics[0].name"]);
    refused("[A]", &["topics[0].index", "lower case"]);
    refused("[{name: a, index: _x}]", &["topics[0].index", "begin"]);
    refused("[{name: a, format: apache}]", &["format", "nginx_combined"]);
    refused("[{name: a, indx: b}]", &["indx"]);
    refused("[{index: b}]", &["name"]);
    refused("7", &["topics"]);
}

#[test]
fn values_out_of_bounds_are_refused_by_key() {
    for (key, value) in [
        ("bootstrap", "''"),
        ("group", "''"),
        ("time_zone", "Mars/Olympus"),
        ("dead_letter_suffix", "''"),
        ("dead_letter_suffix", "/x"),
        ("session_timeout_ms", "10"),
        ("elasticsearch.url", "ftp://x"),
        ("elasticsearch.url", "localhost"),
        ("elasticsearch.bulk_max_bytes", "1"),
        ("elasticsearch.bulk_max_documents", "0"),
        ("elasticsearch.max_in_flight", "0"),
        ("elasticsearch.backoff_max_ms", "1"),
        ("elasticsearch.number_of_shards", "0"),
        ("elasticsearch.username", "elastic"),
        ("no_such_key", "1"),
        ("elasticsearch.no_such_key", "1"),
    ] {
        let text = refusal(&[(key, value)]);
        let named = key.trim_start_matches("elasticsearch.").replace("username", "password");
        assert!(text.contains(&named), "{key}: {text}");
    }
}

#[test]
fn several_addresses_and_either_kind_of_credentials() {
    let config = load(&[("elasticsearch.url", "'http://a:9200, https://b/prefix'")]).unwrap();
    assert_eq!(config.elasticsearch.urls().unwrap().len(), 2);
    load(&[("elasticsearch.username", "u"), ("elasticsearch.password", "p")]).unwrap();
    load(&[("elasticsearch.api_key", "k")]).unwrap();
    let both =
        [("elasticsearch.username", "u"), ("elasticsearch.password", "p"), ("elasticsearch.api_key", "k")];
    assert!(refusal(&both).contains("api_key"));
}

#[test]
fn secrets_are_not_shown() {
    let config = load(&[("elasticsearch.username", "u"), ("elasticsearch.password", "hunter2")]).unwrap();
    let shown = format!("{config:?}");
    assert!(!shown.contains("hunter2"), "{shown}");
    assert_eq!(config.elasticsearch.password.unwrap().expose(), "hunter2");
    let refused = refusal(&[("elasticsearch.url", "'htp://u:hunter2@x'")]);
    assert!(!refused.contains("hunter2"), "{refused}");
}

#[test]
fn a_reload_says_what_needs_a_restart() {
    let old = load(&[]).unwrap();
    let topics = load(&[("topics", "a"), ("time_zone", "Europe/Berlin")]).unwrap();
    assert_eq!(old.needs_restart(&topics), [""; 0]);
    let more = load(&[("group", "g"), ("elasticsearch.linger_ms", "5")]).unwrap();
    assert_eq!(old.needs_restart(&more), ["group", "elasticsearch"]);
}
