//! What travels: frames, the Kafka protocol's messages, record formats and codecs; no sockets, no files.

pub mod codec;
pub mod crc32c;
pub mod error_code;
pub mod frame;
#[doc(hidden)]
pub mod fuzzing;
pub mod message;
pub mod murmur2;
pub mod record;

#[cfg(test)]
mod testing;

pub use codec::Blob;
pub use crc32c::{crc32c, crc32c_append};
pub use error_code::ErrorCode;
pub use message::ApiKey;
pub use murmur2::murmur2;
