//! Configuration: where it comes from, how it is checked, how it changes while the process runs.
//!
//! A [`Source`] lays three layers over each other: the shipped file that is compiled in (every key, commented), the
//! operator's file, and overrides from the command line. Maps are merged key by key; a scalar or a list replaces
//! what was there. An empty map or list heading (`log:` with everything below it commented out) changes nothing.
//!
//! Every value keeps the place it was written at, so an error, be it YAML's, serde's or a [`Section`]'s own rule, names
//! file, line and column, and shows the line.

mod error;
mod layers;
mod live;
mod parse;
mod tree;
mod typed;

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

pub use error::{ConfigError, Invalid, Problem};
pub use live::{Change, Live, Reloads};

use layers::Layers;

/// The settings of one part, complete and checked.
///
/// Types derive `Deserialize` with `deny_unknown_fields` and have no defaults of their own: those are in `DEFAULTS`.
pub trait Section: DeserializeOwned + Clone + Send + Sync + PartialEq + std::fmt::Debug + 'static {
    /// The shipped file: every key with its default.
    const DEFAULTS: &'static str;

    /// Top-level keys that belong to other parts: their contents are not checked here.
    const FOREIGN: &'static [&'static str] = &[];

    /// Checks what types cannot say.
    ///
    /// # Errors
    /// The first key that breaks a rule.
    fn validate(&self) -> Result<(), Invalid>;
}

/// Where a configuration comes from.
#[derive(Clone, Debug)]
pub struct Source {
    /// The shipped file's text, every key present.
    pub defaults: &'static str,
    /// The operator's file, which wins over the defaults.
    pub file: Option<PathBuf>,
    /// Dotted keys and YAML values, which win over both.
    pub overrides: Vec<(String, String)>,
}

impl Source {
    /// The shipped defaults alone.
    pub fn new(defaults: &'static str) -> Self {
        Self { defaults, file: None, overrides: Vec::new() }
    }

    /// With the operator's file, if there is one.
    #[must_use]
    pub fn file(mut self, path: Option<impl Into<PathBuf>>) -> Self {
        self.file = path.map(Into::into);
        self
    }

    /// Overrides `key` (dotted) with a YAML value: `8`, `true`, `[a, b]`.
    #[must_use]
    pub fn set(mut self, key: impl Into<String>, yaml: impl Into<String>) -> Self {
        self.overrides.push((key.into(), yaml.into()));
        self
    }

    /// Overrides `key` (dotted) with a text that is taken as it is, whatever it would mean in YAML.
    #[must_use]
    pub fn set_text(self, key: impl Into<String>, text: &str) -> Self {
        self.set(key, quote(text))
    }

    /// Loads, merges and checks a whole file's section.
    ///
    /// # Errors
    /// A file that cannot be read, or the first problem in it with its place.
    pub fn load<T: Section>(&self) -> Result<T, ConfigError> {
        let mut layers = Layers::new(self.defaults, "")?;
        if let Some(path) = &self.file {
            layers.lay_file(path, T::FOREIGN)?;
        }
        let foreign = |key: &str| T::FOREIGN.iter().any(|name| inside(key, name).is_some());
        for (key, value) in self.overrides.iter().filter(|(key, _)| !foreign(key)) {
            layers.lay_override(key, value)?;
        }
        layers.finish()
    }

    /// Loads the part whose settings stand under the top-level key `name` of these defaults, file and overrides. They
    /// overlay the part's own defaults, so they need not name every key.
    ///
    /// # Errors
    /// As [`Source::load`].
    pub fn load_part<T: Section>(&self, name: &str) -> Result<T, ConfigError> {
        self.load_part_over(name, &[])
    }

    /// As [`Source::load_part`], over `derived` keys (of the part) and YAML values: what follows from other settings
    /// unless the file or an override says otherwise.
    ///
    /// # Errors
    /// As [`Source::load`].
    pub fn load_part_over<T: Section>(
        &self,
        name: &str,
        derived: &[(&str, String)],
    ) -> Result<T, ConfigError> {
        let mut layers = Layers::new(T::DEFAULTS, name)?;
        for (key, value) in derived {
            layers.lay_override(key, value)?;
        }
        layers.lay_shipped(self.defaults)?;
        if let Some(path) = &self.file {
            layers.lay_file(path, &[])?;
        }
        for (key, value) in &self.overrides {
            if let Some(inner) = inside(key, name) {
                layers.lay_override(inner, value)?;
            }
        }
        layers.finish()
    }
}

/// The path of a dotted key within the section `name`.
fn inside<'a>(key: &'a str, name: &str) -> Option<&'a str> {
    key.strip_prefix(name)?.strip_prefix('.')
}

/// Text as a YAML scalar that is read back as exactly this text.
pub fn quote(text: &str) -> String {
    // JSON's strings are YAML's double-quoted ones.
    json_as_yaml(&serde_json::Value::from(text).to_string())
}

/// JSON without the characters that YAML takes for line breaks, or does not take at all: JSON has them in strings.
pub(crate) fn json_as_yaml(json: &str) -> String {
    let mut yaml = String::with_capacity(json.len());
    for letter in json.chars() {
        match letter {
            '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => {
                yaml.push_str(&format!("\\u{:04x}", u32::from(letter)));
            }
            letter => yaml.push(letter),
        }
    }
    yaml
}

/// Reads one YAML or JSON document into `T`, with places in its errors; `name` stands for the file in them.
///
/// # Errors
/// The first problem, with its place.
pub fn from_text<T: DeserializeOwned>(name: &str, text: &str) -> Result<T, ConfigError> {
    layers::from_text(name, text)
}

/// How many of the file's top-level keys `defaults` knows, `None` when it has no keys but is a list: tells which part a
/// file was written for.
///
/// # Errors
/// A file that cannot be read or is not YAML.
pub fn keys_known(path: &Path, defaults: &'static str) -> Result<Option<usize>, ConfigError> {
    layers::keys_known(path, defaults)
}

#[cfg(test)]
mod tests;
