//! A batch: documents ready to be sent, with what is needed to answer for each of them.
//!
//! The body is what goes out: for Elasticsearch two lines for each document (the action, the document), for files one
//! line with `_id` as its first member. The originals are the records as they were read, kept for the dead-letter topic
//! until the index has taken the document.
//!
//! Layout of an original: key, headers and value one after the other, each length-prefixed:
//! ```text
//! bytes   = u32 length (little endian; u32::MAX for null), then that many bytes
//! original = bytes(key) u32(count of headers) { bytes(name) bytes(value) }* bytes(value)
//! ```

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use crate::document;
use crate::json::{self, Object};
use crate::parse::{Line, time};
use crate::record::Record;

/// What a body is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// The lines of a `_bulk` request.
    Bulk,
    /// One line for each document.
    Ndjson,
}

/// One document of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Item {
    /// Its bytes in the body.
    pub(crate) bytes: Range<usize>,
    /// Its index's place in [`Batch::indices`].
    pub(crate) index: usize,
    /// Its record's partition's place in [`Batch::partitions`].
    pub(crate) partition: usize,
    /// Its record's offset.
    pub(crate) offset: i64,
    /// Its record's timestamp, if it had one.
    pub(crate) timestamp_ms: Option<i64>,
    /// Its record in [`Batch::originals`].
    pub(crate) original: Range<usize>,
}

/// A partition of a topic.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Partition {
    pub(crate) topic: Arc<str>,
    pub(crate) number: i32,
}

/// Documents on their way. Whoever has it answers with `id` when every one of them is safe.
#[derive(Debug)]
pub(crate) struct Batch {
    /// Counts up from 0 over the consumer's life.
    pub(crate) id: u64,
    pub(crate) body: Bytes,
    pub(crate) items: Vec<Item>,
    /// The partitions with records in here, with the offset after the last one.
    pub(crate) partitions: Vec<(Partition, i64)>,
    /// The indices' whole names.
    pub(crate) indices: Vec<String>,
    pub(crate) originals: Vec<u8>,
}

impl Batch {
    /// Reads back the record that an item was made of.
    pub(crate) fn original(&self, item: &Item) -> Option<Original<'_>> {
        Original::read(self.originals.get(item.original.clone())?)
    }
}

/// A record's parts that a dead letter repeats.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Original<'a> {
    pub(crate) key: Option<&'a [u8]>,
    pub(crate) headers: Vec<(&'a str, Option<&'a [u8]>)>,
    pub(crate) value: Option<&'a [u8]>,
}

impl<'a> Original<'a> {
    fn read(mut from: &'a [u8]) -> Option<Self> {
        let key = take_bytes(&mut from)?;
        let mut headers = Vec::new();
        for _ in 0..take_u32(&mut from)? {
            let name = std::str::from_utf8(take_bytes(&mut from)??).ok()?;
            headers.push((name, take_bytes(&mut from)?));
        }
        Some(Self { key, headers, value: take_bytes(&mut from)? })
    }

    /// Appends the original in the layout above.
    pub(crate) fn write(&self, to: &mut Vec<u8>) {
        put_bytes(to, self.key);
        put_u32(to, self.headers.len());
        for (name, value) in &self.headers {
            put_bytes(to, Some(name.as_bytes()));
            put_bytes(to, *value);
        }
        put_bytes(to, self.value);
    }
}

fn put_u32(to: &mut Vec<u8>, value: usize) {
    to.extend_from_slice(&u32::try_from(value).unwrap_or(u32::MAX).to_le_bytes());
}

fn put_bytes(to: &mut Vec<u8>, bytes: Option<&[u8]>) {
    match bytes {
        Some(bytes) => {
            put_u32(to, bytes.len());
            to.extend_from_slice(bytes);
        }
        None => put_u32(to, usize::MAX),
    }
}

fn take_u32(from: &mut &[u8]) -> Option<u32> {
    let (value, rest) = from.split_first_chunk::<4>()?;
    *from = rest;
    Some(u32::from_le_bytes(*value))
}

fn take_bytes<'a>(from: &mut &'a [u8]) -> Option<Option<&'a [u8]>> {
    let len = take_u32(from)?;
    if len == u32::MAX {
        return Some(None);
    }
    let (bytes, rest) = from.split_at_checked(usize::try_from(len).ok()?)?;
    *from = rest;
    Some(Some(bytes))
}

