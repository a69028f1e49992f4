//! The layers of a configuration laid over each other, and their texts for showing places.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use serde::de::DeserializeOwned;

use super::error::{ConfigError, Fault, Problem, nearest, unknown_key};
use super::parse::{MAX_TEXT_BYTES, parse};
use super::tree::{Entry, Node, Place, Value};
use super::{Section, typed};

/// Longer lines are not shown.
const MAX_EXCERPT_CHARS: usize = 160;

/// What is merged so far.
pub(super) struct Layers {
    /// The shipped tree: the measure of which keys are known.
    defaults: Node,
    merged: Node,
    texts: Texts,
    /// The section's key in the operator's file; empty when the file is the section.
    section: String,
}

/// Texts that places point into.
#[derive(Default)]
struct Texts(Vec<(String, String)>);

impl Layers {
    pub(super) fn new(defaults: &'static str, section: &str) -> Result<Self, ConfigError> {
        let mut texts = Texts::default();
        let defaults = texts.parse("built-in defaults", defaults.to_owned())?;
        Ok(Self { merged: defaults.clone(), defaults, texts, section: section.to_owned() })
    }

    /// Lays the section of another shipped file over the defaults.
    pub(super) fn lay_shipped(&mut self, text: &'static str) -> Result<(), ConfigError> {
        let tree = self.texts.parse("built-in defaults", text.to_owned())?;
        self.lay(tree, &[])
    }

    /// Lays the operator's file, or the section of it. What stands under `foreign` keys is not looked at.
    pub(super) fn lay_file(&mut self, path: &Path, foreign: &[&str]) -> Result<(), ConfigError> {
        let text = read(path)?;
        let tree = self.texts.parse(&path.display().to_string(), text)?;
        self.lay(tree, foreign)
    }

    fn lay(&mut self, tree: Node, foreign: &[&str]) -> Result<(), ConfigError> {
        if self.section.is_empty() {
            return self.lay_section(tree, foreign);
        }
        match tree.take(&self.section) {
            Some(tree) => self.lay_section(tree, foreign),
            None => Ok(()),
        }
    }

    fn lay_section(&mut self, tree: Node, foreign: &[&str]) -> Result<(), ConfigError> {
        if !matches!(tree.value, Value::Map(_) | Value::Null) {
            let fault = Fault::new(tree.place, self.section.clone(), "must be keys with values (a map)");
            return Err(self.texts.show(fault));
        }
        check_keys(&self.defaults, &tree, &self.section, foreign).map_err(|fault| self.texts.show(fault))?;
        self.merged.merge(tree);
        Ok(())
    }

    /// Lays one override; `key` is its path in the section.
    pub(super) fn lay_override(&mut self, key: &str, yaml: &str) -> Result<(), ConfigError> {
        let number = self.texts.add("command line", String::new());
        let nowhere = Place { text: number, line: 0, column: 0 };
        let path = join(&self.section, key);
        let mut node =
            parse(yaml, number).map_err(|fault| self.texts.show(Fault { place: nowhere, path, ..fault }))?;
        displace(&mut node, nowhere);
        for step in key.rsplit('.') {
            let entry = Entry { key: step.to_owned(), place: nowhere, node };
            node = Node { value: Value::Map(vec![entry]), place: nowhere };
        }
        self.lay_section(node, &[])
    }

    /// Gives the layers their type and checks them.
    pub(super) fn finish<T: Section>(self) -> Result<T, ConfigError> {
        let section: T = typed::from_node(&self.merged).map_err(|fault| self.show(fault))?;
        section.validate().map_err(|invalid| {
            let place = self.merged.locate(&invalid.key);
            self.show(Fault::new(place, invalid.key, invalid.rule))
        })?;
        Ok(section)
    }

    /// Shows a fault whose path begins at the section.
    fn show(&self, fault: Fault) -> ConfigError {
        self.texts.show(Fault { path: join(&self.section, &fault.path), ..fault })
    }
}

fn join(section: &str, path: &str) -> String {
    match (section, path) {
        ("", path) => path.to_owned(),
        (section, "") => section.to_owned(),
        (section, path) => format!("{section}.{path}"),
    }
}

pub(super) fn from_text<T: DeserializeOwned>(name: &str, text: &str) -> Result<T, ConfigError> {
    let mut texts = Texts::default();
    let tree = texts.parse(name, text.to_owned())?;
    typed::from_node(&tree).map_err(|fault| texts.show(fault))
}

