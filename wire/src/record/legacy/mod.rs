//! Message sets: the record formats before batches, magic 0 and 1. Read only.
//!
//! All integers are big-endian. Source: Kafka's documentation, "Old Message Format", and KIP-32. A
//! message set is a sequence of entries:
//!
//! | at | bytes | field | |
//! |---|---|---|---|
//! | 0 | 8 | offset | in a wrapper of magic 1: that of its last message |
//! | 8 | 4 | message size | bytes after this field |
//! | 12 | 4 | crc | CRC-32 (ISO-HDLC) of everything from `magic` to the end |
//! | 16 | 1 | magic | 0 or 1 |
//! | 17 | 1 | attributes | bits 0-2 codec; bit 3, in magic 1 only: timestamp type (0 create, 1 append time) |
//! | 18 | 0 or 8 | timestamp | ms; in magic 1 only |
//! | | 4 | key length | -1 says null |
//! | | n | key | |
//! | | 4 | value length | -1 says null |
//! | | n | value | |
//!
//! A message with a codec is a *wrapper*: its value is a compressed message set of the same magic,
//! whose messages are not wrappers themselves. In magic 0 the inner messages bear their offsets. In
//! magic 1 they count from 0, and what to add follows from the wrapper, whose offset is that of its
//! last message. When a wrapper says append time, its timestamp is that of all its messages.

mod convert;
mod message;
mod wrapper;

pub use convert::to_batches;
pub(crate) use message::fix_checksums;
pub use message::{Message, entries};
pub use wrapper::Messages;
