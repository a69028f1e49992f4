//! JSON written straight into a byte buffer: no tree, no allocation for each document.
//!
//! Strings come from log lines, so they are any bytes. Valid UTF-8 is written as it is, with what JSON wants
//! escaped; a byte that is not UTF-8 becomes the four characters `\xNN` (a document must be valid JSON, and this
//! keeps the byte's value readable).

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Writes `text` as a JSON string with its quotes.
pub(crate) fn string(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    for chunk in text.utf8_chunks() {
        escape(out, chunk.valid().as_bytes());
        for &byte in chunk.invalid() {
            out.extend_from_slice(&[b'\\', b'\\', b'x', hex(byte >> 4), hex(byte)]);
        }
    }
    out.push(b'"');
}

/// Writes a whole number in decimal.
pub(crate) fn integer(out: &mut Vec<u8>, value: i64) {
    if value < 0 {
        out.push(b'-');
    }
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    let mut rest = value.unsigned_abs();
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

/// An object under construction. Nothing is written for its members but what `key` and the value writers add, so
/// the cost is that of the bytes.
pub(crate) struct Object<'a> {
    out: &'a mut Vec<u8>,
    empty: bool,
}

impl<'a> Object<'a> {
    /// Opens an object at the buffer's end.
    pub(crate) fn open(out: &'a mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, empty: true }
    }

    /// Goes on with an object of which `out` already holds the brace and at least one member.
    pub(crate) fn resume(out: &'a mut Vec<u8>) -> Self {
        Self { out, empty: false }
    }

    /// Writes the member's name; the caller writes its value into what is returned.
    pub(crate) fn key(&mut self, name: &'static str) -> &mut Vec<u8> {
        if !self.empty {
            self.out.push(b',');
        }
        self.empty = false;
        self.out.push(b'"');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
        self.out
    }

    /// A member whose value is a string of any bytes.
    pub(crate) fn string(&mut self, name: &'static str, text: &[u8]) {
        string(self.key(name), text);
    }

    /// A member whose value is a number.
    pub(crate) fn integer(&mut self, name: &'static str, value: i64) {
        integer(self.key(name), value);
    }

    /// A member whose value is an object.
    pub(crate) fn object(&mut self, name: &'static str) -> Object<'_> {
        Object::open(self.key(name))
    }

    /// Closes the object.
    pub(crate) fn close(self) {
        self.out.push(b'}');
    }
}

/// Copies UTF-8, escaping what JSON demands: quote, backslash and control characters.
fn escape(out: &mut Vec<u8>, mut text: &[u8]) {
    loop {
        let plain = plain_prefix(text);
        out.extend_from_slice(&text[..plain]);
        let Some(&byte) = text.get(plain) else { return };
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            _ => out.extend_from_slice(&[b'\\', b'u', b'0', b'0', hex(byte >> 4), hex(byte)]),
        }
        text = &text[plain + 1..];
    }
}

/// How many bytes at the front need no escape. Eight are looked at in one step: most log text has none to escape.
fn plain_prefix(text: &[u8]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let zero_byte = |word: u64| word.wrapping_sub(ONES) & !word & HIGH;
    let mut at = 0;
    let (words, _) = text.as_chunks::<8>();
    for word in words {
        let word = u64::from_le_bytes(*word);
        let quote = zero_byte(word ^ (ONES * u64::from(b'"')));
        let backslash = zero_byte(word ^ (ONES * u64::from(b'\\')));
        let control = word.wrapping_sub(ONES * 0x20) & !word & HIGH;
        let found = quote | backslash | control;
        if found != 0 {
            // the lowest marked byte is exact; only those above it may be marked by a borrow
            return at + found.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    at + text[at..].iter().take_while(|&&byte| byte >= 0x20 && byte != b'"' && byte != b'\\').count()
}

fn hex(nibble: u8) -> u8 {
    HEX[usize::from(nibble & 0x0f)]
}

#[cfg(test)]
mod tests;