pub(super) fn keys_known(path: &Path, defaults: &'static str) -> Result<Option<usize>, ConfigError> {
    let mut texts = Texts::default();
    let defaults = texts.parse("built-in defaults", defaults.to_owned())?;
    let tree = texts.parse(&path.display().to_string(), read(path)?)?;
    Ok(match &tree.value {
        Value::Map(entries) => {
            Some(entries.iter().filter(|entry| defaults.get(&entry.key).is_some()).count())
        }
        Value::List(_) => None,
        Value::Null | Value::Scalar(..) => Some(0),
    })
}

/// Every key of `tree` must be one of the defaults'. An empty map there takes any keys, and so does what is no map.
fn check_keys(defaults: &Node, tree: &Node, prefix: &str, foreign: &[&str]) -> Result<(), Fault> {
    let (Value::Map(known), Value::Map(entries)) = (&defaults.value, &tree.value) else { return Ok(()) };
    if known.is_empty() {
        return Ok(());
    }
    for entry in entries.iter().filter(|entry| !foreign.contains(&entry.key.as_str())) {
        let path = join(prefix, &entry.key);
        match defaults.get(&entry.key) {
            Some(default) => check_keys(&default.node, &entry.node, &path, &[])?,
            None => {
                let rule = unknown_key(&entry.key, known.iter().map(|entry| entry.key.as_str()));
                return Err(Fault::new(entry.place, path, rule));
            }
        }
    }
    Ok(())
}

/// An override stands on no line.
fn displace(node: &mut Node, place: Place) {
    node.place = place;
    match &mut node.value {
        Value::List(items) => items.iter_mut().for_each(|item| displace(item, place)),
        Value::Map(entries) => entries.iter_mut().for_each(|entry| {
            entry.place = place;
            displace(&mut entry.node, place);
        }),
        Value::Null | Value::Scalar(..) => {}
    }
}

fn read(path: &Path) -> Result<String, ConfigError> {
    let mut bytes = Vec::new();
    let limit = MAX_TEXT_BYTES as u64 + 1;
    let read = File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes));
    read.map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
        let line = 1 + valid.iter().filter(|byte| **byte == b'\n').count();
        let last = valid.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
        let column = 1 + String::from_utf8_lossy(last).chars().count();
        ConfigError::Problem(Box::new(Problem {
            name: path.display().to_string(),
            line: u32::try_from(line).unwrap_or(u32::MAX),
            column: u32::try_from(column).unwrap_or(u32::MAX),
            path: String::new(),
            rule: "is not UTF-8 text".to_owned(),
            excerpt: None,
        }))
    })
}

impl Texts {
    fn add(&mut self, name: &str, text: String) -> usize {
        self.0.push((name.to_owned(), text));
        self.0.len() - 1
    }

    fn parse(&mut self, name: &str, text: String) -> Result<Node, ConfigError> {
        let tree = parse(&text, self.0.len());
        self.add(name, text);
        tree.map_err(|fault| self.show(fault))
    }

    fn show(&self, fault: Fault) -> ConfigError {
        let Fault { place, path, rule } = fault;
        let (name, text) = match self.0.get(place.text) {
            Some((name, text)) => (name.clone(), text.as_str()),
            None => (String::new(), ""),
        };
        let line = (place.line as usize).checked_sub(1).and_then(|above| text.lines().nth(above));
        let excerpt = line.filter(|line| line.chars().count() <= MAX_EXCERPT_CHARS).and_then(presentable);
        let (line, column) = (place.line, place.column);
        ConfigError::Problem(Box::new(Problem { name, line, column, path, rule, excerpt }))
    }
}

/// The line as it may be shown in a log: none whose key is, or was meant to be, that of a secret. Tabs would shift the
/// mark below it.
fn presentable(line: &str) -> Option<String> {
    const SECRETS: [&str; 5] = ["password", "secret", "token", "api_key", "credential"];
    let lower = line.to_lowercase();
    let mut words = lower.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
    let secret = words.any(|word| {
        SECRETS.iter().any(|secret| word.contains(secret)) || nearest(word, SECRETS.into_iter()).is_some()
    });
    (!secret).then(|| line.trim_end().replace('\t', " "))
}
