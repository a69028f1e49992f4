//! Lists, page by page.

use std::fmt::{self, Write as _};

use daemon::pages::Request;
use daemon::pages::html::{Grouped, Text};
use serde::Serialize;

/// Rows of a page, and the most that may be asked for.
const ROWS_MAX: usize = 100;
/// Rows of each list where all are shown together.
const ROWS_TOGETHER: usize = 20;

/// A part of a list.
#[derive(Debug, Serialize)]
pub(super) struct Listing<T> {
    /// Things in all.
    pub(super) total: usize,
    /// Things that were asked for.
    pub(super) matching: usize,
    /// Which part it is, counted from 1.
    pub(super) page: usize,
    /// How many parts there are.
    pub(super) pages: usize,
    /// The part.
    pub(super) items: Vec<T>,
}

/// Which part of a list is wanted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part<'a> {
    filter: &'a str,
    page: usize,
    rows: usize,
    /// Whether names matter more than sizes.
    pub(super) by_name: bool,
}

impl<'a> Part<'a> {
    /// The part that a request is about.
    pub(super) fn of(request: &'a Request) -> Self {
        Part {
            filter: request.get("q").unwrap_or_default(),
            page: request.number("page").unwrap_or(1),
            rows: request.number("rows").unwrap_or(ROWS_MAX).clamp(1, ROWS_MAX),
            by_name: request.get("sort") == Some("name"),
        }
    }

    /// The first part, where it is one of several lists.
    pub(super) fn first(request: &'a Request) -> Self {
        let rows = request.number("rows").unwrap_or(ROWS_TOGETHER).clamp(1, ROWS_MAX);
        Part { page: 1, rows, ..Self::of(request) }
    }

    /// The same part of a list that the filter is not meant for.
    pub(super) fn unfiltered(self) -> Self {
        Part { filter: "", ..self }
    }

    /// Whether a name is asked for.
    pub(super) fn wants(&self, name: &str) -> bool {
        name.contains(self.filter)
    }
}

impl<T> Listing<T> {
    /// The part of all that were asked for, out of `total`. Where there is no such part, it is the last.
    pub(super) fn new(matching: Vec<T>, total: usize, part: &Part<'_>) -> Self {
        let pages = matching.len().div_ceil(part.rows).max(1);
        let page = part.page.clamp(1, pages);
        let skipped = (page - 1).saturating_mul(part.rows);
        let count = matching.len();
        let items = matching.into_iter().skip(skipped).take(part.rows).collect();
        Listing { total, matching: count, page, pages, items }
    }

    /// The same part of other things.
    pub(super) fn map<U>(self, change: impl FnMut(T) -> U) -> Listing<U> {
        let Listing { total, matching, page, pages, items } = self;
        Listing { total, matching, page, pages, items: items.into_iter().map(change).collect() }
    }

    /// Writes how many there are of what.
    pub(super) fn count(&self, what: &str, out: &mut String) -> fmt::Result {
        write!(out, "<p class=\"soft\">{} {what}", grouped(self.total))?;
        if self.matching != self.total {
            write!(out, ", {} of them as asked for", grouped(self.matching))?;
        }
        if self.pages > 1 {
            write!(out, "; page {} of {}", grouped(self.page), grouped(self.pages))?;
        }
        out.write_str("</p>\n")
    }

    /// Writes the links to the parts before and after this one.
    pub(super) fn pager(&self, request: &Request, out: &mut String) -> fmt::Result {
        if self.pages <= 1 {
            return Ok(());
        }
        let before = self.page.checked_sub(1).filter(|page| *page >= 1);
        let after = Some(self.page + 1).filter(|page| *page <= self.pages);
        out.write_str("<p>")?;
        for (page, what) in [(before, "previous page"), (after, "next page")] {
            if let Some(page) = page {
                let link = request.with(&[("page", &page.to_string())]);
                write!(out, "<a href=\"{}\">{what}</a> ", Text(&link))?;
            }
        }
        out.write_str("</p>\n")
    }
}

fn grouped(count: usize) -> Grouped {
    Grouped(i64::try_from(count).unwrap_or(i64::MAX))
}

