//! The escapes of an access log's variables, undone.
//!
//! nginx writes `"`, `\` and every byte below 32 or above 126 as `\xNN` (upper-case digits), so a path with `é` is logged as
//! `caf\xC3\xA9`. Apache also writes `\"`, `\\`, `\n`, `\t` and the like.

use memchr::memchr;

/// The text as it was before nginx escaped it, in `scratch` if that differs. A text whose bytes turn out not to be
/// UTF-8 (a TLS handshake, Latin-1) stays as nginx wrote it: that form is readable and loses nothing.
pub(crate) fn unescape<'a>(text: &'a [u8], scratch: &'a mut Vec<u8>) -> &'a [u8] {
    let Some(mut at) = memchr(b'\\', text) else { return text };
    scratch.clear();
    let mut rest = text;
    loop {
        scratch.extend_from_slice(&rest[..at]);
        rest = &rest[at..];
        let (byte, len) = decode(rest);
        scratch.push(byte);
        rest = &rest[len..];
        match memchr(b'\\', rest) {
            Some(next) => at = next,
            None => break,
        }
    }
    scratch.extend_from_slice(rest);
    if std::str::from_utf8(scratch).is_ok() { scratch } else { text }
}

/// The byte that the escape at the front stands for, and the escape's length. What is no escape is a backslash.
fn decode(text: &[u8]) -> (u8, usize) {
    match text.get(1) {
        Some(b'x') => match (text.get(2).and_then(digit), text.get(3).and_then(digit)) {
            (Some(high), Some(low)) => (high << 4 | low, 4),
            _ => (b'\\', 1),
        },
        Some(b'"') => (b'"', 2),
        Some(b'\\') => (b'\\', 2),
        Some(b'n') => (b'\n', 2),
        Some(b'r') => (b'\r', 2),
        Some(b't') => (b'\t', 2),
        _ => (b'\\', 1),
    }
}

fn digit(byte: &u8) -> Option<u8> {
    char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}