/// Where the documents of a record's topic go.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target<'a> {
    pub(crate) topic: &'a Arc<str>,
    /// The index's name without the day.
    pub(crate) index: &'a str,
}

/// Collects documents into a batch.
#[derive(Debug)]
pub(crate) struct Builder {
    shape: Shape,
    next_id: u64,
    body: Vec<u8>,
    items: Vec<Item>,
    partitions: Vec<(Partition, i64)>,
    indices: Vec<(String, i64, String)>,
    originals: Vec<u8>,
    id: Vec<u8>,
    scratch: Vec<u8>,
}

impl Builder {
    pub(crate) fn new(shape: Shape) -> Self {
        Self {
            shape,
            next_id: 0,
            body: Vec::new(),
            items: Vec::new(),
            partitions: Vec::new(),
            indices: Vec::new(),
            originals: Vec::new(),
            id: Vec::new(),
            scratch: Vec::new(),
        }
    }

    /// The id that the next batch will have.
    pub(crate) fn next_id(&self) -> u64 {
        self.next_id
    }

    /// Bytes of the body so far.
    pub(crate) fn body_len(&self) -> usize {
        self.body.len()
    }

    /// Documents so far.
    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Adds a record's document. `original` is kept for a dead letter, `line` is what its value was parsed into.
    pub(crate) fn push(
        &mut self,
        target: Target<'_>,
        record: &Record<'_>,
        line: &Line<'_>,
        original: &Original<'_>,
    ) {
        let time_ms = document::event_time_ms(record, line);
        let index = self.index(target.index, time::day_of(time_ms));
        let partition = self.partition(target.topic, record);
        document::write_id(&mut self.id, record);
        let start = self.body.len();
        let members = match self.shape {
            Shape::Bulk => {
                self.body.extend_from_slice(b"{\"create\":{\"_index\":");
                json::string(&mut self.body, self.indices[index].2.as_bytes());
                self.body.extend_from_slice(b",\"_id\":");
                json::string(&mut self.body, &self.id);
                self.body.extend_from_slice(b"}}\n");
                Object::open(&mut self.body)
            }
            Shape::Ndjson => {
                let mut object = Object::open(&mut self.body);
                object.string("_id", &self.id);
                object
            }
        };
        document::write_members(members, record, line, time_ms, &mut self.scratch);
        self.body.push(b'\n');
        let original_start = self.originals.len();
        original.write(&mut self.originals);
        self.items.push(Item {
            bytes: start..self.body.len(),
            index,
            partition,
            offset: record.offset,
            timestamp_ms: record.timestamp_ms,
            original: original_start..self.originals.len(),
        });
    }

    /// The batch so far; the builder goes on empty.
    pub(crate) fn finish(&mut self) -> Batch {
        let id = self.next_id;
        self.next_id += 1;
        let capacity = self.body.len();
        let body = std::mem::replace(&mut self.body, Vec::with_capacity(capacity));
        Batch {
            id,
            body: Bytes::from(body),
            items: std::mem::take(&mut self.items),
            partitions: std::mem::take(&mut self.partitions),
            indices: std::mem::take(&mut self.indices).into_iter().map(|(_, _, name)| name).collect(),
            originals: std::mem::take(&mut self.originals),
        }
    }

    /// Forgets what was collected.
    pub(crate) fn clear(&mut self) {
        self.body.clear();
        self.items.clear();
        self.partitions.clear();
        self.indices.clear();
        self.originals.clear();
    }

    /// Lines mostly come in the order of time, so the last index is looked at first.
    fn index(&mut self, name: &str, day: i64) -> usize {
        let known = self.indices.iter().rposition(|(known, at, _)| *at == day && known == name);
        known.unwrap_or_else(|| {
            self.indices.push((name.to_owned(), day, format!("{name}-{}", time::index_day(day))));
            self.indices.len() - 1
        })
    }

    fn partition(&mut self, topic: &Arc<str>, record: &Record<'_>) -> usize {
        let next = record.offset.saturating_add(1);
        let same = |(known, _): &(Partition, i64)| known.number == record.partition && known.topic == *topic;
        match self.partitions.iter().rposition(same) {
            Some(at) => {
                self.partitions[at].1 = next;
                at
            }
            None => {
                self.partitions.push((Partition { topic: topic.clone(), number: record.partition }, next));
                self.partitions.len() - 1
            }
        }
    }
}

#[cfg(test)]
mod tests;
