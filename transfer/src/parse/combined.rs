//! nginx's `combined` access log:
//!
//! ```text
//! $remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"
//! ```
//! nginx writes a quote, a backslash, control characters and everything above 126 inside a variable as `\xNN` (Apache:
//! `\"`), so a bare quote ends a field. The user may contain spaces and brackets: the first bracket that holds a time
//! and is followed by a quote is the time. What follows the user agent (as `"$http_x_forwarded_for"` in the `main` format
//! of nginx's packages) is tolerated; so are lines that end after the byte count (the `common` format).

use memchr::{memchr, memchr_iter, memchr2};

use super::Unparsed;
use super::request::Request;
use super::time::{ACCESS_TIME_LEN, parse_access};

/// The parts of an access line, as written: still escaped.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Access<'a> {
    pub(crate) address: &'a [u8],
    pub(crate) user: Option<&'a [u8]>,
    pub(crate) time_ms: i64,
    /// `None` for what is no HTTP request: empty, `-`, or the bytes of a TLS handshake.
    pub(crate) request: Option<Request<'a>>,
    /// 0 when nginx sent no answer (it writes `000`).
    pub(crate) status: u16,
    pub(crate) body_bytes: u64,
    pub(crate) referrer: Option<&'a [u8]>,
    pub(crate) user_agent: Option<&'a [u8]>,
}

pub(crate) fn parse(line: &[u8]) -> Result<Access<'_>, Unparsed> {
    let space = memchr(b' ', line).filter(|&at| at > 0).ok_or(Unparsed::Address)?;
    let (address, rest) = line.split_at(space);
    // the second field is a dash in nginx; Apache may have an identity there
    let ident = memchr(b' ', &rest[1..]).filter(|&at| at > 0).ok_or(Unparsed::Address)?;
    let rest = &rest[ident + 2..];

    let (user, time_ms, rest) = user_and_time(rest)?;
    let (request, rest) = quoted(rest).ok_or(Unparsed::Request)?;
    let (status, rest) = status(rest).ok_or(Unparsed::Status)?;
    let (body_bytes, rest) = body_bytes(rest).ok_or(Unparsed::Bytes)?;
    let mut access = Access {
        address,
        user: present(user),
        time_ms,
        request: Request::parse(request),
        status,
        body_bytes,
        referrer: None,
        user_agent: None,
    };
    if rest.is_empty() {
        return Ok(access);
    }
    let (referrer, rest) = rest.strip_prefix(b" ").and_then(quoted).ok_or(Unparsed::Referrer)?;
    let (user_agent, rest) = rest.strip_prefix(b" ").and_then(quoted).ok_or(Unparsed::UserAgent)?;
    if !rest.is_empty() && rest[0] != b' ' {
        return Err(Unparsed::UserAgent);
    }
    access.referrer = present(referrer);
    access.user_agent = present(user_agent);
    Ok(access)
}

/// Splits `user [time] "…` into the user, the time and what begins with the quote.
fn user_and_time(rest: &[u8]) -> Result<(&[u8], i64, &[u8]), Unparsed> {
    for bracket in memchr_iter(b'[', rest) {
        let Some((time, after)) = rest[bracket + 1..].split_at_checked(ACCESS_TIME_LEN) else { break };
        if !after.starts_with(b"] \"") {
            continue;
        }
        if let Some(time_ms) = parse_access(time) {
            let user = rest[..bracket].strip_suffix(b" ").ok_or(Unparsed::Time)?;
            return Ok((user, time_ms, &after[2..]));
        }
    }
    Err(Unparsed::Time)
}

/// Splits `"field"rest`. A backslash shields the byte after it.
fn quoted(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let text = text.strip_prefix(b"\"")?;
    let mut from = 0;
    loop {
        let at = from + memchr2(b'"', b'\\', text.get(from..)?)?;
        if text[at] == b'"' {
            return Some((&text[..at], &text[at + 1..]));
        }
        from = at + 2;
    }
}

/// Splits ` 200rest`.
fn status(text: &[u8]) -> Option<(u16, &[u8])> {
    let (field, rest) = text.strip_prefix(b" ")?.split_at_checked(3)?;
    if !field.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let digit = |at: usize| u16::from(field[at] - b'0');
    Some((digit(0) * 100 + digit(1) * 10 + digit(2), rest))
}

/// Splits ` 1234rest`; Apache writes a dash for none.
fn body_bytes(text: &[u8]) -> Option<(u64, &[u8])> {
    let text = text.strip_prefix(b" ")?;
    if let Some(rest) = text.strip_prefix(b"-") {
        return Some((0, rest));
    }
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    // 18 digits cannot overflow, and no answer is an exabyte long
    if digits == 0 || digits > 18 {
        return None;
    }
    let (field, rest) = text.split_at(digits);
    Some((field.iter().fold(0, |sum, byte| sum * 10 + u64::from(byte - b'0')), rest))
}

/// nginx writes a dash for a variable without a value.
fn present(field: &[u8]) -> Option<&[u8]> {
    (!field.is_empty() && field != b"-").then_some(field)
}
