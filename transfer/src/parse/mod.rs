//! One line in, its parts out. Everything borrows from the line; nothing is allocated and nothing is decoded here:
//! [`crate::document`] turns the parts into a document.
//!
//! A line that does not parse is a result too ([`Line::Unparsed`]): it is indexed with its text and the reason, and
//! never dropped.

pub(crate) mod combined;
pub(crate) mod error_log;
pub(crate) mod escape;
pub(crate) mod request;
pub(crate) mod time;

use jiff::tz::TimeZone;
use serde::Deserialize;

pub(crate) use combined::Access;
pub(crate) use error_log::ErrorEntry;

/// How the lines of a topic are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Each line for itself: nginx combined, then nginx error, else unparsed.
    #[default]
    Auto,
    /// nginx's access log in its `combined` format (Apache's too); fields after the user agent are tolerated.
    NginxCombined,
    /// nginx's error log.
    NginxError,
    /// The line is the message.
    Plain,
}

/// A line's parts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Line<'a> {
    Access(Access<'a>),
    Error(ErrorEntry<'a>),
    Plain,
    Unparsed(Unparsed),
}

/// Why a line is none of its format: shown in the document's `error.message`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unparsed {
    #[error("neither an nginx combined line nor an nginx error line")]
    NoFormat,
    #[error("not an nginx combined line: it does not begin with an address, a dash and a user")]
    Address,
    #[error("not an nginx combined line: no [time] before a quoted request")]
    Time,
    #[error("not an nginx combined line: the request's closing quote is missing")]
    Request,
    #[error("not an nginx combined line: no status of three digits after the request")]
    Status,
    #[error("not an nginx combined line: no byte count after the status")]
    Bytes,
    #[error("not an nginx combined line: the referrer is not a quoted field")]
    Referrer,
    #[error("not an nginx combined line: the user agent is not a quoted field")]
    UserAgent,
    #[error("not an nginx error line: it does not begin with a time")]
    ErrorTime,
    #[error("not an nginx error line: no [level] after the time")]
    ErrorLevel,
    #[error("not an nginx error line: no pid#tid: after the level")]
    ErrorProcess,
}

/// Reads a line. `zone` is that of error logs, which do not say it.
pub(crate) fn parse<'a>(format: Format, line: &'a [u8], zone: &TimeZone) -> Line<'a> {
    let parsed = match format {
        Format::Auto => combined::parse(line)
            .map(Line::Access)
            .or_else(|_| error_log::parse(line, zone).map(Line::Error))
            .map_err(|_| Unparsed::NoFormat),
        Format::NginxCombined => combined::parse(line).map(Line::Access),
        Format::NginxError => error_log::parse(line, zone).map(Line::Error),
        Format::Plain => Ok(Line::Plain),
    };
    parsed.unwrap_or_else(Line::Unparsed)
}

impl Line<'_> {
    /// The event's own time, in milliseconds since 1970-01-01 UTC; `None` when the line says none.
    pub(crate) fn time_ms(&self) -> Option<i64> {
        match self {
            Line::Access(access) => Some(access.time_ms),
            Line::Error(entry) => Some(entry.time_ms),
            Line::Plain | Line::Unparsed(_) => None,
        }
    }
}

#[cfg(test)]
mod tests;
