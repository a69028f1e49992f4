//! What can be wrong with a configuration, said so that the operator can put it right.

use std::fmt;
use std::io;
use std::path::PathBuf;

use super::tree::Place;

/// Why a configuration was refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file could not be read at all.
    #[error("cannot read config file {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// Something in it is wrong.
    #[error(transparent)]
    Problem(Box<Problem>),
}

impl ConfigError {
    /// The problem with its place, unless the file could not be read.
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Read { .. } => None,
            Self::Problem(problem) => Some(problem),
        }
    }
}

/// One thing that is wrong, and where. Shown as `file:line:column: key: rule` and the line with a mark below.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Problem {
    /// The file, `built-in defaults`, or `command line`.
    pub name: String,
    /// From 1; 0 when it stands on no line.
    pub line: u32,
    /// In characters, from 1.
    pub column: u32,
    /// The key, dotted, with `[n]` for list items from 0; empty for the whole document.
    pub path: String,
    /// What is wrong.
    pub rule: String,
    /// The line, without what might be a secret.
    pub excerpt: Option<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if self.line > 0 {
            write!(f, ":{}:{}", self.line, self.column)?;
        }
        if !self.path.is_empty() {
            write!(f, ": {}", self.path)?;
        }
        write!(f, ": {}", self.rule)?;
        if let Some(excerpt) = &self.excerpt {
            let number = self.line.to_string();
            let indent = (self.column as usize).saturating_sub(1);
            write!(f, "\n  {number} | {excerpt}\n  {:1$} | {2:>3$}", "", number.len(), '^', indent + 1)?;
        }
        Ok(())
    }
}

/// A rule that a value breaks, as a [`super::Section`] reports it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {rule}")]
pub struct Invalid {
    /// The key, dotted, with `[n]` for list items from 0.
    pub key: String,
    /// What it must be.
    pub rule: String,
}

impl Invalid {
    /// `key` breaks `rule`, such as `must be at least 1024`.
    pub fn new(key: impl Into<String>, rule: impl Into<String>) -> Self {
        Self { key: key.into(), rule: rule.into() }
    }
}

/// A problem whose text is still to be shown: only a place by number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub place: Place,
    pub path: String,
    pub rule: String,
}

impl Fault {
    pub(super) fn new(place: Place, path: impl Into<String>, rule: impl Into<String>) -> Self {
        Self { place, path: path.into(), rule: rule.into() }
    }
}

/// The key that was probably meant: near enough to be a slip.
pub(super) fn nearest<'a>(wrong: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|key| (strsim::damerau_levenshtein(wrong, key), key))
        .filter(|(distance, key)| *distance <= 1 + key.chars().count() / 4)
        .min()
        .map(|(_, key)| key)
}

/// `unknown key`, with what was probably meant, or else what there is.
pub(super) fn unknown_key<'a>(wrong: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    match nearest(wrong, known.clone()) {
        Some(near) => format!("unknown key, did you mean {near:?}?"),
        None => match known.collect::<Vec<_>>().join(", ") {
            keys if keys.is_empty() => "unknown key, there are none here".to_owned(),
            keys => format!("unknown key, the known ones are {keys}"),
        },
    }
}
