//! YAML in, in one place: which options the parser gets, and errors with a line and a column.
//!
//! JSON is read by the same parser, as YAML contains it. The options are strict where YAML guesses: `yes` is no
//! boolean, a key twice is an error, an alias bomb is refused.

use serde::de::DeserializeOwned;
use serde_yaml::options::DuplicateKeyPolicy;

/// A value with its place in the text.
pub(super) use serde_yaml::Spanned;

/// A text that is not YAML, or not of the expected form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct YamlError {
    /// Line, from 1; 0 when the parser knows no place.
    pub(super) line: u64,
    /// Column in characters, from 1.
    pub(super) column: u64,
    /// What is wrong, in one line, without the place.
    pub(super) message: String,
}

/// Reads one document.
pub(super) fn read<T: DeserializeOwned>(text: &str) -> Result<T, YamlError> {
    let options = serde_yaml::options! {
        strict_booleans: true,
        duplicate_keys: DuplicateKeyPolicy::Error,
        reject_unsupported_tags: true,
        with_snippet: false,
    };
    serde_yaml::from_str_with_options(text, options).map_err(|error| {
        let (line, column) = error.location().map_or((0, 0), |place| (place.line(), place.column()));
        YamlError { line, column, message: without_place(&error.without_snippet().to_string()) }
    })
}

/// The first line of the parser's message, without the place it repeats at its end.
fn without_place(message: &str) -> String {
    let line = message.lines().next().unwrap_or_default();
    let end = line.rfind(" at line ").or_else(|| line.rfind(" (line ")).unwrap_or(line.len());
    line.get(..end).unwrap_or(line).to_owned()
}
