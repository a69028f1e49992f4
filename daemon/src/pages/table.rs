//! Tables and lists of facts. Whatever stands in a cell is escaped and of bounded length, so that no page has to think of it.

use std::fmt::{self, Write as _};

use super::html::{Age, Grouped, Size, Text, shortened};

/// Characters of a text that a cell shows; the longest name of a topic has 249.
const TEXT_CHARS_MAX: usize = 250;

/// What is shown where there is no value.
const NOTHING: &str = "–";

/// The head of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    /// Its cells are texts.
    Text(&'static str),
    /// Its cells are numbers, and stand right.
    Number(&'static str),
}

/// A value on a page.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell<'a> {
    /// There is none.
    None,
    /// A text, of whatever origin.
    Text(&'a str),
    /// A text that something is wrong.
    Alarm(&'a str),
    /// A text that leads to another page, by a link that [`Request`](super::Request) has made.
    Link(&'a str, String),
    /// A whole number.
    Number(i64),
    /// Bytes.
    Size(u64),
    /// How many there are in a second.
    Rate(Option<f64>),
    /// How many bytes there are in a second.
    SizeRate(Option<f64>),
    /// Seconds that have passed.
    Age(u64),
}

impl Cell<'_> {
    /// A number of things.
    pub fn count(count: usize) -> Self {
        Cell::Number(i64::try_from(count).unwrap_or(i64::MAX))
    }

    /// A number of things that may not be known.
    pub fn maybe(number: Option<i64>) -> Self {
        number.map_or(Cell::None, Cell::Number)
    }

    /// The class of its element, its exact value if it shows less, and what it shows as HTML.
    fn rendered(&self) -> (&'static str, Option<String>, String) {
        match self {
            Cell::None => ("", None, NOTHING.to_owned()),
            Cell::Text(text) => ("", None, escaped(text)),
            Cell::Alarm(text) => ("alarm", None, escaped(text)),
            Cell::Link(text, href) => ("", None, format!("<a href=\"{}\">{}</a>", Text(href), escaped(text))),
            Cell::Number(number) => ("n", None, Grouped(*number).to_string()),
            Cell::Size(bytes) => ("n", Some(exact_bytes(*bytes)), Size(*bytes).to_string()),
            Cell::Rate(Some(rate)) => ("n", Some(format!("{rate:.3} per second")), short_rate(*rate)),
            Cell::SizeRate(Some(rate)) => {
                // a rate is not negative, and a cast keeps within the limits
                let bytes = rate.round() as u64;
                ("n", Some(format!("{} per second", exact_bytes(bytes))), format!("{}/s", Size(bytes)))
            }
            Cell::Rate(None) | Cell::SizeRate(None) => ("n", None, NOTHING.to_owned()),
            Cell::Age(seconds) => ("n", Some(format!("{seconds} s")), Age(*seconds).to_string()),
        }
    }

    /// Writes it as an element; `attributes` belong to its name.
    fn write(&self, name: &str, attributes: &str, out: &mut String) -> fmt::Result {
        let (class, exact, shown) = self.rendered();
        write!(out, "<{name}{attributes}")?;
        if !class.is_empty() {
            write!(out, " class=\"{class}\"")?;
        }
        if let Some(exact) = exact {
            write!(out, " title=\"{}\"", Text(&exact))?;
        }
        write!(out, ">{shown}</{name}>")
    }
}

fn escaped(text: &str) -> String {
    Text(&shortened(text, TEXT_CHARS_MAX)).to_string()
}

fn exact_bytes(bytes: u64) -> String {
    format!("{} bytes", Grouped(i64::try_from(bytes).unwrap_or(i64::MAX)))
}

fn short_rate(rate: f64) -> String {
    if rate < 9.95 { format!("{rate:.1}") } else { Grouped(rate.round() as i64).to_string() }
}

/// Writes a table; each row's first cell is its head.
///
/// # Errors
/// Only if `out` refuses, which a string does not.
pub fn table<'a, const N: usize>(
    out: &mut String,
    columns: [Column; N],
    rows: impl IntoIterator<Item = [Cell<'a>; N]>,
) -> fmt::Result {
    let mut rows = rows.into_iter().peekable();
    if rows.peek().is_none() {
        return out.write_str("<p class=\"soft\">There are none.</p>\n");
    }
    out.write_str("<div class=\"wide\"><table>\n<thead><tr>")?;
    for column in columns {
        match column {
            Column::Text(head) => write!(out, "<th scope=\"col\">{}</th>", Text(head))?,
            Column::Number(head) => write!(out, "<th scope=\"col\" class=\"n\">{}</th>", Text(head))?,
        }
    }
    out.write_str("</tr></thead>\n<tbody>\n")?;
    for row in rows {
        out.write_str("<tr>")?;
        for (place, cell) in row.iter().enumerate() {
            match place {
                0 => cell.write("th", " scope=\"row\"", out)?,
                _ => cell.write("td", "", out)?,
            }
        }
        out.write_str("</tr>\n")?;
    }
    out.write_str("</tbody>\n</table></div>\n")
}

/// Writes names with their values.
///
/// # Errors
/// Only if `out` refuses, which a string does not.
pub fn facts(out: &mut String, facts: &[(&str, Cell<'_>)]) -> fmt::Result {
    out.write_str("<dl>\n")?;
    for (name, value) in facts {
        write!(out, "<div><dt>{}</dt>", Text(name))?;
        value.write("dd", "", out)?;
        out.write_str("</div>\n")?;
    }
    out.write_str("</dl>\n")
}
