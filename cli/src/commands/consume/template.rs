//! How a record is printed by a format string, in the language of kcat's `-f`. Nothing is added to what the string says:
//! a line's end stands in it as `\n`.

use std::io::{self, Write};

use super::record::Record;

/// A format string that was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Template(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(Vec<u8>),
    Token(Token),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    Topic,
    Partition,
    Offset,
    Timestamp,
    Key,
    KeyLength,
    Value,
    ValueLength,
    Headers,
}

/// What is parsed, and what a refusal names.
const TOKENS: [(char, Token); 9] = [
    ('t', Token::Topic),
    ('p', Token::Partition),
    ('o', Token::Offset),
    ('T', Token::Timestamp),
    ('k', Token::Key),
    ('K', Token::KeyLength),
    ('s', Token::Value),
    ('S', Token::ValueLength),
    ('h', Token::Headers),
];
/// What stands for a time or a length that is not there, as in kcat.
const NONE: i64 = -1;

impl Template {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut plain = Vec::new();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let place = text.chars().count() - rest.chars().count() + 1;
            let after = rest.get(first.len_utf8()..).unwrap_or_default();
            rest = match first {
                '%' => {
                    let (token, after) = token(after, place)?;
                    match token {
                        None => plain.push(b'%'),
                        Some(token) => {
                            if !plain.is_empty() {
                                parts.push(Part::Text(std::mem::take(&mut plain)));
                            }
                            parts.push(Part::Token(token));
                        }
                    }
                    after
                }
                '\\' => {
                    let (byte, after) = escape(after, place)?;
                    plain.push(byte);
                    after
                }
                other => {
                    plain.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes());
                    after
                }
            };
        }
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Ok(Self(parts))
    }

    pub(super) fn write(&self, out: &mut impl Write, record: &Record<'_>) -> io::Result<()> {
        self.0.iter().try_for_each(|part| match part {
            Part::Text(text) => out.write_all(text),
            Part::Token(token) => token.write(out, record),
        })
    }
}

/// The token after a percent sign, none for a second one, and what follows.
fn token(text: &str, place: usize) -> Result<(Option<Token>, &str), String> {
    let Some(letter) = text.chars().next() else {
        return Err(format!("ends with a lone % at character {place}; a percent sign is %%"));
    };
    let rest = text.get(letter.len_utf8()..).unwrap_or_default();
    if letter == '%' {
        return Ok((None, rest));
    }
    match TOKENS.iter().find(|(known, _)| *known == letter) {
        Some((_, token)) => Ok((Some(*token), rest)),
        None => {
            let known: Vec<String> = TOKENS.iter().map(|(known, _)| format!("%{known}")).collect();
            let known = known.join(" ");
            Err(format!(
                "there is no %{letter} (character {place}); there are {known}, and %% for a percent sign"
            ))
        }
    }
}

/// The byte after a backslash, and what follows.
fn escape(text: &str, place: usize) -> Result<(u8, &str), String> {
    let wrong =
        || format!("\\ at character {place} must be \\n, \\r, \\t, \\0, \\\\ or \\xNN in hexadecimal");
    let letter = text.chars().next().ok_or_else(wrong)?;
    let rest = text.get(letter.len_utf8()..).unwrap_or_default();
    let byte = match letter {
        'n' => b'\n',
        'r' => b'\r',
        't' => b'\t',
        '0' => 0,
        '\\' => b'\\',
        'x' => {
            let digits = rest.get(..2).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
            let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()).ok_or_else(wrong)?;
            return Ok((byte, rest.get(2..).unwrap_or_default()));
        }
        _ => return Err(wrong()),
    };
    Ok((byte, rest))
}

impl Token {
    fn write(self, out: &mut impl Write, record: &Record<'_>) -> io::Result<()> {
        let length =
            |bytes: Option<&[u8]>| bytes.map_or(NONE, |bytes| i64::try_from(bytes.len()).unwrap_or(i64::MAX));
        match self {
            Self::Topic => out.write_all(record.topic.as_bytes()),
            Self::Partition => write!(out, "{}", record.partition),
            Self::Offset => write!(out, "{}", record.offset),
            Self::Timestamp => write!(out, "{}", record.timestamp.unwrap_or(NONE)),
            Self::Key => out.write_all(record.key.unwrap_or_default()),
            Self::KeyLength => write!(out, "{}", length(record.key)),
            Self::Value => out.write_all(record.value.unwrap_or_default()),
            Self::ValueLength => write!(out, "{}", length(record.value)),
            Self::Headers => headers(out, record),
        }
    }
}

/// `name=value,name=value`; a value that is null is `NULL`, as in kcat.
fn headers(out: &mut impl Write, record: &Record<'_>) -> io::Result<()> {
    for (at, (name, value)) in record.headers.iter().enumerate() {
        if at > 0 {
            out.write_all(b",")?;
        }
        write!(out, "{name}=")?;
        out.write_all(value.unwrap_or(b"NULL"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(template: &str, record: &Record<'_>) -> String {
        let mut out = Vec::new();
        Template::parse(template).unwrap().write(&mut out, record).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn record() -> Record<'static> {
        Record {
            topic: "web",
            partition: 3,
            offset: 42,
            timestamp: Some(1_769_846_400_000),
            key: Some(b"k".as_slice()),
            value: Some(b"value".as_slice()),
            headers: vec![("a", Some(b"1".as_slice())), ("b", None)],
        }
    }

    #[test]
    fn every_token_shows_its_part_of_the_record() {
        let all = "%t|%p|%o|%T|%k|%K|%s|%S|%h";
        assert_eq!(show(all, &record()), "web|3|42|1769846400000|k|1|value|5|a=1,b=NULL");
        let bare = Record { timestamp: None, key: None, value: None, headers: Vec::new(), ..record() };
        assert_eq!(show(all, &bare), "web|3|42|-1||-1||-1|");
    }

    #[test]
    fn text_and_escapes_stand_for_themselves() {
        assert_eq!(show("", &record()), "");
        assert_eq!(show("\u{e4} 100%% \\t\\r\\0\\\\ \\x41\\n", &record()), "\u{e4} 100% \t\r\0\\ A\n");
        assert_eq!(show("%s%s\\x3a", &record()), "valuevalue:");
    }

    #[test]
    fn what_is_not_understood_is_refused_with_its_place() {
        for (template, place) in [
            ("%s %x", "no %x (character 4)"),
            ("\u{e4}%", "lone % at character 2"),
            ("ab\\q", "character 3 must be"),
            ("\\", "character 1 must be"),
            ("\\x4", "character 1 must be"),
            ("\\x4g", "character 1 must be"),
            ("\\x\u{e4}", "character 1 must be"),
        ] {
            let refused = Template::parse(template).unwrap_err();
            assert!(refused.contains(place), "{template}: {refused}");
        }
        assert!(Template::parse("%x").unwrap_err().contains("%t %p %o %T %k %K %s %S %h"));
    }
}
