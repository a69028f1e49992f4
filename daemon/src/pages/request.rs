//! What is asked of a page: where below its path, in which form, with which parameters. And links to other pages, which
//! are relative, so that they hold behind a proxy that serves the admin address under a path of its own.

use std::fmt::Write as _;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// What does not stand for itself in a link.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Parameters beyond these are not looked at.
const PARAMETERS_MAX: usize = 16;

/// The parameter by which HTML asks to be loaded again, seconds; 0 for never.
const REFRESH: &str = "refresh";
const REFRESH_SECONDS: u64 = 10;
const REFRESH_SECONDS_MIN: u64 = 2;
const REFRESH_SECONDS_MAX: u64 = 3600;

/// How a page is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// For people.
    Html,
    /// For programs.
    Json,
}

/// What is asked of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    root: String,
    below: String,
    form: Form,
    parameters: Vec<(String, String)>,
}

impl Request {
    /// What the path and the query of a URI ask for.
    pub fn new(path: &str, query: &str) -> Self {
        let path = path.strip_prefix('/').unwrap_or(path);
        let (path, form) = match path.strip_suffix(".json") {
            Some(path) => (path, Form::Json),
            None => (path, Form::Html),
        };
        let (root, below) = match path.split_once('/') {
            Some((root, below)) if !below.is_empty() => (root, below),
            // a slash at the end is part of the name, and no page is called so: relative links would lead astray
            _ => (path, ""),
        };
        let pairs = query.split('&').filter(|pair| !pair.is_empty()).take(PARAMETERS_MAX);
        let parameters = pairs.map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(name), decoded(value))
        });
        Request { root: root.to_owned(), below: below.to_owned(), form, parameters: parameters.collect() }
    }

    /// The path of the page.
    pub(crate) fn root(&self) -> &str {
        &self.root
    }

    /// The path below the page's own; empty for the page itself.
    pub fn below(&self) -> &str {
        &self.below
    }

    /// The form in which it is asked for.
    pub fn form(&self) -> Form {
        self.form
    }

    /// A parameter; of several of that name the first.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A parameter that is a number; what is none counts as missing.
    pub fn number(&self, name: &str) -> Option<usize> {
        self.get(name)?.parse().ok()
    }

    /// A link to the same page with some parameters changed; an empty value takes one away.
    pub fn with(&self, changed: &[(&str, &str)]) -> String {
        let kept = self.pairs().filter(|pair| !changed.iter().any(|other| other.0 == pair.0));
        let query = query_of(kept.chain(changed.iter().copied()));
        if query.is_empty() { "?".to_owned() } else { query }
    }

    /// A link to a page of the same part, given by its path below the part's own.
    pub fn link(&self, below: &str, parameters: &[(&str, &str)]) -> String {
        let refresh = self.get(REFRESH).map(|value| (REFRESH, value));
        let query = query_of(parameters.iter().copied().chain(refresh));
        let slash = if below.is_empty() { "" } else { "/" };
        format!("{}{}{slash}{below}{query}", self.up(), self.root)
    }

    /// A link to the list of all pages.
    pub(crate) fn home(&self) -> String {
        let up = self.up();
        if up.is_empty() { "./".to_owned() } else { up }
    }

    /// A link to the same data as JSON.
    pub(crate) fn json(&self) -> String {
        let below = self.below.rsplit('/').next().unwrap_or_default();
        let last = if below.is_empty() { self.root.as_str() } else { below };
        format!("{last}.json{}", query_of(self.pairs().filter(|(name, _)| *name != REFRESH)))
    }

    /// After how many seconds HTML is to be loaded again.
    pub(crate) fn refresh_seconds(&self) -> Option<u64> {
        let asked = self.get(REFRESH).and_then(|text| text.parse().ok()).unwrap_or(REFRESH_SECONDS);
        (asked > 0).then_some(asked.clamp(REFRESH_SECONDS_MIN, REFRESH_SECONDS_MAX))
    }

    /// A link to the same page that is, or is not, loaded again by itself.
    pub(crate) fn with_refresh(&self, refreshes: bool) -> String {
        self.with(&[(REFRESH, if refreshes { "" } else { "0" })])
    }

    fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.parameters.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The way from this page to where the paths of parts begin.
    fn up(&self) -> String {
        let depth = if self.below.is_empty() { 0 } else { self.below.split('/').count() };
        "../".repeat(depth)
    }
}

fn decoded(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

/// The query with these parameters, but for empty ones; with its question mark if there are any.
fn query_of<'a>(parameters: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut query = String::new();
    for (name, value) in parameters.filter(|(_, value)| !value.is_empty()) {
        let mark = if query.is_empty() { '?' } else { '&' };
        let (name, value) = (utf8_percent_encode(name, ENCODED), utf8_percent_encode(value, ENCODED));
        // Writing to a string cannot fail.
        let _ = write!(query, "{mark}{name}={value}");
    }
    query
}
