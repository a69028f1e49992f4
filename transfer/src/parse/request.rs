//! The request line, as both logs hold it: `GET /path?query HTTP/1.1`.

use memchr::{memchr, memrchr};

/// A request line's parts, as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Request<'a> {
    pub(crate) method: &'a [u8],
    /// What was asked for: a path with its query, a whole URL (a proxy's client), `*`, or an authority (CONNECT).
    pub(crate) target: &'a [u8],
    /// `1.1`; `None` for HTTP/0.9, which does not say.
    pub(crate) version: Option<&'a [u8]>,
}

impl<'a> Request<'a> {
    /// `None` for what is no request line.
    pub(crate) fn parse(line: &'a [u8]) -> Option<Self> {
        let space = memchr(b' ', line)?;
        let (method, rest) = (&line[..space], &line[space + 1..]);
        let token = |byte: &u8| byte.is_ascii_uppercase() || matches!(byte, b'-' | b'_');
        if method.is_empty() || method.len() > 32 || !method.iter().all(token) {
            return None;
        }
        // a target may contain spaces (nginx let them pass before 1.21): the version is behind the last one
        let (target, version) = match memrchr(b' ', rest) {
            Some(last) => match rest[last + 1..].strip_prefix(b"HTTP/") {
                Some(version) if is_version(version) => (&rest[..last], Some(version)),
                _ => (rest, None),
            },
            None => (rest, None),
        };
        (!target.is_empty()).then_some(Self { method, target, version })
    }

    /// The target's path and query. No path for `*` and for an authority.
    pub(crate) fn path_and_query(&self) -> (Option<&'a [u8]>, Option<&'a [u8]>) {
        let Some(origin) = self.origin_form() else { return (None, None) };
        match memchr(b'?', origin) {
            Some(mark) => (Some(&origin[..mark]), Some(&origin[mark + 1..])),
            None => (Some(origin), None),
        }
    }

    /// The target from its path on.
    fn origin_form(&self) -> Option<&'a [u8]> {
        if self.target[0] == b'/' {
            return Some(self.target);
        }
        let authority = memchr::memmem::find(self.target, b"://").filter(|&at| at <= 16)? + 3;
        let slash = memchr(b'/', &self.target[authority..])?;
        Some(&self.target[authority + slash..])
    }
}

/// `1.1`, `2.0`, `3`
fn is_version(text: &[u8]) -> bool {
    !text.is_empty() && text.len() <= 8 && text.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.')
}
