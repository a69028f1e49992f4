use proptest::prelude::*;

use super::*;

fn written(text: &[u8]) -> String {
    let mut out = Vec::new();
    string(&mut out, text);
    String::from_utf8(out).unwrap()
}

#[test]
fn text_without_specials_is_copied() {
    assert_eq!(written(b"GET /index.html HTTP/1.1"), r#""GET /index.html HTTP/1.1""#);
    assert_eq!(written(b""), r#""""#);
    assert_eq!(written("größe €".as_bytes()), "\"größe €\"");
}

#[test]
fn specials_are_escaped_at_every_place_of_a_word() {
    for lead in 0..20 {
        for (byte, escaped) in [
            (b'"', "\\\""),
            (b'\\', "\\\\"),
            (b'\n', "\\n"),
            (b'\r', "\\r"),
            (b'\t', "\\t"),
            (0, "\\u0000"),
            (0x1f, "\\u001f"),
        ] {
            let mut text = vec![b'a'; lead];
            text.push(byte);
            text.extend_from_slice(b"tail of it");
            assert_eq!(written(&text), format!("\"{}{escaped}tail of it\"", "a".repeat(lead)));
        }
    }
}

#[test]
fn bytes_that_are_not_utf8_stay_readable() {
    assert_eq!(written(b"caf\xe9 \x16\x03"), "\"caf\\\\xe9 \\u0016\\u0003\"");
    // a sequence cut off at the end, and a stray continuation byte
    assert_eq!(written(b"\xe2\x82"), "\"\\\\xe2\\\\x82\"");
    assert_eq!(written(b"\x80"), "\"\\\\x80\"");
}

#[test]
fn numbers() {
    for value in [0, 7, 10, 999, -1, i64::MAX, i64::MIN] {
        let mut out = Vec::new();
        integer(&mut out, value);
        assert_eq!(String::from_utf8(out).unwrap(), value.to_string());
    }
}

#[test]
fn objects_nest_and_separate_members() {
    let mut out = Vec::new();
    let mut object = Object::open(&mut out);
    object.string("a", b"1");
    let mut inner = object.object("b");
    inner.integer("c", 2);
    inner.integer("d", 3);
    inner.close();
    object.object("e").close();
    object.close();
    assert_eq!(String::from_utf8(out).unwrap(), r#"{"a":"1","b":{"c":2,"d":3},"e":{}}"#);
}

proptest! {
    #[test]
    fn any_text_survives(text in any::<String>()) {
        let read: String = serde_json::from_str(&written(text.as_bytes())).unwrap();
        prop_assert_eq!(read, text);
    }

    #[test]
    fn any_bytes_make_valid_json(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let read: String = serde_json::from_str(&written(&bytes)).unwrap();
        if let Ok(text) = std::str::from_utf8(&bytes) {
            prop_assert_eq!(read, text);
        }
    }
}
