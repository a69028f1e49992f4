//! The headers of a record (magic 2, KIP-82): keys with values, in order, repeats allowed.
//!
//! | bytes | field | |
//! |---|---|---|
//! | varint | count | of the headers; not negative |
//! | | | then for each header: |
//! | varint | key length | not negative |
//! | n | key | UTF-8 by agreement; not checked here, as brokers do not either |
//! | varint | value length | -1 says null |
//! | n | value | |
//!
//! [`Headers`] reads them in place, [`EncodedHeaders`] holds them in encoded form.

use super::{RecordError, varint};

/// The headers of a record that was read; checked when the record was, decoded when asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Headers<'a> {
    count: usize,
    encoded: &'a [u8],
}

impl<'a> Headers<'a> {
    /// Takes what is left of a record's body: the count and the headers, all of it.
    pub(super) fn parse(mut body: &'a [u8]) -> Result<Self, RecordError> {
        let count = varint::read_i32(&mut body)?;
        let count = usize::try_from(count).map_err(|_| RecordError::BadRecord("negative header count"))?;
        let encoded = body;
        // The loop ends at the first missing byte, so a hostile count costs nothing.
        for _ in 0..count {
            read_header(&mut body)?;
        }
        if !body.is_empty() {
            return Err(RecordError::BadRecord("it is longer than its fields"));
        }
        Ok(Self { count, encoded })
    }

    /// How many headers there are.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The headers as (key, value) in the order written.
    pub fn iter(&self) -> impl Iterator<Item = (&'a [u8], Option<&'a [u8]>)> + use<'a> {
        let mut rest = self.encoded;
        // They were checked by `parse`: the iteration ends where they do.
        std::iter::from_fn(move || read_header(&mut rest).ok())
    }

    /// The value of the last header with this key (a later one overrides, as in Kafka's
    /// `lastHeader`); `None` also when that value is null.
    pub fn get(&self, key: &str) -> Option<&'a [u8]> {
        self.iter().filter(|(name, _)| *name == key.as_bytes()).last().and_then(|(_, value)| value)
    }
}

fn read_header<'a>(input: &mut &'a [u8]) -> Result<(&'a [u8], Option<&'a [u8]>), RecordError> {
    let key = read_nullable(input)?.ok_or(RecordError::BadRecord("a header's key is null"))?;
    Ok((key, read_nullable(input)?))
}

/// Reads bytes behind a varint length; a negative length says null, as Kafka takes it.
pub(super) fn read_nullable<'a>(input: &mut &'a [u8]) -> Result<Option<&'a [u8]>, RecordError> {
    let Ok(length) = usize::try_from(varint::read_i32(input)?) else { return Ok(None) };
    let (bytes, rest) =
        input.split_at_checked(length).ok_or(RecordError::BadRecord("a field is longer than the record"))?;
    *input = rest;
    Ok(Some(bytes))
}

/// Headers in encoded form, for a producer whose records mostly have the same ones: the constant
/// part is encoded once, and only what changes is encoded again for each record.
///
/// ```
/// # use wire::record::EncodedHeaders;
/// let mut headers = EncodedHeaders::new();
/// headers.push("host", b"web-1");
/// let constant = headers.mark();
/// for offset in ["0", "118"] {
///     headers.reset(constant);
///     headers.push("offset", offset.as_bytes());
///     // builder.append_encoded(timestamp, None, Some(line), &headers)?;
/// }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EncodedHeaders {
    count: i64,
    encoded: Vec<u8>,
}

/// How far [`EncodedHeaders`] were filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeaderMark {
    count: i64,
    length: usize,
}

impl EncodedHeaders {
    /// No headers.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a header at the end.
    pub fn push(&mut self, key: &str, value: &[u8]) {
        self.count += 1;
        put_header(&mut self.encoded, key, value);
    }

    /// The present end, to come back to.
    pub fn mark(&self) -> HeaderMark {
        HeaderMark { count: self.count, length: self.encoded.len() }
    }

    /// Drops what was added after `mark` was taken; the memory is kept.
    pub fn reset(&mut self, mark: HeaderMark) {
        if mark.length <= self.encoded.len() {
            self.count = mark.count;
            self.encoded.truncate(mark.length);
        }
    }

    pub(super) fn size(&self) -> usize {
        varint::size(self.count) + self.encoded.len()
    }

    pub(super) fn put(&self, out: &mut Vec<u8>) {
        varint::put(out, self.count);
        out.extend_from_slice(&self.encoded);
    }
}

/// The encoded size of a list of headers with its count.
pub(super) fn size(headers: &[(&str, &[u8])]) -> usize {
    let each = |(key, value): &(&str, &[u8])| {
        varint::size(key.len() as i64) + key.len() + varint::size(value.len() as i64) + value.len()
    };
    varint::size(headers.len() as i64) + headers.iter().map(each).sum::<usize>()
}

/// Appends a list of headers with its count.
pub(super) fn put(out: &mut Vec<u8>, headers: &[(&str, &[u8])]) {
    varint::put(out, headers.len() as i64);
    for (key, value) in headers {
        put_header(out, key, value);
    }
}

fn put_header(out: &mut Vec<u8>, key: &str, value: &[u8]) {
    varint::put(out, key.len() as i64);
    out.extend_from_slice(key.as_bytes());
    varint::put(out, value.len() as i64);
    out.extend_from_slice(value);
}
