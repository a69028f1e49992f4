//! What a list may be, and what is said of one that may not.

use proptest::prelude::*;

use super::super::{CollectError, MAX_BYTES, MAX_ITEMS, parse, parse_bytes};
use super::item;
use crate::discover::{Excludes, Pattern};

fn refused(text: &str) -> String {
    parse(text).unwrap_err().to_string()
}

#[test]
fn yaml_json_and_flow_style_are_the_same_list() {
    let expected = vec![item("/var/log/nginx/access.log", "nginx_log"), item("/var/log/app/**/*.log", "app")];
    let texts = [
        "- path: /var/log/nginx/access.log\n  topic: nginx_log\n- topic: app\n  path: /var/log/app/**/*.log\n",
        "# all of them\n- {path: /var/log/nginx/access.log, topic: nginx_log}\n- {path: '/var/log/app/**/*.log', topic: app}",
        r#"[{"path": "/var/log/nginx/access.log", "topic": "nginx_log"}, {"path": "/var/log/app/**/*.log", "topic": "app"}]"#,
        "[\n\t{\n\t\t\"path\": \"/var/log/nginx/access.log\",\n\t\t\"topic\": \"nginx_log\"\n\t},\n\t{\n\t\t\"path\": \"/var/log/app/**/*.log\",\n\t\t\"topic\": \"app\"\n\t}\n]\n",
    ];
    for text in texts {
        assert_eq!(parse(text), Ok(expected.clone()), "{text}");
    }
}

#[test]
fn empty_brackets_are_an_empty_list_and_empty_text_is_an_unfinished_write() {
    assert_eq!(parse("[]"), Ok(Vec::new()));
    for text in ["", "  \n\n", "# only a comment\n"] {
        assert_eq!(parse(text), Err(CollectError::Empty), "{text:?}");
    }
}

#[test]
fn one_path_may_go_to_two_topics_but_not_twice_to_one() {
    assert!(parse("- {path: /a, topic: x}\n- {path: /a, topic: y}\n").is_ok());
    let message = refused("- {path: /a, topic: x}\n- {path: /b, topic: x}\n- {path: /a, topic: x}\n");
    assert!(message.starts_with("line 3 column "), "{message}");
    assert!(message.contains("item 3, path: the same path and topic as item 1; remove one"), "{message}");
}

#[test]
fn each_fault_names_its_place_and_its_remedy() {
    let cases = [
        ("- {path: /a, topic: x}\n- {path: /b, topik: y}\n", "line 2 column", "topik"),
        ("- path: /a\n", "line 1 column", "topic"),
        ("- path: [/a, /b]\n  topic: x\n", "line 1 column", "string"),
        ("path: /a\ntopic: x\n", "line 1 column", "sequence"),
        ("- /a\n", "line 1 column", "path: /var/log/app.log"),
        ("- {path: /a, topic: x, topic: y}\n", "line 1 column", "topic"),
        ("- {path: /a, topic: x", "line 1 column", "path: /var/log/app.log"),
        ("- path: ''\n  topic: x\n", "line 1 column 9, item 1, path:", "empty"),
        ("- {path: /a, topic: x}\n- path: logs/a\n  topic: x\n", "line 2 column 9, item 2, path:", "slash"),
        ("- path: /var/log/\n  topic: x\n", "line 1 column 9, item 1, path:", "/var/log/*"),
        ("- path: /var/[log\n  topic: x\n", "line 1 column 9, item 1, path:", "not a valid glob"),
        ("- path: /a\n  topic: ''\n", "line 2 column 10, item 1, topic:", "empty"),
        ("- path: /a\n  topic: web logs\n", "line 2 column 10, item 1, topic:", "as in \"web_logs\""),
        ("- path: /a\n  topic: ..\n", "line 2 column 10, item 1, topic:", "cannot be a topic name"),
        (
            "- path: /a\n  topic: __consumer_offsets\n",
            "line 2 column 10, item 1, topic:",
            "belongs to the broker",
        ),
    ];
    for (text, place, remedy) in cases {
        let message = refused(text);
        assert!(message.contains(place), "{text:?}: {message}");
        assert!(message.contains(remedy), "{text:?}: {message}");
        assert!(!message.contains('\n'), "one line for the log: {message}");
    }
}

