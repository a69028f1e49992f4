//! The collect list: what it looks like and what makes it valid.
//!
//! The list is YAML or JSON, at most [`MAX_BYTES`] long, with at most [`MAX_ITEMS`] items:
//!
//! ```yaml
//! - path: /var/log/nginx/access.log     # an absolute path, or a glob: * ? [ab] {a,b}, ** for any depth
//!   topic: nginx_log                    # a Kafka topic name
//! - {path: "/var/log/app/**/*.log", topic: app_log}
//! ```
//!
//! `[]` is the empty list; an empty text is refused, because it is what a half-finished write looks like. The list is
//! taken as a whole or not at all.

use std::collections::HashMap;

use globset::{Glob, GlobBuilder};
use serde::Deserialize;

use super::yaml::{self, Spanned};

/// The longest list, in bytes.
pub const MAX_BYTES: usize = 1024 * 1024;
/// The most items of a list.
pub const MAX_ITEMS: usize = 10_000;
/// The longest path, in bytes: the kernel's PATH_MAX.
const MAX_PATH: usize = 4096;
/// How deep alternatives may be nested: the matcher, which is made of them later, has a limit of its own.
const MAX_BRACES: usize = 16;
/// The longest topic name: Kafka's limit.
const MAX_TOPIC: usize = 249;
/// Topics that belong to the broker.
const INTERNAL_TOPICS: [&str; 2] = ["__consumer_offsets", "__transaction_state"];

/// One entry of the collect list.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
pub struct CollectItem {
    /// An absolute path or a glob.
    pub path: String,
    /// The topic that its lines go to.
    pub topic: String,
}

impl CollectItem {
    /// The path as a glob: `*` and `?` do not match a slash, `**` matches any number of folders.
    pub fn glob(&self) -> Result<Glob, globset::Error> {
        glob(&self.path)
    }
}

fn glob(path: &str) -> Result<Glob, globset::Error> {
    GlobBuilder::new(path).literal_separator(true).backslash_escape(true).build()
}

/// Why a collect list is refused. The message names the place, the rule and the remedy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CollectError {
    /// Not YAML or JSON, an unknown key, a wrong type.
    #[error(
        "line {line} column {column}: {message}; the list looks like \"- {{path: /var/log/app.log, topic: app}}\""
    )]
    Form {
        /// Line, from 1.
        line: u64,
        /// Column in characters, from 1.
        column: u64,
        /// What the parser says.
        message: String,
    },
    /// An item breaks a rule.
    #[error("line {line} column {column}, item {item}, {key}: {rule}")]
    Item {
        /// Which item, from 1.
        item: usize,
        /// `path` or `topic`.
        key: &'static str,
        /// Line, from 1.
        line: u64,
        /// Column in characters, from 1.
        column: u64,
        /// The rule and the remedy.
        rule: String,
    },
    /// No item at all and no `[]` either.
    #[error("the list is empty text; write [] to collect nothing")]
    Empty,
    /// The bytes are not UTF-8.
    #[error("the list is not UTF-8 text (byte {at}); save it as UTF-8")]
    NotUtf8 {
        /// Offset of the first wrong byte.
        at: usize,
    },
    /// Over [`MAX_BYTES`].
    #[error("the list is {bytes} bytes long, over the limit of {limit}; use globs to shorten it", limit = MAX_BYTES)]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// Over [`MAX_ITEMS`].
    #[error("the list has {items} items, over the limit of {limit}; use globs to shorten it", limit = MAX_ITEMS)]
    TooMany {
        /// Its items.
        items: usize,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawItem {
    path: Spanned<String>,
    topic: Spanned<String>,
}

/// Reads and validates a collect list.
pub fn parse(text: &str) -> Result<Vec<CollectItem>, CollectError> {
    if text.len() > MAX_BYTES {
        return Err(CollectError::TooLong { bytes: text.len() });
    }
    if text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
        return Err(CollectError::Empty);
    }
    let raw: Vec<RawItem> = yaml::read(text).map_err(|error| CollectError::Form {
        line: error.line,
        column: error.column,
        message: error.message,
    })?;
    if raw.len() > MAX_ITEMS {
        return Err(CollectError::TooMany { items: raw.len() });
    }
    let mut first_seen = HashMap::with_capacity(raw.len());
    for (number, item) in (1..).zip(&raw) {
        check_path(&item.path.value).map_err(|rule| broken(number, "path", &item.path, rule))?;
        check_topic(&item.topic.value).map_err(|rule| broken(number, "topic", &item.topic, rule))?;
        if let Some(first) = first_seen.insert((&item.path.value, &item.topic.value), number) {
            let rule = format!("the same path and topic as item {first}; remove one of them");
            return Err(broken(number, "path", &item.path, rule));
        }
    }
    Ok(raw.into_iter().map(|item| CollectItem { path: item.path.value, topic: item.topic.value }).collect())
}

/// [`parse`] for bytes as they come from etcd or a file.
pub fn parse_bytes(bytes: &[u8]) -> Result<Vec<CollectItem>, CollectError> {
    let text =
        std::str::from_utf8(bytes).map_err(|error| CollectError::NotUtf8 { at: error.valid_up_to() })?;
    parse(text)
}

fn broken(item: usize, key: &'static str, value: &Spanned<String>, rule: String) -> CollectError {
    let place = value.referenced;
    CollectError::Item { item, key, line: place.line(), column: place.column(), rule }
}

fn check_path(path: &str) -> Result<(), String> {
    if path.is_empty() {
        return Err("the path is empty; give an absolute path or glob".to_owned());
    }
    if !path.starts_with('/') {
        return Err(format!("\"{path}\" is not an absolute path; begin it with a slash"));
    }
    if path.len() > MAX_PATH {
        return Err(format!("the path is {} bytes long, over the limit of {MAX_PATH}", path.len()));
    }
    if path.contains('\0') {
        return Err("the path contains a NUL byte; remove it".to_owned());
    }
    if path.ends_with('/') {
        return Err(format!("\"{path}\" is a folder; collect its files with \"{path}*\""));
    }
    if braces(path) > MAX_BRACES {
        return Err(format!("braces stand in braces more than {MAX_BRACES} deep; write several items"));
    }
    glob(path).map(drop).map_err(|error| {
        format!(
            "\"{path}\" is not a valid glob: {}; write a backslash before a literal *, ?, [ or {{",
            error.kind()
        )
    })
}

/// How deep alternatives stand in alternatives, at most.
fn braces(path: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    for byte in path.bytes() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

fn check_topic(topic: &str) -> Result<(), String> {
    if topic.is_empty() {
        return Err("the topic is empty; name the topic that the lines go to".to_owned());
    }
    if topic.len() > MAX_TOPIC {
        return Err(format!(
            "the topic name is {} characters long, over Kafka's limit of {MAX_TOPIC}",
            topic.len()
        ));
    }
    if topic == "." || topic == ".." {
        return Err(format!("\"{topic}\" cannot be a topic name; choose another"));
    }
    if INTERNAL_TOPICS.contains(&topic) {
        return Err(format!("\"{topic}\" belongs to the broker; choose another topic"));
    }
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    match topic.chars().find(|&c| !legal(c)) {
        None => Ok(()),
        Some(c) => Err(format!(
            "topic name \"{topic}\" contains {c:?}; use only ASCII letters, digits, '.', '_' and '-', as in \"{}\"",
            topic.replace(|c| !legal(c), "_")
        )),
    }
}
