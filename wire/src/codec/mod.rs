//! Owns the primitive encodings of Kafka's protocol and the tables from which messages are read and written.
//!
//! # Format
//! Integers are big-endian. A message of an API is encoded in one of two forms, chosen by its version:
//!
//! | type | plain versions | flexible versions |
//! |---|---|---|
//! | bool, int8 … int64, float64 | fixed size | the same |
//! | uuid | 16 bytes | the same |
//! | string | int16 length, UTF-8; null is −1 | uvarint of length + 1; null is 0 |
//! | bytes, records | int32 length; null is −1 | uvarint of length + 1; null is 0 |
//! | array | int32 count, elements; null is −1 | uvarint of count + 1; null is 0 |
//! | struct | its fields in order | its fields in order, then its tagged fields |
//! | tagged fields | – | uvarint count, then by ascending tag: uvarint tag, uvarint size, value |
//!
//! A uvarint holds 7 bits in a byte, lowest first, the top bit set on all but the last; at most 5 bytes.
//!
//! # Reading what strangers send
//! Every length and count is compared with what is left in the frame before anything is allocated, nesting is
//! fixed by the tables, unknown tags are skipped, and the memory that arrays take is limited to a small multiple
//! of the frame (see [`Reader`]). Any negative length counts as null, as Kafka's own reader has it.
//!
//! # Writing
//! Record bytes may be left out of what is written ([`Blob::Hole`]) and sent from a file instead.

mod blob;
mod error;
mod field;
mod reader;
mod table;
mod writer;

#[cfg(test)]
mod tests;

pub use blob::{Blob, Encoded, Hole};
pub use error::{DecodeError, EncodeError};
pub use field::Version;
pub(crate) use field::{Field, Nullable};
pub use reader::Reader;
pub(crate) use table::{absent_field, flag, initial, message, read_field, write_field};
pub(crate) use writer::Tags;
pub use writer::Writer;
