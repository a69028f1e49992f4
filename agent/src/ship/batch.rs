//! Ranges of a file become record batches.
//!
//! Each line is a record: its value is the line without its line feed (a carriage return before it stays), its key is null,
//! its headers are `host`, `path`, `file` (the generation), for odd shapes `flags`, and last `offset` (of the line's first
//! byte in the generation). The batch depends on nothing but the range, its bytes, the codec and the producer's numbers, so
//! that the same batch can be built again after a crash.
//!
//! Lines are found with memchr and copied once, into the batch. Nothing is allocated for a record.

use std::sync::Arc;

use bytes::Bytes;
use memchr::{memchr, memchr_iter};
use tokio::sync::OwnedSemaphorePermit;
use wire::record::{BatchBuilder, BatchHeader, Compression, EncodedHeaders, RecordError};

use crate::model::{Chunk, FileRef, Intent, LaneId, Producer, Proof, Shape};

/// The most that a record's own lengths, deltas and attributes take: five varints of a length and one byte.
const RECORD_FRAME: usize = 5 * 5 + 1;
/// The batch's own header, and room for a codec that makes small data longer.
const BATCH_FRAME: usize = BatchHeader::SIZE + 64;
/// The most that the `offset` header takes: two lengths, its key, 20 digits.
const OFFSET_HEADER: usize = 2 + 6 + 20;

/// A range of a file that is or becomes one batch.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub(super) file: Arc<FileRef>,
    pub(super) start: u64,
    pub(super) end: u64,
    pub(super) data: Bytes,
    /// Records in it.
    pub(super) lines: u32,
    pub(super) shape: Shape,
    pub(super) timestamp_ms: i64,
    /// Given back to the reader when the last piece of a chunk is acknowledged.
    #[expect(dead_code, reason = "it is held, not read")]
    pub(super) credit: Option<Arc<OwnedSemaphorePermit>>,
}

impl From<Chunk> for Piece {
    fn from(chunk: Chunk) -> Self {
        Self {
            file: chunk.file,
            start: chunk.start,
            end: chunk.end,
            data: chunk.data,
            lines: chunk.lines,
            shape: chunk.shape,
            timestamp_ms: chunk.timestamp_ms,
            credit: Some(Arc::new(chunk.credit)),
        }
    }
}

impl Piece {
    /// The range of an intent that was open when the agent stopped.
    pub(super) fn again(intent: &Intent, data: Bytes) -> Self {
        Self {
            file: intent.file.clone(),
            start: intent.start,
            end: intent.end,
            data,
            lines: intent.count,
            shape: intent.shape,
            timestamp_ms: intent.timestamp_ms,
            credit: None,
        }
    }

    /// What the checkpoint must know before a batch of `count` records is sent.
    pub(super) fn intent(&self, lane: &LaneId, base_sequence: i32, count: u32) -> Intent {
        Intent {
            lane: lane.clone(),
            base_sequence,
            count,
            file: self.file.clone(),
            start: self.start,
            end: self.end,
            shape: self.shape,
            timestamp_ms: self.timestamp_ms,
            proof: Proof::of(self.start, &self.data),
        }
    }

    /// Keeps as many lines as make a batch of at most `limit` bytes before compression, but at least one; the rest is
    /// returned.
    pub(super) fn cut(&mut self, limit: usize) -> Option<Self> {
        if self.bound() <= limit {
            return None;
        }
        let overhead = self.record_overhead();
        let (mut size, mut begin, mut lines) = (BATCH_FRAME, 0, 0);
        for at in memchr_iter(b'\n', &self.data) {
            let next = at + 1;
            size += next - begin + overhead;
            if size > limit && lines > 0 {
                return self.split(begin, lines);
            }
            (begin, lines) = (next, lines + 1);
        }
        None
    }

    /// Keeps the first half of the lines; `None` when there is but one.
    pub(super) fn halve(&mut self) -> Option<Self> {
        let half = self.lines / 2;
        let last = memchr_iter(b'\n', &self.data).nth((half as usize).checked_sub(1)?)?;
        self.split(last + 1, half)
    }

    /// Keeps the first `lines` lines, `at` bytes.
    fn split(&mut self, at: usize, lines: u32) -> Option<Self> {
        if self.shape != Shape::Lines || at >= self.data.len() {
            return None;
        }
        let mut rest = self.clone();
        rest.data = self.data.split_off(at);
        rest.start = self.start.saturating_add(at as u64);
        rest.lines = self.lines.saturating_sub(lines);
        (self.end, self.lines) = (rest.start, lines);
        Some(rest)
    }

    /// An upper limit of the batch's size before compression.
    pub(super) fn bound(&self) -> usize {
        let overhead = self.record_overhead().saturating_mul(self.lines as usize);
        self.data.len().saturating_add(overhead).saturating_add(BATCH_FRAME)
    }

    fn record_overhead(&self) -> usize {
        let texts =
            ["host", "path", "file", "flags", "truncated"].iter().map(|text| text.len() + 2).sum::<usize>();
        RECORD_FRAME + OFFSET_HEADER + texts + self.file.host.len() + self.file.path.len() + 16 + 8
    }
}

/// Builds batches, one after the other, in the same memory.
pub(super) struct Encoder {
    builder: BatchBuilder,
}

impl Encoder {
    pub(super) fn new(compression: Compression) -> Self {
        Self { builder: BatchBuilder::new(compression) }
    }

    /// The batch of `piece` and the number of its records.
    pub(super) fn encode(
        &mut self,
        piece: &Piece,
        producer: &Producer,
        base_sequence: i32,
    ) -> Result<(Bytes, u32), RecordError> {
        let mut headers = EncodedHeaders::new();
        headers.push("host", piece.file.host.as_bytes());
        headers.push("path", piece.file.path.as_bytes());
        headers.push("file", piece.file.generation.to_string().as_bytes());
        match piece.shape {
            Shape::Lines => {}
            Shape::Partial => headers.push("flags", b"partial"),
            Shape::Truncated => headers.push("flags", b"truncated"),
        }
        self.builder.set_producer(producer.id, producer.epoch, base_sequence);
        let appended = self.append(piece, &mut headers);
        let count = u32::try_from(self.builder.count()).unwrap_or_default();
        let batch = self.builder.finish();
        appended?;
        Ok((batch?, count))
    }

    fn append(&mut self, piece: &Piece, headers: &mut EncodedHeaders) -> Result<(), RecordError> {
        let constant = headers.mark();
        let mut digits = [0; 20];
        let mut record = |begin: usize, line: &[u8]| {
            headers.reset(constant);
            headers.push("offset", decimal(piece.start.saturating_add(begin as u64), &mut digits));
            self.builder.append_encoded(piece.timestamp_ms, None, Some(line), headers)
        };
        if piece.shape != Shape::Lines {
            return record(0, &piece.data);
        }
        let mut begin = 0;
        while let Some(rest) = piece.data.get(begin..).filter(|rest| !rest.is_empty()) {
            let length = memchr(b'\n', rest).unwrap_or(rest.len());
            record(begin, rest.get(..length).unwrap_or(rest))?;
            begin += length + 1;
        }
        Ok(())
    }
}

/// `number` in decimal digits, without an allocation.
fn decimal(mut number: u64, digits: &mut [u8; 20]) -> &[u8] {
    let mut first = digits.len();
    for (at, digit) in digits.iter_mut().enumerate().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
        first = at;
        if number == 0 {
            break;
        }
    }
    digits.get(first..).unwrap_or_default()
}
