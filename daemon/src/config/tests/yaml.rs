//! YAML's own corners, and hostile text: always an answer, never a panic or a hang.

use proptest::prelude::*;

use super::*;
use crate::config::{from_text, quote};

#[test]
fn json_is_yaml_too() {
    let sample =
        load("{\"listen\": \"a:1\", \"log\": {\"flush_messages\": 3}, \"topics\": [{\"name\": \"x\"}]}")
            .unwrap();
    assert_eq!(sample.listen, "a:1");
    assert_eq!(sample.log.flush_messages, 3);
}

#[test]
fn anchors_and_aliases_work() {
    let sample = load("topics:\n  - &a {name: x, partitions: 2}\n  - *a\n").unwrap();
    assert_eq!(sample.topics[0], sample.topics[1]);
}

#[test]
fn a_billion_laughs_are_refused() {
    let mut text = String::from("a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n");
    for level in 1..12 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        text.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
    }
    assert!(load(&text).is_err());
}

#[test]
fn depth_is_bounded() {
    assert!(load(&format!("labels: {}{}", "[".repeat(5_000), "]".repeat(5_000))).is_err());
    assert!(load(&"{a: ".repeat(5_000)).is_err());
    assert!(load(&"- ".repeat(5_000)).is_err());
}

#[test]
fn length_is_bounded() {
    let error = error(format!("# {}\n", "x".repeat(2 << 20)));
    assert_eq!(error, "sample.yaml:1:1: is longer than 1048576 bytes");
}

#[test]
fn a_second_document_is_refused() {
    assert!(load("listen: a:1\n---\nlisten: b:2\n").is_err());
}

#[test]
fn windows_line_ends_and_a_byte_order_mark_do_no_harm() {
    assert_eq!(load("\u{feff}listen: a:1\r\nratio: 0.25\r\n").unwrap().ratio, 0.25);
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Item {
    path: String,
    topic: String,
}

#[test]
fn a_list_of_its_own_is_read_with_places() {
    let items: Vec<Item> = from_text("collect", "- {path: /a, topic: t}\n- {path: /b, topic: u}\n").unwrap();
    assert_eq!(items[1], Item { path: "/b".to_owned(), topic: "u".to_owned() });
    let error = from_text::<Vec<Item>>("collect", "- path: /a\n  topc: t\n").unwrap_err().to_string();
    assert!(error.starts_with("collect:2:3: [0].topc: unknown key, did you mean \"topic\"?\n"), "{error}");
    let error = from_text::<Vec<Item>>("collect", "").unwrap_err().to_string();
    assert!(error.starts_with("collect:1:1: must be a sequence, not empty"), "{error}");
}

/// JSON has them in its strings as they are; a setting given on the command line was refused for them.
#[test]
fn a_quoted_text_may_hold_what_yaml_does_not_take() {
    for text in ["\u{7f}", "a\u{80}b\u{9f}", "\u{85}", "\u{2028}\u{2029}", "\u{feff}x", "\u{fffe}\u{ffff}"] {
        assert_eq!(from_text::<String>("any", &quote(text)).unwrap(), text, "{text:?}");
    }
}

proptest! {
    #[test]
    fn any_text_gets_an_answer(text in "[\\PC\n]{0,200}") {
        let _ = from_text::<Vec<Item>>("any", &text).map_err(|error| error.to_string());
    }

    #[test]
    fn any_structure_gets_an_answer(text in "([-:?&*!|>'\"%@`{}\\[\\], \n#~a0]|<<|: |- |\\? ){0,60}") {
        let _ = from_text::<Sample>("any", &text).map_err(|error| error.to_string());
    }

    #[test]
    fn a_quoted_text_is_read_back(text in "\\PC{0,40}") {
        prop_assert_eq!(from_text::<String>("any", &quote(&text)).unwrap(), text);
    }
}
