//! What surrounds a page's own HTML. A document is complete in itself: nothing is loaded beside it, and no script runs, which
//! its policy lets no mistake of a page change.

use super::html::Text;
use super::request::Request;

/// The one style sheet.
const STYLE: &str = include_str!("style.css");

/// The policy of what is no document.
pub(crate) const NO_DOCUMENT: &str = "default-src 'none'; frame-ancestors 'none'";

/// A whole document.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) html: String,
    /// What a browser may do with it (Content-Security-Policy).
    pub(crate) policy: String,
}

/// A document with this title, which is text, and this body, which is HTML. With a request it has links around the body and is
/// loaded again by itself.
pub(crate) fn document(title: &str, body: &str, request: Option<&Request>) -> Document {
    let nonce = format!("{:032x}", rand::random::<u128>());
    let refresh = request.map(refresh).unwrap_or_default();
    let (header, footer) = request.map(|request| (header(request), footer(request))).unwrap_or_default();
    let title = Text(title);
    let html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         {refresh}<title>{title}</title>\n<style nonce=\"{nonce}\">\n{STYLE}</style>\n</head>\n<body>\n\
         {header}<main>\n<h1>{title}</h1>\n{body}</main>\n{footer}</body>\n</html>\n"
    );
    let policy = format!(
        "default-src 'none'; style-src 'nonce-{nonce}'; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'"
    );
    Document { html, policy }
}

/// What lets a browser load the page again.
fn refresh(request: &Request) -> String {
    let seconds = request.refresh_seconds();
    let element = |seconds: u64| format!("<meta http-equiv=\"refresh\" content=\"{seconds}\">\n");
    seconds.map(element).unwrap_or_default()
}

fn header(request: &Request) -> String {
    format!("<nav><a href=\"{}\">all pages</a></nav>\n", Text(&request.home()))
}

fn footer(request: &Request) -> String {
    let json = request.json();
    let refreshes = request.refresh_seconds();
    let link = request.with_refresh(refreshes.is_none());
    let refresh = match refreshes {
        Some(seconds) => format!("loaded again every {seconds} s, <a href=\"{}\">stop</a>", Text(&link)),
        None => format!("<a href=\"{}\">load again by itself</a>", Text(&link)),
    };
    format!("<footer><a href=\"{}\">the same as JSON</a> · {refresh}</footer>\n", Text(&json))
}
