//! One entry of the checkpoint's log as bytes.
//!
//! All integers are little endian. An entry is
//!
//! ```text
//! length u32    of kind and body together, at most 64 KiB
//! crc    u32    CRC-32C over the slot's epoch (u64), then kind and body
//! kind   u8
//! body
//! ```
//!
//! | kind | entry | body |
//! |---|---|---|
//! | 1 | producer | id i64, epoch i16, boot id string |
//! | 2 | lane | lane, next sequence i32 |
//! | 3 | file | file, location string, device u64, inode u64, birth i64 (ns), head length u32, head hash u64 |
//! | 4 | done | key, start u64, end u64 |
//! | 5 | proof | key, proof |
//! | 6 | intent | partition i32, file, base sequence i32, count u32, start u64, end u64, shape u8, timestamp i64, proof |
//! | 7 | acknowledged | lane, base sequence i32 |
//! | 8 | withdrawn | lane, base sequence i32 |
//! | 9 | forgotten | key |
//! | 10 | moved | epoch u64: the log goes on in the other slot |
//! | 11 | truncations | device u64, inode u64, birth i64 (ns), count u32; 0 forgets |
//!
//! string = length u32, UTF-8; lane = topic string, partition i32; key = generation u64, topic string;
//! file = key, host string, path string; proof = at u64, length u8, hash u64; shape = 0 lines, 1 partial, 2 truncated.
//! A kind or shape that is not in the table is damage: older programs do not read newer checkpoints.

use std::sync::Arc;

use bytes::{Buf, BufMut};

use super::state::{Head, Place};
use crate::model::{FileKey, FileRef, GenerationId, Intent, LaneId, Producer, Proof, Shape};

/// The longest entry body with its kind, in bytes. Two paths of PATH_MAX and a topic fit several times.
const MAX_BYTES: usize = 64 * 1024;
/// Length and CRC.
const HEADER: usize = 8;

/// A change of the checkpoint's state.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Entry {
    Producer(Producer),
    Lane { lane: LaneId, next_sequence: i32 },
    File { file: Arc<FileRef>, place: Place, head: Head },
    Done { key: FileKey, start: u64, end: u64 },
    Proof { key: FileKey, proof: Proof },
    Intent(Intent),
    Acknowledged { lane: LaneId, base_sequence: i32 },
    Withdrawn { lane: LaneId, base_sequence: i32 },
    Forgotten { key: FileKey },
    Moved { epoch: u64 },
    Truncations { device: u64, inode: u64, birth_ns: i64, count: u32 },
}

/// What lies at the front of a log.
#[derive(Debug, PartialEq)]
pub(super) enum Decoded {
    /// An entry of this many bytes.
    Entry(Entry, usize),
    /// The log ends here.
    End,
    /// The log ends within an entry: its writer was stopped, so nothing had been done on the strength of it.
    Torn,
    /// These bytes are no entry; what follows cannot be trusted.
    Corrupt,
}

/// Appends `entry` as bytes.
pub(super) fn encode(entry: &Entry, epoch: u64, out: &mut Vec<u8>) {
    let at = out.len();
    out.put_bytes(0, HEADER);
    put_body(entry, out);
    let body = out.get(at + HEADER..).unwrap_or_default();
    let (length, crc) = (body.len() as u32, checksum(epoch, body));
    if let Some(header) = out.get_mut(at..at + HEADER) {
        header[..4].copy_from_slice(&length.to_le_bytes());
        header[4..].copy_from_slice(&crc.to_le_bytes());
    }
}

/// Reads the entry at the front of `log`.
pub(super) fn decode(log: &[u8], epoch: u64) -> Decoded {
    if log.is_empty() {
        return Decoded::End;
    }
    let mut header = log;
    let (Ok(length), Ok(crc)) = (header.try_get_u32_le(), header.try_get_u32_le()) else {
        return Decoded::Torn;
    };
    let length = length as usize;
    if length == 0 || length > MAX_BYTES {
        return Decoded::Corrupt;
    }
    let Some(body) = header.get(..length) else {
        return Decoded::Torn;
    };
    if checksum(epoch, body) != crc {
        return Decoded::Corrupt;
    }
    get_body(body).map_or(Decoded::Corrupt, |entry| Decoded::Entry(entry, HEADER + length))
}

