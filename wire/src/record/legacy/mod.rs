//! Message sets: the record formats before batches, magic 0 and 1.
//!
//! All integers are big-endian. Source: Kafka's documentation, "Old Message Format", and KIP-32. A
//! message set is a sequence of entries:
//!
//! | at | bytes | field | |
//! |---|---|---|---|
//! | 0 | 8 | offset | in a wrapper: that of its last message |
//! | 8 | 4 | message size | bytes after this field |
//! | 12 | 4 | crc | CRC-32 (ISO-HDLC) of everything from `magic` to the end |
//! | 16 | 1 | magic | 0 or 1 |
//! | 17 | 1 | attributes | bits 0-2 codec; bit 3, in magic 1 only: timestamp type (0 create, 1 append time) |
//! | 18 | 0 or 8 | timestamp | ms, -1 for none; in magic 1 only |
//! | | 4 | key length | -1 says null |
//! | | n | key | |
//! | | 4 | value length | -1 says null |
//! | | n | value | |
//!
//! A message with a codec is a *wrapper*: it has no key, and its value is a compressed message set
//! of the same magic, whose messages are not wrappers themselves. In magic 0 the inner messages bear
//! their offsets. In magic 1 they count from 0, and what to add follows from the wrapper, whose offset
//! is that of its last message. A wrapper's timestamp is the largest of its messages; when it says
//! append time, it is that of all its messages. There is no zstd. Lz4 frames in magic 0 have a wrong
//! header checksum (KIP-57), by which the clients of that time know them.
//!
//! | file | |
//! |---|---|
//! | `message` | one entry, read and written |
//! | `wrapper` | the messages that an entry stands for |
//! | `convert` | message sets into record batches, when old clients produce |
//! | `set_builder` | record batches into message sets, when old clients fetch |

mod convert;
mod message;
mod set_builder;
mod wrapper;

pub use convert::{ConversionLimits, to_batches};
pub(crate) use message::fix_checksums;
pub use message::{Message, entries};
pub use set_builder::{Magic, SetBuilder};
pub use wrapper::Messages;