/// The list was accepted, and the agent stopped where it makes the matcher of the glob.
#[test]
fn braces_in_braces_have_a_limit() {
    let list = |depth| format!("- path: '/{}a{}'\n  topic: t\n", "{".repeat(depth), "}".repeat(depth));
    let items = parse(&list(16)).unwrap();
    Pattern::new(&items[0], &Excludes::default()).unwrap();
    for depth in [17, 1000] {
        assert!(refused(&list(depth)).contains("braces stand in braces more than 16 deep"));
    }
    assert!(parse("- path: '/{a,b}{c,d}{e,f}{a,b}{c,d}{e,f}{a,b}{c,d}{e,f}{a,b}{c,d}{e,f}{a,b}{c,d}{e,f}{a,b}{c,d}{e,f}'\n  topic: t\n").is_ok());
}

#[test]
fn kafkas_limits_of_names_hold() {
    let list = |topic: &str| format!("- path: /a\n  topic: {topic}\n");
    assert!(parse(&list(&"t".repeat(249))).is_ok());
    assert!(refused(&list(&"t".repeat(250))).contains("249"));
    let path = format!("- path: /{}\n  topic: t\n", "p".repeat(4096));
    assert!(refused(&path).contains("4096"));
}

#[test]
fn a_list_has_limits() {
    let many: String = (0..=MAX_ITEMS).map(|number| format!("- {{path: /{number}, topic: t}}\n")).collect();
    assert_eq!(parse(&many), Err(CollectError::TooMany { items: MAX_ITEMS + 1 }));
    let long = " ".repeat(MAX_BYTES + 1);
    assert_eq!(parse(&long), Err(CollectError::TooLong { bytes: MAX_BYTES + 1 }));
    assert_eq!(parse_bytes(b"- path: /\xff"), Err(CollectError::NotUtf8 { at: 9 }));
}

#[test]
fn a_hostile_list_is_refused_quickly() {
    // serde_yaml and its forks hang on deep nesting; an alias bomb would fill the memory
    assert!(parse(&"[".repeat(200_000)).is_err());
    assert!(parse(&"- ".repeat(200_000)).is_err());
    let mut bomb = String::from("- &a0 {path: /a, topic: x}\n");
    for level in 1..30 {
        bomb.push_str(&format!("- &a{level} [{}]\n", vec![format!("*a{}", level - 1); 10].join(",")));
    }
    assert!(parse(&bomb).is_err());
}

#[test]
fn globs_do_not_cross_folders_unless_they_say_so() {
    let matches = |glob: &str, path: &str| item(glob, "t").glob().unwrap().compile_matcher().is_match(path);
    assert!(matches("/var/log/*.log", "/var/log/a.log"));
    assert!(!matches("/var/log/*.log", "/var/log/nginx/a.log"));
    assert!(matches("/var/log/**/*.log", "/var/log/nginx/a.log"));
    assert!(matches("/var/log/{a,b}.log", "/var/log/b.log"));
    assert!(matches(r"/var/log/a\[1\].log", "/var/log/a[1].log"));
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,300}") {
        let _ = parse(&text);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = parse_bytes(&bytes);
    }

    #[test]
    fn every_list_written_as_json_is_read_back(
        paths in proptest::collection::btree_set("/[a-z0-9 #:'\"é-]{1,20}[a-z]", 0..20),
    ) {
        let items: Vec<_> = paths.iter().map(|path| item(path, "t")).collect();
        let text = serde_json::to_string_pretty(&items).unwrap();
        prop_assert_eq!(parse(&text), Ok(items));
    }
}