fn checksum(epoch: u64, body: &[u8]) -> u32 {
    wire::crc32c_append(wire::crc32c(&epoch.to_le_bytes()), body)
}

fn put_body(entry: &Entry, out: &mut Vec<u8>) {
    match entry {
        Entry::Producer(producer) => {
            out.put_u8(1);
            out.put_i64_le(producer.id);
            out.put_i16_le(producer.epoch);
            put_string(&producer.boot_id, out);
        }
        Entry::Lane { lane, next_sequence } => put_lane(2, lane, *next_sequence, out),
        Entry::File { file, place, head } => {
            out.put_u8(3);
            put_file(file, out);
            put_string(&place.location, out);
            out.put_u64_le(place.device);
            out.put_u64_le(place.inode);
            out.put_i64_le(place.birth_ns);
            out.put_u32_le(head.len);
            out.put_u64_le(head.hash);
        }
        Entry::Done { key, start, end } => {
            out.put_u8(4);
            put_key(key, out);
            out.put_u64_le(*start);
            out.put_u64_le(*end);
        }
        Entry::Proof { key, proof } => {
            out.put_u8(5);
            put_key(key, out);
            put_proof(proof, out);
        }
        Entry::Intent(intent) => put_intent(intent, out),
        Entry::Acknowledged { lane, base_sequence } => put_lane(7, lane, *base_sequence, out),
        Entry::Withdrawn { lane, base_sequence } => put_lane(8, lane, *base_sequence, out),
        Entry::Forgotten { key } => {
            out.put_u8(9);
            put_key(key, out);
        }
        Entry::Moved { epoch } => {
            out.put_u8(10);
            out.put_u64_le(*epoch);
        }
        Entry::Truncations { device, inode, birth_ns, count } => {
            out.put_u8(11);
            out.put_u64_le(*device);
            out.put_u64_le(*inode);
            out.put_i64_le(*birth_ns);
            out.put_u32_le(*count);
        }
    }
}

fn put_intent(intent: &Intent, out: &mut Vec<u8>) {
    out.put_u8(6);
    out.put_i32_le(intent.lane.partition);
    put_file(&intent.file, out);
    out.put_i32_le(intent.base_sequence);
    out.put_u32_le(intent.count);
    out.put_u64_le(intent.start);
    out.put_u64_le(intent.end);
    out.put_u8(match intent.shape {
        Shape::Lines => 0,
        Shape::Partial => 1,
        Shape::Truncated => 2,
    });
    out.put_i64_le(intent.timestamp_ms);
    put_proof(&intent.proof, out);
}

fn put_string(text: &str, out: &mut Vec<u8>) {
    out.put_u32_le(text.len() as u32);
    out.put_slice(text.as_bytes());
}

fn put_lane(kind: u8, lane: &LaneId, sequence: i32, out: &mut Vec<u8>) {
    out.put_u8(kind);
    put_string(&lane.topic, out);
    out.put_i32_le(lane.partition);
    out.put_i32_le(sequence);
}

fn put_key(key: &FileKey, out: &mut Vec<u8>) {
    out.put_u64_le(key.generation.0);
    put_string(&key.topic, out);
}

fn put_file(file: &FileRef, out: &mut Vec<u8>) {
    out.put_u64_le(file.generation.0);
    put_string(&file.topic, out);
    put_string(&file.host, out);
    put_string(&file.path, out);
}

fn put_proof(proof: &Proof, out: &mut Vec<u8>) {
    out.put_u64_le(proof.at);
    out.put_u8(proof.len);
    out.put_u64_le(proof.hash);
}