/// Writes a field in which a text can be typed that names shall have; what it finds is shown at `target`.
pub(super) fn filter(request: &Request, target: &str, out: &mut String) -> fmt::Result {
    let q = Text(request.get("q").unwrap_or_default());
    write!(out, "<form action=\"{}\">", Text(target))?;
    for kept in ["sort", "rows", "refresh"] {
        if let Some(value) = request.get(kept) {
            write!(out, "<input type=\"hidden\" name=\"{kept}\" value=\"{}\">", Text(value))?;
        }
    }
    writeln!(
        out,
        "<label>Name has <input type=\"search\" name=\"q\" value=\"{q}\"></label> <button>Show</button></form>"
    )
}

/// Writes the links by which a list is sorted.
pub(super) fn sorting(request: &Request, otherwise: &str, out: &mut String) -> fmt::Result {
    let (link, text) = match request.get("sort") {
        Some("name") => (request.with(&[("sort", ""), ("page", "")]), otherwise),
        _ => (request.with(&[("sort", "name"), ("page", "")]), "sort by name"),
    };
    writeln!(out, "<p><a href=\"{}\">{text}</a></p>", Text(&link))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(query: &str) -> Listing<usize> {
        let request = Request::new("/broker/topics", query);
        Listing::new((0..25).collect(), 40, &Part::of(&request))
    }

    #[test]
    fn a_list_is_shown_in_parts_of_bounded_size() {
        let numbers = |query| {
            let listing = listing(query);
            (listing.page, listing.pages, listing.items.first().copied(), listing.items.len())
        };
        assert_eq!(numbers(""), (1, 1, Some(0), 25));
        assert_eq!(numbers("rows=10"), (1, 3, Some(0), 10));
        assert_eq!(numbers("rows=10&page=2"), (2, 3, Some(10), 10));
        assert_eq!(numbers("rows=10&page=3"), (3, 3, Some(20), 5));
        assert_eq!(numbers("rows=10&page=99"), (3, 3, Some(20), 5), "there is no such page");
        assert_eq!(numbers("rows=10&page=0"), (1, 3, Some(0), 10));
        assert_eq!(numbers("rows=0&page=18446744073709551615"), (25, 25, Some(24), 1));
        assert_eq!(numbers("rows=many&page=x"), (1, 1, Some(0), 25));
        let many = Listing::new((0..1000).collect(), 1000, &Part::of(&Request::new("/broker", "rows=5000")));
        assert_eq!((many.items.len(), many.pages), (ROWS_MAX, 10), "nobody gets more at once");
        let none = Listing::<usize>::new(Vec::new(), 7, &Part::of(&Request::new("/broker", "page=3")));
        assert_eq!((none.page, none.pages, none.total, none.matching), (1, 1, 7, 0));
    }

    #[test]
    fn links_lead_to_the_neighbours() {
        let pager = |query| {
            let mut out = String::new();
            listing(query).pager(&Request::new("/broker/topics", query), &mut out).unwrap();
            out
        };
        assert_eq!(pager(""), "");
        assert_eq!(pager("rows=10"), "<p><a href=\"?rows=10&amp;page=2\">next page</a> </p>\n");
        let middle = pager("rows=10&page=2&q=a%22b");
        assert!(middle.contains("\"?rows=10&amp;q=a%22b&amp;page=1\">previous page</a>"), "{middle}");
        assert!(middle.contains("\"?rows=10&amp;q=a%22b&amp;page=3\">next page</a>"), "{middle}");
        assert!(!pager("rows=10&page=3").contains("next"));
    }

    #[test]
    fn the_filter_leaves_names_with_its_text_and_shows_it_escaped() {
        let request = Request::new("/broker", "q=%22%3E%3Cb%3E&refresh=0");
        let part = Part::first(&request);
        assert!(part.wants("a\"><b>c") && !part.wants("abc") && part.unfiltered().wants("abc"));
        let mut out = String::new();
        filter(&request, "broker/topics", &mut out).unwrap();
        assert!(out.contains("value=\"&quot;&gt;&lt;b&gt;\"") && !out.contains("<b>"), "{out}");
        assert!(out.contains("<input type=\"hidden\" name=\"refresh\" value=\"0\">"), "{out}");
    }
}
