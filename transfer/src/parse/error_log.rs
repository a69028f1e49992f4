//! nginx's error log:
//!
//! ```text
//! 2026/11/21 08:50:46 [error] 1234#5678: *9 message, client: 192.0.2.1, server: example.org, request: "GET / HTTP/1.1",
//!     upstream: "http://127.0.0.1:8080/", host: "example.org", referrer: "http://example.org/"       (one line)
//! ```
//! The connection (`*9`) and everything from `client` on may be missing. Nothing is escaped here: a request may contain
//! quotes and commas, and a message may quote a path that looks like the attributes. So the attributes are the first
//! place from which the line reads as a series of known names, in nginx's order, up to its end.

use jiff::tz::TimeZone;
use memchr::{memchr, memmem};

use super::Unparsed;
use super::request::Request;
use super::time::{ERROR_TIME_LEN, parse_error};

/// How many places that look like the attributes' beginning are tried. A line of nothing else would cost its length
/// squared otherwise.
const MAX_TRIES: usize = 16;

/// The parts of an error line, as written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct ErrorEntry<'a> {
    pub(crate) time_ms: i64,
    pub(crate) level: &'a [u8],
    pub(crate) pid: i64,
    pub(crate) tid: i64,
    pub(crate) connection: Option<i64>,
    pub(crate) message: &'a [u8],
    pub(crate) attributes: Attributes<'a>,
}

/// What nginx appends to a message that concerns a request.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Attributes<'a> {
    pub(crate) client: Option<&'a [u8]>,
    pub(crate) server: Option<&'a [u8]>,
    pub(crate) request: Option<Request<'a>>,
    pub(crate) subrequest: Option<&'a [u8]>,
    pub(crate) upstream: Option<&'a [u8]>,
    pub(crate) host: Option<&'a [u8]>,
    pub(crate) referrer: Option<&'a [u8]>,
}

pub(crate) fn parse<'a>(line: &'a [u8], zone: &TimeZone) -> Result<ErrorEntry<'a>, Unparsed> {
    let (time, rest) = line.split_at_checked(ERROR_TIME_LEN).ok_or(Unparsed::ErrorTime)?;
    let time_ms = parse_error(time, zone).ok_or(Unparsed::ErrorTime)?;
    let (level, rest) = level(rest).ok_or(Unparsed::ErrorLevel)?;
    let (pid, tid, rest) = process(rest).ok_or(Unparsed::ErrorProcess)?;
    let (connection, rest) = connection(rest);
    let (message, attributes) = split_attributes(rest);
    Ok(ErrorEntry { time_ms, level, pid, tid, connection, message, attributes })
}

/// Splits ` [error] rest`.
fn level(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let text = text.strip_prefix(b" [")?;
    let end = memchr(b']', text).filter(|&end| (1..=16).contains(&end))?;
    let level = &text[..end];
    let rest = text[end + 1..].strip_prefix(b" ")?;
    level.iter().all(u8::is_ascii_lowercase).then_some((level, rest))
}

/// Splits `1234#5678: rest`.
fn process(text: &[u8]) -> Option<(i64, i64, &[u8])> {
    let (pid, text) = number(text)?;
    let (tid, text) = number(text.strip_prefix(b"#")?)?;
    let text = text.strip_prefix(b":")?;
    Some((pid, tid, text.strip_prefix(b" ").unwrap_or(text)))
}

/// Splits `*9 rest`; without a connection all is rest.
fn connection(text: &[u8]) -> (Option<i64>, &[u8]) {
    let split = || {
        let (connection, rest) = number(text.strip_prefix(b"*")?)?;
        Some((connection, rest.strip_prefix(b" ")?))
    };
    match split() {
        Some((connection, rest)) => (Some(connection), rest),
        None => (None, text),
    }
}

fn number(text: &[u8]) -> Option<(i64, &[u8])> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if digits == 0 || digits > 18 {
        return None;
    }
    let (field, rest) = text.split_at(digits);
    Some((field.iter().fold(0, |sum, byte| sum * 10 + i64::from(byte - b'0')), rest))
}

fn split_attributes(text: &[u8]) -> (&[u8], Attributes<'_>) {
    for start in memmem::find_iter(text, b", client: ").take(MAX_TRIES) {
        if let Some(attributes) = parse_attributes(&text[start..]) {
            return (&text[..start], attributes);
        }
    }
    (text, Attributes::default())
}

/// Reads `, client: …, server: …, request: "…", …` up to the end, or not at all.
fn parse_attributes(text: &[u8]) -> Option<Attributes<'_>> {
    // in the order nginx writes them; what is marked true stands in quotes
    const NAMES: [(&[u8], bool); 7] = [
        (b", client: ", false),
        (b", server: ", false),
        (b", request: \"", true),
        (b", subrequest: \"", true),
        (b", upstream: \"", true),
        (b", host: \"", true),
        (b", referrer: \"", true),
    ];
    let mut values = [None; NAMES.len()];
    let mut rest = text;
    for (at, (name, quoted)) in NAMES.iter().enumerate() {
        let Some(value) = rest.strip_prefix(*name) else { continue };
        let end = if *quoted { quoted_end(value, &NAMES[at + 1..])? } else { bare_end(value) };
        values[at] = Some(&value[..end]);
        rest = &value[end + usize::from(*quoted)..];
    }
    let [client, server, request, subrequest, upstream, host, referrer] = values;
    let request = request.and_then(Request::parse);
    rest.is_empty().then_some(Attributes { client, server, request, subrequest, upstream, host, referrer })
}

/// A bare value ends at the next attribute, or at the line's end. Addresses and server names contain no comma.
fn bare_end(value: &[u8]) -> usize {
    memchr(b',', value).unwrap_or(value.len())
}

/// A quoted value ends at the first quote behind which an attribute that may follow begins, or at the last one of the
/// line.
fn quoted_end(value: &[u8], following: &[(&[u8], bool)]) -> Option<usize> {
    for quote in memmem::find_iter(value, b"\", ") {
        if following.iter().any(|(name, _)| value[quote + 1..].starts_with(name)) {
            return Some(quote);
        }
    }
    value.ends_with(b"\"").then(|| value.len() - 1)
}
