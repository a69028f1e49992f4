//! Text, numbers and sizes as HTML. Whatever is not a constant of ours passes through [`Text`].

use std::borrow::Cow;
use std::fmt::{self, Display, Formatter, Write as _};

/// Text that means nothing but itself, as content and within quoted attributes.
#[derive(Debug, Clone, Copy)]
pub struct Text<'a>(pub &'a str);

impl Display for Text<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            match character {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                // HTML has no place for most of them, and none is worth seeing
                control if control.is_control() => f.write_char(char::REPLACEMENT_CHARACTER)?,
                other => f.write_char(other)?,
            }
        }
        Ok(())
    }
}

/// At most so many characters of a text; that something is missing shows.
pub fn shortened(text: &str, chars_max: usize) -> Cow<'_, str> {
    match text.char_indices().nth(chars_max) {
        Some((end, _)) => Cow::Owned(format!("{}…", text.get(..end).unwrap_or_default())),
        None => Cow::Borrowed(text),
    }
}

/// A whole number in groups of three digits: `1,234,567`.
#[derive(Debug, Clone, Copy)]
pub struct Grouped(pub i64);

impl Display for Grouped {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.0 < 0 {
            f.write_char('-')?;
        }
        let digits = self.0.unsigned_abs().to_string();
        for (place, digit) in (0..digits.len()).rev().zip(digits.chars()) {
            f.write_char(digit)?;
            if place > 0 && place % 3 == 0 {
                f.write_char(',')?;
            }
        }
        Ok(())
    }
}

/// Bytes in the unit that suits: `1.5 MiB`.
#[derive(Debug, Clone, Copy)]
pub struct Size(pub u64);

impl Display for Size {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        const STEP: f64 = 1024.0;
        if self.0 < 1024 {
            return write!(f, "{} B", self.0);
        }
        let mut value = self.0 as f64 / STEP;
        let mut units = ["KiB", "MiB", "GiB", "TiB", "PiB"].into_iter();
        let mut unit = units.next().unwrap_or_default();
        // what would be rounded to a whole step is one of the next unit
        while value >= STEP - 0.05 {
            let Some(larger) = units.next() else { break };
            (value, unit) = (value / STEP, larger);
        }
        write!(f, "{value:.1} {unit}")
    }
}

/// Seconds in the two largest units that matter: `3 d 4 h`, `12 min 5 s`.
#[derive(Debug, Clone, Copy)]
pub struct Age(pub u64);

impl Display for Age {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (minutes, seconds) = (self.0 / 60, self.0 % 60);
        let (hours, minutes) = (minutes / 60, minutes % 60);
        let (days, hours) = (hours / 24, hours % 24);
        match (days, hours, minutes) {
            (0, 0, 0) => write!(f, "{seconds} s"),
            (0, 0, minutes) => write!(f, "{minutes} min {seconds} s"),
            (0, hours, minutes) => write!(f, "{hours} h {minutes} min"),
            (days, hours, _) => write!(f, "{days} d {hours} h"),
        }
    }
}
