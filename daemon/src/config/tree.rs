//! A YAML document as a tree whose every key and value knows where it was written.

/// Where something was written. Lines and columns count from 1, columns in characters; 0 means unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    /// Which text of [`super::layers::Layers`].
    pub text: usize,
    pub line: u32,
    pub column: u32,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    pub value: Value,
    pub place: Place,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Null,
    /// What the text means in YAML, and the text itself: a string field takes `007` as it stands.
    Scalar(Scalar, String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Scalar {
    Bool(bool),
    Signed(i64),
    Unsigned(u64),
    Float(f64),
    Text,
}

/// A map's key and value, in the order of the file.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    pub key: String,
    pub place: Place,
    pub node: Node,
}

impl Node {
    pub(super) fn get(&self, key: &str) -> Option<&Entry> {
        match &self.value {
            Value::Map(entries) => entries.iter().find(|entry| entry.key == key),
            _ => None,
        }
    }

    /// Takes the value under a top-level key out of a map.
    pub(super) fn take(self, key: &str) -> Option<Node> {
        match self.value {
            Value::Map(entries) => entries.into_iter().find(|entry| entry.key == key).map(|entry| entry.node),
            _ => None,
        }
    }

    /// Lays `over` on this node: maps are merged, all else is replaced. A null over a map or a list is a heading
    /// with nothing below it, and changes nothing.
    pub(super) fn merge(&mut self, over: Node) {
        match (&mut self.value, over.value) {
            (Value::Map(_) | Value::List(_), Value::Null) => {}
            (Value::Map(entries), Value::Map(new)) => {
                for entry in new {
                    match entries.iter_mut().find(|old| old.key == entry.key) {
                        Some(old) => {
                            old.place = entry.place;
                            old.node.merge(entry.node);
                        }
                        None => entries.push(entry),
                    }
                }
            }
            (value, new) => {
                *value = new;
                self.place = over.place;
            }
        }
    }

    /// The place of the value at `path` (`a.b[2].c`), or of the deepest one on the way to it.
    pub(super) fn locate(&self, path: &str) -> Place {
        let mut node = self;
        for step in path.split(['.', '[']).map(|step| step.trim_end_matches(']')) {
            let next = match &node.value {
                Value::List(items) => step.parse::<usize>().ok().and_then(|index| items.get(index)),
                _ => node.get(step).map(|entry| &entry.node),
            };
            match next {
                Some(next) => node = next,
                None => break,
            }
        }
        node.place
    }
}