/// `None` when the body is not what its kind says, or longer.
fn get_body(mut body: &[u8]) -> Option<Entry> {
    let from = &mut body;
    let kind = from.try_get_u8().ok()?;
    let entry = match kind {
        1 => Entry::Producer(Producer {
            id: from.try_get_i64_le().ok()?,
            epoch: from.try_get_i16_le().ok()?,
            boot_id: get_string(from)?.to_owned(),
        }),
        2 => Entry::Lane { lane: get_lane(from)?, next_sequence: from.try_get_i32_le().ok()? },
        3 => Entry::File { file: get_file(from)?, place: get_place(from)?, head: get_head(from)? },
        4 => Entry::Done {
            key: get_key(from)?,
            start: from.try_get_u64_le().ok()?,
            end: from.try_get_u64_le().ok()?,
        },
        5 => Entry::Proof { key: get_key(from)?, proof: get_proof(from)? },
        6 => Entry::Intent(get_intent(from)?),
        7 => Entry::Acknowledged { lane: get_lane(from)?, base_sequence: from.try_get_i32_le().ok()? },
        8 => Entry::Withdrawn { lane: get_lane(from)?, base_sequence: from.try_get_i32_le().ok()? },
        9 => Entry::Forgotten { key: get_key(from)? },
        10 => Entry::Moved { epoch: from.try_get_u64_le().ok()? },
        11 => Entry::Truncations {
            device: from.try_get_u64_le().ok()?,
            inode: from.try_get_u64_le().ok()?,
            birth_ns: from.try_get_i64_le().ok()?,
            count: from.try_get_u32_le().ok()?,
        },
        _ => return None,
    };
    from.is_empty().then_some(entry)
}

fn get_intent(from: &mut &[u8]) -> Option<Intent> {
    let partition = from.try_get_i32_le().ok()?;
    let file = get_file(from)?;
    Some(Intent {
        lane: LaneId { topic: file.topic.clone(), partition },
        base_sequence: from.try_get_i32_le().ok()?,
        count: from.try_get_u32_le().ok()?,
        file,
        start: from.try_get_u64_le().ok()?,
        end: from.try_get_u64_le().ok()?,
        shape: match from.try_get_u8().ok()? {
            0 => Shape::Lines,
            1 => Shape::Partial,
            2 => Shape::Truncated,
            _ => return None,
        },
        timestamp_ms: from.try_get_i64_le().ok()?,
        proof: get_proof(from)?,
    })
}

fn get_string<'a>(from: &mut &'a [u8]) -> Option<&'a str> {
    let length = from.try_get_u32_le().ok()? as usize;
    let (text, rest) = from.split_at_checked(length)?;
    *from = rest;
    std::str::from_utf8(text).ok()
}

fn get_lane(from: &mut &[u8]) -> Option<LaneId> {
    Some(LaneId { topic: get_string(from)?.into(), partition: from.try_get_i32_le().ok()? })
}

fn get_key(from: &mut &[u8]) -> Option<FileKey> {
    Some(FileKey { generation: GenerationId(from.try_get_u64_le().ok()?), topic: get_string(from)?.into() })
}

fn get_file(from: &mut &[u8]) -> Option<Arc<FileRef>> {
    let key = get_key(from)?;
    let host = get_string(from)?.into();
    let path = get_string(from)?.into();
    Some(Arc::new(FileRef { host, path, topic: key.topic, generation: key.generation }))
}

fn get_place(from: &mut &[u8]) -> Option<Place> {
    Some(Place {
        location: get_string(from)?.into(),
        device: from.try_get_u64_le().ok()?,
        inode: from.try_get_u64_le().ok()?,
        birth_ns: from.try_get_i64_le().ok()?,
    })
}

fn get_head(from: &mut &[u8]) -> Option<Head> {
    Some(Head { len: from.try_get_u32_le().ok()?, hash: from.try_get_u64_le().ok()? })
}

fn get_proof(from: &mut &[u8]) -> Option<Proof> {
    Some(Proof {
        at: from.try_get_u64_le().ok()?,
        len: from.try_get_u8().ok()?,
        hash: from.try_get_u64_le().ok()?,
    })
}
