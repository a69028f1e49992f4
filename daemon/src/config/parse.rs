//! Text to tree: one YAML (or JSON) document, within a budget, each node with its place.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_yaml::{Budget, Location, Options, Spanned};

use super::error::Fault;
use super::tree::{Entry, Node, Place, Scalar, Value};

/// The largest text that is read.
pub(super) const MAX_TEXT_BYTES: usize = 1 << 20;

/// Deeper than any configuration, far from what the stack holds.
const MAX_DEPTH: usize = 32;

/// Parses `text`; `number` is its number in [`Place`]s. An empty document is null.
pub(super) fn parse(text: &str, number: usize) -> Result<Node, Fault> {
    let start = Place { text: number, line: 1, column: 1 };
    if text.len() > MAX_TEXT_BYTES {
        return Err(Fault::new(start, "", format!("is longer than {MAX_TEXT_BYTES} bytes")));
    }
    match serde_yaml::from_str_with_options::<Option<Spanned<Raw>>>(text, options()) {
        Ok(None) => Ok(Node { value: Value::Null, place: start }),
        Ok(Some(raw)) => Ok(node(raw, text, number)),
        Err(error) => {
            let place = error.location().map_or(start, |location| place(location, number));
            let message = error.without_snippet().to_string();
            Err(Fault::new(place, "", tidy(&message)))
        }
    }
}

fn options() -> Options {
    let mut budget = Budget::default();
    budget.max_depth = MAX_DEPTH;
    budget.max_nodes = 50_000;
    budget.max_events = 200_000;
    budget.max_aliases = 1_000;
    budget.max_anchors = 1_000;
    budget.max_documents = 1;
    let mut options = Options::default();
    options.budget = Some(budget);
    options.strict_booleans = true;
    options.with_snippet = false;
    options
}

/// The parser puts the place at the end of its message; ours says it in front.
fn tidy(message: &str) -> String {
    let line = message.lines().next().unwrap_or_default();
    let end = line.rfind(" at line ").unwrap_or(line.len());
    line.get(..end).unwrap_or(line).trim_start_matches("error: ").to_owned()
}

fn place(location: Location, number: usize) -> Place {
    let narrow = |position: u64| u32::try_from(position).unwrap_or(u32::MAX);
    Place { text: number, line: narrow(location.line()), column: narrow(location.column()) }
}

fn node(raw: Spanned<Raw>, text: &str, number: usize) -> Node {
    let place = place(raw.referenced, number);
    let value = match raw.value {
        Raw::Null => Value::Null,
        Raw::Text(text) => Value::Scalar(Scalar::Text, text),
        Raw::Typed(scalar, shown) => {
            Value::Scalar(scalar, slice(text, raw.defined).map_or(shown, str::to_owned))
        }
        Raw::List(items) => Value::List(items.into_iter().map(|item| node(item, text, number)).collect()),
        Raw::Map(entries) => Value::Map(
            entries
                .into_iter()
                .map(|(key, value)| Entry {
                    place: self::place(key.referenced, number),
                    key: key.value,
                    node: node(value, text, number),
                })
                .collect(),
        ),
    };
    Node { value, place }
}

/// A scalar as it was written.
fn slice(text: &str, location: Location) -> Option<&str> {
    let span = location.span();
    let start = usize::try_from(span.byte_offset()?).ok()?;
    let end = start.checked_add(usize::try_from(span.byte_len()?).ok()?)?;
    text.get(start..end).map(str::trim).filter(|slice| !slice.is_empty())
}

/// A node before its place is known: serde hands the place out one level up.
enum Raw {
    Null,
    Typed(Scalar, String),
    Text(String),
    List(Vec<Spanned<Raw>>),
    Map(Vec<(Spanned<String>, Spanned<Raw>)>),
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_none<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Raw, D::Error> {
        Raw::deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Raw, E> {
        Ok(Raw::Typed(Scalar::Bool(value), value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Raw, E> {
        Ok(Raw::Typed(Scalar::Signed(value), value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Raw, E> {
        Ok(Raw::Typed(Scalar::Unsigned(value), value.to_string()))
    }

    fn visit_i128<E: serde::de::Error>(self, value: i128) -> Result<Raw, E> {
        Err(E::custom(format!("the number {value} is too large")))
    }

    fn visit_u128<E: serde::de::Error>(self, value: u128) -> Result<Raw, E> {
        Err(E::custom(format!("the number {value} is too large")))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Raw, E> {
        Ok(Raw::Typed(Scalar::Float(value), value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Raw, E> {
        Ok(Raw::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Raw, E> {
        Ok(Raw::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Raw, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Raw::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Raw, A::Error> {
        let mut entries: Vec<(Spanned<String>, Spanned<Raw>)> = Vec::new();
        while let Some(key) = map.next_key::<Spanned<String>>()? {
            if entries.iter().any(|(known, _)| known.value == key.value) {
                return Err(A::Error::custom(format!("the key {:?} stands here twice", key.value)));
            }
            entries.push((key, map.next_value()?));
        }
        Ok(Raw::Map(entries))
    }
}
