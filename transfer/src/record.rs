//! A record as the transfer sees it: the line, where it came from, and where it stands in the topic.
//!
//! The agent describes a line's origin in headers, all text: `host` (the agent's id), `path`, `file` (the file's
//! generation, hex), `offset` (of the line's first byte in that generation, decimal), and, when there is something to say,
//! `flags` (`partial`, `truncated`; comma list). Records of other producers have none of them.

/// One record of a topic.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Record<'a> {
    pub(crate) topic: &'a str,
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    /// Milliseconds since 1970-01-01 UTC: when the line was read. `None` if the record has none.
    pub(crate) timestamp_ms: Option<i64>,
    /// The line, without its end.
    pub(crate) value: &'a [u8],
    pub(crate) origin: Origin<'a>,
}

/// Where a line came from, as far as the headers say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Origin<'a> {
    pub(crate) host: Option<&'a [u8]>,
    pub(crate) path: Option<&'a [u8]>,
    pub(crate) file: Option<&'a [u8]>,
    pub(crate) offset: Option<i64>,
    pub(crate) flags: Option<&'a [u8]>,
}

impl<'a> Origin<'a> {
    /// Takes the headers one by one; those of other names, and empty ones, are not looked at.
    pub(crate) fn header(&mut self, name: &str, value: Option<&'a [u8]>) {
        let Some(value) = value.filter(|value| !value.is_empty()) else { return };
        match name {
            "host" => self.host = Some(value),
            "path" => self.path = Some(value),
            "file" => self.file = Some(value),
            "offset" => self.offset = decimal(value),
            "flags" => self.flags = Some(value),
            _ => {}
        }
    }
}

/// A decimal number of at most 18 digits: more cannot be an offset in a file.
fn decimal(text: &[u8]) -> Option<i64> {
    let valid = (1..=18).contains(&text.len()) && text.iter().all(u8::is_ascii_digit);
    valid.then(|| text.iter().fold(0, |sum, byte| sum * 10 + i64::from(byte - b'0')))
}
