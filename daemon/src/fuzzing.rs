//! The body of the fuzz target: it takes any bytes and panics only if a promise of this crate is broken. It also runs
//! under proptest in this crate's tests.

use serde_json::Value;

use crate::config::{from_text, json_as_yaml, quote};

/// Bytes as a configuration file, and as a text given on the command line. What is read can be written as JSON and reads
/// the same.
pub fn config(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let quoted: Option<String> = from_text("quoted", &quote(text)).ok();
    assert_eq!(quoted.as_deref(), Some(text), "a quoted text is taken as it is");
    let Ok(value) = from_text::<Value>("file", text) else { return };
    let again = from_text::<Value>("file", &json_as_yaml(&value.to_string()));
    assert!(again.as_ref().is_ok_and(|again| *again == value), "{value} is read as {again:?}");
}

/// Inputs to begin with, each with its target.
pub fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let texts = [
        "",
        "listen: 127.0.0.1:9092\nlog:\n  level: info # as it is\nlist: [a, 'b', \"c\\u00e9\", 1, -2, 3.5, true, null]\n",
        "a: &x {b: 1, c: [*x]}\n",
        "a: &x\n  b: 1\nd: *x\ne: |\n  two\n  lines\nf: >-\n  folded\n  text\n",
        "? key\n: value\n? [a]\n: 1\n",
        "{\"json\": {\"a\": [1e20, 18446744073709551615, 0x1f, 0o17, .inf, ~]}}",
        "!!str 5\n",
        "yes: no\non: 1_000\n",
    ];
    texts.map(|text| ("config", text.as_bytes().to_vec())).to_vec()
}

#[cfg(test)]
mod tests;
